//! What a use case knows about the request it serves.

use std::net::IpAddr;
use std::sync::Arc;

use roster_domain::{Model, Principal, Reason, Rights, Timestamp, UserId};

use crate::access::Actor;
use crate::plugins::Effects;
use crate::settings::Secret;

/// Where a write came from. Hooks and the activity log see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The REST API.
    Rest,
    /// The command line.
    CommandLine,
    /// A file that is taken in.
    Import,
    /// The start of the server.
    Bootstrap,
}

impl Source {
    /// The word in logs, activity and hook contexts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::CommandLine => "cli",
            Self::Import => "import",
            Self::Bootstrap => "bootstrap",
        }
    }
}

/// The client behind a request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The request's id, in logs and in the answer's `X-Request-Id`.
    pub request_id: String,
    /// Where the request came in.
    pub source: Source,
    /// The trusted address: the socket's, or what a configured proxy says.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, cut to 1,024 characters.
    pub user_agent: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// Whether the request can only read: policy plugins are not asked what it may write, and it may
    /// write nothing that they could have narrowed.
    pub only_reads: bool,
}

/// Who acts, with which rights, from where and when.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who acts.
    pub principal: Principal,
    /// What their policies come to.
    pub rights: Arc<Rights>,
    /// What decided that; nothing for the system.
    pub(crate) actor: Option<Actor>,
    /// Who acts instead of the principal, if somebody does.
    pub impersonator: Option<UserId>,
    /// Whether they act by a token that has some of their policies alone.
    pub(crate) is_narrowed: bool,
    /// The token they act by, if it is none of a session: it is looked up again in long work.
    pub(crate) token: Option<Arc<Secret>>,
    /// The fields of every collection, as they are for this request.
    pub model: Arc<Model>,
    /// The client.
    pub client: Arc<Client>,
    /// When the request was accepted.
    pub now: Timestamp,
    /// What plugins want to be stored with the records of this request.
    pub effects: Effects,
}

impl Context {
    /// The same request with the server acting, for one of a few reasons: who asks may not, and
    /// what they ask for was proved in another way.
    pub(crate) fn as_system(&self, reason: Reason) -> Self {
        Self {
            principal: Principal::System(reason),
            rights: Arc::new(Rights::default()),
            actor: None,
            impersonator: None,
            is_narrowed: false,
            token: None,
            ..self.clone()
        }
    }
}
