use clap::Subcommand;

/// `roster outbox`
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Outbox {
    /// Lists deliveries, the latest first.
    List {
        /// Only those of this state: `pending`, `leased`, `done` or `dead`.
        #[arg(long)]
        state: Option<String>,
        /// Only those to this plugin.
        #[arg(long, value_name = "PLUGIN")]
        subscriber: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Has deliveries that were given up tried again: one, all to a plugin, or all.
    Retry {
        /// The number of a delivery.
        id: Option<i64>,
        /// All to this plugin.
        #[arg(long, value_name = "PLUGIN", conflicts_with = "id")]
        subscriber: Option<String>,
    },
    /// Has kept events told again, from one of them or from a time on.
    Replay {
        /// The id of the first event.
        #[arg(long, value_name = "ID", required_unless_present = "since")]
        event: Option<String>,
        /// The time of the first event, as in `2026-01-02T03:04:05Z`.
        #[arg(long, value_name = "TIME", conflicts_with = "event")]
        since: Option<String>,
        /// To this plugin, whether it was told before or not; else to all that were told.
        #[arg(long = "to", value_name = "PLUGIN")]
        subscriber: Option<String>,
    },
}
