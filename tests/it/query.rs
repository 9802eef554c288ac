//! The query language, over every collection.

mod aggregate;
mod export;
mod fuzz;
mod json;
mod nested;
mod property;
