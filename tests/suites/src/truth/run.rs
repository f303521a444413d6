//! Asks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    base::{Base, PROBE},
    case::{Ask, Class, Draft, Start},
    live::{Live, Lives, put_at},
    random::{Random, hash},
    server::{Answer, Server},
    site::Site,
};

/// Questions under way at a time.
const LANES: usize = 24;
/// Numbers that are tried for a case.
const TRIES: u64 = 12;
/// Looks at an object that the server itself writes to.
const LOOKS: usize = 5;

/// A question that was asked, and the answer.
pub(super) struct Asked {
    pub(super) class: &'static str,
    pub(super) number: u64,
    pub(super) kind: String,
    pub(super) set: String,
    pub(super) path: String,
    pub(super) live: Option<Value>,
    pub(super) desired: Value,
    pub(super) manager: String,
    pub(super) force: bool,
    pub(super) answer: Answer,
}

/// What is asked about, and the server.
pub(super) struct Lab<'a> {
    pub(super) server: &'a Server,
    pub(super) bases: &'a [Base],
    pub(super) seed: u64,
    pub(super) lives: Lives,
    pub(super) valid: Mutex<BTreeMap<u64, bool>>,
    pub(super) counts: Counts,
}

/// Why there is no case of some numbers.
#[derive(Default, Debug)]
pub(super) struct Counts {
    pub(super) not_made: AtomicUsize,
    pub(super) no_draft: AtomicUsize,
    pub(super) not_valid: AtomicUsize,
    pub(super) moved: AtomicUsize,
}

