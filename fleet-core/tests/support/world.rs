//! What is around an engine, and the loop that carries out its commands.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use fleet_core::*;
use serde_json::{Value, json};

use super::server::standard_kinds;

/// A request that reached the cluster.
#[derive(Clone, Debug)]
pub struct Sent {
    pub request: Request,
    pub reason: Reason,
    pub code: u16,
}

/// Called before each request: may change the cluster, or say how the answer is lost.
pub type Interfere = Box<dyn FnMut(&mut World, &Request) -> Option<Answer>>;

/// Called before each record: may change the ledger, or say how it fails.
pub type InterfereLedger = Box<dyn FnMut(&mut World, &[LedgerWrite]) -> Option<Fault>>;

/// What is said to a reservation of deletes.
#[derive(Clone, Debug)]
pub enum Grants {
    Given,
    Refused(Reason),
    /// Nobody answers.
    Silent,
    /// Good for this long.
    For(Millis),
}

/// When a process dies: at the write of this number (from 0), ledger writes counted.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub at: usize,
    pub moment: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it is carried out.
    Before,
    /// After it is carried out, before the answer.
    After,
}

/// The cluster does not answer.
pub fn lost() -> Fault {
    Fault::new(Remedy::Unreachable, "no answer")
}

pub struct World {
    pub engine: Engine,
    pub now: Tick,
    pub kinds: KindMap,
    pub objects: BTreeMap<ObjectKey, Value>,
    pub ledger: Option<LedgerContent>,
    pub sent: Vec<Sent>,
    pub notes: Vec<Note>,
    pub records: usize,
    pub lost: Option<Reason>,
    pub grants: Grants,
    pub reserved: Vec<(u32, bool)>,
    /// New CRDs become established.
    pub establish: bool,
    /// Two groups under which the same objects are served: any, and the one they are stored under.
    pub alias: Option<(GroupKind, GroupKind)>,
    pub unlistable: BTreeSet<GroupKind>,
    /// Kinds of established CRDs that discovery does not show.
    pub undiscovered: BTreeSet<GroupKind>,
    /// Watches begin and never show anything.
    pub mute: bool,
    /// How often it cannot be found out whether a kind is gone.
    pub gone_fails: u32,
    /// Discovery is asked for and does not answer.
    pub hold_kinds: bool,
    pub interfere: Option<Interfere>,
    pub interfere_ledger: Option<InterfereLedger>,
    pub kill: Option<Kill>,
    pub killed: bool,
    /// Writes so far, ledger writes counted.
    pub steps: usize,
    /// Watches show nothing while this is set.
    pub deaf: bool,
    /// Everything the engine said, word for word.
    pub log: Vec<String>,
    /// Most requests about objects that were under way at once.
    pub most_under_way: usize,
    /// An engine that never rests ends the run instead of the test.
    pub tolerant: bool,
    pub exhausted: bool,
    /// Draws the order in which answers and watch events arrive.
    pub shuffle: Option<u64>,
    pub watched: BTreeSet<Gvk>,
    pub(super) events: VecDeque<Event>,
    wake: Option<Tick>,
    pub(super) counter: u64,
}

pub fn object(value: Value) -> Object {
    Object::from_json(value).unwrap()
}

fn target() -> Target {
    Target::new("cluster-1".into(), InventoryId::new("fleet").unwrap())
}

impl World {
    pub fn new(options: EngineOptions) -> Self {
        Self {
            engine: Engine::new(target(), Parts::default(), options),
            now: Tick(1_000_000),
            kinds: standard_kinds(),
            objects: BTreeMap::new(),
            ledger: Some(LedgerContent::default()),
            sent: Vec::new(),
            notes: Vec::new(),
            records: 0,
            lost: None,
            grants: Grants::Given,
            reserved: Vec::new(),
            establish: true,
            alias: None,
            unlistable: BTreeSet::new(),
            undiscovered: BTreeSet::new(),
            mute: false,
            gone_fails: 0,
            hold_kinds: false,
            interfere: None,
            interfere_ledger: None,
            kill: None,
            killed: false,
            steps: 0,
            deaf: false,
            log: Vec::new(),
            most_under_way: 0,
            tolerant: false,
            exhausted: false,
            shuffle: None,
            watched: BTreeSet::new(),
            events: VecDeque::new(),
            wake: None,
            counter: 100,
        }
    }

    /// A new process on the same cluster and ledger.
    pub fn restart(&mut self, options: EngineOptions) {
        self.restart_with(Parts::default(), options);
    }

