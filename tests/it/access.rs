//! Who may do what: nobody anything, unless it is said.

mod canaries;
mod escalation;
mod every_route;
mod exceptions;
mod explain;
mod narrowing;
mod nothing_leaks;
mod simulate;
mod truth;
mod visibility;
