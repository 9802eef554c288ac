use std::fmt;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Credentials, Failure, HookError, Identity, Record};

/// What a plugin may ask of the server, within the operator's capabilities.
///
/// Both builds get the same host with the same checks: `http`, `store`, `users` and `mail` answer
/// [`HostErrorCode::Denied`] unless `[plugins.<name>.capabilities]` grants them. One call may ask
/// at most 100 times, 8 of these over HTTP.
///
/// ```
/// # use roster_sdk::{Expected, Failure, Host, HttpRequest, json};
/// async fn count(host: &dyn Host) -> Result<u64, Failure> {
///     let seen = host.store_get("visits").await?;
///     let visits = seen.and_then(|entry| entry.value.as_u64()).unwrap_or(0) + 1;
///     host.store_set("visits", &json!(visits), Expected::Any).await?;
///     let answer = host.http(&HttpRequest::get("https://api.example.com/visits")).await?;
///     Ok(visits + answer.json::<u64>()?)
/// }
/// ```
#[async_trait]
pub trait Host: Send + Sync {
    /// Writes a line to the server's log.
    fn log(&self, level: Level, message: &str);

    /// The time: RFC 3339, UTC, milliseconds.
    fn now(&self) -> String;

    /// The time in seconds since 1970, UTC.
    fn unix_now(&self) -> i64 {
        unix_seconds(&self.now()).unwrap_or_default()
    }

    /// Bytes fit for secrets, at most 4 KiB.
    fn random(&self, count: u32) -> Vec<u8>;

    /// Sends a request to one of the origins of the capability `http`. An answer of any status is
    /// an answer. Redirects of GET and HEAD are followed as far as they lead to granted origins.
    async fn http(&self, _request: &HttpRequest) -> Result<HttpResponse, HostError> {
        Err(HostError::unavailable("http"))
    }

    /// What the plugin keeps under a key.
    async fn store_get(&self, _key: &str) -> Result<Option<StoreEntry>, HostError> {
        Err(HostError::unavailable("store"))
    }

    /// Keeps a JSON value under a key; gives its version.
    ///
    /// What a before hook writes is stored with the record or not at all. A key that the call has
    /// read before is written only if nobody else wrote it since; otherwise the whole write runs
    /// again.
    async fn store_set(
        &self,
        _key: &str,
        _value: &Value,
        _expected: Expected,
    ) -> Result<u64, HostError> {
        Err(HostError::unavailable("store"))
    }

    /// Forgets a key; whether there was something.
    async fn store_delete(&self, _key: &str, _expected: Expected) -> Result<bool, HostError> {
        Err(HostError::unavailable("store"))
    }

    /// The keys that begin so, in order, at most so many.
    async fn store_keys(&self, _prefix: &str, _limit: u32) -> Result<Vec<String>, HostError> {
        Err(HostError::unavailable("store"))
    }

    /// The users that a query finds. Only fields of the capability `fields.read` are answered,
    /// filtered and sorted by.
    async fn users(&self, _query: &UserQuery) -> Result<Vec<Record>, HostError> {
        Err(HostError::unavailable("users"))
    }

    /// Whose password it is, for the local login that is linked into the server; for others it is
    /// denied. The identifier is an address; the identity is the user's id and nothing more.
    async fn verify_credentials(
        &self,
        _credentials: &Credentials,
    ) -> Result<Option<Identity>, HostError> {
        Err(HostError::unavailable("credentials"))
    }

    /// Puts a mail into the outbox; gives its id. What a before hook sends goes out only if the
    /// record is stored.
    async fn send_mail(&self, _mail: &Mail) -> Result<String, HostError> {
        Err(HostError::unavailable("mail"))
    }
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the author.
    Debug,
    /// For the operator.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

/// Why the host did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostError {
    /// What kind of reason.
    pub code: HostErrorCode,
    /// A sentence for the operator.
    pub message: String,
}

/// What kind of reason the host had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostErrorCode {
    /// The operator did not grant it.
    Denied,
    /// It cannot be had now.
    Unavailable,
    /// Somebody else was first.
    Conflict,
    /// The plugin asked for something that makes no sense.
    Invalid,
    /// It was tried and failed.
    Failed,
}

impl HostErrorCode {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }

    /// The code of that name; one this version does not know is a failure.
    pub fn parse(name: &str) -> Self {
        match name {
            "denied" => Self::Denied,
            "unavailable" => Self::Unavailable,
            "conflict" => Self::Conflict,
            "invalid" => Self::Invalid,
            _ => Self::Failed,
        }
    }
}

impl HostError {
    /// An error of this kind.
    pub fn new(code: HostErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The host has nothing of that name.
    pub fn unavailable(what: &str) -> Self {
        Self::new(
            HostErrorCode::Unavailable,
            format!("`{what}` cannot be used here"),
        )
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for HostError {}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<HostError> for HookError {
    fn from(error: HostError) -> Self {
        Self::Failed(error.into())
    }
}

/// A request to somebody else's server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// What is sent.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

impl HttpRequest {
    /// A request with this method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            ..Self::default()
        }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With this JSON as its body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }
}

/// What somebody else's server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status is 200 to 299.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status <= 299
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// A failure that says what is wrong with it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::new(format!("answer of status {}: {error}", self.status)))
    }
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreEntry {
    /// The value.
    pub value: Value,
    /// Grows with every write.
    pub version: u64,
}

/// What has to be there for a write to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever the call has read, or anything.
    #[default]
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// Which users are looked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UserQuery {
    /// Which users, as in the query parameter `filter`; null for all.
    #[serde(default)]
    pub filter: Value,
    /// Which fields; none for all the plugin may read.
    #[serde(default)]
    pub fields: Vec<String>,
    /// In which order: names of fields, `-` before one for descending.
    #[serde(default)]
    pub sort: Vec<String>,
    /// How many at most, 1 to 100.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl UserQuery {
    /// The users that a filter finds.
    pub fn filter(filter: Value) -> Self {
        Self {
            filter,
            ..Self::default()
        }
    }

    /// Only these fields.
    #[must_use]
    pub fn fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.fields.extend(fields.into_iter().map(Into::into));
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// A mail that a plugin sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The addresses of the recipients.
    pub to: Vec<String>,
    /// The subject, one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML, if any.
    #[serde(default)]
    pub html: Option<String>,
}

/// The seconds since 1970 of an RFC 3339 time in UTC, as the host writes them.
pub fn unix_seconds(time: &str) -> Option<i64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !time.ends_with('Z') {
        return None;
    }
    // Years begin in March here, so that the odd day is their last.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn seconds_are_counted_from_1970() {
        for (time, seconds) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696),
            ("2026-01-02T03:04:05.678Z", 1_767_323_045),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400),
        ] {
            assert_eq!(unix_seconds(time), Some(seconds), "{time}");
        }
        for bad in [
            "",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "now",
        ] {
            assert_eq!(unix_seconds(bad), None, "{bad}");
        }
    }
}
