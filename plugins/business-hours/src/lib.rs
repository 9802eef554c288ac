//! Permits changes during business hours only.

#![forbid(unsafe_code)]

use roster_sdk::schemars::JsonSchema;
use roster_sdk::{
    AccessRequest, Context, Failure, Host, Manifest, Narrowing, Plugin, Policy, Principal,
    StartError, Value, async_trait, schema_of,
};
use serde::{Deserialize, Serialize};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: i64 = 24 * 60;

/// The plugin, with its configuration.
#[derive(Debug)]
pub struct BusinessHours {
    config: Config,
    /// In minutes of the day.
    opens: i64,
    closes: i64,
    /// East of Greenwich, in minutes.
    offset: i64,
}

/// `[plugins.<name>.config]`.
#[derive(Debug, Clone, Deserialize, JsonSchema, Serialize)]
#[schemars(crate = "roster_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// When it begins, `09:00`.
    pub opens: String,
    /// When it ends, `17:00`; after midnight if that is earlier than it begins.
    pub closes: String,
    /// On which days it begins.
    pub days: Vec<String>,
    /// How far the clocks are ahead of UTC, `+01:00`.
    pub utc_offset: String,
    /// Which actions are bound to it.
    pub actions: Vec<String>,
    /// Roles that are not.
    pub exempt_roles: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Self {
            opens: "09:00".to_owned(),
            closes: "17:00".to_owned(),
            days: owned(&DAYS[..5]),
            utc_offset: "+00:00".to_owned(),
            actions: owned(&["create", "update", "delete"]),
            exempt_roles: Vec::new(),
        }
    }
}

/// `09:30` in minutes.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_pair = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_pair.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// `+01:00` in minutes.
fn offset(text: &str) -> Option<i64> {
    match text.split_at_checked(1)? {
        ("+", rest) => minutes(rest),
        ("-", rest) => minutes(rest).map(|minutes| -minutes),
        _ => None,
    }
}

#[async_trait]
impl Plugin for BusinessHours {
    type Config = Config;

    async fn start(config: Config, _host: &dyn Host) -> Result<Self, StartError> {
        let wrong = |key: &str, expected: &str, found: &str| {
            StartError::new(format!("`{key}`: expected {expected}, got `{found}`"))
        };
        let time = |key: &str, text: &str| {
            minutes(text).ok_or_else(|| wrong(key, "a time such as `09:00`", text))
        };
        let (opens, closes) = (
            time("opens", &config.opens)?,
            time("closes", &config.closes)?,
        );
        let ahead = offset(&config.utc_offset);
        let offset =
            ahead.ok_or_else(|| wrong("utc_offset", "`+01:00` or the like", &config.utc_offset))?;
        if let Some(day) = config.days.iter().find(|day| !DAYS.contains(&day.as_str())) {
            return Err(wrong("days", "`mon` to `sun`", day));
        }
        Ok(Self {
            config,
            opens,
            closes,
            offset,
        })
    }

    fn manifest(&self) -> Manifest {
        let manifest = Manifest::new("business-hours", env!("CARGO_PKG_VERSION"));
        let actions = self.config.actions.iter();
        actions.fold(manifest, |manifest, action| manifest.narrows(action, "*"))
    }

    fn schema() -> Option<Value> {
        Some(schema_of::<Config>())
    }
}

impl BusinessHours {
    fn is_open(&self, unix_seconds: i64) -> bool {
        let local = unix_seconds.div_euclid(60) + self.offset;
        let (day, minute) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let works = |day: i64| {
            // The first of January 1970 was a Thursday.
            let name = usize::try_from((day + 3).rem_euclid(7)).map_or("", |day| DAYS[day]);
            self.config.days.iter().any(|known| known == name)
        };
        if self.opens <= self.closes {
            works(day) && (self.opens..self.closes).contains(&minute)
        } else {
            (works(day) && minute >= self.opens) || (works(day - 1) && minute < self.closes)
        }
    }
}

#[async_trait]
impl Policy for BusinessHours {
    async fn narrow(&self, cx: &Context, request: &AccessRequest) -> Result<Narrowing, Failure> {
        let role = match &cx.principal {
            Principal::System { .. } => return Ok(Narrowing::none()),
            Principal::User { role, .. } => role.as_ref(),
            Principal::Public => None,
        };
        let is_exempt = role.is_some_and(|role| self.config.exempt_roles.contains(role));
        let is_bound = self.config.actions.contains(&request.action);
        if is_exempt || !is_bound || self.is_open(cx.unix_time()) {
            return Ok(Narrowing::none());
        }
        Ok(Narrowing::deny(
            "This can be done during business hours only.",
        ))
    }
}

roster_sdk::export_plugin!(BusinessHours: Policy);

#[cfg(test)]
mod tests {
    use roster_sdk::testing::{self, FakeHost};
    use roster_sdk::{Event, Value, json};

    use super::*;

    fn denied(config: Value, now: &str, action: &str) -> bool {
        let host = FakeHost::new();
        host.set_now(now);
        let policy: BusinessHours = testing::start(config, &host).unwrap();
        let cx = testing::context(Event::Narrow, &host);
        let request = AccessRequest {
            action: action.to_owned(),
            collection: "users".to_owned(),
        };
        let narrowing = testing::ready(policy.narrow(&cx, &request)).unwrap();
        narrowing.deny.is_some()
    }

    #[test]
    fn changes_are_for_business_hours() {
        let night = json!({ "opens": "22:00", "closes": "06:00", "days": ["fri"] });
        let east = json!({ "utc_offset": "+02:00" });

        // 2026-01-02 was a Friday.
        for (config, now, is_denied) in [
            (json!({}), "2026-01-02T09:00:00.000Z", false),
            (json!({}), "2026-01-02T16:59:59.999Z", false),
            (json!({}), "2026-01-02T17:00:00.000Z", true),
            (json!({}), "2026-01-02T08:59:59.000Z", true),
            (json!({}), "2026-01-03T12:00:00.000Z", true),
            (east.clone(), "2026-01-02T07:00:00.000Z", false),
            (east, "2026-01-02T15:30:00.000Z", true),
            (night.clone(), "2026-01-02T23:00:00.000Z", false),
            (night.clone(), "2026-01-03T05:59:00.000Z", false),
            (night, "2026-01-03T23:00:00.000Z", true),
        ] {
            assert_eq!(
                denied(config.clone(), now, "update"),
                is_denied,
                "{config} {now}"
            );
        }
        assert!(!denied(json!({}), "2026-01-03T12:00:00.000Z", "read"));
    }

    #[test]
    fn mistakes_stop_the_start() {
        let start = |config: Value| testing::start::<BusinessHours>(config, &FakeHost::new());

        for bad in [
            json!({ "opens": "9:00" }),
            json!({ "closes": "24:00" }),
            json!({ "days": ["monday"] }),
            json!({ "utc_offset": "01:00" }),
        ] {
            assert!(start(bad.clone()).is_err(), "{bad}");
        }
    }
}
