-- Pictures of users. `storage` says where the bytes are: `database`, in file_contents, or `folder`.
CREATE TABLE files (
    id TEXT NOT NULL PRIMARY KEY,
    storage TEXT NOT NULL,
    filename_disk TEXT,
    filename_download TEXT NOT NULL,
    title TEXT,
    type TEXT,
    uploaded_by TEXT
        CONSTRAINT files_uploaded_by_foreign REFERENCES users (id) ON DELETE SET NULL,
    created_on TEXT NOT NULL,
    modified_by TEXT
        CONSTRAINT files_modified_by_foreign REFERENCES users (id) ON DELETE SET NULL,
    modified_on TEXT NOT NULL,
    filesize INTEGER,
    width INTEGER,
    height INTEGER,
    description TEXT,
    uploaded_on TEXT,
    roster_version INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE INDEX files_uploaded_by_index ON files (uploaded_by);

CREATE INDEX files_modified_by_index ON files (modified_by);

CREATE TABLE file_contents (
    file TEXT NOT NULL PRIMARY KEY
        CONSTRAINT file_contents_file_foreign REFERENCES files (id) ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT;
