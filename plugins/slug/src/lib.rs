//! roster-slug
