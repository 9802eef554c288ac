-- Formats, here and in the steps that follow: the native type of each value. Text is collated "C",
-- so that it sorts by code point as it does on SQLite. Times have no default, because the clock is
-- always the caller's.

-- Roles form a tree through `parent`. Whoever deletes a role detaches its children first.
CREATE TABLE roles (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    icon TEXT COLLATE "C" NOT NULL DEFAULT 'supervised_user_circle',
    description TEXT COLLATE "C",
    parent UUID CONSTRAINT roles_parent_foreign REFERENCES roles (id) ON DELETE NO ACTION
);

CREATE INDEX roles_parent_index ON roles (parent);

-- `ip_access` is a comma-separated list of addresses, ranges and networks; when it is null or empty
-- the policy applies from anywhere.
CREATE TABLE policies (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    icon TEXT COLLATE "C" NOT NULL DEFAULT 'badge',
    description TEXT COLLATE "C",
    ip_access TEXT COLLATE "C",
    enforce_tfa BOOLEAN NOT NULL DEFAULT false,
    admin_access BOOLEAN NOT NULL DEFAULT false,
    app_access BOOLEAN NOT NULL DEFAULT false
);
