//! What the engine knows of one object.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_diff::{Digest, DigestBuilder, FieldPath, Gvk, Node, Object, ObjectKey, live_digest};

use super::{contest::Contested, drift::Spared, event::CallId, options::Adoption, types::Types};
use crate::{
    edge::{Exchange, Fault, Request},
    health::HealthState,
    ledger::Entry,
    marks::{MarkState, Marks},
    order::{Hope, Reached},
    plan::Change,
    strategy::{ApplyStrategy, Work},
    words::{Live, LiveMeta, Reason, ResourceVersion, Tick, Uid},
};

/// One object: listed, owned, or both.
#[derive(Default)]
pub(super) struct Slot {
    /// Its definition, if it is listed.
    pub(super) desired: Option<Desired>,
    /// Its last definition, if it was listed before.
    pub(super) former: Option<Object>,
    /// What the ledger holds, durably.
    pub(super) entry: Option<Entry>,
    /// What the cluster holds, as far as is known.
    pub(super) sight: Sight,
    /// The last judgement that nothing has to be done.
    pub(super) settled: Option<Settled>,
    /// The judge's requests about the present sight.
    pub(super) exchanges: Vec<Exchange>,
    /// What is under way.
    pub(super) stage: Stage,
    /// Why it is left alone for a while.
    pub(super) trouble: Option<Trouble>,
    /// Transient failures in a row.
    pub(super) failures: u32,
    /// Requests about it that the cluster did not answer since it was last as defined.
    pub(super) silences: u32,
    /// How many answers about objects there had been when the first of them was missing.
    pub(super) answers_at_silence: u64,
    /// Refusals in a row of the same definition.
    pub(super) refusals: u32,
    /// How often in a row it was blocked by something that nothing shows the end of.
    pub(super) looks: u32,
    /// What left its watch while a call was under way: the call's answer may be older than that.
    pub(super) left_watch: Option<Uid>,
    /// A CRD: until when it may take to be established.
    pub(super) establish_by: Option<Tick>,
    /// Repairs of its fields, by field and manager.
    pub(super) contest: BTreeMap<(FieldPath, String), Vec<Tick>>,
    /// Fields we stopped repairing.
    pub(super) contested: BTreeMap<FieldPath, Contested>,
    /// Fields that a drift policy leaves as somebody changed them.
    pub(super) spared: Option<Box<Spared>>,
    /// Fields that were contested before and are repaired again, and how often that was.
    pub(super) truces: BTreeMap<FieldPath, u32>,
    /// Fields and managers the update under way writes against.
    pub(super) repairing: BTreeSet<(FieldPath, String)>,
    /// What is wrong with its health, if anything.
    pub(super) health: Option<Box<HealthState>>,
    /// Since when it is not healthy.
    pub(super) ill_since: Option<Tick>,
    /// What was said of it to those that wait for it.
    pub(super) told: Option<(Reached, Hope)>,
    /// Since when it is as defined.
    pub(super) in_sync_since: Option<Tick>,
    /// Digest of the definition it was last in sync with.
    pub(super) last_in_sync: Option<Digest>,
    /// It may be deleted to be made again, until then.
    pub(super) granted: Option<Tick>,
    /// Its delete was granted and its intent recorded.
    pub(super) approved: bool,
    /// How it stands, for reports.
    pub(super) outcome: Outcome,
    /// True when nothing more will be done for it in this pass, and the rest goes on without it.
    pub(super) resting: bool,
    /// Epoch of the watch that showed it last.
    pub(super) epoch: u64,
}

/// A definition, ready to be compared.
#[derive(Clone)]
pub(super) struct Desired {
    /// As listed, its namespace set as the kind's scope wants it.
    pub(super) object: Object,
    /// What happens if it exists and is not ours.
    pub(super) adoption: Adoption,
    /// The inventory of the same platform that it may be taken over from.
    pub(super) take_from: Option<String>,
    /// How it is written.
    pub(super) strategy: Arc<dyn ApplyStrategy>,
    /// Why it cannot be written at all.
    pub(super) blocked: Option<Reason>,
    /// The CRD of this inventory that will define its kind, while the kind is not served.
    pub(super) awaits: Option<ObjectKey>,
}

