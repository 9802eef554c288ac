-- Grows when the operator wants components to be loaded again; every node looks at it.
ALTER TABLE counters ADD COLUMN plugins_epoch INTEGER NOT NULL DEFAULT 1;
