//! E-mail addresses: what is accepted, and the key they are compared by.

use unicode_normalization::UnicodeNormalization;

/// The form an address is stored under beside the original, and looked up by: NFKC, lower case.
pub fn key(address: &str) -> String {
    address.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether this is an address: one `@`, a local part of 1–64 bytes, a domain of at least two
/// labels whose last is not a number. Nothing is trimmed; quotes, blanks and control characters
/// are refused (RFC 5321 §4.1.2 without quoted strings and address literals, RFC 6531 for Unicode).
pub fn is_valid(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    address.len() <= 254
        && (1..=64).contains(&local.len())
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
        && is_domain(domain)
}

fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || (c.is_ascii_punctuation() && !"()<>[]:;@\\,.\"".contains(c))
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let Some(last) = labels.last() else {
        return false;
    };
    labels.len() >= 2
        && last.chars().count() >= 2
        && !last.chars().all(|c| c.is_ascii_digit())
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_accepted_or_refused_as_documented() {
        for good in [
            "a@b.co",
            "Ada.Lovelace+x@example.com",
            "é@exämple.org",
            "o'neil@example.com",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "",
            "nonsense",
            "foo@localhost",
            " a@b.co",
            "a@b.co ",
            "a@@b.co",
            "a@b@c.co",
            "@b.co",
            "a@",
            "a@b..co",
            "a.@b.co",
            "a b@c.co",
            "a@b.c",
            "a@1.22",
            "a\r\n@b.co",
            "a@-b.co",
        ] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    #[test]
    fn addresses_that_look_the_same_to_the_database_stay_apart() {
        assert_eq!(key("ADA@Example.COM"), "ada@example.com");
        assert_ne!(key("ada@example.com"), key("adá@example.com"));
        assert_eq!(key("ﬁ@example.com"), key("fi@example.com"));
    }
}
