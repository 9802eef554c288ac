use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::workspace::root;

const PACKAGES: [&str; 10] = [
    "roster-business-hours",
    "roster-email-domain-scope",
    "roster-hostile-plugin",
    "roster-http-mailer",
    "roster-old-plugin",
    "roster-redirect-plugin",
    "roster-slug",
    "roster-stock-plugin",
    "roster-two-kinds-plugin",
    "roster-webhook",
];

/// The component built from this package. All are built once for a run, in a target folder of
/// their own: a nested cargo in the outer one's folder would wait for its lock.
pub fn guest(package: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(build);
    let file = format!("{}.wasm", package.replace('-', "_"));
    root().join("target/guests/wasm32-wasip2/guest").join(file)
}

fn build() {
    let folder = root().join("target/guests");
    std::fs::create_dir_all(&folder).expect("a target folder");
    let lock = File::create(folder.join("tests.lock")).expect("a lock");
    lock.lock()
        .expect("a turn: another process may be building");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root())
        .args(["build", "--quiet", "--profile", "guest"]);
    cargo
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&folder);
    // Flags for the outer build, such as those of a coverage run, are not for the guests.
    for flags in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "LLVM_PROFILE_FILE",
    ] {
        cargo.env_remove(flags);
    }
    for package in PACKAGES {
        cargo.args(["-p", package]);
    }
    let status = cargo.status().expect("cargo");
    assert!(
        status.success(),
        "the guests do not build: is the target wasm32-wasip2 installed?"
    );
}
