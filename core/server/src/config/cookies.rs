//! `[auth.cookies]`: what cookies are called and how far they go.

use super::raw::{Bad, Raw, choice, flag, text_or_none};
use super::reader::Reader;

/// `[auth.cookies]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// Name of the refresh token's cookie.
    pub refresh: String,
    /// Name of the session token's cookie.
    pub session: String,
    /// The Secure attribute.
    pub secure: CookieSecure,
    /// The `SameSite` attribute.
    pub same_site: SameSite,
    /// The Domain attribute, if there is to be one.
    pub domain: Option<String>,
}

/// When cookies have the Secure attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieSecure {
    /// When `server.public_url` is https.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The `SameSite` attribute of cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with navigations from elsewhere.
    Lax,
    /// Sent from our own site only.
    Strict,
    /// Sent from everywhere.
    None,
}

impl Cookies {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const SAME_SITE: &[(&str, SameSite)] = &[
            ("lax", SameSite::Lax),
            ("strict", SameSite::Strict),
            ("none", SameSite::None),
        ];
        let cookies = Self {
            refresh: reader.read("auth.cookies.refresh", cookie_name),
            session: reader.read("auth.cookies.session", cookie_name),
            secure: reader.read("auth.cookies.secure", cookie_secure),
            same_site: reader.read("auth.cookies.same_site", choice(SAME_SITE)),
            domain: reader.read("auth.cookies.domain", domain),
        };
        if cookies.refresh == cookies.session {
            let problem = format!(
                "expected another name than the other cookie's, got `{}`",
                cookies.session
            );
            reader.note("auth.cookies.session", problem);
        }
        if cookies.same_site == SameSite::None && cookies.secure == CookieSecure::Never {
            let problem = "expected `true` or `auto` beside `same_site = \"none\"`, got `false`";
            reader.note("auth.cookies.secure", problem);
        }
        cookies
    }
}

fn cookie_name(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "a cookie name of letters, digits, `-` and `_`";
    let text = raw.text(EXPECTED)?;
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = !text.is_empty() && text.chars().all(known);
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(Bad::expected(EXPECTED))
    }
}

fn cookie_secure(raw: &Raw<'_>) -> Result<CookieSecure, Bad> {
    if raw.text("").is_ok_and(|text| text == "auto") {
        return Ok(CookieSecure::Auto);
    }
    let secure = flag(raw).map_err(|_| Bad::expected("`\"auto\"`, `true` or `false`"))?;
    Ok(if secure {
        CookieSecure::Always
    } else {
        CookieSecure::Never
    })
}

fn domain(raw: &Raw<'_>) -> Result<Option<String>, Bad> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    match text_or_none(raw)? {
        Some(text) if !text.chars().all(known) => {
            Err(Bad::expected("a domain such as `example.com`"))
        }
        found => Ok(found),
    }
}
