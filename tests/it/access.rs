//! Who may do what: nobody anything, unless it is said.

mod escalation;
mod every_route;
mod exceptions;
mod nothing_leaks;
mod visibility;
