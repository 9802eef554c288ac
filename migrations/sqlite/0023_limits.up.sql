-- How often something was tried in the present window, for every node alike. `key` says what and by
-- whom; rows whose window has ended are removed.
CREATE TABLE limits (
    key TEXT NOT NULL PRIMARY KEY,
    tries INTEGER NOT NULL,
    ends_at TEXT NOT NULL
) STRICT;

CREATE INDEX limits_ends_at_index ON limits (ends_at);
