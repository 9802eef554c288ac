use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::{AuthProvider, Hooks, Host, Mailer, Manifest, Plugin, Policy, StartError, plugin};

type Starting = Pin<Box<dyn Future<Output = Result<Instance, StartError>> + Send>>;
/// How a plugin is seen as one of its kinds.
type As<P, Kind> = fn(Arc<P>) -> Arc<Kind>;
type Start = dyn Fn(Value, Arc<dyn Host>) -> Starting + Send + Sync;

/// A started plugin, by kind. A linked plugin and a component both come down to this.
#[derive(Clone)]
pub struct Instance {
    /// What it is and asks for.
    pub manifest: Manifest,
    /// What its configuration may be, as a JSON Schema, if it says.
    pub schema: Option<Value>,
    /// Its hooks, if it has any.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Its mailer, if it is one.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Its policy, if it is one.
    pub policy: Option<Arc<dyn Policy>>,
    /// Its auth provider, if it is one.
    pub auth_provider: Option<Arc<dyn AuthProvider>>,
}

impl Instance {
    /// The names of its kinds.
    pub fn kinds(&self) -> Vec<&'static str> {
        let kinds = [
            ("hooks", self.hooks.is_some()),
            ("mailer", self.mailer.is_some()),
            ("policy", self.policy.is_some()),
            ("auth_provider", self.auth_provider.is_some()),
        ];
        kinds
            .into_iter()
            .filter(|(_, is_there)| *is_there)
            .map(|(name, _)| name)
            .collect()
    }
}

/// A plugin linked into the binary: how to start it, under a name that configuration can use.
#[derive(Clone)]
pub struct Linked {
    name: String,
    start: Arc<Start>,
    schema: fn() -> Option<Value>,
}

impl Linked {
    /// A hooks plugin under this name.
    pub fn hooks<P: Plugin + Hooks>(name: impl Into<String>) -> Self {
        Self::builder::<P>(name).with_hooks().build()
    }

    /// A mailer plugin under this name.
    pub fn mailer<P: Plugin + Mailer>(name: impl Into<String>) -> Self {
        Self::builder::<P>(name).with_mailer().build()
    }

    /// A policy plugin under this name.
    pub fn policy<P: Plugin + Policy>(name: impl Into<String>) -> Self {
        Self::builder::<P>(name).with_policy().build()
    }

    /// An auth provider under this name.
    pub fn auth_provider<P: Plugin + AuthProvider>(name: impl Into<String>) -> Self {
        Self::builder::<P>(name).with_auth_provider().build()
    }

    /// A plugin of several kinds.
    pub fn builder<P: Plugin>(name: impl Into<String>) -> LinkedBuilder<P> {
        LinkedBuilder {
            name: name.into(),
            hooks: None,
            mailer: None,
            policy: None,
            auth_provider: None,
            plugin: PhantomData,
        }
    }

    /// The name that configuration uses.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its configuration may be, as a JSON Schema, if it says.
    pub fn schema(&self) -> Option<Value> {
        (self.schema)()
    }

    /// Starts the plugin with its configuration table.
    pub async fn start(&self, config: Value, host: Arc<dyn Host>) -> Result<Instance, StartError> {
        (self.start)(config, host).await
    }
}

/// Says of which kinds a linked plugin is.
pub struct LinkedBuilder<P> {
    name: String,
    hooks: Option<As<P, dyn Hooks>>,
    mailer: Option<As<P, dyn Mailer>>,
    policy: Option<As<P, dyn Policy>>,
    auth_provider: Option<As<P, dyn AuthProvider>>,
    plugin: PhantomData<fn() -> P>,
}

impl<P: Plugin> LinkedBuilder<P> {
    /// It has hooks.
    #[must_use]
    pub fn with_hooks(mut self) -> Self
    where
        P: Hooks,
    {
        self.hooks = Some(|plugin| plugin);
        self
    }

    /// It is a mailer.
    #[must_use]
    pub fn with_mailer(mut self) -> Self
    where
        P: Mailer,
    {
        self.mailer = Some(|plugin| plugin);
        self
    }

    /// It is a policy.
    #[must_use]
    pub fn with_policy(mut self) -> Self
    where
        P: Policy,
    {
        self.policy = Some(|plugin| plugin);
        self
    }

    /// It is an auth provider.
    #[must_use]
    pub fn with_auth_provider(mut self) -> Self
    where
        P: AuthProvider,
    {
        self.auth_provider = Some(|plugin| plugin);
        self
    }

    /// The linked plugin.
    pub fn build(self) -> Linked {
        let Self {
            name,
            hooks,
            mailer,
            policy,
            auth_provider,
            plugin: _,
        } = self;
        let start = move |config: Value, host: Arc<dyn Host>| -> Starting {
            Box::pin(async move {
                let plugin = Arc::new(plugin::start::<P>(config, host.as_ref()).await?);
                Ok(Instance {
                    manifest: plugin.manifest(),
                    schema: P::schema(),
                    hooks: hooks.map(|kind| kind(Arc::clone(&plugin))),
                    mailer: mailer.map(|kind| kind(Arc::clone(&plugin))),
                    policy: policy.map(|kind| kind(Arc::clone(&plugin))),
                    auth_provider: auth_provider.map(|kind| kind(Arc::clone(&plugin))),
                })
            })
        };
        Linked {
            name,
            start: Arc::new(start),
            schema: P::schema,
        }
    }
}
