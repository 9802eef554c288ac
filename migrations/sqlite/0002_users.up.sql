-- Custom fields are columns appended to this table, so no later step may rebuild it.
-- Keep comments outside the column list: SQLite edits the stored text when it adds a column.
--
-- `email` is kept as it was sent and is not unique; lookups and uniqueness go through `email_key`.
-- `token` holds an HMAC of the static token, never the token; `tfa_secret` is encrypted.
-- `avatar` is the id of a file, without a foreign key.
--
-- The last four columns are internal and never reach the wire:
--   email_key      the e-mail normalised by Roster (NFKC, lower case); null when there is no e-mail
--   roster_generation     raised whenever something changes that authentication depends on, so that
--                  tokens issued before stop working on the next request
--   roster_version        raised by every write of the row; an update names the version it has read
--   roster_failed_logins  failures since the last successful login, for the lock-out
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    password TEXT,
    location TEXT,
    title TEXT,
    description TEXT,
    tags TEXT,
    avatar TEXT,
    language TEXT,
    tfa_secret TEXT,
    status TEXT NOT NULL DEFAULT 'active',
    role TEXT CONSTRAINT users_role_foreign REFERENCES roles (id) ON DELETE SET NULL,
    token TEXT,
    last_access TEXT,
    last_page TEXT,
    provider TEXT NOT NULL DEFAULT 'default',
    external_identifier TEXT,
    auth_data TEXT,
    email_notifications INTEGER DEFAULT 1,
    appearance TEXT,
    theme_dark TEXT,
    theme_light TEXT,
    theme_light_overrides TEXT,
    theme_dark_overrides TEXT,
    text_direction TEXT NOT NULL DEFAULT 'auto',
    email_key TEXT,
    roster_generation INTEGER NOT NULL DEFAULT 1,
    roster_version INTEGER NOT NULL DEFAULT 1,
    roster_failed_logins INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX users_email_key_unique ON users (email_key);

CREATE UNIQUE INDEX users_token_unique ON users (token);

CREATE UNIQUE INDEX users_external_identifier_unique ON users (external_identifier);

CREATE INDEX users_role_index ON users (role);
