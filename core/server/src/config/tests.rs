//! The configuration as a whole, from its sources to its types.

mod defaults;
mod mistakes;
mod sources;
mod traces;

use std::path::Path;

use super::layers::{self, Layer};
use super::{Config, compose, open_telemetry};

/// What `load` does, with the text of the file at hand.
fn read(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut mistakes = Vec::new();
    let path = Path::new("etc/roster.toml");
    let layers = Layer::file(path, file, &mut mistakes).map(|file| {
        let known = layers::plugin_names(std::slice::from_ref(&file));
        let environment = owned(environment);
        let mut layers = vec![file];
        layers.extend(open_telemetry::layers(&environment, &mut mistakes));
        layers.push(Layer::environment(environment, &known, &mut mistakes));
        layers.push(Layer::flags(owned(flags), &mut mistakes));
        layers
    });
    let config = match layers {
        Ok(layers) => compose(layers, mistakes, Path::new("etc")),
        Err(mistake) => Err(vec![mistake]),
    };
    config.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn mistakes(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    read(file, environment, flags).expect_err("the configuration is wrong")
}
