-- What a plugin keeps between calls; each sees its own rows only. `version` grows with every write
-- and is named by the next one.
CREATE TABLE plugin_store (
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (plugin, key)
) STRICT;
