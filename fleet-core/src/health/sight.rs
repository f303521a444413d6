//! What an object says of itself.

use fleet_diff::{Node, Object};

use super::HealthState;
use crate::words::Reason;

/// Longest word that is told of a condition's reason. In bytes.
const WORD_MAX: usize = 80;

/// An object, looked at for its health.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) object: &'a Object,
    root: Node<'a>,
}

/// One of its conditions.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    status: &'a str,
    reason: &'a str,
}

impl<'a> Sight<'a> {
    pub(super) fn of(object: &'a Object) -> Self {
        let root = object.root();
        Self { object, root }
    }

    pub(super) fn text(self, path: &[&str]) -> Option<&'a str> {
        self.root.at(path)?.as_str()
    }

    pub(super) fn number(self, path: &[&str]) -> Option<i64> {
        self.root.at(path)?.as_i64()
    }

    /// A count in the status: 0 when it is left out.
    pub(super) fn count(self, field: &str) -> i64 {
        self.number(&["status", field]).unwrap_or(0)
    }

    /// The replicas asked for: 1 when it is left out.
    pub(super) fn replicas(self) -> i64 {
        self.number(&["spec", "replicas"]).unwrap_or(1)
    }

    pub(super) fn is_deleting(self) -> bool {
        self.object.metadata_text("deletionTimestamp").is_some()
    }

    /// The items of a list in the status.
    pub(super) fn list(self, field: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.root.at(&["status", field]).into_iter().flat_map(Node::items)
    }

    pub(super) fn conditions(self) -> impl Iterator<Item = Condition<'a>> + use<'a> {
        self.list("conditions").map(|condition| {
            let text = |field| condition.get(field).and_then(Node::as_str).unwrap_or("");
            Condition {
                kind: text("type"),
                status: text("status"),
                reason: text("reason"),
            }
        })
    }

    pub(super) fn condition(self, kind: &str) -> Option<Condition<'a>> {
        self.conditions().find(|condition| condition.kind == kind)
    }

    pub(super) fn is_true(self, kind: &str) -> bool {
        self.condition(kind).is_some_and(Condition::is_true)
    }

    /// What holds whatever its status says: it is on its way out, or that status is old.
    pub(super) fn whatever_its_status_says(self) -> Option<HealthState> {
        if self.is_deleting() {
            return Some(HealthState::Terminating);
        }
        let observed = self.number(&["status", "observedGeneration"]);
        let generation = self.number(&["metadata", "generation"]);
        if let (Some(observed), Some(generation)) = (observed, generation)
            && observed != generation
        {
            let message = format!("its status is about generation {observed}, and it is at {generation}");
            return Some(HealthState::InProgress(Reason::new("generation", message)));
        }
        None
    }

    /// What holds for every kind: nothing, when the kind's own rules are to say.
    pub(super) fn whatever_the_kind(self) -> Option<HealthState> {
        self.whatever_its_status_says()
            .or_else(|| self.by_standard_conditions())
    }

    fn by_standard_conditions(self) -> Option<HealthState> {
        self.conditions()
            .filter(|condition| condition.is_true())
            .find_map(|condition| {
                let reason = || condition.tells();
                match condition.kind {
                    "Reconciling" => Some(HealthState::InProgress(reason())),
                    "Stalled" => Some(HealthState::Failed(reason())),
                    _ => None,
                }
            })
    }
}

impl Condition<'_> {
    pub(super) fn is_true(self) -> bool {
        self.status == "True"
    }

    pub(super) fn is_false(self) -> bool {
        self.status == "False"
    }

    pub(super) fn is_because(self, reason: &str) -> bool {
        self.reason == reason
    }

    /// `its condition Ready is False (Missing)`. A reason that is no plain word is left out.
    pub(super) fn tells(self) -> Reason {
        let status = match self.status {
            "True" | "False" => self.status,
            _ => "Unknown",
        };
        let message = format!("its condition {} is {status}", self.kind);
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | ',' | '-' | '.');
        if self.reason.is_empty() || self.reason.len() > WORD_MAX || !self.reason.chars().all(is_word) {
            return Reason::new("condition", message);
        }
        Reason::new("condition", format!("{message} ({})", self.reason)).with("reason", self.reason)
    }
}

/// In progress, because of this.
pub(super) fn waiting(code: &'static str, message: impl Into<String>) -> HealthState {
    HealthState::InProgress(Reason::new(code, message))
}

/// Of comparisons, one after the other: what is too few or too many, in words.
pub(super) fn first_short(counts: &[(bool, &'static str, i64, i64)]) -> Option<HealthState> {
    let (_, what, is, of) = counts.iter().find(|(is_short, ..)| *is_short)?;
    Some(waiting("replicas", format!("{what}: {is} of {of}")))
}
