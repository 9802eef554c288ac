use std::path::Path;

use roster_sdk::json;
use roster_sdk::testing::FakeHost;
use roster_wasm::{Limits, LoadCause, LoadError};

use crate::{PATIENT, load, runtime};

const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

/// Why a file with these bytes is not loaded.
async fn cause(bytes: &[u8]) -> LoadCause {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plugin.wasm");
    std::fs::write(&file, bytes).unwrap();
    let loaded = runtime()
        .load("odd", &file, json!({}), PATIENT, FakeHost::new())
        .await;
    match loaded.err() {
        Some(LoadError::Plugin { cause, .. }) => cause,
        other => panic!("expected a cause, got {other:?}"),
    }
}

/// A section of a component (Component Model, Binary.md).
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut section = vec![id, u8::try_from(content.len()).unwrap()];
    section.extend_from_slice(content);
    section
}

fn name(name: &str) -> Vec<u8> {
    let mut bytes = vec![0, u8::try_from(name.len()).unwrap()];
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

/// A component that imports an instance with one function, `get`.
fn importing(import: &str) -> Vec<u8> {
    let function = [1, 0x40, 0, 1, 0];
    let instance = [&[1, 0x42, 2], &function[..], &[4], &name("get"), &[1, 0]].concat();
    let imports = [&[1], &name(import)[..], &[5, 0]].concat();
    [PREAMBLE, &section(7, &instance), &section(10, &imports)].concat()
}

/// A component that exports an empty instance under this name.
fn exporting(export: &str) -> Vec<u8> {
    let exports = [&[1], &name(export)[..], &[5, 0, 0]].concat();
    [PREAMBLE, &section(5, &[1, 1, 0]), &section(11, &exports)].concat()
}

#[tokio::test]
async fn a_missing_file_is_named_with_the_plugin() {
    let file = Path::new("plugins/none.wasm");

    let loaded = runtime()
        .load("odd", file, json!({}), PATIENT, FakeHost::new())
        .await;

    let expected = "plugin `odd`: `plugins/none.wasm`: no such file";
    assert_eq!(loaded.err().unwrap().to_string(), expected);
}

#[tokio::test]
async fn what_is_not_a_component_is_refused() {
    let text = cause(b"hello").await;
    let module = cause(b"\0asm\x01\0\0\0").await;

    assert!(
        text.to_string().starts_with("not a WASM component: "),
        "{text}"
    );
    assert!(module.to_string().contains("module"), "{module}");
}

#[tokio::test]
async fn a_file_of_more_than_20_mib_is_refused() {
    let cause = cause(&vec![0; (20 << 20) + 1]).await;

    assert_eq!(cause.to_string(), "larger than 20 MiB");
}

#[tokio::test]
async fn imports_the_server_does_not_offer_are_named() {
    let interface = cause(&importing("roster:plugin/queue@1.0.0")).await;
    let function = cause(&importing("roster:plugin/host@1.7.0")).await;
    let other = cause(&importing("wasi:http/handler@0.2.3")).await;

    let missing = |name: &str| LoadCause::Missing(vec![name.to_owned()]);
    assert_eq!(interface, missing("roster:plugin/queue@1.0.0"));
    assert_eq!(function, missing("roster:plugin/host@1.7.0#get"));
    assert_eq!(other, missing("wasi:http/handler@0.2.3"));
    assert_eq!(
        interface.to_string(),
        "needs what this server does not offer: `roster:plugin/queue@1.0.0`"
    );
}

#[tokio::test]
async fn a_component_has_to_be_of_a_kind_this_server_knows() {
    let none = cause(PREAMBLE).await;
    let newer = cause(&exporting("roster:plugin/hooks@2.0.0")).await;

    assert_eq!(none, LoadCause::NoKind);
    assert_eq!(
        newer,
        LoadCause::OtherAbi("roster:plugin/hooks@2.0.0".to_owned())
    );
}

#[tokio::test]
async fn a_plugin_that_refuses_to_start_says_why() {
    let config = json!({ "mode": "refuse" });

    let loaded = load("roster-hostile-plugin", config, PATIENT, &FakeHost::new()).await;

    let error = loaded.err().unwrap().to_string();
    assert!(
        error.ends_with("does not start: this plugin never starts"),
        "{error}"
    );
}

#[tokio::test]
async fn a_plugin_that_does_not_fit_its_memory_is_refused() {
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..PATIENT
    };

    let loaded = load("roster-slug", json!({}), limits, &FakeHost::new()).await;

    let error = loaded.err().unwrap().to_string();
    assert!(
        error.ends_with("cannot say what it is: memory limit of 1 MiB exceeded"),
        "{error}"
    );
}
