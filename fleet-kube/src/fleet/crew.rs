//! The connected clusters of a fleet, and what the rollout wants done with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fleet_core::{Action, Approval, Cluster, ClusterId, EngineOptions, Note, Plan, Posture, Reason, Unknown};
use futures_util::future::join_all;
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout},
};

use super::{
    Inner,
    member::Member,
    rollout::{Act, Offer, Presence, Rollout, Standing},
    settings::changed_settings,
};
use crate::{connection::Connection, driver::Progress};

/// Longest wait for the source to answer for one cluster. Later it is unknown.
const READ_MAX: Duration = Duration::from_secs(60);
/// Longest wait for a driver to say how it stands.
const STATUS_MAX: Duration = Duration::from_secs(5);
/// Between two questions to a first cluster whose progress did not change: telling how it stands costs it time.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// Clusters looked at at once.
const LOOKS_AT_ONCE: usize = 16;

/// Members, and the rollout over them.
pub(super) struct Crew {
    fleet: Arc<Inner>,
    pub(super) rollout: Rollout,
    members: BTreeMap<String, Member>,
    /// Which cluster each name had last.
    ids: BTreeMap<String, ClusterId>,
    /// What every new driver is told to be confirmed.
    tokens: Vec<String>,
    looks: JoinSet<(String, Offer, Option<usize>)>,
    looking: BTreeMap<String, AbortHandle>,
    few: Arc<Semaphore>,
    asked: Option<Asked>,
}

/// When the first cluster was asked how it stands.
struct Asked {
    name: String,
    progress: Progress,
    at: Instant,
    wait: Duration,
}

impl Crew {
    pub(super) fn new(fleet: Arc<Inner>, tokens: &[String]) -> Self {
        let rollout = Rollout::new(fleet.wave.clone());
        Self {
            fleet,
            rollout,
            members: BTreeMap::new(),
            ids: BTreeMap::new(),
            tokens: tokens.to_vec(),
            looks: JoinSet::new(),
            looking: BTreeMap::new(),
            few: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
            asked: None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// A cluster is connected, or connected anew: its driver is started, and given what it was given last.
    pub(super) async fn add(&mut self, cluster: Cluster, connection: Connection, options: EngineOptions) {
        let name = cluster.name.clone();
        // Two drivers of one target would take each other for strangers.
        self.members.remove(&name);
        self.fleet.forget(&name);
        let before = self.ids.insert(name.clone(), connection.cluster().clone());
        let same = before.is_none_or(|id| id == *connection.cluster());
        let again = self.rollout.again(&name, same);
        let options = again.as_ref().map_or(options, |offer| offer.options.clone());
        self.start(&cluster, connection, options).await;
        let now = self.fleet.clock.now();
        self.rollout.present(&name, Presence::Here { contact: true }, now);
        if let (Some(offer), Some(member)) = (again, self.members.get(&name)) {
            member.driver.inventory(Ok(offer.known)).await;
        }
    }

    async fn start(&mut self, cluster: &Cluster, connection: Connection, options: EngineOptions) {
        let member = Member::start(&self.fleet, cluster, connection, writing(cluster, options));
        for token in &self.tokens {
            member.driver.confirm(token.clone()).await;
        }
        self.fleet.keep(&member);
        self.members.insert(cluster.name.clone(), member);
    }

    /// What the registry forbids since counts for the driver that runs, whether or not another connection comes about.
    pub(super) async fn tighten(&mut self, said: &Cluster) {
        if let Some(member) = self.members.get_mut(&said.name) {
            member.tighten(said).await;
        }
    }

    /// Lets go of clusters that left the registry; they keep what they have.
    pub(super) fn retain(&mut self, names: &BTreeSet<String>) {
        self.members.retain(|name, _| names.contains(name));
        self.ids.retain(|name, _| names.contains(name));
        self.rollout.retain(names);
        self.fleet.forget_all_but(names);
    }

    /// Takes out members whose driver has ended.
    pub(super) fn take_stopped(&mut self) -> Vec<Cluster> {
        let stopped = self.members.values().filter(|member| member.has_stopped());
        let clusters: Vec<Cluster> = stopped.map(|member| member.cluster.clone()).collect();
        for cluster in &clusters {
            self.members.remove(&cluster.name);
            self.fleet.forget(&cluster.name);
            let now = self.fleet.clock.now();
            self.rollout.present(&cluster.name, Presence::Away, now);
        }
        clusters
    }

    /// Reads the inventory for every member.
    pub(super) async fn read(&mut self) {
        let fleet = self.fleet.clone();
        let answers = join_all(self.members.values().map(|m| read_offer(&fleet, &m.cluster))).await;
        let names: Vec<String> = self.members.keys().cloned().collect();
        self.look_around();
        let acts = self
            .rollout
            .take(names.into_iter().zip(answers), fleet.clock.now());
        self.carry_out(acts).await;
    }

    /// Looks how the first cluster does, and at what else moved.
    pub(super) async fn watch(&mut self) {
        self.look_around();
        let standing = self.ask_first().await;
        let now = self.fleet.clock.now();
        let mut acts = self.rollout.step(standing.as_ref(), now);
        while let Some(done) = self.looks.try_join_next() {
            if let Ok((name, offer, changes)) = done {
                self.looking.remove(&name);
                acts.extend(self.rollout.looked(&name, &offer, changes, now));
            }
        }
        self.carry_out(acts).await;
    }

    /// Has what waits for a hold to end planned, for a command that does not wait for that.
    pub(super) async fn plan_held(&mut self) {
        self.look_around();
        let acts = self.rollout.plan_held();
        self.carry_out(acts).await;
    }

    fn look_around(&mut self) {
        let now = self.fleet.clock.now();
        for (name, member) in &self.members {
            let contact = member.connection.contact().is_good();
            self.rollout.present(name, Presence::Here { contact }, now);
            let on_hold = member.driver.progress().on_hold;
            self.rollout.hold(name, on_hold, now);
        }
    }

    /// How the first cluster stands: asked when its progress changed, and else ever less often.
    async fn ask_first(&mut self) -> Option<Standing> {
        let name = self.rollout.first()?;
        let member = self.members.get(name)?;
        let progress = member.driver.progress();
        if !progress.settled && progress.stuck.is_none() {
            return None;
        }
        let before = self
            .asked
            .take()
            .filter(|asked| asked.name == name && asked.progress == progress);
        let wait = before.as_ref().map_or(ASK_AGAIN.0, |asked| asked.wait);
        if let Some(asked) = before.filter(|asked| asked.at.elapsed() < wait) {
            self.asked = Some(asked);
            return None;
        }
        self.asked = Some(Asked {
            name: name.to_owned(),
            progress,
            at: Instant::now(),
            wait: (wait * 2).min(ASK_AGAIN.1),
        });
        // No answer is no news.
        let status = timeout(STATUS_MAX, member.driver.status()).await.ok().flatten()?;
        let mut standing = Standing::from(&status);
        if standing.stuck.is_some() && timeout(STATUS_MAX, member.is_searching()).await.unwrap_or(true) {
            standing.stuck = None;
        }
        Some(standing)
    }

    async fn carry_out(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Give { to, offer } => self.give(&to, offer).await,
                Act::Tell { to, unknown } => {
                    if let Some(member) = self.members.get(&to) {
                        member.driver.inventory(Err(unknown)).await;
                    }
                }
                Act::Look { at, offer } => self.look(at, offer),
                Act::Say { about, reason } => {
                    let cluster = self.members.get(&about).map(|m| m.cluster.clone());
                    let cluster = cluster.unwrap_or_else(|| Cluster::new(about));
                    self.fleet.observer.note(&cluster, &Note::Remark { reason });
                }
            }
        }
    }

