use roster_sdk::{
    Context, Draft, Event, HookError, Hooks, Host, Manifest, Plugin, StartError, async_trait,
};
use serde::Deserialize;

/// Puts the titles of new users in capitals.
pub struct Shout;

/// `[plugins.<name>.config]`: nothing.
#[derive(Debug, Deserialize)]
pub struct Config {}

#[async_trait]
impl Plugin for Shout {
    type Config = Config;

    async fn start(_config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        Manifest::new("shout", "1.0.0")
            .on(Event::BeforeCreate)
            .reads(["title"])
            .writes(["title"])
    }
}

#[async_trait]
impl Hooks for Shout {
    async fn before_create(&self, _cx: &Context, draft: &mut Draft) -> Result<(), HookError> {
        if let Some(title) = draft.text("title").map(str::to_uppercase) {
            draft.set("title", title);
        }
        Ok(())
    }
}
