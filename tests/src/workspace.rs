use std::path::{Path, PathBuf};

/// The top folder of the repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the package is in a folder of the workspace")
        .to_owned()
}

/// The files below a folder of the repository whose names end like this, sorted, as paths from the
/// top folder. Build output and installed packages are left out.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    let top = root();
    let mut found: Vec<PathBuf> = found
        .into_iter()
        .map(|path| path.strip_prefix(&top).expect("below it").into())
        .collect();
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && !["target", "node_modules"].contains(&name) && !name.starts_with('.') {
            collect(&path, ending, found);
        } else if name.ends_with(ending) && path.is_file() {
            found.push(path);
        }
    }
}
