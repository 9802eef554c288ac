//! House rules that a machine can check.

use std::collections::{BTreeMap, BTreeSet};

use roster_tests::{files, root};
use toml::{Table, Value};

/// The crates that each of ours may depend on, as ARCHITECTURE.md draws it.
const ARROWS: &[(&str, &[&str])] = &[
    ("roster-domain", &[]),
    ("roster-sdk", &[]),
    ("roster-storage", &["roster-domain"]),
    (
        "roster-engine",
        &["roster-domain", "roster-sdk", "roster-storage"],
    ),
    ("roster-wasm", &["roster-sdk"]),
    ("roster-api", &["roster-domain", "roster-engine"]),
    ("roster-business-hours", &["roster-sdk"]),
    ("roster-email-domain-scope", &["roster-sdk"]),
    ("roster-http-mailer", &["roster-sdk"]),
    ("roster-log-mailer", &["roster-sdk"]),
    ("roster-password", &["roster-sdk"]),
    ("roster-slug", &["roster-sdk"]),
    ("roster-smtp-mailer", &["roster-sdk"]),
    ("roster-webhook", &["roster-sdk"]),
    (
        "roster-server",
        &[
            "roster-api",
            "roster-business-hours",
            "roster-domain",
            "roster-email-domain-scope",
            "roster-engine",
            "roster-http-mailer",
            "roster-log-mailer",
            "roster-password",
            "roster-sdk",
            "roster-slug",
            "roster-smtp-mailer",
            "roster-storage",
            "roster-wasm",
            "roster-webhook",
        ],
    ),
];

/// Who alone may name a library.
const OWNERS: &[(&str, &[&str])] = &[
    ("sqlx", &["roster-storage"]),
    ("sea-query", &["roster-storage"]),
    ("sea-query-sqlx", &["roster-storage"]),
    ("poem", &["roster-api"]),
    ("poem-openapi", &["roster-api"]),
    ("multer", &["roster-api"]),
    ("wasmtime", &["roster-wasm"]),
    ("wasmtime-wasi", &["roster-wasm"]),
    ("figment", &["roster-server"]),
    ("clap", &["roster-server"]),
    ("reqwest", &["roster-engine"]),
    ("rustls", &["roster-engine"]),
    ("ed25519-dalek", &["roster-wasm"]),
    ("argon2", &["roster-engine"]),
    ("jsonwebtoken", &["roster-engine"]),
    ("image", &["roster-engine"]),
    ("opentelemetry", &["roster-engine", "roster-server"]),
    ("opentelemetry-http", &["roster-engine"]),
    ("opentelemetry-otlp", &["roster-server"]),
    ("opentelemetry_sdk", &["roster-server"]),
    ("tracing-opentelemetry", &["roster-engine", "roster-server"]),
    ("lettre", &["roster-smtp-mailer"]),
    ("wit-bindgen", &["roster-sdk"]),
];

/// What the domain does without: it performs no I/O and has no clock, randomness or async.
const NOT_IN_DOMAIN: &[&str] = &[
    "tokio",
    "futures-util",
    "getrandom",
    "rand",
    "async-trait",
    "tracing",
];

/// The names of the dependencies of every crate of the product; tests are exempt.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifests = ["core", "sdk", "plugins"]
        .iter()
        .flat_map(|folder| files(folder, "Cargo.toml"));
    manifests
        .map(|path| {
            let text = std::fs::read_to_string(root().join(&path)).expect("a manifest");
            let manifest: Table = text.parse().expect("TOML");
            let name = manifest["package"]["name"]
                .as_str()
                .expect("a name")
                .to_owned();
            (name, named(&manifest))
        })
        .collect()
}

fn named(manifest: &Table) -> BTreeSet<String> {
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let of_targets = targets.filter_map(|(_, target)| target.get("dependencies"));
    let tables = manifest.get("dependencies").into_iter().chain(of_targets);
    tables
        .filter_map(Value::as_table)
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_drawn_and_no_other_way() {
    let drawn: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(name, to)| {
            (
                (*name).to_owned(),
                to.iter().map(|to| (*to).to_owned()).collect(),
            )
        })
        .collect();
    let ours = |name: &String| name.starts_with("roster-");

    let found: BTreeMap<String, BTreeSet<String>> = dependencies()
        .into_iter()
        .map(|(name, all)| (name, all.into_iter().filter(ours).collect()))
        .collect();

    assert_eq!(found, drawn);
}

#[test]
fn libraries_are_named_by_their_owners_alone() {
    for (name, all) in dependencies() {
        for (library, owners) in OWNERS {
            let may = owners.contains(&name.as_str());
            assert!(may || !all.contains(*library), "{name} names {library}");
        }
        if name == "roster-domain" {
            for library in NOT_IN_DOMAIN {
                assert!(!all.contains(*library), "{name} names {library}");
            }
        }
    }
}

#[test]
fn every_crate_forbids_unsafe_code_and_inherits_the_lints() {
    for path in ["core", "sdk", "plugins", "tests"]
        .iter()
        .flat_map(|f| files(f, "Cargo.toml"))
    {
        let text = std::fs::read_to_string(root().join(&path)).expect("a manifest");
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{}",
            path.display()
        );
        let lib = path.with_file_name("src").join("lib.rs");
        if let Ok(code) = std::fs::read_to_string(root().join(&lib)) {
            assert!(
                code.contains("#![forbid(unsafe_code)]"),
                "{}",
                lib.display()
            );
        }
    }
}

#[test]
fn files_stay_short() {
    for path in ["core", "sdk", "plugins"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
    {
        let text = std::fs::read_to_string(root().join(&path)).expect("a file");
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let lines = code.lines().count();
        assert!(
            lines <= 400,
            "{}: {lines} lines without tests",
            path.display()
        );
    }
}

#[test]
fn the_top_folder_holds_what_was_agreed() {
    const AGREED: &[&str] = &[
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "clippy.toml",
        "core",
        "deny.toml",
        "migrations",
        "openapi",
        "plugins",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "sdk",
        "tests",
    ];
    // What running and building leaves there, and git ignores.
    const LEFT: &[&str] = &["target", "data", "roster.toml"];

    for entry in std::fs::read_dir(root()).expect("the top folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("text");
        let is_known = AGREED.contains(&name.as_str()) || LEFT.contains(&name.as_str());
        assert!(is_known || name.starts_with('.'), "{name}");
    }
}

#[test]
fn the_steps_of_both_databases_have_the_same_names() {
    let names = |folder: &str| {
        let names = files(folder, ".sql").into_iter().filter_map(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .map(ToOwned::to_owned)
        });
        names.collect::<BTreeSet<_>>()
    };

    let steps = names("migrations/sqlite");

    assert_eq!(steps, names("migrations/postgres"));
    for up in steps.iter().filter(|name| name.ends_with(".up.sql")) {
        assert!(
            steps.contains(&up.replace(".up.", ".down.")),
            "{up} cannot be taken back"
        );
    }
}
