/// Exports a plugin as a component, of the kinds named.
///
/// On `wasm32-wasip2` it makes the crate a component. Natively it only checks that the plugin
/// implements the kinds, and leaves nothing behind: a native plugin is listed by the server, as
/// [`Linked`](crate::Linked).
///
/// ```
/// # use roster_sdk::{async_trait, Hooks, Host, Mailer, Context, Failure, Manifest, Message, Plugin, StartError};
/// # struct Slug;
/// # #[async_trait]
/// # impl Plugin for Slug {
/// #     type Config = roster_sdk::Value;
/// #     async fn start(_: Self::Config, _: &dyn Host) -> Result<Self, StartError> { Ok(Self) }
/// #     fn manifest(&self) -> Manifest { Manifest::new("slug", "1.0.0") }
/// # }
/// # impl Hooks for Slug {}
/// # struct Post;
/// # #[async_trait]
/// # impl Plugin for Post {
/// #     type Config = roster_sdk::Value;
/// #     async fn start(_: Self::Config, _: &dyn Host) -> Result<Self, StartError> { Ok(Self) }
/// #     fn manifest(&self) -> Manifest { Manifest::new("post", "1.0.0") }
/// # }
/// # impl Hooks for Post {}
/// # #[async_trait]
/// # impl Mailer for Post {
/// #     async fn send(&self, _: &Context, _: &Message) -> Result<(), Failure> { Ok(()) }
/// # }
/// roster_sdk::export_plugin!(Slug: Hooks);
/// # roster_sdk::export_plugin!(
/// #     Post: Hooks, Mailer);
/// ```
///
/// A plugin of several kinds names them all: `export_plugin!(Post: Hooks, Mailer);`. A crate
/// exports one plugin.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty: $($kind:ident),+ $(,)?) => {
        $(
            const _: () = {
                const fn is_of_the_kind<P: $crate::Plugin + $crate::$kind>() {}
                is_of_the_kind::<$plugin>()
            };
        )+
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::guest::Exported<$plugin>;
            $crate::guest::bindings::base::export!(
                Exported with_types_in $crate::guest::bindings::base
            );
            $crate::guest::bindings::config::export!(
                Exported with_types_in $crate::guest::bindings::config
            );
            $crate::guest::bindings::preparation::export!(
                Exported with_types_in $crate::guest::bindings::preparation
            );
            $($crate::__export_kind!($kind, Exported);)+
        };
    };
}

/// One kind of [`export_plugin!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_kind {
    (Hooks, $exported:ident) => {
        $crate::guest::bindings::hooks::export!(
            $exported with_types_in $crate::guest::bindings::hooks
        );
    };
    (Policy, $exported:ident) => {
        $crate::guest::bindings::policy::export!(
            $exported with_types_in $crate::guest::bindings::policy
        );
    };
    (AuthProvider, $exported:ident) => {
        $crate::guest::bindings::auth_provider::export!(
            $exported with_types_in $crate::guest::bindings::auth_provider
        );
    };
    (Mailer, $exported:ident) => {
        $crate::guest::bindings::mailer::export!(
            $exported with_types_in $crate::guest::bindings::mailer
        );
    };
}
