-- What a plugin keeps between calls; each sees its own rows only. `version` grows with every write
-- and is named by the next one.
CREATE TABLE plugin_store (
    plugin TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value JSONB NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (plugin, key)
);
