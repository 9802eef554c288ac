//! `[admin]`: the first administrator.

use super::raw::text_or_none;
use super::reader::Reader;
use roster_engine::Secret;

/// `[admin]`: the first administrator, made once on an empty database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret,
}

impl Admin {
    /// Reads the section; none when neither key is set.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let email = reader.read("admin.email", text_or_none);
        let password = reader.read("admin.password", text_or_none);
        if let Some(email) = &email
            && !is_address(email)
        {
            reader.note(
                "admin.email",
                format!("expected an e-mail address, got `{email}`"),
            );
        }
        match (email, password) {
            (Some(email), Some(password)) => Some(Self {
                email,
                password: Secret::new(password),
            }),
            (Some(_), None) if !reader.is_mistaken("admin.password") => {
                reader.note(
                    "admin.password",
                    "expected a password beside `admin.email`, got none",
                );
                None
            }
            (None, Some(_)) if !reader.is_mistaken("admin.email") => {
                reader.note(
                    "admin.email",
                    "expected an address beside `admin.password`, got none",
                );
                None
            }
            _ => None,
        }
    }
}

/// Whether `text` looks like an e-mail address; the domain says exactly when a user is made.
pub(super) fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
    };
    text.split_once('@')
        .is_some_and(|(local, domain)| plain(local) && plain(domain))
}
