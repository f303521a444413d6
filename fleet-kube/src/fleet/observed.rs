//! What is observed of the clusters of a fleet: contact, and which cluster each name means. Kept for the next process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fleet_core::{
    Capacity, Cluster, ClusterId, ContactLimits, ContactState, ContactStatus, Heard, Millis, Observed,
    Reason, Restored, StatusSink, Tick, Unknown, Unread,
};
use tokio::{sync::OnceCell, time::timeout};

use crate::times::utc;

/// Between two writes of a revision, which changes all the time.
const REVISION_STORED_EVERY: Millis = Millis::from_mins(5);

/// Between two writes of a cluster's capacity that is the same as before: whoever reads it sees that it is still so.
const SAME_STORED_EVERY: Millis = Millis::from_mins(5);

/// Capacities that are other than before wait for each other for so long, or are written along with something else: that of
/// some cluster is different all the time, and a write is of all of them.
const CAPACITY_STORED_EVERY: Millis = Millis::from_mins(1);

/// Longest time for one reading or writing of what is stored: nothing else of the fleet waits longer for it.
const STORE_MAX: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Observations {
    sink: Arc<dyn StatusSink>,
    limits: ContactLimits,
    loaded: OnceCell<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    clusters: BTreeMap<String, Observed>,
    /// What is not stored yet.
    changed: BTreeSet<String>,
    /// What is to be stored along with the next change.
    unhurried: BTreeSet<String>,
    /// When that was last a change of its own.
    hurried: Option<Tick>,
    /// When the revision of each was marked to be stored last.
    revisions: BTreeMap<String, Tick>,
    /// Of when the capacity of each is that was marked to be stored last.
    capacities: BTreeMap<String, Tick>,
    /// Clusters of which it was told that they do not answer.
    told: BTreeSet<String>,
}

impl Observations {
    pub(super) fn new(sink: Arc<dyn StatusSink>, limits: ContactLimits) -> Self {
        Self {
            sink,
            limits,
            loaded: OnceCell::new(),
            known: Mutex::default(),
        }
    }

    /// Reads what the last process knew, at the first call. What cannot be read is told once, and begun anew.
    pub(super) async fn load(&self) -> Result<(), Unknown> {
        let mut result = Ok(());
        let load = async {
            match self.stored().await {
                Ok(clusters) => self.with(|known| known.clusters = clusters),
                Err(unknown) => result = Err(unknown),
            }
        };
        self.loaded.get_or_init(|| load).await;
        self.answers().await;
        result
    }

    /// The highest revision seen of a cluster.
    pub(super) fn revision(&self, name: &str) -> Option<u64> {
        self.with(|known| known.clusters.get(name)?.revision)
    }

    /// That its state went back, while nobody has confirmed that.
    pub(super) fn restored(&self, name: &str) -> Option<Restored> {
        self.with(|known| known.clusters.get(name)?.restored.clone())
    }

    /// This is the highest revision that a connection has seen. It is stored now and then only: it changes all the time.
    pub(super) fn saw(&self, name: &str, revision: u64, now: Tick) {
        self.with(|known| {
            let observed = known.clusters.entry(name.to_owned()).or_default();
            if observed.revision.is_some_and(|before| before >= revision) {
                return;
            }
            observed.revision = Some(revision);
            let stored = known.revisions.get(name);
            if stored.is_none_or(|at| now.since(*at) >= REVISION_STORED_EVERY) {
                known.revisions.insert(name.to_owned(), now);
                known.changed.insert(name.to_owned());
            }
        });
    }

    /// Its state went back: that is remembered until somebody confirms it. True when it is news.
    pub(super) fn went_back(&self, name: &str, from: u64, to: u64, now: Tick) -> bool {
        self.with(|known| {
            let observed = known.clusters.entry(name.to_owned()).or_default();
            let is_news = observed.restored.is_none();
            if is_news {
                observed.restored = Some(Restored::new(from, to, now));
                known.changed.insert(name.to_owned());
            }
            is_news
        })
    }

    /// Reads whether somebody has confirmed what was asked. These go on, from these revisions.
    pub(super) async fn answers(&self) -> BTreeMap<String, u64> {
        let is_asking = |observed: &Observed| observed.restored.is_some();
        if !self.with(|known| known.clusters.values().any(is_asking)) {
            return BTreeMap::new();
        }
        // What cannot be read answers nothing.
        let Ok(stored) = self.stored().await else {
            return BTreeMap::new();
        };
        self.with(|known| {
            let mut answers = BTreeMap::new();
            for (name, observed) in &mut known.clusters {
                let answer = stored.get(name).and_then(|stored| stored.restored.as_ref());
                let Some(asked) = observed.restored.as_ref() else {
                    continue;
                };
                if answer.is_some_and(|answer| answer.confirmed && answer.to == asked.to) {
                    observed.revision = Some(asked.to);
                    answers.insert(name.clone(), asked.to);
                    observed.restored = None;
                    known.changed.insert(name.clone());
                } else if answer.is_none_or(|answer| answer.to != asked.to) {
                    // Another process wrote over the question: nobody could answer it.
                    known.changed.insert(name.clone());
                }
            }
            answers
        })
    }

