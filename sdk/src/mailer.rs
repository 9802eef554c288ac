use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Context, Failure};

/// Sends messages. Called from the outbox: at least once, retried on failure.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one message.
    async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure>;
}

/// A message to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A stable id; a redelivered message keeps it.
    pub id: String,
    /// The sender's address.
    pub from: String,
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
