//! Gives a new user a slug made of their name, and keeps reserved slugs away.

#![forbid(unsafe_code)]

mod fold;

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    Context, Draft, Event, HookError, Hooks, Host, Manifest, Plugin, Rejection, StartError, Value,
    async_trait, schema_of,
};
use serde::{Deserialize, Serialize};

/// The plugin, with its configuration.
#[derive(Debug)]
pub struct Slug {
    config: Config,
}

/// `[plugins.<name>.config]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The field that holds the slug.
    pub field: String,
    /// The fields it is made of, in order.
    pub from: Vec<String>,
    /// Slugs nobody may have.
    pub reserved: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let owned = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        Self {
            field: "title".to_owned(),
            from: owned(["first_name", "last_name"]),
            reserved: owned(["admin", "root"]),
        }
    }
}

#[async_trait]
impl Plugin for Slug {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        if config.field.is_empty() || config.from.is_empty() {
            return Err(StartError::new(
                "`field` and `from` have to name a field each",
            ));
        }
        if config.from.contains(&config.field) {
            let text = format!("`from` has to differ from `field`, got `{}`", config.field);
            return Err(StartError::new(text));
        }
        Ok(Self { config })
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("slug", env!("CARGO_PKG_VERSION"))
            .on(Event::BeforeCreate)
            .reads(self.config.from.iter().chain([&self.config.field]))
            .writes([&self.config.field])
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

#[async_trait]
impl Hooks for Slug {
    async fn before_create(&self, _cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        let Config {
            field,
            from,
            reserved,
        } = &self.config;
        let given = draft.get(field);
        let slug = if let Some(given) = given {
            given.as_str().map(fold::slug).unwrap_or_default()
        } else {
            let names = from.iter().filter_map(|name| draft.text(name));
            fold::slug(&names.collect::<Vec<_>>().join(" "))
        };
        if slug.is_empty() {
            return Ok(());
        }
        if reserved.iter().any(|word| fold::slug(word) == slug) {
            return Err(Rejection::new("SLUG_RESERVED", format!("\"{slug}\" is reserved.")).into());
        }
        if given.is_none() {
            draft.set(field, slug);
        }
        Ok(())
    }
}

roster_sdk::export_plugin!(Slug: Hooks);

#[cfg(test)]
mod tests;