    /// Stores what has changed; what could not be stored is tried again with the next change.
    pub(super) async fn save(&self) -> Result<(), Unknown> {
        let changed = self.with(|known| {
            let mut names = std::mem::take(&mut known.changed);
            if !names.is_empty() {
                names.append(&mut known.unhurried);
            }
            let observed = |name: String| (name.clone(), known.clusters.get(&name).cloned());
            names.into_iter().map(observed).collect::<BTreeMap<_, _>>()
        });
        if changed.is_empty() {
            return Ok(());
        }
        let mut changed = changed;
        self.keep_answers(&mut changed).await;
        let stored = timeout(STORE_MAX, self.sink.store(&changed)).await;
        let result = stored.unwrap_or_else(|_| Err(Unknown::because("the status store does not answer")));
        if result.is_err() {
            self.with(|known| known.changed.extend(changed.into_keys()));
        }
        result
    }

    async fn stored(&self) -> Result<BTreeMap<String, Observed>, Unknown> {
        let loaded = timeout(STORE_MAX, self.sink.load()).await;
        loaded.unwrap_or_else(|_| Err(Unknown::because("the status store does not answer")))
    }

    /// What somebody has confirmed meanwhile must not be overwritten before it is read.
    async fn keep_answers(&self, changed: &mut BTreeMap<String, Option<Observed>>) {
        let asked = |observed: &Option<Observed>| observed.as_ref().is_some_and(|one| one.restored.is_some());
        if !changed.values().any(asked) {
            return;
        }
        let stored = self.stored().await.unwrap_or_default();
        for (name, observed) in changed {
            let answer = stored.get(name).and_then(|stored| stored.restored.as_ref());
            let asked = observed.as_mut().and_then(|observed| observed.restored.as_mut());
            if let (Some(answer), Some(asked)) = (answer, asked)
                && answer.to == asked.to
            {
                asked.confirmed |= answer.confirmed;
            }
        }
    }

    /// Takes in what was heard of a cluster last. What people should be told of it, if anything.
    pub(super) fn hear(&self, name: &str, heard: Heard, now: Tick) -> Option<Reason> {
        self.with(|known| {
            let observed = known.clusters.entry(name.to_owned()).or_default();
            let before = observed.contact;
            let contact = match &mut observed.contact {
                Some(contact) => {
                    contact.hear(heard, &self.limits, now);
                    *contact
                }
                none => *none.insert(ContactStatus::first(heard, &self.limits, now)),
            };
            let same_state = before.is_some_and(|before| before.state == contact.state);
            let same_sound = before.is_some_and(|before| before.silent_since == contact.silent_since);
            if !same_state || (!same_sound && contact.state != ContactState::Online) {
                known.changed.insert(name.to_owned());
            }
            if same_state {
                return None;
            }
            let is_told = match contact.state {
                ContactState::Unreachable | ContactState::Lost => {
                    known.told.insert(name.to_owned());
                    true
                }
                ContactState::Online => known.told.remove(name),
                _ => false,
            };
            is_told.then(|| what_to_tell(&contact, before))
        })
    }

    /// Takes in a reading of what a cluster can carry, or why there is none. What was read before then stays, with the
    /// time of it.
    pub(super) fn measured(&self, name: &str, reading: Result<Capacity, String>, now: Tick) {
        self.with(|known| {
            let observed = known.clusters.entry(name.to_owned()).or_default();
            let capacity = match reading {
                Ok(capacity) => capacity,
                Err(why) => {
                    let since = observed
                        .capacity_unread
                        .as_ref()
                        .map_or(now, |unread| unread.since);
                    let unread = Some(Unread::new(since, why));
                    if observed.capacity_unread != unread {
                        observed.capacity_unread = unread;
                        known.changed.insert(name.to_owned());
                    }
                    return;
                }
            };
            if observed.capacity_unread.take().is_some() {
                known.changed.insert(name.to_owned());
            }
            let before = observed.capacity.replace(capacity);
            let before_at = before.as_ref().map(|before| before.observed_at);
            let stored = known.capacities.get(name).copied().or(before_at);
            let is_same = match (&before, &observed.capacity) {
                (Some(before), Some(capacity)) => before.is_same(capacity),
                _ => false,
            };
            // Of when it is that is stored does not move along with what is known.
            let is_stored = is_same && stored.is_some_and(|stored| now.since(stored) < SAME_STORED_EVERY);
            let stored = stored.filter(|_| is_stored).unwrap_or(now);
            known.capacities.insert(name.to_owned(), stored);
            if !is_stored {
                known.unhurried.insert(name.to_owned());
            }
            let is_time = known
                .hurried
                .is_none_or(|at| now.since(at) >= CAPACITY_STORED_EVERY);
            if is_time && !known.unhurried.is_empty() {
                known.hurried = Some(now);
                known.changed.append(&mut known.unhurried);
            }
        });
    }

