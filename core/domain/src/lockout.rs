//! How often somebody may guess.

use std::net::IpAddr;

/// No setting allows more wrong guesses in a row (NIST SP 800-63B-4 §3.2.2).
pub const MOST_ATTEMPTS: i64 = 100;

/// How many attempts in a row a setting allows; nothing and too many are [`MOST_ATTEMPTS`].
pub fn attempts_allowed(setting: Option<i64>) -> i64 {
    setting
        .filter(|allowed| (1..=MOST_ATTEMPTS).contains(allowed))
        .unwrap_or(MOST_ATTEMPTS)
}

/// What stands for an address where tries are counted: itself, or its network of 64 bits for IPv6,
/// which one customer has whole.
pub fn bucket(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_allows_more_than_a_hundred_guesses() {
        for (setting, allowed) in [
            (None, 100),
            (Some(25), 25),
            (Some(100), 100),
            (Some(101), 100),
            (Some(0), 100),
            (Some(-1), 100),
        ] {
            assert_eq!(attempts_allowed(setting), allowed, "{setting:?}");
        }
    }

    #[test]
    fn addresses_of_one_customer_share_a_bucket() {
        let bucket = |text: &str| bucket(text.parse().ok());

        assert_eq!(bucket("2001:db8:1:2::1"), bucket("2001:db8:1:2:ffff::9"));
        assert_ne!(bucket("2001:db8:1:2::1"), bucket("2001:db8:1:3::1"));
        assert_eq!(bucket("::ffff:192.0.2.1"), bucket("192.0.2.1"));
        assert_ne!(bucket("192.0.2.1"), bucket("192.0.2.2"));
    }
}
