//! Networks of proxies, and the client address that they leave us with.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use poem::http::HeaderMap;

/// A network of addresses: a base address and how many leading bits all its addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// A network; `None` where the prefix is longer than the address.
    ///
    /// An IPv6 network of mapped IPv4 addresses (`::ffff:10.0.0.0/104`) is the IPv4 network it
    /// stands for.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let canonical = address.to_canonical();
        match (address, canonical) {
            _ if prefix > bits => None,
            (IpAddr::V6(_), IpAddr::V4(_)) => prefix.checked_sub(96).map(|prefix| Self {
                address: canonical,
                prefix,
            }),
            _ => Some(Self { address, prefix }),
        }
    }

    /// Whether an address lies in the network; IPv4 mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        differing >= u32::from(self.prefix)
    }
}

impl FromStr for Network {
    type Err = ();

    /// Reads `10.0.0.0/8`, or one address alone.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let prefix = match prefix {
            None if address.is_ipv4() => 32,
            None => 128,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| ())?
            }
            Some(_) => return Err(()),
        };
        Self::new(address, prefix).ok_or(())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The trusted address of the client: the socket's, or, as long as that is a trusted proxy, the
/// one before it in `X-Forwarded-For`, read from the right. What no trusted proxy wrote is never
/// believed, and what is no address ends the search.
pub(crate) fn client_address(
    socket: Option<IpAddr>,
    headers: &HeaderMap,
    proxies: &[Network],
) -> Option<IpAddr> {
    let mut address = socket?.to_canonical();
    let is_proxy = |address| proxies.iter().any(|network| network.contains(address));
    if !is_proxy(address) {
        return Some(address);
    }
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(line) = line.to_str() else {
            return Some(address);
        };
        for hop in line.rsplit(',') {
            let Some(previous) = parse_hop(hop.trim()) else {
                return Some(address);
            };
            address = previous;
            if !is_proxy(address) {
                return Some(address);
            }
        }
    }
    Some(address)
}

/// One entry of the header: an address, perhaps in brackets, perhaps with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare
        .parse()
        .ok()
        .or_else(|| hop.parse().ok().map(|at: SocketAddr| at.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn network(address: &str, prefix: u8) -> Network {
        Network::new(ip(address), prefix).unwrap()
    }

    fn behind(socket: &str, forwarded: &[&'static str], proxies: &[Network]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client_address(Some(ip(socket)), &headers, proxies).unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        assert!(network("10.1.2.3", 8).contains(ip("10.255.0.1")));
        assert!(network("10.0.0.0", 8).contains(ip("::ffff:10.0.0.1")));
        assert!(network("::ffff:10.0.0.0", 104).contains(ip("10.9.9.9")));
        assert!(network("0.0.0.0", 0).contains(ip("203.0.113.9")));
        assert!(network("2001:db8::", 32).contains(ip("2001:db8:1::5")));
        assert!(!network("10.0.0.0", 8).contains(ip("11.0.0.1")));
        assert!(!network("10.0.0.0", 8).contains(ip("::1")));
        assert!(!network("0.0.0.0", 0).contains(ip("::1")));
        assert!(!network("::1", 128).contains(ip("::2")));
    }

    #[test]
    fn a_prefix_longer_than_the_address_makes_no_network() {
        assert_eq!(Network::new(ip("10.0.0.0"), 33), None);
        assert_eq!(Network::new(ip("::1"), 129), None);
        assert_eq!(Network::new(ip("::ffff:10.0.0.0"), 8), None);
    }

    #[test]
    fn forwarded_headers_of_strangers_do_not_count() {
        let proxies = [network("10.0.0.0", 8)];

        assert_eq!(
            behind("203.0.113.9", &["198.51.100.1"], &proxies),
            ip("203.0.113.9")
        );
        assert_eq!(
            behind("203.0.113.9", &["198.51.100.1"], &[]),
            ip("203.0.113.9")
        );
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_is_the_client() {
        let proxies = [network("10.0.0.0", 8)];
        let forged = "1.1.1.1, 198.51.100.1, 10.0.0.7";

        assert_eq!(behind("10.0.0.1", &[forged], &proxies), ip("198.51.100.1"));
        assert_eq!(
            behind(
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.1", "10.0.0.7"],
                &proxies
            ),
            ip("198.51.100.1")
        );
        assert_eq!(
            behind("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &proxies),
            ip("10.0.0.3")
        );
        assert_eq!(behind("10.0.0.1", &[], &proxies), ip("10.0.0.1"));
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_search() {
        let proxies = [network("10.0.0.0", 8)];

        assert_eq!(
            behind("10.0.0.1", &["198.51.100.1, unknown"], &proxies),
            ip("10.0.0.1")
        );
        assert_eq!(behind("10.0.0.1", &[""], &proxies), ip("10.0.0.1"));
    }

    #[test]
    fn entries_may_have_ports_and_brackets() {
        let proxies = [network("10.0.0.0", 8)];

        assert_eq!(
            behind("::ffff:10.0.0.1", &["198.51.100.1:4711"], &proxies),
            ip("198.51.100.1")
        );
        assert_eq!(
            behind("10.0.0.1", &["[2001:db8::1]:4711"], &proxies),
            ip("2001:db8::1")
        );
        assert_eq!(
            behind("10.0.0.1", &["[2001:db8::1]"], &proxies),
            ip("2001:db8::1")
        );
    }
}