    /// When a cluster's capacity was read last.
    pub(super) fn capacity_read(&self, name: &str) -> Option<Tick> {
        self.with(|known| Some(known.clusters.get(name)?.capacity.as_ref()?.observed_at))
    }

    /// The kinds that a cluster served when that was read last.
    pub(super) fn kinds(&self, name: &str) -> Option<BTreeSet<String>> {
        self.with(|known| known.clusters.get(name)?.capacity.as_ref()?.kinds.clone())
    }

    /// Everything that is known.
    pub(super) fn all(&self) -> BTreeMap<String, Observed> {
        self.with(|known| known.clusters.clone())
    }

    pub(super) fn contact(&self, name: &str) -> Option<ContactStatus> {
        self.with(|known| known.clusters.get(name)?.contact)
    }

    /// Makes sure that a name means the cluster it meant when it was first connected to. Whoever writes the UID into the
    /// registry says which one it means.
    pub(super) fn identify(&self, cluster: &Cluster, id: &ClusterId) -> Result<(), Reason> {
        let name = &cluster.name;
        self.with(|known| {
            let observed = known.clusters.entry(name.clone()).or_default();
            match &observed.id {
                Some(before) if before == id => Ok(()),
                Some(before) if cluster.expected_id.is_none() => {
                    let message = format!(
                        "{name} was cluster {before} and is cluster {id} now: it was made anew, or its address leads elsewhere. Nothing is written or deleted until somebody says which one {name} is: if it is the new one, write `uid: {id}` into its entry in the registry file"
                    );
                    Err(Reason::new("another-cluster", message)
                        .with("before", before)
                        .with("now", id))
                }
                _ => {
                    // Of another cluster, nothing else is known either.
                    (observed.revision, observed.restored) = (None, None);
                    (observed.capacity, observed.capacity_unread) = (None, None);
                    observed.id = Some(id.clone());
                    known.changed.insert(name.clone());
                    Ok(())
                }
            }
        })
    }

    /// Forgets a cluster that left the registry: when the name comes back, it may mean another one. What was asked about it
    /// is asked still.
    pub(super) fn forget(&self, name: &str) {
        self.with(|known| {
            known.told.remove(name);
            known.revisions.remove(name);
            known.capacities.remove(name);
            if known
                .clusters
                .get(name)
                .is_some_and(|observed| observed.restored.is_some())
            {
                return;
            }
            if known.clusters.remove(name).is_some() {
                known.changed.insert(name.to_owned());
            }
        });
    }

