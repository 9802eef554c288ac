//! Where a browser goes after a login by redirect: to pages of ours, and to those that are listed.

use roster_domain::{Error, Result};
use url::Url;

/// The longest address, in bytes.
const LONGEST: usize = 1_024;

/// The page that was asked for, as a whole address; ours at its root where none was.
///
/// # Errors
/// `INVALID_PAYLOAD` for a page that is neither of our origin nor listed.
pub(super) fn choose(public_url: &str, listed: &[String], asked: Option<&str>) -> Result<Url> {
    let own = Url::parse(public_url).map_err(Error::internal)?;
    let asked = asked.filter(|asked| !asked.is_empty()).unwrap_or("/");
    let refused = || {
        Error::invalid_payload(format!(
            "URL \"{asked}\" can't be used to redirect after login"
        ))
    };
    let is_plain = asked.len() <= LONGEST
        && !asked.starts_with("//")
        && !asked.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace());
    let url = own.join(asked).ok().filter(|_| is_plain);
    let url = url.ok_or_else(refused)?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    let is_web = ["http", "https"].contains(&url.scheme());
    let is_page = |page: &String| {
        Url::parse(page)
            .is_ok_and(|page| url.origin() == page.origin() && url.path() == page.path())
    };
    let is_known = url.origin() == own.origin() || listed.iter().any(is_page);
    if is_bare && is_web && is_known {
        Ok(url)
    } else {
        Err(refused())
    }
}

/// The page with the reason of a refusal in the place of its query.
pub(super) fn with_reason(page: &Url, reason: &str) -> String {
    let mut page = page.clone();
    page.set_fragment(None);
    page.query_pairs_mut().clear().append_pair("reason", reason);
    page.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(asked: &str) -> Option<String> {
        let listed = ["https://app.example.com/done".to_owned()];
        let chosen = choose("https://users.example.com/base", &listed, Some(asked));
        chosen.ok().map(Into::into)
    }

    #[test]
    fn pages_of_ours_and_listed_ones_are_gone_to_as_whole_addresses() {
        for (asked, expected) in [
            ("", "https://users.example.com/"),
            ("/", "https://users.example.com/"),
            ("/a?b=c#d", "https://users.example.com/a?b=c#d"),
            ("a/../b", "https://users.example.com/b"),
            (
                "/.//evil.example",
                "https://users.example.com//evil.example",
            ),
            ("https://users.example.com/x", "https://users.example.com/x"),
            (
                "https://APP.example.com:443/done?a=b",
                "https://app.example.com/done?a=b",
            ),
        ] {
            assert_eq!(chosen(asked).as_deref(), Some(expected), "{asked}");
        }
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for asked in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/done",
            "https://app.example.com/other",
            "https://app.example.com/done/",
            "http://app.example.com/done",
            "http://users.example.com/",
            "https://users.example.com.evil.example/",
            "https://users.example.com@evil.example/",
            "https://a@users.example.com/",
            "https://users.example.com:444/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\r\nset-cookie: x=y",
            "/a\tb",
            " https://users.example.com/",
            "https:\\\\evil.example",
            &format!("/{}", "x".repeat(LONGEST)),
        ] {
            assert_eq!(chosen(asked), None, "{asked}");
        }
    }

    #[test]
    fn a_reason_replaces_the_query() {
        let page = Url::parse("https://a.example/b?c=d#e").expect("a URL");

        assert_eq!(
            with_reason(&page, "INVALID_OTP"),
            "https://a.example/b?reason=INVALID_OTP"
        );
    }
}
