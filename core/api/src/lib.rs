//! roster-api
