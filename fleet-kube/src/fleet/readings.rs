//! Reading, now and then, what each connected cluster can carry: if that is asked for at all.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fleet_core::{Capacity, Cluster, ClusterId, Digest, Fault, Millis, Note, Reason, Remedy, Tick};
use tokio::task::{AbortHandle, JoinSet};

use super::{Inner, crew::Crew};
use crate::{
    capacity::{CapacityOptions, keep_unspoken},
    connection::{Connection, Doubt, millis},
};

/// The readings of all clusters: each in a task of its own, so that no driver and no other cluster waits for one.
pub(super) struct Readings {
    fleet: Arc<Inner>,
    turns: BTreeMap<String, Turn>,
    tasks: JoinSet<Done>,
    /// Readings are told apart by it: the cluster may have left and come back meanwhile.
    count: u64,
}

/// One of them.
struct Turn {
    id: ClusterId,
    pace: Pace,
    running: Option<(u64, AbortHandle)>,
    /// What was said of it last.
    said: Option<String>,
}

/// A reading that has ended.
struct Done {
    number: u64,
    name: String,
    result: Result<Capacity, Fault>,
}

impl Readings {
    pub(super) fn new(fleet: Arc<Inner>) -> Self {
        Self {
            fleet,
            turns: BTreeMap::new(),
            tasks: JoinSet::new(),
            count: 0,
        }
    }

    /// Takes in what was read, and begins what is due. Nothing is read while contact is bad: the turn passes, so that not
    /// all clusters are read at once when contact with many comes back.
    pub(super) fn tend(&mut self, crew: &Crew) {
        let fleet = self.fleet.clone();
        let Some(options) = &fleet.capacity else { return };
        self.turns.retain(|name, turn| {
            let member = crew.get(name);
            let stays = member.is_some_and(|member| *member.connection.cluster() == turn.id);
            if let (false, Some((_, task))) = (stays, &turn.running) {
                task.abort();
            }
            stays
        });
        while let Some(ended) = self.tasks.try_join_next() {
            match ended {
                Ok(done) => self.take(done, crew),
                Err(error) if error.is_cancelled() => {}
                Err(error) => tracing::error!(%error, "a task that reads what a cluster can carry failed"),
            }
        }
        let now = fleet.clock.now();
        for member in crew.members() {
            let (name, connection) = (&member.cluster.name, &member.connection);
            let turn = self.turns.entry(name.clone()).or_insert_with(|| Turn {
                id: connection.cluster().clone(),
                pace: Pace::new(name, options, fleet.observed.capacity_read(name), now),
                running: None,
                said: None,
            });
            let is_running = turn.running.as_ref().is_some_and(|(_, task)| !task.is_finished());
            if !connection.has_discovered() || !turn.pace.is_due(now) || is_running {
                continue;
            }
            turn.pace.begin(now);
            if !connection.contact().is_good() || matches!(connection.doubt(), Some(Doubt::Another(_))) {
                continue;
            }
            self.count += 1;
            let (number, name) = (self.count, name.clone());
            let (fleet, connection) = (fleet.clone(), connection.clone());
            let task = self.tasks.spawn(async move {
                let result = fleet.read_capacity(&name, &connection).await;
                Done { number, name, result }
            });
            turn.running = Some((number, task));
        }
    }

    fn take(&mut self, done: Done, crew: &Crew) {
        let Some(turn) = self.turns.get_mut(&done.name) else {
            return;
        };
        if turn
            .running
            .as_ref()
            .is_none_or(|(number, _)| *number != done.number)
        {
            return;
        }
        turn.running = None;
        turn.pace.end(done.result.as_ref().err());
        let failure = done.result.as_ref().err().map(ToString::to_string);
        self.fleet.take_capacity(&done.name, done.result);
        let is_silent = crew
            .get(&done.name)
            .is_none_or(|member| !member.connection.contact().is_good());
        // That it does not answer is said already.
        if turn.said == failure || failure.is_some() && is_silent {
            return;
        }
        let reason = match &failure {
            Some(why) => {
                let message = format!(
                    "what the cluster can carry is not known, or not anew: {why}. It is read again, less and less often"
                );
                Reason::new("capacity-unread", message)
            }
            None => Reason::new("capacity-read", "what the cluster can carry can be read again"),
        };
        turn.said = failure;
        let cluster = crew.get(&done.name).map(|member| member.cluster.clone());
        let cluster = cluster.unwrap_or_else(|| Cluster::new(&done.name));
        self.fleet.observer.note(&cluster, &Note::Remark { reason });
    }
}

impl Inner {
    async fn read_capacity(&self, name: &str, connection: &Connection) -> Result<Capacity, Fault> {
        let Some(options) = &self.capacity else {
            return Err(Fault::new(Remedy::Bug, "nobody asked for this"));
        };
        let mut capacity = connection.capacity(options, self.clock.now()).await?;
        if let (Some(kinds), Some(before)) = (&mut capacity.kinds, self.observed.kinds(name)) {
            keep_unspoken(kinds, &before, &connection.kinds());
        }
        Ok(capacity)
    }

    fn take_capacity(&self, name: &str, result: Result<Capacity, Fault>) {
        let result = result.map_err(|fault| fault.to_string());
        self.observed.measured(name, result, self.clock.now());
    }

