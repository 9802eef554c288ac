-- One row. `schema_epoch` grows when a field changes, `rules_epoch` when a role, a policy, an
-- access row or a permission does; every request reads both and keys its caches by them.
CREATE TABLE counters (
    id INTEGER PRIMARY KEY CONSTRAINT counters_id_check CHECK (id = 1),
    schema_epoch BIGINT NOT NULL DEFAULT 1,
    rules_epoch BIGINT NOT NULL DEFAULT 1
);

INSERT INTO counters (id) VALUES (1);

-- The policy of everyone who has no role. It grants nothing until permissions are added to it.
INSERT INTO policies (id, name, icon, description)
VALUES (
    'abf8a154-5b1c-4a46-ac9c-7300570f4f17',
    '$t:public_label',
    'public',
    '$t:public_description'
);

INSERT INTO access (id, role, "user", policy, sort)
VALUES (
    '00000000-0000-7000-8000-000000000001',
    NULL,
    NULL,
    'abf8a154-5b1c-4a46-ac9c-7300570f4f17',
    1
);
