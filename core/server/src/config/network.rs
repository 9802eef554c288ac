//! Addresses: networks of proxies, public URLs, origins.

use std::net::{Ipv6Addr, SocketAddr};

use roster_api::Network;

use super::raw::{Bad, Raw};

/// Reads an address with its port.
pub(super) fn socket(raw: &Raw<'_>) -> Result<SocketAddr, Bad> {
    const EXPECTED: &str = "an address and port, such as `127.0.0.1:8055` or `[::]:8055`";
    raw.text(EXPECTED)?
        .parse()
        .map_err(|_| Bad::expected(EXPECTED))
}

/// Takes an item of a list as a network.
pub(super) fn network(text: &str) -> Result<Network, Bad> {
    text.parse()
        .map_err(|()| Bad::expected("addresses or networks, such as `10.0.0.0/8` or `::1`"))
}

/// Reads the base of our own links; a slash at its end is dropped.
pub(super) fn base_url(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "an http or https URL, such as `https://users.example.com`";
    let text = raw.text(EXPECTED)?;
    if !is_page(text) {
        return Err(Bad::expected(EXPECTED));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Reads where a collector takes OTLP over HTTP; empty is nowhere. An origin alone gets the path
/// that OpenTelemetry gives to traces.
pub(super) fn collector(raw: &Raw<'_>) -> Result<Option<String>, Bad> {
    const EXPECTED: &str = "the http or https URL of an OTLP collector, such as \
                            `http://127.0.0.1:4318/v1/traces`";
    let text = raw.text(EXPECTED)?;
    match split_url(text) {
        None if text.is_empty() => Ok(None),
        Some("" | "/") => Ok(Some(format!("{}/v1/traces", text.trim_end_matches('/')))),
        Some(_) if is_page(text) => Ok(Some(text.to_owned())),
        _ => Err(Bad::expected(EXPECTED)),
    }
}

/// Takes an item of a list as the address of a page: origin and path.
pub(super) fn page(text: &str) -> Result<String, Bad> {
    const EXPECTED: &str = "http or https URLs of origin and path alone";
    if is_page(text) {
        Ok(text.to_owned())
    } else {
        Err(Bad::expected(EXPECTED))
    }
}

/// Takes an item of a list as an origin: scheme, host and perhaps a port.
pub(super) fn origin(text: &str) -> Result<String, Bad> {
    const EXPECTED: &str = "origins such as `https://app.example.com`, with neither path nor `*`";
    let own = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    match split_url(&own) {
        Some("") => Ok(own),
        _ => Err(Bad::expected(EXPECTED)),
    }
}

fn is_page(text: &str) -> bool {
    split_url(text).is_some_and(|path| {
        path.chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"?#\\<>\"".contains(c))
    })
}

/// The path of an http or https URL with a plain host; no user, no password.
fn split_url(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (inner, port) = inner.split_once(']')?;
            inner.parse::<Ipv6Addr>().ok()?;
            ("ip", port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_host = !host.is_empty() && !host.starts_with('.') && host.chars().all(known);
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    (is_host && is_port).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let network: Network = "10.1.2.3/8".parse().expect("a network");

        assert!(network.contains("10.255.0.1".parse().expect("an address")));
        assert!(network.contains("::ffff:10.0.0.1".parse().expect("an address")));
        assert!(!network.contains("11.0.0.1".parse().expect("an address")));
        assert!(!network.contains("::1".parse().expect("an address")));
        for text in [
            "0.0.0.0/0",
            "::/0",
            "::1",
            "192.168.1.7",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        for text in [
            "10.0.0.0/33",
            "10.0.0/8",
            "::1/129",
            "host",
            "10.0.0.0/",
            "1.2.3.4/+8",
            "",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn origins_and_pages_are_told_apart() {
        assert_eq!(
            origin("https://App.example.com/").ok().as_deref(),
            Some("https://app.example.com")
        );
        assert!(origin("http://[::1]:3000").is_ok());
        for wrong in [
            "*",
            "https://*.example.com",
            "https://a/b",
            "app.example.com",
            "https://u@a",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        assert!(page("https://app.example.com/accept-invite").is_ok());
        for wrong in [
            "https://a/b?c",
            "https://a/b#c",
            "//a/b",
            "https:///b",
            "https://a:0/",
            "ftp://a",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }
}
