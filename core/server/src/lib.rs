//! roster-server