    fn with<T>(&self, action: impl FnOnce(&mut Known) -> T) -> T {
        action(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn what_to_tell(contact: &ContactStatus, before: Option<ContactStatus>) -> Reason {
    let silent = |contact: &ContactStatus| {
        contact
            .silent_since
            .map_or_else(String::new, |at| format!(" since {}", utc(at)))
    };
    match contact.state {
        ContactState::Online => {
            let how = before.map_or(ContactState::Degraded, |before| before.state);
            Reason::new(
                "contact-online",
                "the cluster answers again, and goes on doing so",
            )
            .with("before", how)
        }
        ContactState::Lost => {
            let message = format!(
                "the cluster is lost: no usable answer{}. It keeps what it has, and is tried again for as long as the registry names it",
                silent(contact)
            );
            Reason::new("contact-lost", message)
        }
        state => {
            let message = format!("the cluster is {state}: no usable answer{}", silent(contact));
            Reason::new("contact-unreachable", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use fleet_core::{MemoryStatus, confirm_restored};

    use super::*;

    fn capacity(pods: i64, at: Tick) -> Capacity {
        let mut amounts = fleet_core::Resources::new();
        amounts.set("pods", pods).unwrap();
        Capacity::new(amounts.clone(), amounts, at)
    }

    #[tokio::test]
    async fn readings_are_stored_when_they_differ_and_not_one_by_one() {
        let sink = MemoryStatus::default();
        let observations = Observations::new(Arc::new(sink.clone()), ContactLimits::default());
        observations.load().await.unwrap();
        // Seconds, the cluster, its pods, and then what is stored of each: pods at seconds.
        let steps = [
            (0, "a", 1, "a 1@0"),
            // What differs waits for a minute.
            (1, "b", 1, "a 1@0"),
            (59, "a", 2, "a 1@0"),
            (60, "b", 1, "a 2@59, b 1@60"),
            (119, "a", 3, "a 2@59, b 1@60"),
            (130, "b", 1, "a 3@119, b 1@60"),
            (300, "b", 1, "a 3@119, b 1@60"),
            // What does not, for five.
            (301, "b", 1, "a 3@119, b 1@301"),
            (418, "a", 3, "a 3@119, b 1@301"),
        ];
        for (at, name, pods, expect) in steps {
            let now = Tick(at * 1000);
            observations.measured(name, Ok(capacity(pods, now)), now);
            assert_eq!(
                observations.capacity_read(name),
                Some(now),
                "what is known is always new"
            );
            observations.save().await.unwrap();
            let stored = sink.load().await.unwrap().into_iter();
            let stored = stored.filter_map(|(name, observed)| {
                let capacity = observed.capacity?;
                let pods = capacity.requested.get("pods");
                Some(format!("{name} {pods}@{}", capacity.observed_at.0 / 1000))
            });
            assert_eq!(stored.collect::<Vec<_>>().join(", "), expect, "{at}");
        }
        // The next process goes on from there.
        let next = Observations::new(Arc::new(sink.clone()), ContactLimits::default());
        next.load().await.unwrap();
        let now = Tick(420_000);
        assert_eq!(next.capacity_read("b"), Some(Tick(301_000)));
        next.measured("b", Ok(capacity(1, now)), now);
        next.save().await.unwrap();
        let stored = sink.load().await.unwrap().remove("b").unwrap();
        assert_eq!(stored.capacity.unwrap().observed_at, Tick(301_000));
    }

    #[tokio::test]
    async fn what_was_read_stays_with_why_it_is_not_read_any_more() {
        let sink = MemoryStatus::default();
        let observations = Observations::new(Arc::new(sink.clone()), ContactLimits::default());
        observations.load().await.unwrap();
        observations.measured("a", Ok(capacity(1, Tick(1))), Tick(1));
        observations.measured("a", Err("no".to_owned()), Tick(2));
        observations.measured("a", Err("never".to_owned()), Tick(3));
        observations.save().await.unwrap();
        let stored = sink.load().await.unwrap().remove("a").unwrap();
        assert_eq!(stored.capacity, Some(capacity(1, Tick(1))));
        assert_eq!(stored.capacity_unread, Some(Unread::new(Tick(2), "never")));
        observations.measured("a", Ok(capacity(1, Tick(4))), Tick(4));
        observations.save().await.unwrap();
        let stored = sink.load().await.unwrap().remove("a").unwrap();
        assert_eq!(stored.capacity_unread, None);
        // Of another cluster of this name, nothing of it is known.
        let declared = Cluster::new("a").expect_id(Some("u-2".into()));
        observations.identify(&declared, &"u-2".into()).unwrap();
        assert_eq!(observations.all()["a"].capacity, None);
    }

    #[tokio::test]
    async fn a_question_stays_until_it_is_answered() {
        let sink = MemoryStatus::default();
        let observations = Observations::new(Arc::new(sink.clone()), ContactLimits::default());
        observations.load().await.unwrap();
        assert!(observations.went_back("eu-1", 90, 50, Tick(1)));
        observations.save().await.unwrap();
        // Another process does not know of it, and stores what it knows.
        let theirs = Observed::default();
        sink.store(&[("eu-1".to_owned(), Some(theirs))].into())
            .await
            .unwrap();
        assert_eq!(confirm_restored(&sink, "eu-1").await.unwrap(), None);
        assert!(observations.answers().await.is_empty());
        observations.save().await.unwrap();
        // Nor does it go with a registry that does not name the cluster for a moment.
        observations.forget("eu-1");
        observations.save().await.unwrap();
        assert!(observations.restored("eu-1").is_some());
        assert!(confirm_restored(&sink, "eu-1").await.unwrap().is_some());
        assert_eq!(observations.answers().await, [("eu-1".to_owned(), 50)].into());
        assert_eq!(observations.restored("eu-1"), None);
        observations.forget("eu-1");
        observations.save().await.unwrap();
        assert!(sink.load().await.unwrap().is_empty());
    }
}
