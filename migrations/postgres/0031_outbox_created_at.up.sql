-- Serves the removal of what is old, and telling again what happened since some time.
CREATE INDEX outbox_created_at_index ON outbox (created_at);
