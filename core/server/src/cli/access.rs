use std::net::IpAddr;

use clap::{Args, Subcommand};

/// `roster access`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Access {
    /// Says whether somebody may do something, and what decides it.
    Explain(Explain),
    /// Gives a policy recommended rules, as far as it does not have them.
    Preset {
        /// The id of the policy.
        policy: String,
        /// Which rules.
        #[arg(default_value = "self-service")]
        preset: String,
    },
}

/// `roster access explain`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Explain {
    /// The user, by id or e-mail.
    #[arg(long, value_name = "USER", required_unless_present_any = ["role", "public"])]
    pub user: Option<String>,
    /// Everybody with this role, by id.
    #[arg(long, value_name = "ID", conflicts_with_all = ["user", "public"])]
    pub role: Option<String>,
    /// Everybody, without credentials.
    #[arg(long, conflicts_with = "user")]
    pub public: bool,
    /// What is to be done: `create`, `read`, `update` or `delete`.
    pub action: String,
    /// The collection, such as `users`.
    pub collection: String,
    /// The record.
    pub id: Option<String>,
    /// The fields, such as `email,role`.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// The address of the client.
    #[arg(long)]
    pub ip: Option<IpAddr>,
    /// The time, as in `2026-01-02T03:04:05Z`; now unless given.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Prints the whole answer as JSON.
    #[arg(long)]
    pub json: bool,
}
