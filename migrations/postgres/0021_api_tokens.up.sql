-- Further tokens of users. `hash` is an HMAC under a key of the server, `prefix` the beginning that
-- is shown, `ip_access` a comma-separated list of addresses and networks. `policies` narrows the
-- token once policies can; until then it is null.
CREATE TABLE api_tokens (
    id UUID PRIMARY KEY,
    "user" UUID NOT NULL
        CONSTRAINT api_tokens_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    policies JSONB,
    ip_access TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ
);

CREATE UNIQUE INDEX api_tokens_hash_unique ON api_tokens (hash);

CREATE INDEX api_tokens_user_index ON api_tokens ("user");
