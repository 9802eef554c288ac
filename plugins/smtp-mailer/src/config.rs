use std::time::Duration;

use roster_sdk::schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// `[plugins.<name>.config]`.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mail server: `smtp://user:pass@host:port` or `smtps://…`. `smtp` takes `?tls=required`,
    /// `?tls=opportunistic` or `?tls=none`, the default.
    #[schemars(extend("format" = "password"))]
    pub url: String,
    /// How long the server may take to connect and to answer each command, such as `10s`.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub timeout: Duration,
    /// How many connections there may be at once.
    #[serde(default = "four")]
    pub pool_size: u32,
}

/// The URL holds a password, so it does not print.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("timeout", &self.timeout)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

const fn four() -> u32 {
    4
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| {
            de::Error::custom(format!(
                "`timeout`: expected a duration such as `10s`, `500ms` or `1m`, got `{text}`"
            ))
        })
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let count: u32 = count.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count.into())),
        "s" => Some(Duration::from_secs(count.into())),
        "m" => Some(Duration::from_mins(count.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(parse("10s"), Some(Duration::from_secs(10)));
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("2m"), Some(Duration::from_mins(2)));
        for wrong in ["", "10", "s", "-1s", "1.5s", "10 s", "1h"] {
            assert_eq!(parse(wrong), None, "of `{wrong}`");
        }
    }
}
