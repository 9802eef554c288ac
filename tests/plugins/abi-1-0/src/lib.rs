//! `roster:plugin@1.0.0` as it was, for a component of tests. In a crate of its own, as the macro that
//! exports a component has to come from another crate where nothing may be unsafe.

#![forbid(unsafe_code)]
#![cfg(target_family = "wasm")]

/// Generated, nothing else.
#[expect(
    missing_docs,
    clippy::same_length_and_capacity,
    reason = "generated code"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../sdk/wit-1.0",
        world: "hooks-and-mailer-plugin",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_abi_1_0::bindings",
        runtime_path: "roster_abi_1_0::wit_bindgen::rt",
    });
}

pub use wit_bindgen;

extern crate self as roster_abi_1_0;
