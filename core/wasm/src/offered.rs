//! What the host offers, one interface after the other: conversions only, no decisions.

use roster_sdk::{
    Expected, HostError, HostErrorCode, HttpRequest, Level, Mail, UserQuery, Value, serde_json,
};

use crate::bindings::base::roster::plugin::{
    clock, host as imported, http, mail, random, records, store, users,
};
use crate::host::State;
use crate::limits::{LOG_LINE_BYTES, LOG_LINES};

/// The most random bytes of one call.
const RANDOM: u32 = 4_096;

// The interface has types only.
impl records::Host for State {}

impl imported::Host for State {
    fn log(&mut self, level: imported::Level, message: String) {
        let level = match level {
            imported::Level::Debug => Level::Debug,
            imported::Level::Info => Level::Info,
            imported::Level::Warn => Level::Warn,
            imported::Level::Error => Level::Error,
        };
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LOG_LINES {
            let end = message.floor_char_boundary(LOG_LINE_BYTES);
            self.host.log(level, &message[..end]);
        } else if self.lines == LOG_LINES + 1 {
            self.host
                .log(Level::Warn, "further lines of this call are left out");
        }
    }

    fn config(&mut self) -> String {
        self.config.as_ref().to_owned()
    }
}

impl clock::Host for State {
    fn now(&mut self) -> String {
        self.host.now()
    }
}

impl random::Host for State {
    fn bytes(&mut self, count: u32) -> Vec<u8> {
        self.host.random(count.min(RANDOM))
    }
}

impl http::Host for State {
    async fn send(
        &mut self,
        request: String,
        body: Option<Vec<u8>>,
    ) -> Result<http::Response, records::HostError> {
        let request: HttpRequest = parse("request", &request)?;
        let request = HttpRequest { body, ..request };
        let answer = self.host.http(&request).await.map_err(error)?;
        Ok(http::Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        })
    }
}

impl store::Host for State {
    async fn get(&mut self, key: String) -> Result<Option<store::Entry>, records::HostError> {
        let entry = self.host.store_get(&key).await.map_err(error)?;
        Ok(entry.map(|entry| store::Entry {
            value: entry.value.to_string(),
            version: entry.version,
        }))
    }

    async fn set(
        &mut self,
        key: String,
        value: String,
        version: Option<u64>,
    ) -> Result<u64, records::HostError> {
        let value: Value = parse("value", &value)?;
        let set = self.host.store_set(&key, &value, expected(version));
        set.await.map_err(error)
    }

    async fn delete(
        &mut self,
        key: String,
        version: Option<u64>,
    ) -> Result<bool, records::HostError> {
        let delete = self.host.store_delete(&key, expected(version));
        delete.await.map_err(error)
    }

    async fn keys(
        &mut self,
        prefix: String,
        limit: u32,
    ) -> Result<Vec<String>, records::HostError> {
        self.host.store_keys(&prefix, limit).await.map_err(error)
    }
}

impl users::Host for State {
    async fn find(&mut self, query: String) -> Result<String, records::HostError> {
        let query: UserQuery = parse("query", &query)?;
        let found = self.host.users(&query).await.map_err(error)?;
        serde_json::to_string(&found).map_err(|error| invalid("users", &error))
    }
}

impl mail::Host for State {
    async fn send(&mut self, mail: String) -> Result<String, records::HostError> {
        let mail: Mail = parse("mail", &mail)?;
        self.host.send_mail(&mail).await.map_err(error)
    }
}

const fn expected(version: Option<u64>) -> Expected {
    match version {
        None => Expected::Any,
        Some(0) => Expected::Absent,
        Some(version) => Expected::Version(version),
    }
}

fn error(error: HostError) -> records::HostError {
    records::HostError {
        code: error.code.as_str().to_owned(),
        message: error.message,
    }
}

fn invalid(what: &str, reason: &serde_json::Error) -> records::HostError {
    let message = format!("{what}: {reason}");
    error(HostError::new(HostErrorCode::Invalid, message))
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, records::HostError> {
    serde_json::from_str(text).map_err(|error| invalid(what, &error))
}
