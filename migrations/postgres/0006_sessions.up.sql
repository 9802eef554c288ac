-- `sequence` counts the rotations of the refresh secret, `secret_hash` is the SHA-256 of the
-- current one and `rotated_at` the time it replaced the previous one; a rotation compares and swaps
-- all three.
-- `mode` is json, cookie or session. `expires_at` moves with use, `ends_at` never does.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    "user" UUID NOT NULL
        CONSTRAINT sessions_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL DEFAULT 1,
    secret_hash BYTEA NOT NULL,
    rotated_at TIMESTAMPTZ,
    mode TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    ip TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    origin TEXT COLLATE "C"
);

CREATE INDEX sessions_user_index ON sessions ("user");

CREATE INDEX sessions_expires_at_index ON sessions (expires_at);
