-- Further tokens of users. `hash` is an HMAC under a key of the server, `prefix` the beginning that
-- is shown, `ip_access` a comma-separated list of addresses and networks. `policies` narrows the
-- token once policies can; until then it is null.
CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    "user" TEXT NOT NULL
        CONSTRAINT api_tokens_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL,
    policies TEXT,
    ip_access TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    last_used_at TEXT
) STRICT;

CREATE UNIQUE INDEX api_tokens_hash_unique ON api_tokens (hash);

CREATE INDEX api_tokens_user_index ON api_tokens ("user");
