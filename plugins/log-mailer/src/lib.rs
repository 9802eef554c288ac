//! roster-log-mailer
