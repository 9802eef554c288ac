//! The binary itself: how it starts, stops, and what it says on the command line.

mod cli;
mod crash;
mod custom;
mod import;
mod mails;
mod nodes;
mod plugin;
mod shutdown;
mod start;
mod traces;
