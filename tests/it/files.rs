//! `/files` and `/assets`

mod assets;
mod folder;
mod permissions;
mod picture;
mod records;
mod upload;
