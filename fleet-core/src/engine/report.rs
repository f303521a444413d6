//! How things stand: plans, status, convergence.

use std::collections::BTreeMap;

use fleet_diff::ObjectKey;
use serde::Serialize;

use super::{
    Command, Engine, Judgements, Posture,
    slot::{Awaited, Outcome},
};
use crate::{
    edge::Note,
    plan::{Action, Change, Plan},
    words::{DriftPolicy, Reason, Revision},
};

/// How a target stands.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Revision of the inventory it is kept at.
    pub revision: Option<Revision>,
    /// Why the inventory's last answer was not definite.
    pub inventory_unknown: Option<Reason>,
    /// Why the ledger cannot be believed; nothing is written then.
    pub ledger_lost: Option<Reason>,
    /// What the cluster is there for now.
    pub posture: Posture,
    /// Why nothing is written now.
    pub on_hold: Option<Reason>,
    /// Everything that can be done is done.
    pub converged: bool,
    /// Objects listed.
    pub listed: usize,
    /// Of these, as their definition says.
    pub in_sync: usize,
    /// Objects in the ledger.
    pub owned: usize,
    /// Changes under way or to come.
    pub pending: BTreeMap<ObjectKey, Action>,
    /// What waits for something else.
    pub waiting: BTreeMap<ObjectKey, Reason>,
    /// Not done, on purpose.
    pub blocked: BTreeMap<ObjectKey, Reason>,
    /// Refused by the server.
    pub refused: BTreeMap<ObjectKey, Reason>,
    /// Deleted, waiting for finalizers.
    pub deleting: BTreeMap<ObjectKey, Reason>,
    /// Fields left to another writer who rewrites them again and again, with that writer.
    pub contested: BTreeMap<ObjectKey, BTreeMap<String, String>>,
    /// Fields that somebody changed and that are not repaired, with who did and what the policy is.
    pub drifted: BTreeMap<ObjectKey, BTreeMap<String, Drifted>>,
    /// Listed objects that are not healthy, with why.
    pub unhealthy: BTreeMap<ObjectKey, String>,
    /// Deletes stopped by a budget.
    pub held: Option<Reason>,
    /// Bears our mark, and neither listed nor in the ledger.
    pub strays: Vec<ObjectKey>,
    /// How often it was said without asking the server what applying an object would do, and how often by asking it.
    pub judgements: Judgements,
}

/// A field that is left as somebody changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drifted {
    /// Who changed it; none if that does not show.
    pub writer: Option<String>,
    /// Why it is left.
    pub policy: DriftPolicy,
}

impl Status {
    fn reports_drift(&self) -> bool {
        let mut fields = self.drifted.values().flat_map(BTreeMap::values);
        fields.any(|field| field.policy == DriftPolicy::Report)
    }

    /// True when everything listed is as it should be and nothing is held back, nor waits for anything.
    pub fn is_clean(&self) -> bool {
        self.converged
            && self.inventory_unknown.is_none()
            && self.waiting.is_empty()
            && self.blocked.is_empty()
            && self.refused.is_empty()
            && self.deleting.is_empty()
            && self.contested.is_empty()
            && !self.reports_drift()
            && (self.on_hold.is_none() || self.pending.is_empty())
            && self.held.is_none()
    }
}

impl Engine {
    /// The changes that are planned, under way, blocked or refused, in the order of keys.
    pub fn plan(&self) -> Plan {
        let mut changes: Vec<Change> = Vec::new();
        for (key, slot) in &self.slots {
            let uid = slot.seen().map(|seen| seen.uid.clone());
            match &slot.outcome {
                Outcome::Planned(change) if !slot.resting || !self.may_write() => {
                    let mut change = (**change).clone();
                    change.unchecked |= change.action == Action::Create && self.is_namespace_missing(key);
                    changes.push(change);
                }
                Outcome::Blocked { reason, .. } => {
                    changes.push(Change::new(key.clone(), Action::Blocked, uid, reason.clone()));
                }
                Outcome::Refused(fault) => {
                    changes.push(Change::new(key.clone(), Action::Blocked, uid, refusal(fault)));
                }
                _ => {}
            }
        }
        let rebuildable = self.ledger.rebuildable();
        for (key, uid) in rebuildable.iter().flat_map(|(found, _)| *found) {
            let reason = Reason::new(
                "ledger-rebuild",
                "it bears our mark: its entry would be made again",
            );
            changes.push(Change::new(key.clone(), Action::Adopt, Some(uid.clone()), reason));
        }
        for (key, reason) in &self.inventory.unmapped {
            changes.push(Change::new(key.clone(), Action::Blocked, None, reason.clone()));
        }
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        Plan {
            target: self.target.clone(),
            revision: self.inventory.revision().cloned(),
            unknown: self
                .inventory
                .unknown
                .clone()
                .or_else(|| self.ledger.lost().cloned()),
            in_sync: self
                .slots
                .values()
                .filter(|s| matches!(s.outcome, Outcome::InSync | Outcome::Finished))
                .count(),
            held: self.deletes.held.as_ref().map(|h| h.reason.clone()),
            token: match rebuildable {
                Some((_, token)) => Some(token.to_owned()),
                None => self.deletes.held.as_ref().map(|h| h.token.clone()),
            },
            changes,
        }
    }

