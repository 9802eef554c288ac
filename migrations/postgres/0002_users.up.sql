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
    id UUID PRIMARY KEY,
    first_name TEXT COLLATE "C",
    last_name TEXT COLLATE "C",
    email TEXT COLLATE "C",
    password TEXT COLLATE "C",
    location TEXT COLLATE "C",
    title TEXT COLLATE "C",
    description TEXT COLLATE "C",
    tags JSONB,
    avatar UUID,
    language TEXT COLLATE "C",
    tfa_secret TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL DEFAULT 'active',
    role UUID CONSTRAINT users_role_foreign REFERENCES roles (id) ON DELETE SET NULL,
    token TEXT COLLATE "C",
    last_access TIMESTAMPTZ,
    last_page TEXT COLLATE "C",
    provider TEXT COLLATE "C" NOT NULL DEFAULT 'default',
    external_identifier TEXT COLLATE "C",
    auth_data JSONB,
    email_notifications BOOLEAN DEFAULT true,
    appearance TEXT COLLATE "C",
    theme_dark TEXT COLLATE "C",
    theme_light TEXT COLLATE "C",
    theme_light_overrides JSONB,
    theme_dark_overrides JSONB,
    text_direction TEXT COLLATE "C" NOT NULL DEFAULT 'auto',
    email_key TEXT COLLATE "C",
    roster_generation BIGINT NOT NULL DEFAULT 1,
    roster_version BIGINT NOT NULL DEFAULT 1,
    roster_failed_logins INTEGER NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX users_email_key_unique ON users (email_key);

CREATE UNIQUE INDEX users_token_unique ON users (token);

CREATE UNIQUE INDEX users_external_identifier_unique ON users (external_identifier);

CREATE INDEX users_role_index ON users (role);
