ALTER TABLE sessions DROP COLUMN provider;

DROP INDEX users_external_identifier_unique;

CREATE UNIQUE INDEX users_external_identifier_unique ON users (external_identifier);
