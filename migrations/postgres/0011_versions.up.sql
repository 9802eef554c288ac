-- Every record counts its writes, so that two of them at once are noticed.
ALTER TABLE roles ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 1;

ALTER TABLE policies ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 1;

ALTER TABLE access ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 1;

ALTER TABLE permissions ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 1;

ALTER TABLE settings ADD COLUMN roster_version BIGINT NOT NULL DEFAULT 1;

-- Whether the wire shows `meta` for the field.
ALTER TABLE fields ADD COLUMN roster_has_meta BOOLEAN NOT NULL DEFAULT true;
