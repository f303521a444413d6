//! Keeping a fleet as its inventory says, for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::Duration,
};

use fleet_core::{Cluster, Note, Reason, Unknown};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Fleet, Inner, crew::Crew, member::Member, posts::Posts, readings::Readings};

/// The cluster's name in notes that are about the fleet as a whole, such as about its registry.
pub const FLEET_ITSELF: &str = "(fleet)";

/// How often the first cluster of a wave is looked at.
const WAVE_LOOK: Duration = Duration::from_millis(100);
/// The same once it failed: it may take days until somebody mends it.
const FAILED_LOOK: Duration = Duration::from_secs(1);
/// How often connections and drivers are looked at.
const TEND: Duration = Duration::from_secs(2);
/// Longest wait for the registry to answer.
const REGISTRY_MAX: Duration = Duration::from_secs(60);

impl Fleet {
    /// Keeps every cluster as its inventory says, until the future is dropped.
    ///
    /// Registry, inventory and settings are read again at an interval and on hints; a changed revision, or changed
    /// settings, go to one cluster first, as the wave says. Drift is repaired as watches show it and never waits. A
    /// cluster that does not answer is tried again, less and less often, and costs the others nothing. It is
    /// connected to anew when what it is connected with changes, ends, or is refused. What the registry forbids since
    /// (a pause, another stage of its life, other windows) counts at once; what it permits, from the next connection on.
    ///
    /// What cannot be read changes nothing, and is said once: about the registry under the name [`FLEET_ITSELF`].
    pub async fn run(&self) {
        let fleet = &self.inner;
        let _stop = ForgetAll(fleet);
        fleet.recall().await;
        let mut unstored: Option<String> = None;
        let mut crew = Crew::new(fleet.clone(), &[]);
        let mut posts = Posts::new(fleet.clone());
        let mut readings = Readings::new(fleet.clone());
        let mut unread: Option<String> = None;
        // A source that ends its hints has none left to give.
        let hints = stream::select(fleet.source.changes(), fleet.registry.changes());
        let mut hints = hints.chain(stream::pending());
        let mut next_read = Instant::now();
        loop {
            if Instant::now() >= next_read {
                next_read = Instant::now() + fleet.read_interval;
                match self.read_registry().await {
                    Ok(clusters) => {
                        posts.update(clusters, &mut crew).await;
                        if unread.take().is_some() {
                            fleet.say(
                                "registry-read",
                                "the list of clusters can be read again".to_owned(),
                            );
                        }
                    }
                    Err(unknown) if unread.as_deref() != Some(unknown.message()) => {
                        unread = Some(unknown.message().to_owned());
                        let message = format!(
                            "which clusters there are cannot be read, so no cluster joins or leaves: {unknown}"
                        );
                        fleet.say("registry-unknown", message);
                    }
                    Err(_) => {}
                }
                posts.take_answers(&crew).await;
                crew.read().await;
            }
            posts.tend(&mut crew);
            crew.watch().await;
            posts.listen(&crew);
            readings.tend(&crew);
            match fleet.observed.save().await {
                Ok(()) => unstored = None,
                Err(unknown) if unstored.as_deref() != Some(unknown.message()) => {
                    fleet.not_stored(&unknown);
                    unstored = Some(unknown.message().to_owned());
                }
                Err(_) => {}
            }
            let tick = match (crew.rollout.is_waiting(), crew.rollout.failed_first()) {
                (false, _) => TEND,
                (true, None) => WAVE_LOOK,
                (true, Some(_)) => FAILED_LOOK,
            };
            let wake = (Instant::now() + tick).min(next_read);
            let wake = posts.due().map_or(wake, |due| due.min(wake));
            tokio::select! {
                attempt = posts.ended() => {
                    if posts.take(attempt, &mut crew).await {
                        next_read = Instant::now();
                    }
                }
                _ = hints.next() => next_read = Instant::now(),
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn read_registry(&self) -> Result<Vec<Cluster>, Unknown> {
        let late = |_| Unknown::because(format!("no answer within {} s", REGISTRY_MAX.as_secs()));
        timeout(REGISTRY_MAX, self.clusters()).await.map_err(late)?
    }
}

/// Lets go of all drivers when `run` ends or is dropped.
struct ForgetAll<'a>(&'a Inner);

impl Drop for ForgetAll<'_> {
    fn drop(&mut self) {
        self.0.forget_all_but(&BTreeSet::new());
    }
}

impl Inner {
    pub(super) fn keep(&self, member: &Member) {
        self.with_kept(|kept| drop(kept.insert(member.cluster.name.clone(), member.kept())));
    }

    pub(super) fn forget(&self, name: &str) {
        self.with_kept(|kept| drop(kept.remove(name)));
    }

    pub(super) fn forget_all_but(&self, names: &BTreeSet<String>) {
        self.with_kept(|kept| kept.retain(|name, _| names.contains(name)));
    }

    fn with_kept(&self, change: impl FnOnce(&mut BTreeMap<String, super::Kept>)) {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something about the fleet as a whole.
    pub(super) fn say(&self, code: &'static str, message: String) {
        let reason = Reason::new(code, message);
        self.observer
            .note(&Cluster::new(FLEET_ITSELF), &Note::Remark { reason });
    }
}
