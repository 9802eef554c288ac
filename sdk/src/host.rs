use serde::{Deserialize, Serialize};

/// What a plugin may ask of the server, within the operator's capabilities.
pub trait Host: Send + Sync {
    /// Writes a line to the server's log.
    fn log(&self, level: Level, message: &str);
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
