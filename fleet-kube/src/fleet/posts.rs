//! The clusters of the registry, and how connecting to each of them goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fleet_core::{Cluster, Digest, EngineOptions, Heard, Millis, Note, Reason, Tick};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{Inner, UNREACHABLE, crew::Crew, rollout::Presence};
use crate::connection::Connection;

/// Waits between tries to connect.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// After this long without trouble, waits begin anew.
const STEADY: Duration = Duration::from_secs(300);
/// Credentials that cannot be renewed in place are replaced this long before they end.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// All clusters of the registry.
pub(super) struct Posts {
    fleet: Arc<Inner>,
    entries: BTreeMap<String, Post>,
    attempts: JoinSet<Attempt>,
    /// Attempts are told apart by it: the cluster may have left and come back meanwhile.
    count: u64,
}

/// One of them.
struct Post {
    cluster: Cluster,
    /// What a connection would be made with.
    fingerprint: Option<Digest>,
    /// Why there is no good connection, as it was said last.
    said: Option<Reason>,
    failures: u32,
    /// Since when it is connected.
    connected: Option<Instant>,
    stage: Stage,
}

enum Stage {
    /// To be connected to then.
    Due(Instant),
    Trying(u64, AbortHandle),
    /// Nothing is to be done.
    Quiet,
}

/// An attempt that has ended.
pub(super) struct Attempt {
    id: u64,
    name: String,
    result: Result<(Connection, EngineOptions), Reason>,
}

impl Posts {
    pub(super) fn new(fleet: Arc<Inner>) -> Self {
        Self {
            fleet,
            entries: BTreeMap::new(),
            attempts: JoinSet::new(),
            count: 0,
        }
    }

    /// What the registry says now: new clusters are connected to, changed ones anew.
    pub(super) async fn update(&mut self, clusters: Vec<Cluster>, crew: &mut Crew) {
        let names: BTreeSet<String> = clusters.iter().map(|c| c.name.clone()).collect();
        self.entries.retain(|name, post| {
            let stays = names.contains(name);
            if let (false, Stage::Trying(_, task)) = (stays, &post.stage) {
                task.abort();
            }
            if !stays {
                self.fleet.observed.forget(name);
            }
            stays
        });
        crew.retain(&names);
        self.fleet.forget_identities(&names);
        let mut prints = self.fleet.connect.fingerprints(&clusters).await;
        let now = Instant::now();
        for cluster in clusters {
            let fingerprint = prints.remove(&cluster.name);
            match self.entries.get_mut(&cluster.name) {
                None => {
                    crew.rollout
                        .present(&cluster.name, Presence::Trying, self.fleet.clock.now());
                    let post = Post {
                        cluster: cluster.clone(),
                        fingerprint,
                        said: None,
                        failures: 0,
                        connected: None,
                        stage: Stage::Due(now),
                    };
                    self.entries.insert(cluster.name, post);
                }
                Some(post) => {
                    let changed = fingerprint.is_some() && post.fingerprint != fingerprint;
                    if changed || post.cluster != cluster {
                        crew.tighten(&cluster).await;
                        post.fingerprint = fingerprint.or(post.fingerprint.take());
                        post.cluster = cluster;
                        post.again(now);
                    }
                }
            }
        }
    }

    /// What time brings: credentials that end or are refused, drivers that stopped, attempts that are due.
    pub(super) fn tend(&mut self, crew: &mut Crew) {
        for cluster in crew.take_stopped() {
            let Some(post) = self.entries.get_mut(&cluster.name) else {
                continue;
            };
            let wait = post.back_off();
            let message = format!(
                "the task that kept this cluster ended by a fault in this program (please report it, with what was printed before): it is started again in {} s; the cluster stays as it is meanwhile",
                wait.as_secs()
            );
            self.fleet.observer.note(
                &cluster,
                &Note::Remark {
                    reason: Reason::new("driver-stopped", message),
                },
            );
        }
        let now = Instant::now();
        for (name, post) in &mut self.entries {
            if let (Stage::Quiet, Some(member)) = (&post.stage, crew.get(name))
                && (is_refused(&member.connection)
                    || ends_soon(member.connection.valid_until(), self.fleet.clock.now()))
            {
                post.back_off();
            }
            let Stage::Due(at) = post.stage else { continue };
            if at > now {
                continue;
            }
            self.count += 1;
            let (id, fleet, cluster) = (self.count, self.fleet.clone(), post.cluster.clone());
            let task = self.attempts.spawn(async move {
                let result = fleet.reach(&cluster).await;
                Attempt {
                    id,
                    name: cluster.name,
                    result,
                }
            });
            post.stage = Stage::Trying(id, task);
        }
    }

    /// Takes in what people have confirmed since.
    pub(super) async fn take_answers(&self, crew: &Crew) {
        for (name, revision) in self.fleet.observed.answers().await {
            if let Some(member) = crew.get(&name) {
                member.connection.go_on_from(revision);
                member.driver.look_again().await;
            }
        }
    }

