-- Tokens that were mailed. A token is a JWT whose `jti` is a secret of 256 bits; only its SHA-256 is
-- here. `generation` is the user's when it was made, `used_at` when it was used, once.
-- The user may be written later in the transaction that writes the token.
CREATE TABLE mail_tokens (
    id UUID PRIMARY KEY,
    "user" UUID NOT NULL
        CONSTRAINT mail_tokens_user_foreign REFERENCES users (id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    purpose TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL,
    generation BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

CREATE UNIQUE INDEX mail_tokens_secret_hash_unique ON mail_tokens (secret_hash);

CREATE INDEX mail_tokens_user_index ON mail_tokens ("user");
