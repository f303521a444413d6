//! What goes into the engine, and what comes out.

use std::collections::BTreeSet;

use fleet_diff::{GroupKind, Gvk, ObjectKey};

use crate::{
    edge::{Answer, Fault, Note, Request},
    ledger::{LedgerAnswer, LedgerWrite},
    words::{ClusterTypes, KindMap, Live, LiveMeta, Reason, Snapshot, Tick, Uid},
};

/// Names one command, so that its result finds its way back. Results of commands the engine no longer waits for
/// are ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallId(pub u64);

/// Something happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The inventory source answered.
    Inventory(Snapshot),
    /// The ledger was read, or could not be.
    Ledger(Result<LedgerAnswer, Fault>),
    /// Discovery was read.
    Kinds(KindMap),
    /// The types of the cluster's objects were learnt.
    Types(ClusterTypes),
    /// All objects of a kind were listed (metadata only), or could not be.
    Listed(CallId, Result<Vec<LiveMeta>, Fault>),
    /// Everything that bears our owner label was listed, over all kinds, or could not be.
    Swept(CallId, Result<Vec<LiveMeta>, Fault>),
    /// Everything inside a container was listed, or could not be.
    Surveyed(CallId, Result<Vec<LiveMeta>, Fault>),
    /// Whether a kind that discovery no longer names is really gone.
    KindGone(CallId, Result<bool, Fault>),
    /// The watch of a kind begins anew; its initial objects follow.
    WatchReset(Gvk),
    /// A watch shows an object.
    Seen(Live),
    /// An object left its watch: deleted, or its label was removed.
    Left {
        /// Which.
        key: ObjectKey,
        /// Its UID.
        uid: Uid,
    },
    /// The watch has shown everything there was when it began.
    WatchSynced(Gvk),
    /// A request was answered.
    Answered(CallId, Answer),
    /// The ledger recorded, or perhaps not.
    Recorded(CallId, Result<(), Fault>),
    /// A reservation of deletes was granted until a moment, or refused.
    Reserved(CallId, Result<Tick, Reason>),
    /// A person confirms what a plan's token covers.
    Confirm(String),
    /// Nothing is written from now on, for this reason: it is planned, and told. Or nothing stands against it any more.
    /// Until the first of these events everything may be written.
    Hold(Option<Reason>),
    /// Plan everything again, whatever is remembered to be settled.
    Replan,
    /// Time passed.
    Time,
}

/// Something to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Send a request; answer with [`Event::Answered`].
    Send {
        /// Names it.
        call: CallId,
        /// What to send.
        request: Request,
        /// Why.
        reason: Reason,
    },
    /// Read the ledger; answer with [`Event::Ledger`].
    LoadLedger,
    /// Record in the ledger; answer with [`Event::Recorded`].
    Record {
        /// Names it.
        call: CallId,
        /// What to record.
        writes: Vec<LedgerWrite>,
    },
    /// Read discovery again; answer with [`Event::Kinds`].
    Discover,
    /// Learn the types of these kinds; answer with [`Event::Types`], now and whenever they change. Replaces the set
    /// before.
    LearnTypes(BTreeSet<Gvk>),
    /// List all objects of a kind, metadata only; answer with [`Event::Listed`].
    List {
        /// Names it.
        call: CallId,
        /// The kind, at a served version.
        gvk: Gvk,
    },
    /// List what bears our owner label, over all kinds; answer with [`Event::Swept`].
    Sweep {
        /// Names it.
        call: CallId,
    },
    /// List everything inside a namespace or of a CRD's kind; answer with [`Event::Surveyed`].
    Survey {
        /// Names it.
        call: CallId,
        /// What to look into.
        container: Container,
    },
    /// Find out whether a kind is really gone; answer with [`Event::KindGone`].
    ConfirmKindGone {
        /// Names it.
        call: CallId,
        /// The kind.
        kind: GroupKind,
    },
    /// Watch exactly these kinds, selected by our owner label; replaces the set before.
    Watch(BTreeSet<Gvk>),
    /// Reserve deletes with whoever gives grants; answer with [`Event::Reserved`]. Replaces a reservation before.
    Reserve {
        /// Names it.
        call: CallId,
        /// How many deletes.
        count: u32,
        /// How many objects are owned.
        owned: u32,
        /// True when a person confirmed them.
        confirmed: bool,
    },
    /// Tell the observer.
    Report(Note),
    /// Send [`Event::Time`] at this moment; replaces the one before.
    WakeAt(Tick),
}

/// Something whose delete takes other objects with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Container {
    /// Everything in a namespace, of every kind.
    Namespace(String),
    /// All objects of a CRD's kind.
    Kind(GroupKind),
}
