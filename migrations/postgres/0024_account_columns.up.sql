-- roster_locked_until  no login before that time
-- roster_tfa_step      the last step whose one-time code was taken
-- roster_tfa_pending   proof of a secret that was given out and is not enabled yet
ALTER TABLE users ADD COLUMN roster_locked_until TIMESTAMPTZ;

ALTER TABLE users ADD COLUMN roster_tfa_step BIGINT;

ALTER TABLE users ADD COLUMN roster_tfa_pending TEXT COLLATE "C";

-- Who acts in the session instead of its user, and why.
ALTER TABLE sessions ADD COLUMN actor UUID;

ALTER TABLE sessions ADD COLUMN reason TEXT COLLATE "C";

-- What else there is to say about an entry, such as the reason of an impersonation.
ALTER TABLE activity ADD COLUMN detail TEXT COLLATE "C";
