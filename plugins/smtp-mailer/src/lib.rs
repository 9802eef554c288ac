//! roster-smtp-mailer
