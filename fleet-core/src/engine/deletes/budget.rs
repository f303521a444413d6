//! How many may go: all deletes of a plan are weighed, confirmed or held, and reserved together.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

use super::{Confirmed, Grant, Held, Reserving, Survey};
use crate::{
    edge::Note,
    engine::{
        CallId, Command, Engine,
        calls::Call,
        slot::{Outcome, Recheck},
        token::confirmation_token,
    },
    ledger::{EntryState, Spent},
    plan::{Action, Change},
    words::{Millis, Reason, Revision, Tick, Uid},
};

impl Engine {
    /// Once every object is decided: permissions, contents, budget, reservation. True if something moved.
    pub(in crate::engine) fn arrange_deletes(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        if self.wake_deletes() {
            return true;
        }
        let known = self.inventory.is_known() || !self.options.switches.unknown_changes_nothing;
        if !known
            || self.is_writing()
            || !self.deletes.undecided.is_empty()
            || self.deletes.reserving.is_some()
            || self.deletes.is_surveying()
        {
            return false;
        }
        if self.deletes.candidates.is_empty() {
            self.deletes.held = None;
            return false;
        }
        if self.deletes.held.take_if(|held| held.until <= now).is_some() {
            self.deletes.fresh = true;
        }
        if !self.deletes.fresh {
            return false;
        }
        let Some(total) = self.weigh(now, out) else {
            return false;
        };
        self.deletes.fresh = false;
        if !self.dirty.is_empty() || self.deletes.candidates.is_empty() {
            self.deletes.fresh = true;
            return true;
        }
        self.spend(total, now, out);
        false
    }

    /// The weight of all candidates that may be deleted at all; none while contents are being listed.
    fn weigh(&mut self, now: Tick, out: &mut Vec<Command>) -> Option<u32> {
        let candidates: Vec<(ObjectKey, Uid)> = self.deletes.candidates.clone().into_iter().collect();
        let mut total = 0u32;
        let mut waiting = false;
        for (key, uid) in candidates {
            let slot = self.slots.get(&key);
            if slot.is_some_and(|slot| self.is_same_elsewhere(&key, slot, &uid)) {
                // Known only now: it is listed under another group.
                self.deletes.withdraw(&key);
                self.dirty.insert(key);
                continue;
            }
            if let Some(reason) = self.why_not_deleted(&key, &uid) {
                self.strike(&key, Recheck::News, reason, now, out);
                continue;
            }
            match self.weight(&key, now, out) {
                None => waiting = true,
                Some(Ok(weight)) => total = total.saturating_add(weight),
                Some(Err(reason)) => self.strike(&key, Recheck::NowAndThen, reason, now, out),
            }
        }
        (!waiting).then_some(total)
    }

    /// A candidate turns out to stay.
    fn strike(
        &mut self,
        key: &ObjectKey,
        recheck: Recheck,
        reason: Reason,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        self.deletes.withdraw(key);
        self.deletes.surveys.remove(key);
        self.block(key, recheck, reason, now, out);
    }

    fn spend(&mut self, total: u32, now: Tick, out: &mut Vec<Command>) {
        let budget = self.options.budget;
        let window = self.window(now);
        let spent: u32 = window.iter().map(|s| s.count).sum();
        let owned = u32::try_from(self.owned).unwrap_or(u32::MAX);
        let allowed = budget.allowed(owned);
        let confirmed = self.is_confirmed(now);
        if self.options.switches.budgets && !confirmed && spent.saturating_add(total) > allowed {
            let message = format!(
                "{total} deletes planned and {spent} done in the last {}: {allowed} are allowed",
                budget.window
            );
            let reason = Reason::new("over-budget", message)
                .with("planned", total)
                .with("spent", spent)
                .with("allowed", allowed);
            let oldest = window.first().map(|s| s.at + budget.window + Millis(1));
            return self.hold(reason, oldest, now, out);
        }
        if !self.may_write() {
            return self.plan_deletes(now, out);
        }
        if self.deletes.held.is_some() && !confirmed {
            return;
        }
        let call = self.new_call(Call::Reserve);
        self.deletes.reserving = Some(Reserving {
            call,
            objects: self.deletes.candidates.clone(),
            total,
            until: now + self.options.limits.reserve_max,
        });
        out.push(Command::Reserve {
            call,
            count: total,
            owned,
            confirmed,
        });
    }

    /// Deletes of the rolling window, as recorded.
    pub(in crate::engine) fn window(&self, now: Tick) -> Vec<Spent> {
        let window = self.options.budget.window;
        self.ledger
            .intended_window()
            .iter()
            .filter(|s| now.since(s.at) < window)
            .copied()
            .collect()
    }

    fn plan_deletes(&mut self, now: Tick, out: &mut Vec<Command>) {
        let candidates: Vec<(ObjectKey, Uid)> = self.deletes.candidates.clone().into_iter().collect();
        for (key, uid) in candidates {
            let mut change = Change::new(
                key.clone(),
                Action::Delete,
                Some(uid),
                self.reason("unlisted", "it was managed and is no longer listed"),
            );
            if let Some(Survey::Known {
                result: Ok(weight), ..
            }) = self.deletes.surveys.get(&key)
            {
                change.weight = *weight;
            }
            self.stand(&key, Outcome::Planned(Box::new(change)), now, out);
        }
    }

