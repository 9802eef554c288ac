//! Generated from the SDK's `wit/`, nothing else: its names clash with ours.

pub(crate) mod base {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "base",
        imports: {
            "roster:plugin/http": async,
            "roster:plugin/store": async,
            "roster:plugin/users": async,
            "roster:plugin/mail": async,
        },
        exports: { default: async },
    });
}

pub(crate) mod hooks {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "hooks-kind",
        exports: { default: async },
        with: { "roster:plugin/records": super::base::roster::plugin::records },
    });
}

pub(crate) mod mailer {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "mailer-kind",
        exports: { default: async },
        with: { "roster:plugin/records": super::base::roster::plugin::records },
    });
}

pub(crate) mod policy {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "policy-kind",
        exports: { default: async },
        with: { "roster:plugin/records": super::base::roster::plugin::records },
    });
}

pub(crate) mod auth_provider {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "auth-provider-kind",
        exports: { default: async },
        with: { "roster:plugin/records": super::base::roster::plugin::records },
    });
}

pub(crate) mod config {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "config-kind",
        exports: { default: async },
    });
}

pub(crate) mod preparation {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "preparation-kind",
        exports: { default: async },
    });
}
