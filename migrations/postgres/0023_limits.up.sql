-- How often something was tried in the present window, for every node alike. `key` says what and by
-- whom; rows whose window has ended are removed.
CREATE TABLE limits (
    key TEXT COLLATE "C" PRIMARY KEY,
    tries BIGINT NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX limits_ends_at_index ON limits (ends_at);
