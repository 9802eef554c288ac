ALTER TABLE activity DROP COLUMN detail;

ALTER TABLE sessions DROP COLUMN reason;

ALTER TABLE sessions DROP COLUMN actor;

ALTER TABLE users DROP COLUMN roster_tfa_pending;

ALTER TABLE users DROP COLUMN roster_tfa_step;

ALTER TABLE users DROP COLUMN roster_locked_until;