    /// How the target stands.
    pub fn status(&self) -> Status {
        let mut status = Status {
            revision: self.inventory.revision().cloned(),
            inventory_unknown: self.inventory.unknown.clone(),
            ledger_lost: self.ledger.lost().cloned(),
            posture: self.options.posture,
            on_hold: self.hold.clone(),
            converged: self.converged,
            held: self.deletes.held.as_ref().map(|h| h.reason.clone()),
            strays: self.strays.keys().cloned().collect(),
            judgements: self.judgements,
            unhealthy: self
                .unhealthy()
                .map(|(key, state)| (key.clone(), state.to_string()))
                .collect(),
            ..Status::default()
        };
        status.blocked.clone_from(&self.inventory.unmapped);
        status.listed = self.inventory.unmapped.len();
        for (key, slot) in &self.slots {
            status.listed += usize::from(slot.desired.is_some());
            status.owned += usize::from(slot.entry.is_some());
            if !slot.contested.is_empty() {
                let fields = slot.contested.iter();
                let fields = fields.map(|(path, contested)| (path.to_string(), contested.writer.clone()));
                status.contested.insert(key.clone(), fields.collect());
            }
            if let Some(spared) = slot.spared.as_ref().filter(|spared| !spared.fields.is_empty()) {
                let fields = spared.fields.iter().map(|(path, field)| {
                    let drifted = Drifted {
                        writer: field.writer.clone(),
                        policy: field.policy,
                    };
                    (path.to_string(), drifted)
                });
                status.drifted.insert(key.clone(), fields.collect());
            }
            match &slot.outcome {
                Outcome::InSync | Outcome::Finished => status.in_sync += usize::from(slot.desired.is_some()),
                Outcome::Planned(change) if !slot.resting || !self.may_write() => {
                    status.pending.insert(key.clone(), change.action);
                }
                Outcome::Waiting { awaited, reason } => {
                    let now = match awaited {
                        Awaited::Others => self.why_waiting(key),
                        Awaited::Turn => self.why_later(key),
                        _ => None,
                    };
                    let reason = now.unwrap_or_else(|| reason.clone());
                    status.waiting.insert(key.clone(), reason);
                }
                Outcome::Blocked { reason, .. } => {
                    status.blocked.insert(key.clone(), reason.clone());
                }
                Outcome::Refused(fault) => {
                    status.refused.insert(key.clone(), refusal(fault));
                }
                Outcome::Deleting(reason) => {
                    status.deleting.insert(key.clone(), reason.clone());
                }
                Outcome::Undecided | Outcome::Planned(_) | Outcome::Kept => {}
            }
        }
        status
    }

    /// Objects in the ledger, and deletes of the rolling window as recorded.
    pub fn spending(&self) -> (u32, &[crate::Spent]) {
        (u32::try_from(self.owned).unwrap_or(u32::MAX), &self.ledger.window)
    }

    /// The ledger is read, or known never to have been there.
    pub fn knows_ledger(&self) -> bool {
        self.ledger.is_ready()
    }

    /// True when nothing is under way and nothing more will be done without a new event.
    pub fn is_settled(&self) -> bool {
        self.is_informed()
            && !self.is_starting()
            && !self.order.is_waiting()
            && self.dirty.is_empty()
            && self.starved.is_empty()
            && !self.is_writing()
            && self.second_try.is_empty()
            && self.deletes.is_quiet()
            && self.calls.is_empty()
            && (self.ledger.is_quiet() || !self.may_write())
    }

    /// Why this target cannot go on by itself, if so: no inventory, no ledger to believe.
    pub fn why_stuck(&self) -> Option<&Reason> {
        if self.is_starting() {
            return None;
        }
        self.ledger.lost().or(if self.inventory.known.is_none() {
            self.inventory.unknown.as_ref()
        } else {
            None
        })
    }

    /// At the end of a pass: what was refused gets one more try. True if there was anything.
    pub(super) fn retry_refused(&mut self) -> bool {
        let busy =
            !self.dirty.is_empty() || !self.starved.is_empty() || self.in_flight > 0 || self.is_writing();
        if busy || self.second_try.is_empty() || !self.deletes.is_quiet() {
            return false;
        }
        for key in std::mem::take(&mut self.second_try) {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.trouble = None;
                slot.look_again();
                self.mark_resting(&key, false);
                self.dirty.insert(key);
            }
        }
        true
    }

    /// Says once that everything that can be done is done.
    pub(super) fn announce(&mut self, out: &mut Vec<Command>) {
        if self.converged || self.inventory.unknown.is_some() || !self.is_settled() {
            return;
        }
        self.converged = true;
        let held = self.held_back.len() + self.inventory.unmapped.len();
        Self::report(
            Note::Converged {
                revision: self.inventory.revision().cloned(),
                held,
            },
            out,
        );
    }
}

/// A refusal as a reason; one for an immutable field has its own code.
fn refusal(fault: &crate::Fault) -> Reason {
    let code = if crate::judge::is_final(fault) {
        "immutable"
    } else {
        "refused"
    };
    Reason::new(code, fault.to_string())
}
