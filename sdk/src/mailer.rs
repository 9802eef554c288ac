use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Context, Failure};

/// Sends messages. Called from the outbox: at least once, retried on failure.
///
/// ```
/// use roster_sdk::{
///     async_trait, Context, Failure, Host, Level, Mailer, Manifest, Message, Plugin, StartError,
///     Value,
/// };
///
/// struct Pigeon;
///
/// #[async_trait]
/// impl Plugin for Pigeon {
///     type Config = Value;
///
///     async fn start(_config: Value, _host: &dyn Host) -> Result<Self, StartError> {
///         Ok(Self)
///     }
///
///     fn manifest(&self) -> Manifest {
///         Manifest::new("pigeon", "1.0.0")
///     }
/// }
///
/// #[async_trait]
/// impl Mailer for Pigeon {
///     async fn send(&self, cx: &Context, message: &Message) -> Result<(), Failure> {
///         if message.text.len() > 100 {
///             return Err(Failure::new("too heavy for a pigeon"));
///         }
///         cx.log(Level::Info, &format!("{} is in the air", message.id));
///         Ok(())
///     }
/// }
///
/// roster_sdk::export_plugin!(Pigeon: Mailer);
/// ```
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
