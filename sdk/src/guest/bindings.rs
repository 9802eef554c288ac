//! Generated from `wit/`, one module a world.
//!
//! Each kind is a world of its own, and the linker merges those that a plugin exports: so one
//! component can be of several kinds, and none exports a kind it has not.

/// What is common to all kinds.
#[expect(
    clippy::same_length_and_capacity,
    reason = "the generated code takes strings apart"
)]
pub mod base {
    wit_bindgen::generate!({
        path: "wit",
        world: "base",
        generate_unused_types: true,
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::base",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// What says how to configure it.
pub mod config {
    wit_bindgen::generate!({
        path: "wit",
        world: "config-kind",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::config",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// What starts before it is called.
pub mod preparation {
    wit_bindgen::generate!({
        path: "wit",
        world: "preparation-kind",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::preparation",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// The kind hooks.
#[expect(
    clippy::same_length_and_capacity,
    reason = "the generated code takes strings apart"
)]
pub mod hooks {
    wit_bindgen::generate!({
        path: "wit",
        world: "hooks-kind",
        with: { "roster:plugin/records@1.1.0": super::base::roster::plugin::records },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::hooks",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// The kind mailer.
#[expect(
    clippy::same_length_and_capacity,
    reason = "the generated code takes strings apart"
)]
pub mod mailer {
    wit_bindgen::generate!({
        path: "wit",
        world: "mailer-kind",
        with: { "roster:plugin/records@1.1.0": super::base::roster::plugin::records },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::mailer",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// The kind policy.
#[expect(
    clippy::same_length_and_capacity,
    reason = "the generated code takes strings apart"
)]
pub mod policy {
    wit_bindgen::generate!({
        path: "wit",
        world: "policy-kind",
        with: { "roster:plugin/records@1.1.0": super::base::roster::plugin::records },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::policy",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}

/// The kind auth provider.
#[expect(
    clippy::same_length_and_capacity,
    reason = "the generated code takes strings apart"
)]
pub mod auth_provider {
    wit_bindgen::generate!({
        path: "wit",
        world: "auth-provider-kind",
        with: { "roster:plugin/records@1.1.0": super::base::roster::plugin::records },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "roster_sdk::guest::bindings::auth_provider",
        runtime_path: "roster_sdk::guest::wit_bindgen::rt",
    });
}
