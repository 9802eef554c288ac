ALTER TABLE counters DROP COLUMN plugins_epoch;
