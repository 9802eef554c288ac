//! What the API asks of the engine, by resource.

mod access;
mod fields;
mod records;
