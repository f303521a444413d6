//! Who gets which change, and when: a pure state machine, the same for one-shot commands and for ever.
//!
//! In: what the source answered, which clusters are there, how the first one stands, and the time. Out: [`Act`]s.
//!
//! # What is a change
//!
//! An [`Offer`] is a revision together with the settings it is kept by. An offer other than the one a cluster was
//! given last is a change, and goes to one cluster first. The others follow with exactly what was read when the wave
//! began, and only if that is still what the source wants for them: what was read later, or is unknown at the moment,
//! is left for a later wave. While the first one has failed and nothing newer is wanted there, nobody gets anything.
//!
//! A newer offer for the first one replaces the wave, so that a fix, or the way back, does not wait for what it mends.
//!
//! # After a restart
//!
//! What a cluster was given by an earlier process is not remembered anywhere: a file beside the inventory could be
//! older than the clusters, and then be believed. The cluster itself is asked. A first cluster is chosen as always. If
//! it does not finish soon, every cluster that this process has given nothing yet is looked at ([`Act::Look`]): an
//! engine that may not write plans the offer there. Where it would create, adopt, update, delete and release nothing,
//! the offer is no change: the cluster gets it at once, and its drift is repaired from then on. So no change goes
//! everywhere at once, and a first one that fails holds up only clusters for which the offer really is a change.
//!
//! One case is left: an object that drifted while no process ran looks like a change, and is repaired when the wave
//! reaches its cluster.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{EngineOptions, Known, Millis, Reason, Revision, Status, Tick, Unknown};

use super::Wave;

/// The longest wait for first attempts to connect before a first cluster is chosen without those that still try.
const GATHER_MAX: Millis = Millis::from_secs(10);
/// Contact lost for less than this is an interruption, and no reason to choose another first cluster.
const LOST_AFTER: Millis = Millis::from_secs(10);
/// A wave that takes longer than this is not waited for by clusters for which it might be no change.
const LOOK_AFTER: Millis = Millis::from_secs(5);

/// What a cluster should hold, and the settings it is kept by.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) known: Known,
    pub(super) options: EngineOptions,
}

impl Offer {
    pub(super) fn revision(&self) -> &Revision {
        self.known.revision()
    }

    /// Equal revisions have equal content.
    fn is(&self, other: &Self) -> bool {
        self.revision() == other.revision() && self.options == other.options
    }
}

fn same(one: Option<&Offer>, other: Option<&Offer>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is(other),
        (None, None) => true,
        _ => false,
    }
}

/// Whether a cluster of the registry is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// The first attempt to connect has not ended.
    Trying,
    /// It could not be connected to, or nothing runs for it at the moment.
    Away,
    /// A driver runs; whether the last thing heard from the cluster was an answer.
    Here { contact: bool },
}

/// How the first cluster stands, as its engine says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Standing {
    /// What it works on.
    pub(super) revision: Option<Revision>,
    /// Everything that can be done is done.
    pub(super) converged: bool,
    /// Objects that were refused or blocked.
    pub(super) troubles: usize,
    /// Why it cannot go on by itself.
    pub(super) stuck: Option<String>,
}