    async fn give(&mut self, to: &str, offer: Offer) {
        if let Some(task) = self.looking.remove(to) {
            task.abort();
        }
        if self.asked.as_ref().is_some_and(|asked| asked.name == to) {
            self.asked = None;
        }
        let Some(member) = self.members.get(to) else {
            return;
        };
        let changed = changed_settings(&member.options, &writing(&member.cluster, offer.options.clone()));
        if !changed.is_empty() {
            let (cluster, connection) = (member.cluster.clone(), member.connection.clone());
            let tightened = member.tightened.clone();
            let message = format!(
                "settings changed ({}): this cluster is kept by the new ones from now on",
                changed.join(", ")
            );
            let reason = Reason::new("settings-changed", message);
            self.fleet.observer.note(&cluster, &Note::Remark { reason });
            // An engine's options are for its life; the ledger makes it safe to start another.
            self.members.remove(to);
            self.fleet.forget(to);
            self.start(&cluster, connection, offer.options).await;
            if let (Some(reason), Some(member)) = (tightened, self.members.get_mut(to)) {
                member.hold(reason).await;
            }
        }
        if let Some(member) = self.members.get(to) {
            member.driver.inventory(Ok(offer.known)).await;
        }
    }

    /// Plans the offer with an engine that may not write, beside the one that may.
    fn look(&mut self, at: String, offer: Offer) {
        let Some(member) = self.members.get(&at) else {
            return;
        };
        let (fleet, few) = (self.fleet.clone(), self.few.clone());
        let (cluster, connection) = (member.cluster.clone(), member.connection.clone());
        let name = at.clone();
        let task = self.looks.spawn(async move {
            let _one_of_few = few.acquire_owned().await;
            let changes = count_changes(&fleet, &cluster, connection, &offer).await;
            (name, offer, changes)
        });
        self.looking.insert(at, task);
    }
}

fn writing(cluster: &Cluster, mut options: EngineOptions) -> EngineOptions {
    options.approval = Approval::Auto;
    options.posture = Posture::of(cluster.life_cycle, options.clears);
    options
}

/// What the source wants for a cluster, and the settings it is to be kept by.
async fn read_offer(fleet: &Inner, cluster: &Cluster) -> Result<Offer, Unknown> {
    let options = (fleet.options)(cluster)?;
    let snapshot = timeout(READ_MAX, fleet.source.snapshot(cluster)).await;
    let late = |_| {
        Unknown::because(format!(
            "the inventory source did not answer within {} s",
            READ_MAX.as_secs()
        ))
    };
    let known = snapshot.map_err(late)??;
    Ok(Offer { known, options })
}

/// How much the offer would change in a cluster; none when that cannot be said.
async fn count_changes(
    fleet: &Inner,
    cluster: &Cluster,
    connection: Connection,
    offer: &Offer,
) -> Option<usize> {
    let mut options = writing(cluster, offer.options.clone());
    options.approval = Approval::Never;
    let looker = Member::start_unheard(fleet, cluster, connection, options);
    looker.driver.inventory(Ok(offer.known.clone())).await;
    looker.driver.settled(fleet.settle_max).await.ok()?;
    let status = looker.driver.status().await?;
    let plan: Plan = looker.driver.plan().await?;
    if status.revision.as_ref() != Some(offer.revision()) || plan.unknown.is_some() {
        return None;
    }
    let blocked = plan.count(Action::Blocked);
    // What waits for something is not planned yet.
    Some(plan.changes.len() - blocked + status.waiting.len())
}
