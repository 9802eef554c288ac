use super::Exported;
use super::bindings::config::exports::roster::plugin::config::Guest;
use crate::Plugin;

impl<P: Plugin> Guest for Exported<P> {
    fn schema() -> Option<String> {
        P::schema().map(|schema| schema.to_string())
    }
}
