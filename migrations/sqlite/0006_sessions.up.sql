-- `sequence` counts the rotations of the refresh secret, `secret_hash` is the SHA-256 of the
-- current one and `rotated_at` the time it replaced the previous one; a rotation compares and swaps
-- all three.
-- `mode` is json, cookie or session. `expires_at` moves with use, `ends_at` never does.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    "user" TEXT NOT NULL
        CONSTRAINT sessions_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL DEFAULT 1,
    secret_hash BLOB NOT NULL,
    rotated_at TEXT,
    mode TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    origin TEXT
) STRICT;

CREATE INDEX sessions_user_index ON sessions ("user");

CREATE INDEX sessions_expires_at_index ON sessions (expires_at);
