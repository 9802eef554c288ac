//! From where a policy holds: addresses, ranges and networks (contract/access-control.md §2).

use std::net::IpAddr;

/// Addresses from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    first: IpAddr,
    last: IpAddr,
}

impl Addresses {
    /// Reads `10.0.0.1`, `10.0.0.1-10.0.0.9` or `10.0.0.0/8`, IPv6 alike.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (address(first)?, address(last)?);
            let is_range = first.is_ipv4() == last.is_ipv4() && first <= last;
            return is_range.then_some(Self { first, last });
        }
        let Some((network, bits)) = text.split_once('/') else {
            let one = address(text)?;
            return Some(Self {
                first: one,
                last: one,
            });
        };
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u32 = bits.parse().ok().filter(|_| is_number)?;
        match address(network)? {
            IpAddr::V4(network) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                let first = network.to_bits() & mask;
                Some(Self {
                    first: IpAddr::V4(first.into()),
                    last: IpAddr::V4((first | !mask).into()),
                })
            }
            IpAddr::V6(network) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                let first = network.to_bits() & mask;
                Some(Self {
                    first: IpAddr::V6(first.into()),
                    last: IpAddr::V6((first | !mask).into()),
                })
            }
            _ => None,
        }
    }

    /// Whether an address is among them.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.trim().parse().ok()?;
    Some(address.to_canonical())
}

/// Whether a list of such, joined by commas, has an address. An empty list has every address; an
/// unknown address is in no other; what cannot be read holds nothing.
pub fn reaches(list: Option<&str>, address: Option<IpAddr>) -> bool {
    let Some(list) = list.filter(|list| !list.trim().is_empty()) else {
        return true;
    };
    let Some(address) = address else {
        return false;
    };
    let mut parts = list.split(',').filter_map(Addresses::parse);
    parts.any(|part| part.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_ranges_and_networks_are_understood() {
        for (text, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.0.1-192.168.0.9", "192.168.0.9", "192.168.0.10"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("fe80::/10", "fe80::1", "fec0::1"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ] {
            let addresses = Addresses::parse(text).expect(text);
            assert!(
                addresses.contains(inside.parse().expect("an address")),
                "{text}"
            );
            assert!(
                !addresses.contains(outside.parse().expect("an address")),
                "{text}"
            );
        }
        for text in [
            "",
            "*",
            "nonsense",
            "10.0.0.0/33",
            "10.0.0.0/255.0.0.0",
            "10.0.0.9-10.0.0.1",
            "1.2.3",
        ] {
            assert_eq!(Addresses::parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_list_reaches_everybody_and_an_unknown_address_no_list() {
        let here = "127.0.0.1".parse().ok();
        assert!(reaches(None, None) && reaches(Some(""), None));
        assert!(!reaches(Some("0.0.0.0/0"), None));
        assert!(reaches(Some("10.0.0.1,127.0.0.0/8"), here));
        assert!(!reaches(Some("nonsense"), here));
    }
}
