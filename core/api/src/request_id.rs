//! The id of a request: what ties its answer, its log lines and its activity together.

use std::fmt;

use poem::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Where clients send and find it.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's where it is usable, else a new one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Takes over the client's id if it has 1–64 characters of `[A-Za-z0-9._-]`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(HEADER)
            .filter(|value| is_usable(value.as_bytes()));
        given.map_or_else(Self::random, |value| Self(value.clone()))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: no decision depends on this id, it only has to differ"
    )]
    fn random() -> Self {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        // Digits and hyphens are always a header value.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-")))
    }

    /// The header of the answer.
    pub(crate) const fn header(&self) -> &HeaderValue {
        &self.0
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_usable(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=64).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(HEADER, given.parse().unwrap());
        }
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_plain_id_of_the_client_is_kept() {
        assert_eq!(id(Some("trace-1.A_b")), "trace-1.A_b");
        assert_eq!(id(Some(&"x".repeat(64))), "x".repeat(64));
    }

    #[test]
    fn anything_else_is_replaced_by_a_new_id() {
        for given in [
            None,
            Some(""),
            Some("a b"),
            Some("a\tb"),
            Some("a;b"),
            Some(&*"x".repeat(65)),
        ] {
            let made = id(given);
            assert!(Uuid::parse_str(&made).is_ok(), "{given:?} became {made}");
            assert_ne!(made, id(given));
        }
    }
}
