use super::Exported;
use super::bindings::preparation::exports::roster::plugin::preparation::Guest;
use super::call::started;
use crate::Plugin;
use crate::ready::ready;

impl<P: Plugin> Guest for Exported<P> {
    fn prepare() -> Result<(), String> {
        let plugin = ready(started::<P>());
        plugin.map(drop).map_err(|failure| failure.reason)
    }
}
