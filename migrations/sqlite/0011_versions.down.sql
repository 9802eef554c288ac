ALTER TABLE fields DROP COLUMN roster_has_meta;

ALTER TABLE settings DROP COLUMN roster_version;

ALTER TABLE permissions DROP COLUMN roster_version;

ALTER TABLE access DROP COLUMN roster_version;

ALTER TABLE policies DROP COLUMN roster_version;

ALTER TABLE roles DROP COLUMN roster_version;
