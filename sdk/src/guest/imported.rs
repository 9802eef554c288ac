use async_trait::async_trait;
use serde_json::Value;

use crate::guest::bindings::base::roster::plugin::{
    clock, host, http, mail, random, records, store, users,
};
use crate::{
    Expected, Host, HostError, HostErrorCode, HttpRequest, HttpResponse, Level, Mail, Record,
    StoreEntry, UserQuery,
};

/// The host, as a component reaches it.
pub(super) struct Imported;

#[async_trait]
impl Host for Imported {
    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message);
    }

    fn now(&self) -> String {
        clock::now()
    }

    fn random(&self, count: u32) -> Vec<u8> {
        random::bytes(count)
    }

    async fn http(&self, request: &HttpRequest) -> Result<HttpResponse, HostError> {
        let head = serde_json::to_string(request).map_err(invalid)?;
        let answer = http::send(&head, request.body.as_deref()).map_err(error)?;
        Ok(HttpResponse {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        })
    }

    async fn store_get(&self, key: &str) -> Result<Option<StoreEntry>, HostError> {
        let Some(entry) = store::get(key).map_err(error)? else {
            return Ok(None);
        };
        Ok(Some(StoreEntry {
            value: serde_json::from_str(&entry.value).map_err(invalid)?,
            version: entry.version,
        }))
    }

    async fn store_set(
        &self,
        key: &str,
        value: &Value,
        expected: Expected,
    ) -> Result<u64, HostError> {
        store::set(key, &value.to_string(), version(expected)).map_err(error)
    }

    async fn store_delete(&self, key: &str, expected: Expected) -> Result<bool, HostError> {
        store::delete(key, version(expected)).map_err(error)
    }

    async fn store_keys(&self, prefix: &str, limit: u32) -> Result<Vec<String>, HostError> {
        store::keys(prefix, limit).map_err(error)
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<Record>, HostError> {
        let query = serde_json::to_string(query).map_err(invalid)?;
        let found = users::find(&query).map_err(error)?;
        serde_json::from_str(&found).map_err(invalid)
    }

    async fn send_mail(&self, mail: &Mail) -> Result<String, HostError> {
        let mail = serde_json::to_string(mail).map_err(invalid)?;
        mail::send(&mail).map_err(error)
    }
}

const fn version(expected: Expected) -> Option<u64> {
    match expected {
        Expected::Any => None,
        Expected::Absent => Some(0),
        Expected::Version(version) => Some(version),
    }
}

fn error(error: records::HostError) -> HostError {
    HostError::new(HostErrorCode::parse(&error.code), error.message)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands where an error is mapped"
)]
fn invalid(error: serde_json::Error) -> HostError {
    HostError::new(HostErrorCode::Invalid, error.to_string())
}
