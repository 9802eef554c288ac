//! What plugins are called for, what they may do, and what happens when they do not.

mod capabilities;
mod claims;
mod counts;
mod delivery;
mod failure;
mod order;
mod outbox;
mod rejection;
