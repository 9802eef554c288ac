//! What the API asks of the engine, by resource.

mod fields;
mod records;
