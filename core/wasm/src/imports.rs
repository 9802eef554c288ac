use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentInstance, ComponentItem};

/// The functions of `roster:plugin/host` this server has.
const HOST: (&str, [&str; 2]) = ("roster:plugin/host", ["log", "config"]);
const HOST_MAJOR: &str = "1.";

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
    let (host, functions) = HOST;
    let is_host = interface == host && version.starts_with(HOST_MAJOR);
    let mut names = Vec::new();
    for (function, item) in instance.exports(engine) {
        let is_type = matches!(item.ty, ComponentItem::Type(_));
        if is_type || (is_host && functions.contains(&function)) {
            continue;
        }
        names.push(if is_host {
            format!("{name}#{function}")
        } else {
            name.to_owned()
        });
    }
    names.dedup();
    names
}
