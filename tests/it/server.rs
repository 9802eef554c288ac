//! `/server`, `/metrics`, `/docs`, and what holds for every answer.

mod bad_input;
mod health;
mod limits;
mod openapi;
mod routes;