    pub fn restart_with(&mut self, parts: Parts, options: EngineOptions) {
        self.engine = Engine::new(target(), parts, options);
        self.events.clear();
        self.watched.clear();
        self.wake = None;
        self.killed = false;
        self.kill = None;
        self.now = self.now + Millis::from_secs(1);
    }

    /// Tells the engine that this is what should be, and lets it work.
    pub fn publish(&mut self, revision: &str, objects: impl IntoIterator<Item = Value>) {
        let objects: Vec<Object> = objects.into_iter().map(object).collect();
        let snapshot = match Inventory::new(revision, objects) {
            Ok(inventory) => inventory.snapshot(),
            Err(_) => Ok(Known::Empty(revision.into())),
        };
        self.events.push_back(Event::Inventory(snapshot));
        self.run();
    }

    pub fn unknown(&mut self, why: &str) {
        self.events
            .push_back(Event::Inventory(Err(Unknown::because(why))));
        self.run();
    }

    pub fn queue(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// True when the process dies now. Counts one write.
    fn dies(&mut self, moment: Moment) -> bool {
        let now = self
            .kill
            .is_some_and(|kill| kill.at == self.steps && kill.moment == moment);
        self.killed |= now;
        now
    }

    pub fn push(&mut self, event: Event) {
        self.events.push_back(event);
        self.run();
    }

    /// Carries out commands until nothing is left but waiting.
    pub fn run(&mut self) {
        if self.engine.status().revision.is_none() && self.events.is_empty() {
            self.events.push_back(Event::Time);
        }
        let most = if self.tolerant { 2_000 } else { 100_000 };
        for _ in 0..most {
            let Some(event) = self.next_event() else {
                return;
            };
            self.log.push(format!("{event:?}"));
            let mut commands = Vec::new();
            self.engine.step(event, self.now, &mut commands);
            for command in commands {
                if self.killed {
                    return;
                }
                self.log.push(format!("{command:?}"));
                self.carry_out(command);
            }
            let answers = self.events.iter().filter(|e| matches!(e, Event::Answered(..)));
            self.most_under_way = self.most_under_way.max(answers.count());
        }
        assert!(self.tolerant, "the engine does not come to rest");
        self.exhausted = true;
        self.events.clear();
    }

    /// The next event: in order, or with `shuffle` any answer, or the first of the watches.
    fn next_event(&mut self) -> Option<Event> {
        let Some(seed) = &mut self.shuffle else {
            return self.events.pop_front();
        };
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let draw = usize::try_from(*seed >> 33).unwrap();
        let is_watch = |e: &Event| {
            matches!(
                e,
                Event::WatchReset(_) | Event::Seen(_) | Event::Left { .. } | Event::WatchSynced(_)
            )
        };
        let watch = self.events.iter().position(is_watch);
        let answers: Vec<usize> = (0..self.events.len())
            .filter(|i| !is_watch(&self.events[*i]))
            .collect();
        let index = match (watch, answers.is_empty()) {
            (Some(first), true) => first,
            (Some(first), false) if draw % 2 == 0 => first,
            (None, true) => return None,
            _ => answers[(draw / 2) % answers.len()],
        };
        self.events.remove(index)
    }

    /// Lets time pass, alarm by alarm.
    pub fn pass(&mut self, span: Millis) {
        let end = self.now + span;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            self.wake = None;
            self.now = self.now.max(at);
            self.events.push_back(Event::Time);
            self.run();
        }
        self.now = end;
    }

