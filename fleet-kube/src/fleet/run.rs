//! Keeping a fleet as its inventory says, for ever.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use fleet_core::{Approval, Cluster, Note, Reason, Revision, Snapshot};
use futures_util::{StreamExt, future::join_all};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Fleet, Inner, Wave, member::Member, revision};

/// Waits between tries to connect.
const CONNECT_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often the progress of the first cluster of a wave is looked at.
const WAVE_LOOK: Duration = Duration::from_millis(100);

/// A changed revision on its way: one cluster has it, the rest wait.
struct Rollout {
    first: String,
    revision: Revision,
    deadline: Instant,
    failed: bool,
}

impl Fleet {
    /// Keeps every cluster as its inventory says, until the future is dropped.
    ///
    /// The inventory is read again at an interval and on hints; a changed revision goes to one cluster first, as the
    /// wave says. Drift is repaired as watches show it and never waits. A cluster that does not answer is tried
    /// again, less and less often, and costs the others nothing.
    pub async fn run(&self) {
        let fleet = &self.inner;
        let _stop = ForgetAll(fleet);
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        let mut connecting: JoinSet<(Cluster, Member)> = JoinSet::new();
        let mut known: BTreeMap<String, Cluster> = BTreeMap::new();
        let mut rollout: Option<Rollout> = None;
        let mut hints = fleet.source.changes();
        let mut next_read = Instant::now();
        loop {
            if Instant::now() >= next_read {
                next_read = Instant::now() + fleet.read_interval;
                self.read_registry(&mut known, &mut members, &mut connecting)
                    .await;
                fleet.offer(&mut members, &mut rollout).await;
            }
            let tick = if rollout.is_some() {
                WAVE_LOOK.min(fleet.read_interval)
            } else {
                fleet.read_interval
            };
            let wait = (next_read - Instant::now()).min(tick);
            tokio::select! {
                Some(joined) = connecting.join_next(), if !connecting.is_empty() => {
                    if let Ok((cluster, member)) = joined {
                        fleet.keep(&member);
                        members.insert(cluster.name, member);
                        next_read = Instant::now();
                    }
                }
                hint = hints.next() => if hint.is_some() { next_read = Instant::now() } else { sleep(wait).await },
                () = sleep(wait) => {}
            }
            if rollout.is_some() {
                fleet.follow(&mut members, &mut rollout, &mut next_read).await;
            }
        }
    }

    /// New clusters are connected to; clusters that left the registry are let go, and keep what they have.
    async fn read_registry(
        &self,
        known: &mut BTreeMap<String, Cluster>,
        members: &mut BTreeMap<String, Member>,
        connecting: &mut JoinSet<(Cluster, Member)>,
    ) {
        let Ok(clusters) = self.clusters().await else {
            return;
        };
        let names: Vec<&str> = clusters.iter().map(|c| c.name.as_str()).collect();
        members.retain(|name, _| names.contains(&name.as_str()));
        self.inner.forget_all_but(&names);
        known.retain(|name, _| names.contains(&name.as_str()));
        for cluster in clusters {
            if known.insert(cluster.name.clone(), cluster.clone()).is_none() {
                let fleet = self.inner.clone();
                connecting.spawn(async move {
                    let member = fleet.connect_for_good(&cluster).await;
                    (cluster, member)
                });
            }
        }
    }
}

/// Lets go of all drivers when `run` ends or is dropped.
struct ForgetAll<'a>(&'a Inner);

impl Drop for ForgetAll<'_> {
    fn drop(&mut self) {
        self.0.forget_all_but(&[]);
    }
}

impl Inner {
    fn keep(&self, member: &Member) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(member.cluster.name.clone(), member.kept());
    }

    fn forget_all_but(&self, names: &[&str]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|name, _| names.contains(&name.as_str()));
    }

    async fn connect_for_good(&self, cluster: &Cluster) -> Member {
        let mut wait = CONNECT_RETRY.0;
        loop {
            match self.member(cluster, Approval::Auto).await {
                Ok(member) => return member,
                Err(reason) => self.observer.note(
                    cluster,
                    &Note::Contact {
                        online: false,
                        reason,
                    },
                ),
            }
            sleep(wait).await;
            wait = (wait * 2).min(CONNECT_RETRY.1);
        }
    }

    /// Reads the inventory of every member and hands over what may be handed over now.
    async fn offer(&self, members: &mut BTreeMap<String, Member>, rollout: &mut Option<Rollout>) {
        let read = join_all(members.values().map(|m| self.source.snapshot(&m.cluster))).await;
        let mut changed: Vec<(&mut Member, Snapshot)> = Vec::new();
        for (member, snapshot) in members.values_mut().zip(read) {
            if revision(&snapshot).is_none() || revision(&snapshot) == member.given || self.wave == Wave::All
            {
                member.give(snapshot).await;
            } else {
                changed.push((member, snapshot));
            }
        }
        if changed.is_empty() {
            *rollout = None;
            return;
        }
        if rollout
            .as_ref()
            .is_some_and(|r| !changed.iter().any(|(m, _)| m.cluster.name == r.first))
        {
            // One cluster has the change already, and the rest wait for it.
            return;
        }
        let first = match &self.wave {
            Wave::FirstThenRest {
                first: Some(name), ..
            } => changed.iter().position(|(m, _)| m.cluster.name == *name),
            _ => None,
        };
        let (member, snapshot) = changed.swap_remove(first.unwrap_or(0));
        if let Some(revision) = revision(&snapshot) {
            let deadline = Instant::now() + self.wave.first_max();
            *rollout = Some(Rollout {
                first: member.cluster.name.clone(),
                revision,
                deadline,
                failed: false,
            });
        }
        member.give(snapshot).await;
    }

    /// Lets the rest have the change once the first has converged, or says that it failed.
    async fn follow(
        &self,
        members: &mut BTreeMap<String, Member>,
        rollout: &mut Option<Rollout>,
        next_read: &mut Instant,
    ) {
        let Some(wave) = rollout else { return };
        let Some(first) = members.get(&wave.first) else {
            *rollout = None;
            return;
        };
        let progress = first.driver.progress();
        let late = Instant::now() >= wave.deadline;
        if !progress.settled && progress.stuck.is_none() && !late {
            return;
        }
        let status = timeout(Duration::from_secs(5), first.driver.status())
            .await
            .ok()
            .flatten();
        let clean = status
            .as_ref()
            .is_some_and(|s| s.is_clean() && s.revision.as_ref() == Some(&wave.revision));
        if !clean && wave.failed {
            return;
        }
        if !clean {
            wave.failed = true;
            let message = format!(
                "{} went first with revision {} and {}: the rest keep what they have",
                wave.first,
                wave.revision,
                if late {
                    "did not converge in time"
                } else {
                    "something was refused or blocked there"
                }
            );
            self.observer.note(
                &first.cluster,
                &Note::Remark {
                    reason: Reason::new("first-failed", message),
                },
            );
            return;
        }
        *rollout = None;
        let read = join_all(members.values().map(|m| self.source.snapshot(&m.cluster))).await;
        for (member, snapshot) in members.values_mut().zip(read) {
            member.give(snapshot).await;
        }
        *next_read = Instant::now() + self.read_interval;
    }
}

impl Member {
    async fn give(&mut self, snapshot: Snapshot) {
        if let Some(revision) = revision(&snapshot) {
            self.given = Some(revision);
        }
        self.driver.inventory(snapshot).await;
    }
}
