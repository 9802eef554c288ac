-- Formats, here and in the steps that follow: a uuid is lower-case text with dashes, a time is
-- RFC 3339 text in UTC with milliseconds (fixed width, so that it sorts as text), json is text, a
-- boolean is 0 or 1. Times have no default, because the clock is always the caller's.

-- Roles form a tree through `parent`. Whoever deletes a role detaches its children first.
CREATE TABLE roles (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    icon TEXT NOT NULL DEFAULT 'supervised_user_circle',
    description TEXT,
    parent TEXT CONSTRAINT roles_parent_foreign REFERENCES roles (id) ON DELETE NO ACTION
) STRICT;

CREATE INDEX roles_parent_index ON roles (parent);

-- `ip_access` is a comma-separated list of addresses, ranges and networks; when it is null or empty
-- the policy applies from anywhere.
CREATE TABLE policies (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    icon TEXT NOT NULL DEFAULT 'badge',
    description TEXT,
    ip_access TEXT,
    enforce_tfa INTEGER NOT NULL DEFAULT 0,
    admin_access INTEGER NOT NULL DEFAULT 0,
    app_access INTEGER NOT NULL DEFAULT 0
) STRICT;
