//! Files: pictures that come in by their content, and go out whole or resized.

mod asset;
mod folder;
mod frame;
mod name;
mod picture;
mod upload;

pub use asset::Asset;
pub use upload::Upload;

pub(crate) use asset::read;
pub(crate) use folder::forget;
pub(crate) use picture::Pictures;
pub(crate) use upload::{create, permit};