    /// For one-shot commands: reads it now, unless what is known is younger than the interval, or nobody asked for it.
    pub(super) async fn read_capacity_once(&self, cluster: &Cluster, connection: &Connection) {
        let Some(options) = &self.capacity else { return };
        let name = &cluster.name;
        let now = self.clock.now();
        if !connection.has_discovered()
            || !Pace::new(name, options, self.observed.capacity_read(name), now).is_due(now)
        {
            return;
        }
        let result = self.read_capacity(name, connection).await;
        self.take_capacity(name, result);
    }
}

/// When a cluster is read: at moments of its own that come again at the interval, so that clusters take turns.
#[derive(Debug)]
struct Pace {
    interval: Millis,
    longest: Millis,
    /// Where in the interval its moments are.
    phase: u64,
    due: Tick,
    begun: Tick,
    failures: u32,
}

impl Pace {
    /// What was read last, perhaps by another process, at `last` is good for an interval; otherwise it is due now, which is
    /// when it was connected to.
    fn new(name: &str, options: &CapacityOptions, last: Option<Tick>, now: Tick) -> Self {
        let interval = millis(options.interval.max(Duration::from_secs(1)));
        let bytes = Digest::of_bytes(name.as_bytes());
        let number = bytes.as_bytes().iter().take(8);
        let number = number.fold(0, |all: u64, byte| (all << 8) | u64::from(*byte));
        // A clock that went back must not put it off for long.
        let due = last.map_or(now, |last| (last + interval).min(now + interval));
        Self {
            interval,
            longest: millis(options.interval_max).max(interval),
            phase: number % interval.0,
            due,
            begun: due,
            failures: 0,
        }
    }

    fn is_due(&self, now: Tick) -> bool {
        now >= self.due
    }

    /// A reading begins, or is passed over.
    fn begin(&mut self, now: Tick) {
        let is_late = now.since(self.due).0 >= self.interval.0 / 10;
        self.begun = if is_late { now } else { self.due };
        self.due = self.moment(self.begun + self.interval);
    }

    /// It has ended.
    fn end(&mut self, fault: Option<&Fault>) {
        let Some(fault) = fault else {
            self.failures = 0;
            return;
        };
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u64.checked_shl(self.failures).unwrap_or(u64::MAX);
        let wait = match fault.remedy {
            // Nobody expects that to be otherwise soon.
            Remedy::Forbidden | Remedy::Policy => self.longest,
            _ => Millis(self.interval.0.saturating_mul(doubled)).min(self.longest),
        };
        self.due = self.moment(self.begun + wait);
    }

    /// Its first moment that is not before this.
    fn moment(&self, from: Tick) -> Tick {
        let into = from.0 % self.interval.0;
        let wait = (self.phase + self.interval.0 - into) % self.interval.0;
        from + Millis(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(name: &str, last: Option<u64>, now: u64) -> Pace {
        Pace::new(name, &CapacityOptions::default(), last.map(Tick), Tick(now))
    }

    #[test]
    fn a_cluster_is_read_when_connected_and_then_at_its_moments() {
        for name in ["eu-1", "us-1", ""] {
            let mut pace = pace(name, None, 1_000_000);
            assert!(pace.is_due(Tick(1_000_000)));
            pace.begin(Tick(1_000_000));
            pace.end(None);
            let first = pace.due;
            assert!((1_060_000..1_120_000).contains(&first.0), "{first:?}");
            // Late by what the loop takes, and never earlier than after an interval.
            let mut at = first;
            for late in [0, 1_999, 3, 5_999] {
                assert!(!pace.is_due(Tick(at.0 - 1)) && pace.is_due(at));
                pace.begin(Tick(at.0 + late));
                pace.end(None);
                at = at + Millis(60_000);
                assert_eq!(pace.due, at);
            }
            // What was missed is not made up for.
            pace.begin(Tick(at.0 + 606_000));
            assert_eq!(pace.due, Tick(at.0 + 720_000));
            assert_eq!((pace.due.0 - first.0) % 60_000, 0);
        }
    }

    #[test]
    fn clusters_take_turns() {
        let mut spread = [0; 6];
        for n in 0..600 {
            let mut pace = pace(&format!("cluster-{n}"), None, 0);
            pace.begin(Tick(0));
            spread[usize::try_from((pace.due.0 - 60_000) / 10_000).unwrap()] += 1;
        }
        assert!(
            spread.iter().all(|count| (60..=140).contains(count)),
            "{spread:?}"
        );
    }

    #[test]
    fn what_another_process_read_is_good_for_an_interval() {
        for (last, due) in [
            (None, 1_000_000),
            (Some(0), 60_000),
            (Some(970_000), 1_030_000),
            // Its clock was ahead.
            (Some(9_000_000), 1_060_000),
        ] {
            assert_eq!(pace("a", last, 1_000_000).due, Tick(due), "{last:?}");
        }
    }

    #[test]
    fn failures_make_it_rare() {
        let mut pace = pace("a", None, 600_000);
        let mut wait = |remedy: Option<Remedy>| {
            let begun = pace.due;
            pace.begin(begun);
            pace.end(remedy.map(|remedy| Fault::new(remedy, "why")).as_ref());
            // In intervals, rounded up to its moments.
            (pace.due.0 - begun.0) / 60_000
        };
        assert_eq!(wait(None), 1);
        let waits = [Some(Remedy::Retry); 6].map(&mut wait);
        assert_eq!(waits, [2, 4, 8, 10, 10, 10]);
        assert_eq!(wait(None), 1);
        assert_eq!(wait(Some(Remedy::Unreachable)), 2);
        for remedy in [Remedy::Forbidden, Remedy::Policy] {
            assert_eq!(wait(Some(remedy)), 10);
        }
    }
}
