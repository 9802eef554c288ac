//! The secret of an installation that was given none: made once, kept beside the database.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use roster_engine::Secret;

/// `data/roster.db` → `data/roster.secret`.
fn place(database: &Path) -> PathBuf {
    database.with_extension("secret")
}

/// The secret beside the database; a new one, readable by the owner alone, where there is none.
///
/// # Errors
/// When the file cannot be read or made; the message names it.
pub(crate) fn read_or_make(database: &Path) -> io::Result<Secret> {
    let path = place(database);
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()));
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(Secret::new(text.trim())),
        Ok(_) => Err(named(io::Error::new(
            io::ErrorKind::InvalidData,
            "expected a secret of at least 32 characters",
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(named),
        Err(error) => Err(named(error)),
    }
}

fn make(path: &Path) -> io::Result<Secret> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let secret = roster_engine::random_secret().map_err(io::Error::other)?;
    // Written whole under another name, so that a crash leaves no half of a secret.
    let draft = path.with_extension("secret.new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{}", secret.expose())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    tracing::info!(path = %path.display(), "secret made");
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_for_the_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("new/roster.db");

        let first = read_or_make(&database).expect("made");
        let second = read_or_make(&database).expect("read");

        assert_eq!(first, second);
        let path = folder.path().join("new/roster.secret");
        let mode = std::fs::metadata(path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_secret_stops_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("roster.secret"), "short").expect("written");

        let error = read_or_make(&folder.path().join("roster.db")).expect_err("refused");

        assert!(
            error.to_string().contains("at least 32 characters"),
            "{error}"
        );
    }
}
