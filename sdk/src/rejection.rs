use serde::{Deserialize, Serialize};

/// A refusal with the plugin's own code, message and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// `UPPER_SNAKE`, sent as `extensions.code`.
    pub code: String,
    /// A sentence for the caller.
    pub message: String,
    /// 400–499; anything else is a failure of the plugin.
    pub status: u16,
}

impl Rejection {
    /// A refusal with status 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: 400,
        }
    }

    /// The credentials prove nothing: status 401, as for a wrong password.
    pub fn invalid_credentials() -> Self {
        Self::new("INVALID_CREDENTIALS", "Invalid user credentials.").with_status(401)
    }

    /// The same with another status.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// The plugin could not do its work. Logged; never shown to the caller.
///
/// What happens to the write is the operator's choice: `on_failure = "reject"` or `"skip"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, for the operator.
    pub reason: String,
    /// Whether the plugin did not come to an end: a panic, a trap, a limit. Said by the server;
    /// several of them in a short time turn the plugin off for a while.
    #[serde(skip)]
    pub is_crash: bool,
}

/// Failures of one reason are the same, whoever noticed them.
impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        self.reason == other.reason
    }
}

impl Eq for Failure {}

impl Failure {
    /// A failure with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_crash: false,
        }
    }

    /// The failure of a call that was ended from outside.
    pub fn crash(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_crash: true,
        }
    }
}

/// How a hook ends when it does not let the write pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookError {
    /// It refuses the write.
    Rejected(Rejection),
    /// It could not do its work.
    Failed(Failure),
}

impl From<Rejection> for HookError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Failure> for HookError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl std::fmt::Display for HookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected(rejection) => write!(f, "rejected: {}", rejection.message),
            Self::Failed(failure) => write!(f, "failed: {}", failure.reason),
        }
    }
}

impl std::error::Error for HookError {}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
