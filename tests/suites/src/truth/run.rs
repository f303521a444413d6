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
    compare::{Difference, values},
    live::{Live, Lives, put_at, with_patch},
    record::Asked,
    server::{Answer, Server},
    site::Site,
    way::Way,
};
use crate::random::{Random, hash};

/// Questions under way at a time.
const LANES: usize = 24;
/// Numbers that ask about the same object.
const IN_A_ROW: u64 = 2;
/// Numbers that are tried for a case.
const TRIES: u64 = 12;
/// Looks at an object that the server itself writes to.
const LOOKS: usize = 5;

/// What is asked about, and the server.
pub(super) struct Lab<'a> {
    pub(super) server: &'a Server,
    pub(super) bases: &'a [Base],
    pub(super) seed: u64,
    pub(super) lives: Lives,
    known: Mutex<BTreeMap<(&'static str, u64, u64), Known>>,
    valid: Mutex<BTreeMap<u64, bool>>,
    pub(super) counts: Counts,
}

/// The object to ask about, if there is to be one: the outer `None` when it cannot be made.
type Known = Option<Option<Arc<Live>>>;

/// Why there is no case of some numbers.
#[derive(Default, Debug)]
pub(super) struct Counts {
    pub(super) not_made: AtomicUsize,
    pub(super) no_draft: AtomicUsize,
    pub(super) not_valid: AtomicUsize,
    pub(super) moved: AtomicUsize,
}

impl<'a> Lab<'a> {
    pub(super) fn new(server: &'a Server, bases: &'a [Base], seed: u64, lives: Lives) -> Self {
        Self {
            server,
            bases,
            seed,
            lives,
            known: Mutex::default(),
            valid: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// So many cases of a class, by number, or one number alone. False if it has nothing to ask about.
    pub(super) async fn ask(
        &self,
        class: &dyn Class,
        cases: usize,
        only: Option<u64>,
        mut tell: impl FnMut(Asked),
    ) -> bool {
        let pools = Pools::new(self, class);
        if pools.open.kinds.is_empty() {
            return false;
        }
        let limit = u64::try_from(cases).unwrap_or(u64::MAX).saturating_mul(TRIES);
        let numbers = stream::iter(only.map_or(0..limit, |number| number..number + 1));
        let all = numbers
            .map(|number| self.one(class, &pools, number))
            .buffered(LANES);
        let mut all = std::pin::pin!(all.filter_map(|asked| async { asked }).take(cases));
        while let Some(asked) = all.next().await {
            tell(asked);
        }
        true
    }

    /// Makes every object of a class that it would make for these.
    pub(super) async fn make_all(&self, class: &dyn Class, bases: &[Base]) {
        for base in bases {
            for salt in 0..class.salts() {
                self.live(class, base, salt).await;
            }
        }
    }

    async fn one(&self, class: &dyn Class, pools: &Pools<'_>, number: u64) -> Option<Asked> {
        let mut random = Random::of(self.seed, class.name(), number);
        let (base, site, salt) = pools.pick(class, number, &mut random)?;
        let live = self.live(class, base, salt).await?;
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
            class: class.name().to_owned(),
            number,
            seed: self.seed,
            kubernetes: self.server.kubernetes.clone(),
            edited: told(base, &draft, live.as_ref(), &desired),
            way: draft.form.way,
            subresource: draft.form.subresource.unwrap_or_default().to_owned(),
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

    async fn live(&self, class: &dyn Class, base: &Base, salt: u64) -> Known {
        let key = (class.name(), base.id, salt);
        if let Some(known) = self.known.lock().expect("not poisoned").get(&key) {
            return known.clone();
        }
        let live = match class.start(base, salt) {
            Start::Absent => Some(None),
            Start::Made(recipe) => {
                let live = self
                    .lives
                    .get(self.server, base, class.namespace(), &recipe)
                    .await;
                if live.is_none() {
                    self.counts.not_made.fetch_add(1, Ordering::Relaxed);
                }
                live.map(Some)
            }
        };
        self.known.lock().expect("not poisoned").insert(key, live.clone());
        live
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
        let form = &draft.form;
        let write = form.way.write(&draft.manager, draft.force, form.subresource);
        let Some(live) = live else {
            put_at(&mut desired, &format!("{PROBE}-2"), namespace);
            let answer = self.server.write(&desired, &write, true).await;
            return Some((None, desired, answer));
        };
        put_at(&mut desired, &live.name, namespace);
        let mut object = live.object.clone();
        // The object as who asks about it sees it.
        if object["apiVersion"] != desired["apiVersion"] {
            object = self.server.get(&desired).await?;
        }
        for _ in 0..LOOKS {
            let body = form.body(&object, &desired, &draft.changes);
            let sent = match form.way {
                Way::JsonPatch | Way::MergePatch => with_patch(&object, &body),
                Way::Apply | Way::Create | Way::Update => body.clone(),
            };
            let answer = self.server.write(&sent, &write, true).await;
            let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
            let then = match &answer {
                Answer::Object { object, .. } => version(object),
                _ => version(&self.server.get(&object).await?),
            };
            if then == version(&object) {
                return Some((Some(object), body, answer));
            }
            self.counts.moved.fetch_add(1, Ordering::Relaxed);
            object = self.server.get(&object).await?;
        }
        None
    }
}

/// What is asked with, in short.
fn told(base: &Base, draft: &Draft, live: Option<&Value>, sent: &Value) -> Vec<String> {
    match (draft.form.way, live) {
        (Way::Update, Some(live)) => edited(live, sent),
        (Way::JsonPatch | Way::MergePatch, _) => vec![sent.to_string()],
        _ => edited(&base.document, &draft.desired),
    }
}

/// What is asked with: where the definition is not the one that an object was made from.
fn edited(first: &Value, then: &Value) -> Vec<String> {
    let mut found = Vec::new();
    values("", first, then, &mut found);
    let or_nothing = |text: String| {
        if text.is_empty() {
            "nothing".to_owned()
        } else {
            text
        }
    };
    let line = |edit: Difference| {
        format!(
            "{}: {} in place of {}",
            edit.place,
            or_nothing(edit.server),
            or_nothing(edit.predicted)
        )
    };
    found.into_iter().map(line).collect()
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
            open: Pool::new(lab, class, false),
            frozen: Pool::new(lab, class, true),
        }
    }

    /// The place a number asks about, and the salt of its object.
    fn pick(&self, class: &dyn Class, number: u64, random: &mut Random) -> Option<(&'a Base, &'a Site, u64)> {
        let every = class.frozen_once_in();
        if number % every == every - 1 && !self.frozen.kinds.is_empty() {
            return self.frozen.pick(class, number / every, random);
        }
        self.open.pick(class, number, random)
    }
}

/// A base, and its places by path.
type Wanted<'a> = (&'a Base, Vec<Vec<&'a Site>>);

/// Places by kind, base and path.
struct Pool<'a> {
    seed: u64,
    kinds: Vec<Vec<Wanted<'a>>>,
}