/// The order of writes in a pass; deletes go in the opposite order, after all writes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Class {
    Namespaces,
    Definitions,
    Rest,
    Gates,
}

impl Class {
    pub(super) const ALL: [Self; 4] = [Self::Namespaces, Self::Definitions, Self::Rest, Self::Gates];

    pub(super) fn of(key: &ObjectKey) -> Self {
        match (key.group(), key.kind()) {
            ("", "Namespace") => Self::Namespaces,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Self::Definitions,
            (
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
            )
            | ("apiregistration.k8s.io", "APIService")
            // Until a new quota has been counted, it refuses everything.
            | ("", "ResourceQuota") => Self::Gates,
            _ => Self::Rest,
        }
    }
}

/// What the cluster holds under a key.
#[derive(Default)]
pub(super) enum Sight {
    /// Not known (any more).
    #[default]
    Unknown,
    /// Read to be absent.
    Absent,
    /// Listed with metadata only.
    Listed(LiveMeta),
    /// Seen whole.
    Present(Box<Seen>),
}

/// What is kept of an object that was seen whole.
pub(super) struct Seen {
    pub(super) uid: Uid,
    pub(super) version: ResourceVersion,
    /// Digest of what decides whether applying would change anything.
    pub(super) digest: Digest,
    pub(super) mark: MarkState,
    /// The inventory that its mark names, if that is another one.
    pub(super) inventory: Option<Box<str>>,
    /// It bears the owner label, so a watch shows it.
    pub(super) labelled: bool,
    /// Finalizers, if it is being deleted.
    pub(super) deleting: Option<Vec<String>>,
    /// A CRD whose kind can be used.
    pub(super) established: bool,
    /// A Job that has finished and goes by itself.
    pub(super) finished: bool,
    /// It asks to be let go instead of deleted.
    pub(super) orphan: bool,
    /// The whole object, until it was judged.
    pub(super) body: Option<Live>,
}

impl Seen {
    pub(super) fn new(live: Live, marks: &Marks) -> Self {
        let object = live.object();
        Self {
            uid: live.uid().clone(),
            version: live.version().clone(),
            digest: live_digest(object, marks.manager()),
            mark: marks.read(object),
            inventory: marks
                .named_by(object)
                .filter(|id| *id != marks.label_value())
                .map(Into::into),
            labelled: object.label(marks.label_key()) == Some(marks.label_value()),
            deleting: live.is_deleting().then(|| holders(&live)),
            established: has_condition(object, "Established"),
            finished: is_finished_with_ttl(object),
            orphan: object.annotation(marks.on_delete_key()) == Some("orphan"),
            body: Some(live),
        }
    }

    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        is_older(&self.version, &other.version)
    }
}

/// True when both versions are numbers and this one is smaller; servers count them over all objects of a kind.
pub(super) fn is_older(version: &ResourceVersion, than: &ResourceVersion) -> bool {
    let number = |version: &ResourceVersion| version.as_str().parse::<u64>();
    matches!((number(version), number(than)), (Ok(a), Ok(b)) if a < b)
}

/// Who must finish before a deleted object goes: its finalizers, and for a namespace those of its spec.
fn holders(live: &Live) -> Vec<String> {
    let mut holders = live.finalizers();
    let spec = live.object().root().at(&["spec", "finalizers"]);
    let texts = spec.into_iter().flat_map(Node::items).filter_map(Node::as_str);
    holders.extend(texts.map(str::to_owned));
    holders
}

fn has_condition(object: &Object, kind: &str) -> bool {
    let conditions = object.root().at(&["status", "conditions"]);
    conditions.into_iter().flat_map(Node::items).any(|condition| {
        let text = |field| condition.get(field).and_then(Node::as_str);
        text("type") == Some(kind) && text("status") == Some("True")
    })
}

