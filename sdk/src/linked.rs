use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::{Hooks, Host, Mailer, Manifest, Plugin, StartError, plugin};

type Starting = Pin<Box<dyn Future<Output = Result<Instance, StartError>> + Send>>;
/// How a plugin is seen as one of its kinds.
type As<P, Kind> = fn(Arc<P>) -> Arc<Kind>;
type Start = dyn Fn(Value, Arc<dyn Host>) -> Starting + Send + Sync;

/// A started plugin, by kind. A linked plugin and a component both come down to this.
#[derive(Clone)]
pub struct Instance {
    /// What it is and asks for.
    pub manifest: Manifest,
    /// Its hooks, if it has any.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Its mailer, if it is one.
    pub mailer: Option<Arc<dyn Mailer>>,
}

/// A plugin linked into the binary: how to start it, under a name that configuration can use.
#[derive(Clone)]
pub struct Linked {
    name: String,
    start: Arc<Start>,
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

    /// A plugin of several kinds.
    pub fn builder<P: Plugin>(name: impl Into<String>) -> LinkedBuilder<P> {
        LinkedBuilder {
            name: name.into(),
            hooks: None,
            mailer: None,
            plugin: PhantomData,
        }
    }

    /// The name that configuration uses.
    pub fn name(&self) -> &str {
        &self.name
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

    /// The linked plugin.
    pub fn build(self) -> Linked {
        let Self {
            name,
            hooks,
            mailer,
            ..
        } = self;
        let start = move |config: Value, host: Arc<dyn Host>| -> Starting {
            Box::pin(async move {
                let plugin = Arc::new(plugin::start::<P>(config, host.as_ref()).await?);
                Ok(Instance {
                    manifest: plugin.manifest(),
                    hooks: hooks.map(|kind| kind(Arc::clone(&plugin))),
                    mailer: mailer.map(|kind| kind(Arc::clone(&plugin))),
                })
            })
        };
        Linked {
            name,
            start: Arc::new(start),
        }
    }
}
