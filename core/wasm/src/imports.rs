use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentInstance, ComponentItem};

/// The interfaces of `roster:plugin` this server has, and their functions.
const OFFERED: [(&str, &[&str]); 8] = [
    ("roster:plugin/records", &[]),
    ("roster:plugin/host", &["log", "config"]),
    ("roster:plugin/clock", &["now"]),
    ("roster:plugin/random", &["bytes"]),
    ("roster:plugin/http", &["send"]),
    ("roster:plugin/store", &["get", "set", "delete", "keys"]),
    ("roster:plugin/users", &["find"]),
    ("roster:plugin/mail", &["send"]),
];
const MAJOR: &str = "1.";

/// The packages of WASI this server has.
const WASI: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
const WASI_MINOR: &str = "0.2.";

/// What the component imports and this server does not offer, by name.
pub(crate) fn missing(engine: &Engine, component: &Component) -> Vec<String> {
    let component = component.component_type();
    let mut missing = Vec::new();
    for (name, import) in component.imports(engine) {
        match import.ty {
            ComponentItem::ComponentInstance(instance) => {
                missing.extend(missing_of(engine, name, &instance));
            }
            ComponentItem::Type(_) => {}
            _ => missing.push(name.to_owned()),
        }
    }
    missing
}

fn missing_of(engine: &Engine, name: &str, instance: &ComponentInstance) -> Vec<String> {
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let is_wasi = WASI.iter().any(|package| interface.starts_with(package));
    if is_wasi && version.starts_with(WASI_MINOR) {
        return Vec::new();
    }
    let offered = OFFERED
        .iter()
        .find(|(known, _)| *known == interface && version.starts_with(MAJOR));
    let mut names = Vec::new();
    for (function, item) in instance.exports(engine) {
        let is_type = matches!(item.ty, ComponentItem::Type(_));
        let is_offered = offered.is_some_and(|(_, functions)| functions.contains(&function));
        if is_type || is_offered {
            continue;
        }
        names.push(match offered {
            Some(_) => format!("{name}#{function}"),
            None => name.to_owned(),
        });
    }
    names.dedup();
    names
}

/// What of ours a component imports, and which version: for people who look into one.
pub(crate) fn interfaces(engine: &Engine, component: &Component) -> Vec<String> {
    let component = component.component_type();
    let names = component.imports(engine).map(|(name, _)| name.to_owned());
    names.collect()
}
