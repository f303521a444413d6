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
    base::{Base, PROBE, rename},
    case::{Class, Draft, Start},
    live::{Live, Lives},
    random::{Random, hash},
    server::{Answer, Server},
    site::Site,
};

/// Questions under way at a time.
const LANES: usize = 24;
/// Different objects for a base, where a class makes several.
const SALTS: u64 = 2;
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
    pub(super) fn new(server: &'a Server, bases: &'a [Base], seed: u64) -> Self {
        Self {
            server,
            bases,
            seed,
            lives: Lives::default(),
            valid: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// So many cases of a class, by number.
    pub(super) async fn ask(&self, class: &dyn Class, cases: usize, mut tell: impl FnMut(Asked)) {
        let pool = self.pool(class);
        if pool.is_empty() {
            return;
        }
        let limit = u64::try_from(cases).unwrap_or(u64::MAX).saturating_mul(TRIES);
        let numbers = stream::iter(0..limit);
        let all = numbers
            .map(|number| self.one(class, &pool, number))
            .buffered(LANES);
        let mut all = std::pin::pin!(all.filter_map(|asked| async { asked }).take(cases));
        while let Some(asked) = all.next().await {
            tell(asked);
        }
    }

    fn pool(&self, class: &dyn Class) -> Pool<'_> {
        let mut by_kind: BTreeMap<&str, BTreeMap<&str, Vec<(&Base, &Site)>>> = BTreeMap::new();
        for base in self.bases {
            for site in base.sites.iter().filter(|site| class.wants(base, site)) {
                let paths = by_kind.entry(&base.kind).or_default();
                paths.entry(&site.path).or_default().push((base, site));
            }
        }
        let mut random = Random::of(self.seed, class.name(), u64::MAX);
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

    async fn one(&self, class: &dyn Class, pool: &Pool<'_>, number: u64) -> Option<Asked> {
        let mut random = Random::of(self.seed, class.name(), number);
        let turn = usize::try_from(number).unwrap_or(0);
        let (_, paths) = &pool[turn % pool.len()];
        let (_, sites) = &paths[turn / pool.len() % paths.len()];
        let (base, site) = *random.pick(sites)?;
        let salt = random.next() % SALTS;
        let live = match class.start(base, site, salt)? {
            Start::Absent => None,
            Start::Made(recipe) => {
                let live = self.lives.get(self.server, base, &recipe).await;
                if live.is_none() {
                    self.counts.not_made.fetch_add(1, Ordering::Relaxed);
                }
                Some(live?)
            }
        };
        let Some(draft) = class.draft(base, site, live.as_deref(), &mut random) else {
            self.counts.no_draft.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        if draft.is_whole && !self.is_valid(&draft).await {
            self.counts.not_valid.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let (live, desired, answer) = self.answer(&draft, live).await?;
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

    async fn answer(&self, draft: &Draft, live: Option<Arc<Live>>) -> Option<(Option<Value>, Value, Answer)> {
        let mut desired = draft.desired.clone();
        let Some(live) = live else {
            rename(&mut desired, &format!("{PROBE}-2"));
            let answer = self.server.ask(&desired, &draft.manager, draft.force).await;
            return Some((None, desired, answer));
        };
        rename(&mut desired, &live.name);
        let mut object = live.object.clone();
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
