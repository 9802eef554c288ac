//! The query language, over every collection.

mod aggregate;
mod export;
mod fuzz;
mod inside;
mod json;
mod nested;
mod property;
