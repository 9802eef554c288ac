use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram};
use roster_sdk::Event;

/// What is counted of a plugin's calls. A call is looked up among the metrics once, not every time.
#[derive(Default)]
pub(crate) struct Meters([OnceLock<Meter>; EVENTS]);

/// Those of one kind of call.
pub(crate) struct Meter {
    seconds: Histogram,
    ended: [Counter; Ended::ALL.len()],
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With an answer.
    Ok,
    /// With a refusal.
    Rejected,
    /// With a failure.
    Failed,
    /// By force.
    Crashed,
    /// Before it began: the plugin is turned off.
    TurnedOff,
}

/// Every event is a number below this.
const EVENTS: usize = Event::Authenticate as usize + 1;

impl Ended {
    const ALL: [Self; 5] = [
        Self::Ok,
        Self::Rejected,
        Self::Failed,
        Self::Crashed,
        Self::TurnedOff,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::TurnedOff => "turned_off",
        }
    }
}

impl Meters {
    /// Those of the calls of one plugin for one event.
    pub(crate) fn of(&self, plugin: &str, event: Event) -> &Meter {
        self.0[event as usize].get_or_init(|| Meter::new(plugin, event.as_str()))
    }
}

impl Meter {
    fn new(plugin: &str, call: &'static str) -> Self {
        let plugin = plugin.to_owned();
        let labels = [("plugin", plugin.clone()), ("call", call.to_owned())];
        let ended = |ended: Ended| {
            let outcome = ended.as_str();
            metrics::counter!(
                "roster_plugin_calls_total",
                "plugin" => plugin.clone(), "call" => call, "outcome" => outcome
            )
        };
        Self {
            seconds: metrics::histogram!("roster_plugin_call_seconds", &labels),
            ended: Ended::ALL.map(ended),
        }
    }

    /// Counts a call that ended so.
    pub(crate) fn ended(&self, ended: Ended) {
        self.ended[ended as usize].increment(1);
    }

    /// Notes how long a call took.
    pub(crate) fn took(&self, time: Duration) {
        self.seconds.record(time);
    }
}
