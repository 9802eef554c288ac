//! The crate of a new plugin, made of templates.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::Kind;

const MANIFEST: &str = include_str!("scaffold/Cargo.toml.txt");
const README: &str = include_str!("scaffold/README.md.txt");
const HOOKS: &str = include_str!("scaffold/hooks.rs.txt");
const MAILER: &str = include_str!("scaffold/mailer.rs.txt");
const POLICY: &str = include_str!("scaffold/policy.rs.txt");
const AUTH: &str = include_str!("scaffold/auth.rs.txt");

/// Makes the crate in a folder of its name; gives that.
///
/// # Errors
/// A sentence for whoever asked: the name is none, the folder is there, it cannot be written.
pub(crate) fn make(
    place: &Path,
    name: &str,
    kind: Kind,
    sdk: Option<&Path>,
) -> Result<PathBuf, String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !is_name {
        return Err(format!(
            "expected a name of lower-case letters, digits and dashes, got `{name}`"
        ));
    }
    let folder = place.join(name);
    if folder.exists() {
        return Err(format!("`{}` is there already", folder.display()));
    }
    let source = match sdk {
        None => "version = \"0.1\"".to_owned(),
        Some(path) => {
            let path = fs::canonicalize(path);
            let path = path.map_err(|error| format!("`--sdk`: {error}"))?;
            format!("path = {:?}", path.display().to_string())
        }
    };
    let code = match kind {
        Kind::Hooks => HOOKS,
        Kind::Mailer => MAILER,
        Kind::Policy => POLICY,
        Kind::Auth => AUTH,
    };
    let fill = |template: &str| {
        template
            .replace("{{name}}", name)
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{type}}", &camel(name))
            .replace("{{sdk}}", &source)
    };
    let files = [
        ("Cargo.toml", MANIFEST),
        ("README.md", README),
        ("src/lib.rs", code),
        (".gitignore", "/target\n"),
    ];
    let write = |(file, template): (&str, &str)| {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent)?;
        fs::File::create(&path)?.write_all(fill(template).as_bytes())
    };
    files
        .into_iter()
        .try_for_each(write)
        .map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(folder)
}

/// `my-plugin` as the name of a type.
fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_and_a_folder_that_is_there_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| make(place.path(), name, Kind::Hooks, None);

        for bad in ["", "Shout", "a b", "-a", "a-", "a--b", "../a", "1a"] {
            assert!(make(bad).is_err(), "{bad}");
        }
        assert!(make("shout-loud").is_ok());
        assert!(make("shout-loud").unwrap_err().contains("is there already"));
        let code = fs::read_to_string(place.path().join("shout-loud/src/lib.rs")).unwrap();
        assert!(
            code.contains("struct ShoutLoud") && !code.contains("{{"),
            "{code}"
        );
    }
}
