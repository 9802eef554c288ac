//! `[files]`: how large files may be, and where they are kept.

use std::path::PathBuf;

use super::raw::{choice, text};
use super::reader::Reader;
use super::units::{ByteSize, size};

/// `[files]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The size of the largest file.
    pub max_size: ByteSize,
    /// Where the content of new files is kept.
    pub storage: FileStorage,
    /// The folder; a relative path starts at the working directory.
    pub folder: PathBuf,
}

/// Where the content of files is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileStorage {
    /// Beside their records.
    Database,
    /// In a folder, each under its id.
    Folder,
}

impl Files {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const STORAGES: &[(&str, FileStorage)] = &[
            ("database", FileStorage::Database),
            ("folder", FileStorage::Folder),
        ];
        Self {
            max_size: reader.read("files.max_size", size),
            storage: reader.read("files.storage", choice(STORAGES)),
            folder: reader.read("files.folder", text).into(),
        }
    }
}
