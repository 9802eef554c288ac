//! `/fields` and `/relations`: custom fields of users.

mod change;
mod demands;
mod relations;
mod round_trip;
