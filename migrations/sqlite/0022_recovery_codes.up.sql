-- Codes in the place of a second factor that was lost. `hash` is an HMAC under a key of the server;
-- a code that was used is gone.
CREATE TABLE recovery_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    "user" TEXT NOT NULL
        CONSTRAINT recovery_codes_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX recovery_codes_user_hash_unique ON recovery_codes ("user", hash);
