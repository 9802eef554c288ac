//! The content of files that is kept in a folder, each under its id and no other name.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use roster_domain::error::field as problem;
use roster_domain::{Collection, Error, Key, Result, Value};

use crate::Inner;
use crate::records::store::{Ready, Stored};

/// What `storage` says of a file whose content is in the folder.
pub(super) const FOLDER: &str = "folder";

fn place(folder: &Path, file: Key) -> PathBuf {
    folder.join(file.to_string())
}

/// Keeps the content of a new file; refuses where one of that id is there already.
pub(super) async fn keep(folder: PathBuf, file: Key, content: Vec<u8>) -> Result<()> {
    let kept = tokio::task::spawn_blocking(move || {
        // What is in it is nobody else's business.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let path = place(&folder, file);
        let mut made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        let written = made.write_all(&content).and_then(|()| made.sync_all());
        if written.is_err() {
            std::fs::remove_file(&path)?;
        }
        written
    });
    kept.await
        .map_err(Error::internal)?
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let name = Collection::Files.as_str();
                problem::not_unique(name, "id", Some(file.value().to_json())).into()
            }
            _ => Error::unavailable("files", "the folder cannot be written").because(error),
        })
}

/// The content of a file.
pub(super) async fn content(folder: &Path, file: Key) -> Result<Option<Vec<u8>>> {
    match tokio::fs::read(place(folder, file)).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::unavailable("files", "the folder cannot be read").because(error)),
    }
}

/// Removes what is kept of a file that is not there any more.
pub(super) async fn remove(folder: &Path, file: Key) {
    match tokio::fs::remove_file(place(folder, file)).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%file, %error, "content of a removed file stays in its folder");
        }
        _ => {}
    }
}

/// Removes the content of files that were removed.
pub(crate) async fn forget(inner: &Inner, done: &[Ready]) {
    for one in done
        .iter()
        .filter(|one| one.collection() == Collection::Files)
    {
        if let (Some(key), Stored::Delete(stored)) = (one.key(), one.what())
            && stored.item.get("storage").and_then(Value::as_text) == Some(FOLDER)
        {
            remove(&inner.settings.files.folder, key).await;
        }
    }
}
