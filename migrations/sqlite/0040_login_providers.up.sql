-- An identifier means something at its provider alone: two of them may know different people by the
-- same one.
DROP INDEX users_external_identifier_unique;

CREATE UNIQUE INDEX users_external_identifier_unique ON users (provider, external_identifier);

-- The provider that a session was begun by; without it the session is not refreshed.
ALTER TABLE sessions ADD COLUMN provider TEXT NOT NULL DEFAULT 'default';
