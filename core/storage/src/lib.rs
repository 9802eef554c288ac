//! roster-storage
