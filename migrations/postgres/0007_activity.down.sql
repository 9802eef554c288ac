DROP TABLE revisions;

DROP TABLE activity;
