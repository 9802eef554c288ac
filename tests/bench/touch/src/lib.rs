//! A hook as small as a useful one gets, for measuring what a hook costs: it reads two fields and
//! writes a third.

#![forbid(unsafe_code)]

use roster_sdk::{
    Context, Draft, Event, HookError, Hooks, Host, Manifest, Plugin, Record, StartError, Value,
    async_trait,
};

/// The plugin. It has no configuration.
#[derive(Debug)]
pub struct Touch;

#[async_trait]
impl Plugin for Touch {
    type Config = Value;

    async fn start(_config: Value, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("touch", env!("CARGO_PKG_VERSION"))
            .on(Event::BeforeUpdate)
            .reads(["first_name", "last_name"])
            .writes(["title"])
    }
}

#[async_trait]
impl Hooks for Touch {
    async fn before_update(
        &self,
        _cx: &Context,
        stored: &Record,
        draft: &mut Draft,
    ) -> Result<(), HookError> {
        let name = |field| {
            draft
                .text(field)
                .or_else(|| stored.text(field))
                .unwrap_or_default()
        };
        let title = format!("{}, {}", name("last_name"), name("first_name"));
        draft.set("title", title);
        Ok(())
    }
}

roster_sdk::export_plugin!(Touch: Hooks);
