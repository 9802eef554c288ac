-- Describes custom fields; built-in ones live in code. The values are in a real column of the
-- collection's table, which is plain and nullable: `type` and `schema` hold what it may contain.
-- Keys of `schema`: max_length, numeric_precision, numeric_scale, default_value, is_nullable,
-- is_unique, is_indexed.
CREATE TABLE fields (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    field TEXT NOT NULL,
    special TEXT,
    interface TEXT,
    options TEXT,
    display TEXT,
    display_options TEXT,
    readonly INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0,
    sort INTEGER,
    width TEXT DEFAULT 'full',
    translations TEXT,
    note TEXT,
    conditions TEXT,
    required INTEGER DEFAULT 0,
    "group" TEXT,
    validation TEXT,
    validation_message TEXT,
    searchable INTEGER NOT NULL DEFAULT 1,
    type TEXT NOT NULL,
    schema TEXT
) STRICT;

CREATE UNIQUE INDEX fields_collection_field_unique ON fields (collection, field);
