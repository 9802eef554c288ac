use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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

/// The component built from this package. All of them are built once, in a target folder of their
/// own: a nested cargo in the outer one's folder would wait for its lock.
pub(crate) fn component(package: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(build);
    let file = format!("{}.wasm", package.replace('-', "_"));
    guests().join("wasm32-wasip2/guest").join(file)
}

/// The target folder of the guests.
pub(crate) fn guests() -> PathBuf {
    workspace().join("target/guests")
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(workspace())
        .args(["build", "--profile", "guest"]);
    cargo
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(guests());
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
    let status = cargo.status().unwrap();
    assert!(
        status.success(),
        "the guests do not build: is the target wasm32-wasip2 installed?"
    );
}
