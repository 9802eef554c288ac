-- Custom relations: a field of users holds the key of another record. `related` is the collection it
-- leads to, `on_delete` what happens to the user when that record is deleted, `one_field` the field
-- of the other side that lists the users. Built-in relations live in code.
CREATE TABLE relations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    field TEXT NOT NULL,
    related TEXT NOT NULL,
    on_delete TEXT NOT NULL,
    one_field TEXT,
    sort_field TEXT,
    deletes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX relations_field_unique ON relations (field);
