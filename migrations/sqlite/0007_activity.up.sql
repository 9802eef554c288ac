-- `user` has no foreign key: the record of what somebody did outlives them.
-- `source` is where the action came from (rest, cli, ...), `origin` the page that sent it.
CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    "user" TEXT,
    "timestamp" TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    collection TEXT NOT NULL,
    item TEXT NOT NULL,
    origin TEXT,
    source TEXT,
    outcome TEXT
) STRICT;

CREATE INDEX activity_timestamp_index ON activity ("timestamp");

CREATE INDEX activity_collection_item_index ON activity (collection, item);

-- `data` is the item after the change, `delta` what changed; neither holds concealed values.
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    activity INTEGER NOT NULL
        CONSTRAINT revisions_activity_foreign REFERENCES activity (id) ON DELETE CASCADE,
    collection TEXT NOT NULL,
    item TEXT NOT NULL,
    data TEXT,
    delta TEXT,
    parent INTEGER
        CONSTRAINT revisions_parent_foreign REFERENCES revisions (id) ON DELETE NO ACTION,
    version TEXT
) STRICT;

CREATE INDEX revisions_activity_index ON revisions (activity);

CREATE INDEX revisions_parent_index ON revisions (parent);

CREATE INDEX revisions_collection_item_index ON revisions (collection, item);
