//! Making a fleet what its inventory says, once.

use std::time::Duration;

use fleet_core::{Cluster, Reason, Unknown};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{Fleet, Outcome, crew::Crew, member::Member, rollout::Presence};
use crate::driver::Unsettled;

/// How often the first cluster is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Fleet {
    /// Makes each cluster what its inventory says, once: one cluster first, then the rest, as the wave says. A token
    /// of a plan confirms the deletes it covers.
    ///
    /// The first one is chosen when every cluster has answered or certainly does not. When it fails, the others keep
    /// what they have, with the failure `first-failed`, except those for which the inventory is no change.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn apply(&self, tokens: &[String]) -> Result<Vec<Outcome>, Unknown> {
        let clusters = self.clusters().await?;
        let inner = &self.inner;
        inner.recall().await;
        let reached = join_all(clusters.iter().map(|cluster| inner.reach(cluster))).await;
        let mut crew = Crew::new(inner.clone(), tokens);
        let mut outcomes = Vec::new();
        for (cluster, result) in clusters.into_iter().zip(reached) {
            match result {
                Ok((connection, options)) => crew.add(cluster, connection, options).await,
                Err(reason) => {
                    crew.rollout
                        .present(&cluster.name, Presence::Away, inner.clock.now());
                    outcomes.push(Outcome::failed(&cluster, reason));
                }
            }
        }
        crew.read().await;
        let first_max = Duration::from_millis(inner.wave.first_max().0);
        let deadline = Instant::now() + first_max.min(Duration::from_secs(1 << 30)) + inner.settle_max;
        while crew.rollout.is_undecided() && Instant::now() < deadline {
            sleep(LOOK).await;
            crew.watch().await;
        }
        crew.plan_held().await;
        outcomes.extend(join_all(crew.members().map(|member| finish(self, &crew, member))).await);
        for member in crew.members() {
            inner.observe(&member.cluster, &member.connection);
        }
        inner.forget_all_but(&std::collections::BTreeSet::new());
        outcomes.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        inner.finish(&mut outcomes).await;
        Ok(outcomes)
    }
}

/// Waits until everything is done that can be done; or says why nothing is done.
async fn finish(fleet: &Fleet, crew: &Crew, member: &Member) -> Outcome {
    let name = &member.cluster.name;
    if let Some(why) = crew.rollout.unknown(name) {
        return Outcome::of(member, Some(Reason::new("inventory-unknown", why))).await;
    }
    if crew.rollout.is_held(name) {
        return held(crew, &member.cluster);
    }
    let failed = crew.rollout.failed_first() == Some(name.as_str());
    let limit = if failed {
        Duration::ZERO
    } else {
        fleet.inner.settle_max
    };
    let why = match member.settled(limit).await.err() {
        // The wave has waited for it already.
        Some(Unsettled::Late(_)) if failed => Some(Unsettled::Late(fleet.inner.wave.first_max().to_string())),
        why => why,
    };
    Outcome::of(member, why.map(Reason::from)).await
}

/// Nothing was given to it: because of the first one, or because it does not answer itself.
fn held(crew: &Crew, cluster: &Cluster) -> Outcome {
    let name = &cluster.name;
    let (first, why) = match (crew.rollout.failed_first(), crew.rollout.first()) {
        (Some(first), _) => (first, "is not done"),
        (None, Some(first)) => (first, "does not answer"),
        (None, None) => {
            let message = format!("{name} does not answer any more");
            return Outcome::failed(cluster, Reason::new("unreachable", message));
        }
    };
    let message =
        format!("nothing was changed here: {first} went first and {why}, so {name} keeps what it has");
    Outcome::new(name).held_back(Reason::new("first-failed", message))
}
