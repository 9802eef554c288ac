//! One error type for every layer: a non-empty list of problems.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::Code;

/// The result of anything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// One problem, as the client sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// A sentence for the client.
    pub message: String,
    /// More facts, sent beside the code.
    pub extensions: Map<String, Json>,
}

impl Problem {
    /// A problem with the code's own message.
    pub fn new(code: Code) -> Self {
        let message = code.message().to_owned();
        Self {
            code,
            message,
            extensions: Map::new(),
        }
    }

    /// The same with another message.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.extensions.insert(key.to_owned(), value.into());
        self
    }
}

/// As on the wire: `{"message", "extensions"}`, the code among the extensions (contract/query.md §9).
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 2)?;
        problem.serialize_field("message", &self.message)?;
        problem.serialize_field("extensions", &Extensions(self))?;
        problem.end()
    }
}

/// The facts, then the code.
struct Extensions<'a>(&'a Problem);

impl Serialize for Extensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0.extensions.iter().filter(|(key, _)| *key != "code") {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("code", &self.0.code.as_str())?;
        map.end()
    }
}

/// Why something was refused or failed.
#[derive(Debug)]
pub struct Error {
    problems: Vec<Problem>,
    source: Option<Source>,
}

impl Error {
    /// An error of several problems; `None` for an empty list.
    pub fn of(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self {
            problems,
            source: None,
        })
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The first problem's code.
    pub fn code(&self) -> &Code {
        &self.problems[0].code
    }

    /// The HTTP status: that of the problems, 500 where they differ (contract/query.md §9).
    pub fn status(&self) -> u16 {
        let first = self.problems[0].code.status();
        if self.problems.iter().all(|p| p.code.status() == first) {
            first
        } else {
            500
        }
    }

    /// The same with the cause, which is logged and never sent.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The cause, if one was kept.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The same, saying which item of a batch it is about: its position, from 0.
    #[must_use]
    pub fn at_item(mut self, index: usize) -> Self {
        for problem in &mut self.problems {
            problem.extensions.insert("item".to_owned(), index.into());
        }
        self
    }

    /// The same, saying under which fields of the item it is.
    #[must_use]
    pub fn beneath(mut self, path: &[String]) -> Self {
        if !path.is_empty() {
            for problem in &mut self.problems {
                if let Some(json) = problem.extensions.get_mut("path") {
                    *json = path.to_vec().into();
                }
            }
        }
        self
    }

    /// Something failed that the client cannot mend.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::from(Code::Internal).because(source)
    }

    /// Missing and forbidden, which look the same.
    pub fn forbidden() -> Self {
        Self::from(Code::Forbidden)
    }

    /// No rule gives this principal this collection, or there is none of that name.
    pub fn forbidden_collection(collection: &str) -> Self {
        Problem::new(Code::Forbidden)
            .saying(format!(
                "You don't have permission to access collection \"{collection}\" or it does not exist. Queried in root."
            ))
            .into()
    }

    /// Fields that do not exist or may not be touched.
    pub fn forbidden_fields(collection: &str, fields: &[String]) -> Self {
        let (noun, verb) = if fields.len() == 1 {
            ("field", "it does")
        } else {
            ("fields", "they do")
        };
        let names = fields
            .iter()
            .map(|f| format!("\"{f}\""))
            .collect::<Vec<_>>()
            .join(", ");
        Problem::new(Code::Forbidden)
            .saying(format!(
                "You don't have permission to access {noun} {names} in collection \"{collection}\" or {verb} not exist. Queried in root."
            ))
            .into()
    }

    /// The body is not what was expected.
    pub fn invalid_payload(reason: impl fmt::Display) -> Self {
        reasoned(Code::InvalidPayload, "Invalid payload", &reason).into()
    }

    /// The query is not what was expected.
    pub fn invalid_query(reason: impl fmt::Display) -> Self {
        reasoned(Code::InvalidQuery, "Invalid query", &reason).into()
    }

    /// The state does not allow it.
    pub fn unprocessable(reason: impl fmt::Display) -> Self {
        reasoned(Code::UnprocessableContent, "Can't process content", &reason).into()
    }

    /// Something Roster needs does not answer.
    pub fn unavailable(service: &str, reason: impl fmt::Display) -> Self {
        Problem::new(Code::ServiceUnavailable)
            .saying(format!("Service \"{service}\" is unavailable. {reason}."))
            .with("service", service)
            .with("reason", reason.to_string())
            .into()
    }
}

fn reasoned(code: Code, lead: &str, reason: &dyn fmt::Display) -> Problem {
    let reason = reason.to_string();
    Problem::new(code)
        .saying(format!("{lead}. {reason}."))
        .with("reason", reason)
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            source: None,
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: {}", problem.code.as_str(), problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// Problems with single fields (contract/query.md §10, `FAILED_VALIDATION` and its neighbours).
pub mod field {
    use super::{Code, Json, Problem, json};

    /// The value does not pass a rule; `kind` is the wire's `type`, `clause` its sentence.
    pub fn failed(field: &str, kind: &str, clause: &str) -> Problem {
        let clause = if clause.is_empty() {
            String::new()
        } else {
            format!(" {clause}")
        };
        Problem::new(Code::FailedValidation)
            .saying(format!("Validation failed for field \"{field}\".{clause}"))
            .with("field", field)
            .with("path", json!([]))
            .with("type", kind)
    }

    /// The value may not be null.
    pub fn null(field: &str) -> Problem {
        failed(field, "nnull", "Value can't be null.")
    }

    /// The value is no e-mail address.
    pub fn email(field: &str) -> Problem {
        failed(field, "email", "Value has to be a valid email address.")
    }

    /// The value has a type that the field does not take. Concealed values are not repeated.
    pub fn wrong_type(field: &str, expected: &str, got: &str) -> Problem {
        let reason = format!("field `{field}`: expected {expected}, got {got}");
        Problem::new(Code::InvalidPayload)
            .saying(format!("Invalid payload. {reason}."))
            .with("field", field)
            .with("reason", reason)
    }

    /// There is no such field.
    pub fn unknown(collection: &str, field: &str) -> Problem {
        let reason = format!("field `{field}` does not exist in collection `{collection}`");
        Problem::new(Code::InvalidPayload)
            .saying(format!("Invalid payload. {reason}."))
            .with("collection", collection)
            .with("field", field)
            .with("reason", reason)
    }

    /// The text is longer than the field.
    pub fn too_long(collection: &str, field: &str, limit: usize) -> Problem {
        Problem::new(Code::ValueTooLong)
            .saying(format!(
                "Value for field \"{field}\" in collection \"{collection}\" is too long."
            ))
            .with("collection", collection)
            .with("field", field)
            .with("max_length", limit)
    }

    /// Another record has this value.
    pub fn not_unique(collection: &str, field: &str, value: Option<Json>) -> Problem {
        Problem::new(Code::RecordNotUnique)
            .saying(format!(
                "Value for field \"{field}\" in collection \"{collection}\" has to be unique."
            ))
            .with("collection", collection)
            .with("field", field)
            .with("value", value.unwrap_or(Json::Null))
    }

    /// The record this value points at does not exist.
    pub fn foreign_key(collection: &str, field: &str, value: Option<Json>) -> Problem {
        Problem::new(Code::InvalidForeignKey)
            .saying(format!(
                "Invalid foreign key for field \"{field}\" in collection \"{collection}\"."
            ))
            .with("collection", collection)
            .with("field", field)
            .with("value", value.unwrap_or(Json::Null))
    }
}
