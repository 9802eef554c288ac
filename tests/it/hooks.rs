//! What plugins are called for, what they may do, and what happens when they do not.

mod capabilities;
mod claims;
mod counts;
mod delivery;
mod failure;
mod fields;
mod order;
mod outbox;
mod paths;
mod rejection;
mod relations;
mod secrets;
