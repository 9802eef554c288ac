-- Pictures of users. `storage` says where the bytes are: `database`, in file_contents, or `folder`.
CREATE TABLE files (
    id UUID PRIMARY KEY,
    storage TEXT COLLATE "C" NOT NULL,
    filename_disk TEXT COLLATE "C",
    filename_download TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    type TEXT COLLATE "C",
    uploaded_by UUID
        CONSTRAINT files_uploaded_by_foreign REFERENCES users (id) ON DELETE SET NULL,
    created_on TIMESTAMPTZ NOT NULL,
    modified_by UUID
        CONSTRAINT files_modified_by_foreign REFERENCES users (id) ON DELETE SET NULL,
    modified_on TIMESTAMPTZ NOT NULL,
    filesize BIGINT,
    width INTEGER,
    height INTEGER,
    description TEXT COLLATE "C",
    uploaded_on TIMESTAMPTZ,
    roster_version BIGINT NOT NULL DEFAULT 1
);

CREATE INDEX files_uploaded_by_index ON files (uploaded_by);

CREATE INDEX files_modified_by_index ON files (modified_by);

CREATE TABLE file_contents (
    file UUID PRIMARY KEY
        CONSTRAINT file_contents_file_foreign REFERENCES files (id) ON DELETE CASCADE,
    content BYTEA NOT NULL
);
