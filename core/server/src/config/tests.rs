//! The configuration as a whole, from its sources to its types.

mod defaults;
mod mistakes;
mod sources;

use std::path::Path;

use super::layers::{self, Layer};
use super::{Config, compose};

/// What `load` does, with the text of the file at hand.
fn read(
    file: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    let owned = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut mistakes = Vec::new();
    let path = Path::new("etc/roster.toml");
    let layers = Layer::file(path, file, &mut mistakes).map(|file| {
        let known = layers::plugin_names(std::slice::from_ref(&file));
        let environment = Layer::environment(owned(environment), &known, &mut mistakes);
        let flags = Layer::flags(owned(flags), &mut mistakes);
        vec![file, environment, flags]
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
