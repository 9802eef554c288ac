-- Serves filters and orders by `email`, which is kept as it was sent beside its key.
CREATE INDEX users_email_index ON users (email);
