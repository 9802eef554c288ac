//! The query language, over every collection.

mod aggregate;
mod export;
mod nested;
mod property;
