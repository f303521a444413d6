//! How contact with a cluster stands: a pure state machine with the time passed in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Millis, Tick};

/// How contact with a cluster stands, from good to bad. None of it says anything about what is in the cluster: losing
/// contact never changes its inventory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContactState {
    /// It answers.
    Online,
    /// Requests fail, or it answers again after a silence and has not done so for long.
    Degraded,
    /// It has been silent for longer than an interruption lasts.
    Unreachable,
    /// It has been silent for so long that people should look.
    Lost,
}

impl fmt::Display for ContactState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Online => "online",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
            Self::Lost => "lost",
        })
    }
}

/// When contact is called what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ContactLimits {
    /// Silent for this long, it is degraded. Default: 10 s.
    pub degraded_after: Millis,
    /// After this many failures in a row, it is degraded at once. Default: 3.
    pub degraded_failures: u64,
    /// Silent for this long, it is unreachable. Default: 60 s.
    pub unreachable_after: Millis,
    /// Silent for this long, it is lost. Default: 15 min.
    pub lost_after: Millis,
    /// Once it is not online, it must answer for this long to be so again: connections that come and go do not show as
    /// news each time. Default: 30 s.
    pub steady_for: Millis,
}

impl Default for ContactLimits {
    fn default() -> Self {
        Self {
            degraded_after: Millis::from_secs(10),
            degraded_failures: 3,
            unreachable_after: Millis::from_secs(60),
            lost_after: Millis::from_mins(15),
            steady_for: Millis::from_secs(30),
        }
    }
}

/// What was heard of a cluster last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Heard {
    /// An answer.
    Answer,
    /// This many failures in a row, and no answer since.
    Silence {
        /// How many.
        failures: u64,
    },
}

impl Heard {
    /// This many failures in a row.
    pub fn silence(failures: u64) -> Self {
        Self::Silence { failures }
    }
}

/// How contact stands, and since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ContactStatus {
    /// How.
    pub state: ContactState,
    /// When that began.
    pub since: Tick,
    /// The first failure after the last answer; none while it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Tick>,
    /// Since when it answers again; none while it is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_since: Option<Tick>,
}

impl ContactStatus {
    /// After what was heard first: an answer is good contact at once.
    pub fn first(heard: Heard, limits: &ContactLimits, now: Tick) -> Self {
        let mut contact = Self {
            state: ContactState::Online,
            since: now,
            silent_since: None,
            answers_since: None,
        };
        contact.hear(heard, limits, now);
        contact
    }

    /// Takes in what was heard last, again and again as time goes by. True when the state changed.
    ///
    /// It goes down any number of steps as silence lasts, and up by way of [`Degraded`](ContactState::Degraded) only.
    pub fn hear(&mut self, heard: Heard, limits: &ContactLimits, now: Tick) -> bool {
        let next = match heard {
            Heard::Answer => {
                self.silent_since = None;
                let since = *self.answers_since.get_or_insert(now);
                match self.state {
                    ContactState::Online => ContactState::Online,
                    ContactState::Degraded if now.since(since) >= limits.steady_for => ContactState::Online,
                    _ => ContactState::Degraded,
                }
            }
            Heard::Silence { failures } => {
                self.answers_since = None;
                let silence = now.since(*self.silent_since.get_or_insert(now));
                let silent = if silence >= limits.lost_after {
                    ContactState::Lost
                } else if silence >= limits.unreachable_after {
                    ContactState::Unreachable
                } else if silence >= limits.degraded_after || failures >= limits.degraded_failures {
                    ContactState::Degraded
                } else {
                    ContactState::Online
                };
                silent.max(self.state)
            }
        };
        let changed = next != self.state;
        if changed {
            (self.state, self.since) = (next, now);
        }
        changed
    }
}