impl From<&Status> for Standing {
    /// Fields contested with another writer are no trouble: everything that can be done there is done, and the first
    /// of a wave fails only by what was refused or blocked.
    fn from(status: &Status) -> Self {
        Self {
            revision: status.revision.clone(),
            converged: status.converged && (status.on_hold.is_none() || status.pending.is_empty()),
            troubles: status.blocked.len() + status.refused.len(),
            stuck: status.ledger_lost.as_ref().map(ToString::to_string),
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Hand it over; with new settings when they differ from those the driver runs with.
    Give { to: String, offer: Offer },
    /// Say that the inventory is unknown.
    Tell { to: String, unknown: Unknown },
    /// Find out, without writing, whether the offer would change anything; then [`Rollout::looked`].
    Look { at: String, offer: Offer },
    /// Tell people, as something about this cluster.
    Say { about: String, reason: Reason },
}

/// One cluster of the fleet.
#[derive(Debug)]
struct Place {
    presence: Presence,
    since: Tick,
    lost_since: Option<Tick>,
    /// Nothing is written to it at the moment.
    on_hold: bool,
    given: Option<Offer>,
    /// The last definite answer of the source.
    wanted: Option<Offer>,
    /// Why the last answer was not definite.
    unknown: Option<Unknown>,
    look: Option<Looked>,
}

#[derive(Debug)]
struct Looked {
    offer: Offer,
    under_way: bool,
}

impl Place {
    fn is_here(&self) -> bool {
        matches!(self.presence, Presence::Here { .. })
    }

    fn answers(&self) -> bool {
        self.presence == Presence::Here { contact: true }
    }

    /// It may be able to go first in a moment: it is being connected to, or was not read for yet.
    fn is_coming(&self) -> bool {
        match self.presence {
            Presence::Trying => true,
            Presence::Away => false,
            Presence::Here { .. } => self.wanted.is_none() && self.unknown.is_none(),
        }
    }

    /// What it should get, and was not given yet.
    fn change(&self) -> Option<&Offer> {
        let wanted = self.wanted.as_ref()?;
        let is_change = self.is_here() && self.unknown.is_none() && !same(Some(wanted), self.given.as_ref());
        is_change.then_some(wanted)
    }

    fn is_lost(&self, now: Tick) -> bool {
        !self.is_here()
            || self
                .lost_since
                .is_some_and(|since| now.since(since) >= LOST_AFTER)
    }
}

/// A change on its way: one cluster has it, the rest wait.
#[derive(Debug)]
struct Running {
    first: String,
    /// What was read for each when the wave began.
    offers: BTreeMap<String, Offer>,
    since: Tick,
    failed: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Rollout {
    policy: Wave,
    places: BTreeMap<String, Place>,
    wave: Option<Running>,
}

impl Rollout {
    pub(super) fn new(policy: Wave) -> Self {
        Self {
            policy,
            places: BTreeMap::new(),
            wave: None,
        }
    }

    /// Forgets clusters that left the registry.
    pub(super) fn retain(&mut self, names: &BTreeSet<String>) {
        self.places.retain(|name, _| names.contains(name));
    }

    /// Whether this cluster is there, now.
    pub(super) fn present(&mut self, name: &str, presence: Presence, now: Tick) {
        let place = self.places.entry(name.to_owned()).or_insert_with(|| Place {
            presence,
            since: now,
            lost_since: None,
            on_hold: false,
            given: None,
            wanted: None,
            unknown: None,
            look: None,
        });
        let was_here = place.is_here();
        place.presence = presence;
        if !was_here && place.is_here() {
            place.since = now;
        }
        let was_lost = place.is_here() && place.lost_since.is_some() && place.is_lost(now);
        if place.answers() {
            place.lost_since = None;
            let wave = self.wave.as_mut().filter(|wave| wave.first == name && was_lost);
            if let Some(wave) = wave {
                // It could do nothing while it was away.
                wave.since = now;
            }
        } else {
            place.lost_since.get_or_insert(now);
        }
    }

    /// Whether nothing is written to this cluster at the moment. It does not go first then: it would show nothing.
    pub(super) fn hold(&mut self, name: &str, on_hold: bool, now: Tick) {
        let Some(place) = self.places.get_mut(name) else {
            return;
        };
        let is_over = std::mem::replace(&mut place.on_hold, on_hold) && !on_hold;
        let wave = self.wave.as_mut().filter(|wave| wave.first == name && is_over);
        if let Some(wave) = wave {
            wave.since = now;
        }
    }

    /// Hands over what is wanted to clusters to which nothing is written, so that it is planned there: for those who do
    /// not wait until that changes.
    pub(super) fn plan_held(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        for (name, place) in self.places.iter_mut().filter(|(_, place)| place.on_hold) {
            if let Some(offer) = place.change().cloned() {
                place.given = Some(offer.clone());
                acts.push(Act::Give {
                    to: name.clone(),
                    offer,
                });
            }
        }
        acts
    }

    /// What a driver that is started for this cluster is given at once: what its predecessor was given last, unless it
    /// is another cluster than before.
    pub(super) fn again(&mut self, name: &str, same_cluster: bool) -> Option<Offer> {
        let place = self.places.get_mut(name)?;
        place.look = None;
        if !same_cluster {
            place.given = None;
        }
        place.given.clone()
    }

    /// What the source answered for clusters that are there.
    pub(super) fn take(
        &mut self,
        answers: impl IntoIterator<Item = (String, Result<Offer, Unknown>)>,
        now: Tick,
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        for (name, answer) in answers {
            let Some(place) = self.places.get_mut(&name) else {
                continue;
            };
            match answer {
                Err(unknown) => {
                    place.unknown = Some(unknown.clone());
                    acts.push(Act::Tell { to: name, unknown });
                }
                Ok(offer) => {
                    // It is known again; if there is a change as well, it still has to wait for that.
                    let again = place.unknown.take().is_some();
                    if let Some(offer) = place.given.clone().filter(|_| again) {
                        acts.push(Act::Give { to: name, offer });
                    }
                    place.wanted = Some(offer);
                }
            }
        }
        self.advance(now, &mut acts);
        acts
    }

    /// Time goes by; and how the first cluster stands, if that was asked.
    pub(super) fn step(&mut self, standing: Option<&Standing>, now: Tick) -> Vec<Act> {
        let mut acts = Vec::new();
        self.judge(standing, now, &mut acts);
        self.advance(now, &mut acts);
        acts
    }

    /// How a look came out: whether the offer would change something there; none when that could not be found out.
    pub(super) fn looked(
        &mut self,
        name: &str,
        offer: &Offer,
        changes: Option<usize>,
        now: Tick,
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        let Some(place) = self.places.get_mut(name) else {
            return acts;
        };
        let Some(look) = place.look.as_mut().filter(|look| look.offer.is(offer)) else {
            return acts;
        };
        look.under_way = false;
        let stands = place.given.is_none() && same(place.change(), Some(offer));
        match (changes, &self.wave) {
            (Some(0), _) if stands => {
                place.given = Some(offer.clone());
                acts.push(Act::Give {
                    to: name.to_owned(),
                    offer: offer.clone(),
                });
            }
            (Some(count), Some(wave)) if stands => {
                let message = format!(
                    "revision {} would change {count} objects here and waits for {}, which goes first; what this cluster was kept at before this process started is not known, so its drift waits too",
                    offer.revision(),
                    wave.first,
                );
                acts.push(Act::Say {
                    about: name.to_owned(),
                    reason: Reason::new("waits-for-first", message).with("first", &wave.first),
                });
            }
            _ => {}
        }
        self.advance(now, &mut acts);
        acts
    }

    /// The cluster that has the change of the wave already.
    pub(super) fn first(&self) -> Option<&str> {
        self.wave.as_ref().map(|wave| wave.first.as_str())
    }

    /// The first cluster, if it failed and the rest keep what they have.
    pub(super) fn failed_first(&self) -> Option<&str> {
        self.wave
            .as_ref()
            .filter(|wave| wave.failed)
            .map(|wave| wave.first.as_str())
    }

    /// Some cluster waits for a change, and it is not said yet that it will not come.
    pub(super) fn is_undecided(&self) -> bool {
        let looking = self
            .places
            .values()
            .any(|p| p.look.as_ref().is_some_and(|l| l.under_way));
        let can = |place: &Place| place.change().is_some() && !place.on_hold;
        let changes = || self.places.values().any(can);
        match &self.wave {
            Some(wave) if wave.failed => looking,
            Some(wave) => self.places.get(&wave.first).is_none_or(|first| !first.on_hold),
            None => looking || changes(),
        }
    }

    /// Somebody waits for something that time or the first cluster decides.
    pub(super) fn is_waiting(&self) -> bool {
        self.wave.is_some() || self.places.values().any(|place| place.change().is_some())
    }

    /// This cluster should get something, and was not given it.
    pub(super) fn is_held(&self, name: &str) -> bool {
        self.places
            .get(name)
            .is_some_and(|place| place.change().is_some())
    }

    /// Why the last answer for this cluster was not definite.
    pub(super) fn unknown(&self, name: &str) -> Option<&str> {
        Some(self.places.get(name)?.unknown.as_ref()?.message())
    }

    /// Whether the first cluster is done, or failed.
    fn judge(&mut self, standing: Option<&Standing>, now: Tick, acts: &mut Vec<Act>) {
        let Some(wave) = &mut self.wave else { return };
        let Some(first) = self.places.get(&wave.first) else {
            return;
        };
        let given = first.given.as_ref().map(Offer::revision);
        // What it says about an earlier revision is no verdict on this one.
        let standing = standing.filter(|standing| standing.revision.as_ref() == given);
        if standing.is_some_and(|s| s.converged && s.troubles == 0 && s.stuck.is_none()) {
            self.pass(acts);
            return;
        }
        if wave.failed || !first.answers() || first.on_hold {
            return;
        }
        let limit = self.policy.first_max();
        let why = match standing {
            Some(Standing { stuck: Some(why), .. }) => format!("cannot go on by itself ({why})"),
            Some(s) if s.converged => format!("has {} objects that were refused or blocked", s.troubles),
            _ if now.since(wave.since) >= limit => format!("was not done within {limit}"),
            _ => return,
        };
        wave.failed = true;
        let first = &wave.first;
        let revision = given.map_or("?", Revision::as_str);
        let rest = wave.offers.len().saturating_sub(1);
        let message = format!(
            "{first} went first with revision {revision} and {why}: the {rest} other clusters keep what they have until {first} is done or gets another revision"
        );
        acts.push(Act::Say {
            about: first.clone(),
            reason: Reason::new("first-failed", message)
                .with("first", first)
                .with("revision", revision),
        });
    }

    /// The first one is done: the rest get what belongs to its change, if it is still wanted.
    fn pass(&mut self, acts: &mut Vec<Act>) {
        let Some(wave) = self.wave.take() else { return };
        let mut count = 0;
        for (name, offer) in wave.offers {
            let Some(place) = self.places.get_mut(&name) else {
                continue;
            };
            if same(place.change(), Some(&offer)) {
                count += 1;
                place.given = Some(offer.clone());
                acts.push(Act::Give { to: name, offer });
            }
        }
        if wave.failed && count > 0 {
            let message = format!(
                "{} is done after all: the {count} clusters that waited get the change now",
                wave.first
            );
            acts.push(Act::Say {
                about: wave.first,
                reason: Reason::new("first-recovered", message),
            });
        }
    }

    /// Ends waves, begins waves, looks.
    fn advance(&mut self, now: Tick, acts: &mut Vec<Act>) {
        if self.policy == Wave::All {
            for (name, place) in &mut self.places {
                if let Some(offer) = place.change().cloned() {
                    place.given = Some(offer.clone());
                    acts.push(Act::Give {
                        to: name.clone(),
                        offer,
                    });
                }
            }
            return;
        }
        if let Some(wave) = &self.wave {
            let first = self.places.get(&wave.first);
            let all_given =
                self.places.values().filter(|place| place.is_here()).all(|place| {
                    place.unknown.is_none() && place.wanted.is_some() && place.change().is_none()
                });
            if all_given {
                self.wave = None;
            } else if first.is_none_or(|first| first.change().is_some()) {
                // It left, or something newer is wanted there.
                self.begin(now, acts);
            } else if !wave.failed && first.is_some_and(|first| first.is_lost(now) || first.on_hold) {
                // It has the change, and cannot say how that goes.
                self.begin(now, acts);
            }
        } else {
            self.begin(now, acts);
        }
        self.look(now, acts);
    }

    /// Begins a wave if somebody should get something and somebody can go first. A wave that runs goes on until then.
    fn begin(&mut self, now: Tick, acts: &mut Vec<Act>) {
        let gathering = |place: &Place| place.is_coming() && now.since(place.since) < GATHER_MAX;
        if self.places.values().any(gathering) {
            return;
        }
        let before = self.wave.as_ref().map(|wave| wave.first.clone());
        let can = |name: &String| {
            let place = self.places.get(name);
            place.is_some_and(|place| place.answers() && !place.on_hold && place.change().is_some())
        };
        let named = match &self.policy {
            Wave::FirstThenRest { first, .. } => first.clone(),
            Wave::All => None,
        };
        // The one that had the last change stays the first: a second one would be a second risk.
        let first = named
            .filter(can)
            .or_else(|| before.clone().filter(can))
            .or_else(|| self.places.keys().find(|name| can(name)).cloned());
        let Some(first) = first else {
            if before.is_some_and(|before| !self.places.contains_key(&before)) {
                self.wave = None;
            }
            return;
        };
        if let Some(before) = before.filter(|before| *before != first && self.places.contains_key(before)) {
            let message =
                format!("{before} went first and does not answer, or is on hold: {first} goes first instead");
            acts.push(Act::Say {
                about: before,
                reason: Reason::new("first-lost", message),
            });
        }
        let changes = self.places.iter();
        let offers: BTreeMap<String, Offer> = changes
            .filter_map(|(name, place)| Some((name.clone(), place.change()?.clone())))
            .collect();
        if let (Some(place), Some(offer)) = (self.places.get_mut(&first), offers.get(&first)) {
            place.given = Some(offer.clone());
            place.look = None;
            acts.push(Act::Give {
                to: first.clone(),
                offer: offer.clone(),
            });
        }
        self.wave = Some(Running {
            first,
            offers,
            since: now,
            failed: false,
        });
    }

    /// Looks at clusters that were given nothing yet, when the wave does not reach them soon.
    fn look(&mut self, now: Tick, acts: &mut Vec<Act>) {
        let slow = |wave: &Running| wave.failed || now.since(wave.since) >= LOOK_AFTER;
        if !self.wave.as_ref().is_some_and(slow) {
            return;
        }
        for (name, place) in &mut self.places {
            let Some(offer) = place.change().filter(|_| place.given.is_none()).cloned() else {
                continue;
            };
            if place.look.as_ref().is_some_and(|look| look.offer.is(&offer)) || !place.answers() {
                continue;
            }
            place.look = Some(Looked {
                offer: offer.clone(),
                under_way: true,
            });
            acts.push(Act::Look {
                at: name.clone(),
                offer,
            });
        }
    }
}