    /// Takes in what was heard of each cluster, and what its connection has seen.
    pub(super) fn listen(&mut self, crew: &Crew) {
        for (name, post) in &mut self.entries {
            // What its driver knows is not so any more: another one begins with what is there.
            if crew
                .get(name)
                .is_some_and(|member| self.fleet.observe(&post.cluster, &member.connection))
                && matches!(post.stage, Stage::Quiet)
            {
                post.back_off();
            }
            let heard = match (crew.get(name), &post.said) {
                (Some(member), _) => {
                    let contact = member.connection.contact();
                    match contact.failing_since {
                        None => Heard::Answer,
                        Some(_) => Heard::silence(contact.failures),
                    }
                }
                (None, Some(reason)) if reason.code == UNREACHABLE => Heard::silence(post.failures.into()),
                (None, Some(_)) => Heard::Answer,
                // Nothing was heard yet.
                (None, None) => continue,
            };
            self.fleet.hear(&post.cluster, heard);
        }
    }

    /// When [`Posts::tend`] has something to do, if that is known.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.entries.values().filter_map(|post| match post.stage {
            Stage::Due(at) => Some(at),
            _ => None,
        });
        due.min()
    }

    /// The next attempt that ends; never when there is none.
    pub(super) async fn ended(&mut self) -> Attempt {
        loop {
            match self.attempts.join_next().await {
                Some(Ok(attempt)) => return attempt,
                // Called off.
                Some(Err(error)) if error.is_cancelled() => {}
                Some(Err(error)) => tracing::error!(%error, "a task that connects to a cluster failed"),
                None => std::future::pending().await,
            }
        }
    }

    /// Takes in how an attempt ended. True when a member joined.
    pub(super) async fn take(&mut self, attempt: Attempt, crew: &mut Crew) -> bool {
        let Some(post) = self.entries.get_mut(&attempt.name) else {
            return false;
        };
        if !matches!(post.stage, Stage::Trying(id, _) if id == attempt.id) {
            return false;
        }
        match attempt.result {
            Ok((connection, options)) => {
                post.stage = Stage::Quiet;
                post.connected = Some(Instant::now());
                if post.said.take().is_some() {
                    let reason = Reason::new("connected", "connected");
                    let online = true;
                    self.fleet
                        .observer
                        .note(&post.cluster, &Note::Contact { online, reason });
                }
                crew.add(post.cluster.clone(), connection, options).await;
                true
            }
            Err(reason) => {
                post.back_off();
                if post.said.as_ref() != Some(&reason) {
                    post.said = Some(reason.clone());
                    let online = false;
                    self.fleet
                        .observer
                        .note(&post.cluster, &Note::Contact { online, reason });
                }
                if crew.get(&attempt.name).is_none() {
                    let now = self.fleet.clock.now();
                    crew.rollout.present(&attempt.name, Presence::Away, now);
                }
                false
            }
        }
    }
}

impl Post {
    /// Connects anew now.
    fn again(&mut self, now: Instant) {
        if let Stage::Trying(_, task) = &self.stage {
            task.abort();
        }
        self.stage = Stage::Due(now);
    }

    /// Connects anew, later and later while it comes to no good.
    fn back_off(&mut self) -> Duration {
        if self
            .connected
            .take()
            .is_some_and(|since| since.elapsed() > STEADY)
        {
            self.failures = 0;
        }
        let wait = RETRY.0.saturating_mul(1 << self.failures.min(10)).min(RETRY.1);
        self.failures += 1;
        if let Stage::Trying(_, task) = &self.stage {
            task.abort();
        }
        self.stage = Stage::Due(Instant::now() + wait);
        wait
    }
}

/// Credentials that end then are about to end.
fn ends_soon(end: Option<Tick>, now: Tick) -> bool {
    let soon = now + Millis(u64::try_from(RENEW_BEFORE.as_millis()).unwrap_or(u64::MAX));
    end.is_some_and(|end| end <= soon)
}

/// The cluster refuses the credentials: others may be there by now, or come from a plugin that is run again.
fn is_refused(connection: &Connection) -> bool {
    let contact = connection.contact();
    !contact.is_good() && contact.last_fault.is_some_and(|fault| fault.code == Some(401))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_a_minute_before_they_end() {
        let now = Tick(1_000_000);
        for (end, soon) in [
            (None, false),
            (Some(Tick(1_060_001)), false),
            (Some(Tick(1_060_000)), true),
            (Some(Tick(0)), true),
        ] {
            assert_eq!(ends_soon(end, now), soon, "{end:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_while_trouble_lasts() {
        let mut post = Post {
            cluster: Cluster::new("a"),
            fingerprint: None,
            said: None,
            failures: 0,
            connected: None,
            stage: Stage::Quiet,
        };
        let waits: Vec<u64> = (0..8).map(|_| post.back_off().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        // Connected for a moment is no end of trouble.
        post.connected = Some(Instant::now());
        assert_eq!(post.back_off().as_secs(), 60);
        post.connected = Some(Instant::now());
        tokio::time::advance(STEADY + Duration::from_secs(1)).await;
        assert_eq!(post.back_off().as_secs(), 1);
    }
}
