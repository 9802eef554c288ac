-- Attaches a policy to a role, to a user or, when both are null, to everyone who has no role.
CREATE TABLE access (
    id TEXT NOT NULL PRIMARY KEY,
    role TEXT CONSTRAINT access_role_foreign REFERENCES roles (id) ON DELETE CASCADE,
    "user" TEXT CONSTRAINT access_user_foreign REFERENCES users (id) ON DELETE CASCADE,
    policy TEXT NOT NULL
        CONSTRAINT access_policy_foreign REFERENCES policies (id) ON DELETE CASCADE,
    sort INTEGER
) STRICT;

CREATE INDEX access_role_index ON access (role);

CREATE INDEX access_user_index ON access ("user");

CREATE INDEX access_policy_index ON access (policy);

-- `fields` is a comma-separated list, `*` for all of them.
CREATE TABLE permissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    action TEXT NOT NULL,
    permissions TEXT,
    validation TEXT,
    presets TEXT,
    fields TEXT,
    policy TEXT NOT NULL
        CONSTRAINT permissions_policy_foreign REFERENCES policies (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX permissions_policy_index ON permissions (policy);