    /// Stops all deletes of the plan, and says what would let them go.
    fn hold(&mut self, reason: Reason, until: Option<Tick>, now: Tick, out: &mut Vec<Command>) {
        let keys: BTreeSet<ObjectKey> = self.deletes.candidates.keys().cloned().collect();
        if self
            .deletes
            .held
            .as_ref()
            .is_some_and(|held| held.keys == keys && held.until > now)
        {
            return;
        }
        if self.deletes.offers.are_refused(now) {
            let reason = Reason::new(
                "token-refused",
                "no token that was given covers these deletes, or it is out of date",
            );
            Self::report(Note::Remark { reason }, out);
        }
        // No token is shown that is out of date.
        let life = now + self.options.limits.token_life;
        let until = until.unwrap_or(life).min(life);
        let token = self.token(life);
        let reason = reason.with("token", &token);
        if self.may_write() {
            for key in &keys {
                let outcome = Outcome::Blocked {
                    recheck: Recheck::Held,
                    reason: reason.clone(),
                };
                self.set_outcome(key, outcome);
            }
        } else {
            self.plan_deletes(now, out);
        }
        Self::report(
            Note::DeletesHeld {
                count: keys.len(),
                reason: reason.clone(),
            },
            out,
        );
        self.deletes.held = Some(Held {
            reason,
            token,
            keys,
            until,
        });
    }

    pub(in crate::engine) fn take_reserved(
        &mut self,
        call: CallId,
        result: Result<Tick, Reason>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        match self.end_call(call) {
            Some(Call::Reserve) => {}
            Some(Call::ReserveOne(key)) => return self.take_reserved_one(&key, call, result, now, out),
            _ => return,
        }
        let Some(reserved) = self.deletes.reserving.take_if(|r| r.call == call) else {
            return;
        };
        match result {
            Ok(until) if until > now => {
                let mut window = self.window(now);
                window.push(Spent::new(now, reserved.total));
                self.record_window(window);
                self.ledger.grants.push(Grant { at: now, until });
                self.deletes.held = None;
                // Contents are looked at again just before each delete.
                self.deletes.surveys.clear();
                for (key, uid) in reserved.objects {
                    if self.deletes.candidates.get(&key) != Some(&uid) {
                        continue;
                    }
                    let durable = self.slots.get(&key).and_then(|slot| slot.entry.as_ref());
                    let entry = self.ledger.intended(&key, durable).cloned();
                    if let Some(mut entry) = entry {
                        entry.state = EntryState::Deleting;
                        self.record_ahead(&key, entry, now);
                        self.deletes.turns.join(&key);
                    }
                    self.deletes.withdraw(&key);
                }
            }
            Ok(_) => {
                let reason = Reason::new(
                    "grant-expired",
                    "the grant of deletes was out of date when it arrived",
                );
                self.refuse_reservation(reason, now, out);
            }
            Err(reason) => self.refuse_reservation(reason, now, out),
        }
    }

    /// No answer to a reservation is a refusal.
    pub(in crate::engine) fn refuse_overdue_reservation(&mut self, now: Tick, out: &mut Vec<Command>) {
        let overdue = self.deletes.reserving.take_if(|r| r.until <= now);
        if let Some(reserving) = overdue {
            self.end_call(reserving.call);
            let message = format!("nobody answered within {}", self.options.limits.reserve_max);
            self.refuse_reservation(Reason::new("no-grant", message), now, out);
        }
    }

    fn refuse_reservation(&mut self, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        self.hold(reason, Some(now + self.options.limits.reserve_again), now, out);
    }

    /// Intents were recorded after the grant had run out: nothing is deleted by them, and nothing was spent.
    pub(in crate::engine) fn grants_expired(&mut self, given: &[Tick], out: &mut Vec<Command>) {
        let reason = Reason::new(
            "grant-expired",
            "the grant of deletes ran out before it could be recorded",
        );
        Self::report(Note::Remark { reason }, out);
        let window = self
            .ledger
            .intended_window()
            .iter()
            .filter(|s| !given.contains(&s.at))
            .copied()
            .collect();
        self.record_window(window);
    }

    /// What a person confirms: these objects, of this inventory, until then.
    fn token(&self, until: Tick) -> String {
        let revision = self.inventory.revision().map_or("", Revision::as_str);
        confirmation_token("deletes", &self.target, revision, &self.deletes.candidates, until)
    }

    pub(in crate::engine) fn take_confirmation(&mut self, token: &str, now: Tick, out: &mut Vec<Command>) {
        // Looked at when deletes are arranged: at once if they are held, otherwise when every object is decided.
        self.deletes.offers.add(token);
        if self.confirm_rebuild(now, out) {
            return;
        }
        self.deletes.held = None;
        self.deletes.fresh = true;
        self.converged = false;
    }

    /// Whether a token that a person gave covers exactly the deletes of this plan.
    fn check_offers(&mut self, now: Tick) -> bool {
        let latest = now + self.options.limits.token_life;
        let fits = |token: &str, until: Tick| until <= latest && token == self.token(until);
        let Some((token, until)) = self.deletes.offers.find(now, fits) else {
            return false;
        };
        let objects = self.deletes.candidates.clone().into_iter().collect();
        self.deletes.confirmed = Some(Confirmed {
            objects,
            revision: self.inventory.revision().cloned(),
            until,
        });
        self.deletes.offers.accept(&token);
        true
    }

    /// Whether a person confirmed all of these deletes: what is done drops out, what is new is not covered.
    fn is_confirmed(&mut self, now: Tick) -> bool {
        let covers = |c: &Confirmed, revision: Option<&Revision>, candidates: &BTreeMap<ObjectKey, Uid>| {
            c.until > now
                && c.revision.as_ref() == revision
                && candidates
                    .iter()
                    .all(|(key, uid)| c.objects.contains(&(key.clone(), uid.clone())))
        };
        let covered = self
            .deletes
            .confirmed
            .as_ref()
            .is_some_and(|c| covers(c, self.inventory.revision(), &self.deletes.candidates));
        covered || self.check_offers(now)
    }
}