impl<'a> Pool<'a> {
    fn new(lab: &Lab<'a>, class: &dyn Class, frozen: bool) -> Self {
        let mut random = Random::of(lab.seed, class.name(), u64::MAX);
        let mut by_kind: BTreeMap<&str, Vec<Wanted<'_>>> = BTreeMap::new();
        for base in lab.bases {
            let there = base.sites.iter().filter(|site| class.wants(base, site));
            let absent = base.absent.iter().filter(|site| class.wants_absent(base, site));
            let mut by_path: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
            for site in there.chain(absent).filter(|site| base.is_frozen(site) == frozen) {
                by_path.entry(&site.path).or_default().push(site);
            }
            if !by_path.is_empty() {
                let mut paths: Vec<_> = by_path.into_values().collect();
                random.shuffle(&mut paths);
                by_kind.entry(&base.kind).or_default().push((base, paths));
            }
        }
        let mut kinds: Vec<_> = by_kind.into_values().collect();
        for bases in &mut kinds {
            random.shuffle(bases);
        }
        random.shuffle(&mut kinds);
        Self {
            seed: lab.seed,
            kinds,
        }
    }

    /// A few numbers in a row ask about one object. Kinds take turns, and so do the bases of a kind and the paths of a
    /// base.
    fn pick(&self, class: &dyn Class, number: u64, random: &mut Random) -> Option<(&'a Base, &'a Site, u64)> {
        let (row, at) = (number / IN_A_ROW, number % IN_A_ROW);
        let salt = Random::of(self.seed, class.name(), !row).next() % class.salts();
        let (row, at) = (usize::try_from(row).ok()?, usize::try_from(at).ok()?);
        let bases = &self.kinds[row % self.kinds.len()];
        let turn = row / self.kinds.len();
        let (base, paths) = &bases[turn % bases.len()];
        let visit = turn / bases.len();
        let in_a_row = usize::try_from(IN_A_ROW).ok()?;
        let sites = &paths[(visit * in_a_row + at) % paths.len()];
        Some((base, random.pick(sites)?, salt))
    }
}