    fn carry_out(&mut self, command: Command) {
        let event = match command {
            Command::Send {
                call,
                request,
                reason,
            } => Event::Answered(call, self.send(&request, reason)),
            Command::LoadLedger => Event::Ledger(Ok(match (&self.lost, &self.ledger) {
                (Some(reason), _) => LedgerAnswer::Lost(reason.clone()),
                (None, Some(content)) => LedgerAnswer::Known(content.clone()),
                (None, None) => LedgerAnswer::Absent,
            })),
            Command::Record { call, writes } => {
                self.records += 1;
                if self.dies(Moment::Before) {
                    return;
                }
                let mut fault = None;
                if let Some(mut interfere) = self.interfere_ledger.take() {
                    fault = interfere(self, &writes);
                    self.interfere_ledger.get_or_insert(interfere);
                }
                if fault.is_none() {
                    if writes.contains(&LedgerWrite::Clear) {
                        self.lost = None;
                    }
                    assert!(self.lost.is_none(), "nothing is recorded in a lost ledger");
                    let ledger = self.ledger.get_or_insert_default();
                    writes.iter().for_each(|w| ledger.apply(w));
                }
                self.dies(Moment::After);
                self.steps += 1;
                Event::Recorded(call, fault.map_or(Ok(()), Err))
            }
            Command::Discover if self.hold_kinds => return,
            Command::Discover => Event::Kinds(self.discovery()),
            // The server of these tests is asked: it is simpler than a real one, and a judge that knows real ones would be wrong.
            Command::LearnTypes(_) => Event::Types(ClusterTypes::default()),
            Command::List { call, gvk } => {
                if self.unlistable.contains(gvk.group_kind()) {
                    Event::Listed(call, Err(Fault::new(Remedy::Retry, "not now")))
                } else {
                    Event::Listed(call, Ok(self.metas_of(gvk.group_kind())))
                }
            }
            Command::Sweep { call } => Event::Swept(
                call,
                Ok(self
                    .metas(|_| true)
                    .into_iter()
                    .filter(|m| m.owner_label.is_some())
                    .collect()),
            ),
            Command::Survey { call, container } => {
                let metas = match container {
                    Container::Namespace(ns) => self.metas(|key| key.namespace() == Some(&*ns)),
                    Container::Kind(kind) => self.metas(|key| *key.group_kind() == kind),
                    _ => unreachable!(),
                };
                Event::Surveyed(call, Ok(metas))
            }
            Command::ConfirmKindGone { call, .. } if self.gone_fails > 0 => {
                self.gone_fails -= 1;
                Event::KindGone(call, Err(Fault::new(Remedy::Forbidden, "may not list CRDs")))
            }
            Command::ConfirmKindGone { call, kind } => Event::KindGone(
                call,
                Ok(self.discovery().get(&kind).is_none() && !self.kinds.incomplete.contains(kind.group())),
            ),
            Command::Watch(gvks) => {
                for gvk in gvks.difference(&self.watched.clone()) {
                    self.show_all(gvk);
                }
                self.watched = gvks;
                return;
            }
            Command::Reserve {
                call,
                count,
                confirmed,
                ..
            } => {
                self.reserved.push((count, confirmed));
                let result = match &self.grants {
                    Grants::Given => Ok(self.now + Millis::from_secs(60)),
                    Grants::Refused(reason) => Err(reason.clone()),
                    Grants::Silent => return,
                    Grants::For(span) => Ok(self.now + *span),
                };
                Event::Reserved(call, result)
            }
            Command::Report(note) => {
                self.notes.push(note);
                return;
            }
            Command::WakeAt(at) => {
                self.wake = Some(at);
                return;
            }
            _ => unreachable!("a command this world does not know"),
        };
        self.events.push_back(event);
    }

    fn send(&mut self, request: &Request, reason: Reason) -> Answer {
        if let Some(mut interfere) = self.interfere.take() {
            let answer = interfere(self, request);
            self.interfere.get_or_insert(interfere);
            if let Some(answer) = answer {
                return answer;
            }
        }
        if request.is_write() && self.dies(Moment::Before) {
            return Answer::NotSent(lost());
        }
        let answer = self.serve(request);
        let code = match &answer {
            Answer::Created(_) => 201,
            Answer::Absent => 404,
            Answer::Refused(fault) => fault.code.unwrap_or(400),
            _ => 200,
        };
        self.sent.push(Sent {
            request: request.clone(),
            reason,
            code,
        });
        if request.is_write() {
            self.dies(Moment::After);
            self.steps += 1;
        }
        answer
    }

    pub fn get(&self, key: &ObjectKey) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Requests about objects since the last call.
    pub fn requests(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    pub fn writes(&mut self) -> Vec<Sent> {
        self.requests()
            .into_iter()
            .filter(|s| s.request.is_write())
            .collect()
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.keys().map(ObjectKey::to_string).collect()
    }

    /// Codes of blocked, refused and held notes since the last call.
    pub fn codes(&mut self) -> Vec<Cow<'static, str>> {
        let notes = std::mem::take(&mut self.notes);
        let code = |note: &Note| match note {
            Note::Blocked { reason, .. }
            | Note::Refused { reason, .. }
            | Note::DeletesHeld { reason, .. } => Some(reason.code.clone()),
            Note::Remark { reason } | Note::InventoryUnknown { reason } | Note::Released { reason, .. } => {
                Some(reason.code.clone())
            }
            _ => None,
        };
        notes.iter().filter_map(code).collect()
    }
}