/// Places by kind, then by path: kinds and paths get their turn however often they are.
type Pool<'a> = Vec<(&'a str, Vec<(&'a str, Vec<(&'a Base, &'a Site)>)>)>;

impl<'a> Lab<'a> {
    pub(super) fn new(server: &'a Server, bases: &'a [Base], seed: u64, lives: Lives) -> Self {
        Self {
            server,
            bases,
            seed,
            lives,
            valid: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// So many cases of a class, by number.
    pub(super) async fn ask(&self, class: &dyn Class, cases: usize, mut tell: impl FnMut(Asked)) {
        let pools = Pools::new(self, class);
        if pools.open.is_empty() {
            return;
        }
        let limit = u64::try_from(cases).unwrap_or(u64::MAX).saturating_mul(TRIES);
        let numbers = stream::iter(0..limit);
        let all = numbers.map(|number| self.one(class, &pools, number)).buffered(LANES);
        let mut all = std::pin::pin!(all.filter_map(|asked| async { asked }).take(cases));
        while let Some(asked) = all.next().await {
            tell(asked);
        }
    }

    /// Makes every object of a class that it would make for these.
    pub(super) async fn make_all(&self, class: &dyn Class, bases: &[Base]) {
        for base in bases {
            let Some(site) = base.sites.iter().find(|site| class.wants(base, site)) else { continue };
            for salt in 0..class.salts() {
                if let Some(Start::Made(recipe)) = class.start(base, site, salt) {
                    self.lives.get(self.server, base, class.namespace(), &recipe).await;
                }
            }
        }
    }

    async fn one(&self, class: &dyn Class, pools: &Pools<'_>, number: u64) -> Option<Asked> {
        let mut random = Random::of(self.seed, class.name(), number);
        let (base, site) = pools.pick(class, number, &mut random)?;
        let salt = random.next() % class.salts();
        let live = match class.start(base, site, salt)? {
            Start::Absent => None,
            Start::Made(recipe) => {
                let live = self.lives.get(self.server, base, class.namespace(), &recipe).await;
                if live.is_none() {
                    self.counts.not_made.fetch_add(1, Ordering::Relaxed);
                }
                Some(live?)
            }
        };
        let mut ask = Ask {
            base,
            site,
            salt,
            live: live.as_deref(),
            random: &mut random,
        };
        let Some(draft) = class.draft(&mut ask) else {
            self.counts.no_draft.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        if !self.is_valid(&draft).await {
            self.counts.not_valid.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let (live, desired, answer) = self.answer(&draft, live, class.namespace()).await?;
        Some(Asked {
            class: class.name(),
            number,
            kind: base.kind.clone(),
            set: base.set.clone(),
            path: draft.path,
            live,
            desired,
            manager: draft.manager,
            force: draft.force,
            answer,
        })
    }

    /// Whether a server would create it.
    async fn is_valid(&self, draft: &Draft) -> bool {
        let key = hash(draft.desired.to_string().as_bytes());
        if let Some(known) = self.valid.lock().expect("not poisoned").get(&key) {
            return *known;
        }
        let answer = self.server.ask(&draft.desired, &draft.manager, true).await;
        let valid = matches!(answer, Answer::Object { .. });
        self.valid.lock().expect("not poisoned").insert(key, valid);
        valid
    }

    async fn answer(
        &self,
        draft: &Draft,
        live: Option<Arc<Live>>,
        namespace: &str,
    ) -> Option<(Option<Value>, Value, Answer)> {
        let mut desired = draft.desired.clone();
        let Some(live) = live else {
            put_at(&mut desired, &format!("{PROBE}-2"), namespace);
            let answer = self.server.ask(&desired, &draft.manager, draft.force).await;
            return Some((None, desired, answer));
        };
        put_at(&mut desired, &live.name, namespace);
        let mut object = live.object.clone();
        // The object as who asks about it sees it.
        if object["apiVersion"] != desired["apiVersion"] {
            object = self.server.get(&desired).await?;
        }
        for _ in 0..LOOKS {
            let answer = self.server.ask(&desired, &draft.manager, draft.force).await;
            let version = &object["metadata"]["resourceVersion"];
            let moved = matches!(&answer, Answer::Object { object, .. } if object["metadata"]["resourceVersion"] != *version);
            if !moved {
                return Some((Some(object), desired, answer));
            }
            self.counts.moved.fetch_add(1, Ordering::Relaxed);
            object = self.server.get(&object).await?;
        }
        None
    }
}

/// What a class asks about.
struct Pools<'a> {
    open: Pool<'a>,
    /// Fields that must not change.
    frozen: Pool<'a>,
}

impl<'a> Pools<'a> {
    fn new(lab: &Lab<'a>, class: &dyn Class) -> Self {
        Self {
            open: pool(lab, class, false),
            frozen: pool(lab, class, true),
        }
    }

    /// Kinds take turns, and so do the paths of a kind.
    fn pick(&self, class: &dyn Class, number: u64, random: &mut Random) -> Option<(&'a Base, &'a Site)> {
        let every = class.frozen_once_in();
        let is_frozen = number % every == every - 1 && !self.frozen.is_empty();
        let (pool, turn) = if is_frozen {
            (&self.frozen, number / every)
        } else {
            (&self.open, number)
        };
        let turn = usize::try_from(turn).unwrap_or(0);
        let (_, paths) = &pool[turn % pool.len()];
        let (_, sites) = &paths[turn / pool.len() % paths.len()];
        random.pick(sites).copied()
    }
}

fn pool<'a>(lab: &Lab<'a>, class: &dyn Class, frozen: bool) -> Pool<'a> {
    let mut by_kind: BTreeMap<&str, BTreeMap<&str, Vec<(&Base, &Site)>>> = BTreeMap::new();
    for base in lab.bases {
        let there = base.sites.iter().filter(|site| class.wants(base, site));
        let absent = base.absent.iter().filter(|site| class.wants_absent(base, site));
        for site in there.chain(absent).filter(|site| base.is_frozen(site) == frozen) {
            let paths = by_kind.entry(&base.kind).or_default();
            paths.entry(&site.path).or_default().push((base, site));
        }
    }
    let mut random = Random::of(lab.seed, class.name(), u64::MAX);
    let mut pool: Pool<'_> = by_kind
        .into_iter()
        .map(|(kind, paths)| {
            let mut paths: Vec<_> = paths.into_iter().collect();
            random.shuffle(&mut paths);
            (kind, paths)
        })
        .collect();
    random.shuffle(&mut pool);
    pool
}
