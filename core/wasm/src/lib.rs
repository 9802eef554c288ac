//! roster-wasm