fn is_finished_with_ttl(object: &Object) -> bool {
    object.key().is("batch", "Job")
        && object
            .root()
            .at(&["spec", "ttlSecondsAfterFinished"])
            .is_some_and(|ttl| !ttl.is_null())
        && (has_condition(object, "Complete") || has_condition(object, "Failed"))
}

/// A judgement that nothing has to be done, and what it was made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) document: Digest,
    pub(super) live: Digest,
    /// What the judge knew of its type.
    pub(super) types: Option<Digest>,
}

/// What is under way for an object.
#[derive(Default)]
pub(super) enum Stage {
    #[default]
    Idle,
    /// A look at it.
    Reading(CallId),
    /// A question of the judge's.
    Asking(CallId, Box<Request>),
    /// Waits for its ledger entry.
    Recording,
    /// The answer whether it may be deleted to be made again.
    Reserving(CallId),
    /// A write.
    Writing(Box<Writing>),
}

/// A write under way.
pub(super) struct Writing {
    pub(super) strategy: Arc<dyn ApplyStrategy>,
    pub(super) call: CallId,
    /// The request under way.
    pub(super) request: Request,
    pub(super) work: Work,
    pub(super) exchanges: Vec<Exchange>,
    /// The change it carries out.
    pub(super) change: Change,
    /// Digest of what was to be sent when it was decided.
    pub(super) document: Option<Digest>,
}

/// Why an object is left alone, and until when.
pub(super) struct Trouble {
    pub(super) until: Tick,
    /// Whether it is to be read again then.
    pub(super) look: bool,
}

impl Trouble {
    /// It is read again then.
    pub(super) fn look(until: Tick) -> Self {
        Self { until, look: true }
    }

    /// It is decided on again then, from what is known.
    pub(super) fn wait(until: Tick) -> Self {
        Self { until, look: false }
    }
}

/// How an object stands.
#[derive(Clone, Debug, Default)]
pub(super) enum Outcome {
    /// Not decided yet.
    #[default]
    Undecided,
    /// Something else must come first.
    Waiting { awaited: Awaited, reason: Reason },
    /// As its definition says.
    InSync,
    /// A Job that ran and was removed by its TTL.
    Finished,
    /// This would be done, or is being done.
    Planned(Box<Change>),
    /// Not done, on purpose.
    Blocked { recheck: Recheck, reason: Reason },
    /// The server said no.
    Refused(Fault),
    /// Deleted, and waiting for its finalizers.
    Deleting(Reason),
    /// Known, not listed, and let alone because the inventory is unknown.
    Kept,
}

/// What an object waits for. What brings it back then, and whether the pass goes on without it, is in
/// `Engine::stand`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Awaited {
    /// The listing of its kind.
    Listing,
    /// What the watch of its kind shows when it begins.
    Watch,
    /// The types of the cluster's objects.
    Types,
    /// Its kind, which a CRD of the inventory defines.
    Kind,
    /// The answer whether its kind is gone.
    KindGone,
    /// A CRD: being established, until then at the latest.
    Establishment { by: Tick },
    /// An established CRD: discovery that shows what it defines, until then at the latest.
    Discovery { by: Tick },
    /// The end of its own deletion, to be made again.
    OwnDeletion,
    /// The end of its namespace's deletion, to be made again.
    NamespaceDeletion,
    /// Other objects.
    Others,
    /// The next step of its being made again: the end of its deletion.
    Recreation,
    /// Its turn among the granted deletes.
    Turn,
    /// The next try of what the cluster could not answer.
    NextTry { at: Tick },
    /// A cluster that answers at all.
    Contact,
}

/// What ends a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Recheck {
    /// News: of the inventory, of discovery, of a listing, or of the object itself. They come by themselves.
    News,
    /// The deletes of its plan are weighed again: see `deletes::Held`.
    Held,
    /// Nothing shows its end (that of a foreign object, say): the object is looked at less and less often.
    NowAndThen,
}

impl Slot {
    /// Digest of what would be sent, without building it.
    pub(super) fn document_digest(&self) -> Option<Digest> {
        let desired = self.desired.as_ref()?;
        let start = DigestBuilder::new().digest(&desired.object.digest());
        Some(
            self.left_out()
                .fold(start, |b, path| b.text(&path.to_string()))
                .finish(),
        )
    }

    /// Fields that are not sent: contested ones, and what drift policies leave alone.
    fn left_out(&self) -> impl Iterator<Item = &FieldPath> {
        let spared = self.spared.iter().flat_map(|spared| spared.fields.keys());
        self.contested.keys().chain(spared)
    }

    /// What would be sent: definition and marks, without fields that are left out.
    pub(super) fn document(&self, marks: &Marks) -> Option<Object> {
        let marked = marks.mark(&self.desired.as_ref()?.object);
        marked.without(self.left_out()).ok().or(Some(marked))
    }

    /// The judgement that nothing has to be done, if it were made now.
    pub(super) fn settles(&self, types: &Types) -> Option<Settled> {
        Some(Settled {
            document: self.document_digest()?,
            live: self.seen()?.digest,
            types: self.types_digest(types),
        })
    }

    pub(super) fn types_digest(&self, types: &Types) -> Option<Digest> {
        types.digest_of(self.desired.as_ref()?.object.gvk())
    }

    /// The object as seen whole.
    pub(super) fn seen(&self) -> Option<&Seen> {
        match &self.sight {
            Sight::Present(seen) => Some(seen),
            _ => None,
        }
    }

    /// The API version to read it at.
    pub(super) fn wanted_version(&self) -> Option<&str> {
        match (&self.desired, &self.entry) {
            (Some(desired), _) => Some(desired.object.gvk().version()),
            (None, Some(entry)) => Some(&entry.version),
            (None, None) => None,
        }
    }

    /// True when a call of its own is under way.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// Forgets everything that was concluded from the sight before.
    pub(super) fn look_again(&mut self) {
        self.sight = Sight::Unknown;
        self.exchanges.clear();
    }

    /// It is known to be absent.
    pub(super) fn see_absent(&mut self) {
        self.sight = Sight::Absent;
        self.exchanges.clear();
    }

    /// Takes what an answer shows, unless a watch has shown something newer meanwhile.
    pub(super) fn see(&mut self, seen: Seen) {
        self.exchanges.clear();
        if self.left_watch.take().is_some_and(|uid| uid == seen.uid) {
            self.sight = Sight::Unknown;
        } else if !self.seen().is_some_and(|known| seen.is_older_than(known)) {
            self.sight = Sight::Present(Box::new(seen));
        }
    }

    /// It was seen to be as its definition of now says.
    pub(super) fn is_as_defined(&self) -> bool {
        self.last_in_sync.is_some() && self.last_in_sync == self.definition()
    }

    /// Digest of its definition.
    pub(super) fn definition(&self) -> Option<Digest> {
        self.desired.as_ref().map(|desired| desired.object.digest())
    }

    /// Every field is repaired again.
    pub(super) fn forget_contests(&mut self) {
        self.contest.clear();
        self.contested.clear();
        self.spared = None;
        self.truces.clear();
    }

    /// It as it was defined last, or as it was seen.
    pub(super) fn last_body(&self) -> Option<&Object> {
        let seen = || Some(self.seen()?.body.as_ref()?.object());
        self.former.as_ref().or_else(seen)
    }

    /// Forgets past failures, because something that matters to them changed.
    pub(super) fn fresh_start(&mut self) {
        self.trouble = None;
        self.establish_by = None;
        self.failures = 0;
        self.silences = 0;
        self.refusals = 0;
        self.looks = 0;
    }
}

/// The kind at the version an object is read and watched at.
pub(super) fn read_gvk(key: &ObjectKey, slot: &Slot, kinds: &crate::words::KindMap) -> Option<Gvk> {
    kinds.version_for(key.group_kind(), slot.wanted_version())
}
