//! What would applying this object do?

mod local;
mod merged;
mod server;

use fleet_diff::{FieldChange, Object};

pub use local::{LocalJudge, RULES_ANNOTATION};
pub use server::ServerJudge;
pub(crate) use server::is_final;

use crate::{
    edge::{Exchange, Fault, Request},
    words::{ClusterTypes, Live},
};

/// Everything a judge may know of one object.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Subject<'a> {
    /// What would be sent: the definition with marks, without fields that are contested.
    pub document: &'a Object,
    /// The definition as it is listed: what says which rules count, which nobody else may change.
    pub definition: &'a Object,
    /// The object as the cluster has it; none when it is known to be absent.
    pub live: Option<&'a Live>,
    /// Our field manager.
    pub manager: &'a str,
    /// The judge's own requests since `live` was read, and their answers.
    pub exchanges: &'a [Exchange],
    /// The types of the cluster's objects, when they are known.
    pub types: Option<&'a ClusterTypes>,
    /// The merge is made here: the annotation in which the fields that were written are remembered. None when the server
    /// merges.
    pub memory_key: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// A subject about which nothing was asked yet.
    pub fn new(document: &'a Object, live: Option<&'a Live>, manager: &'a str) -> Self {
        Self {
            document,
            definition: document,
            live,
            manager,
            exchanges: &[],
            types: None,
            memory_key: None,
        }
    }

    /// With the annotation that remembers what was written, where the merge is made here: see
    /// [`Manner::Merged`](crate::Manner::Merged).
    #[must_use]
    pub fn merged_here(mut self, memory_key: Option<&'a str>) -> Self {
        self.memory_key = memory_key;
        self
    }

    /// With the definition as it is listed, where that is not the document.
    #[must_use]
    pub fn definition(mut self, definition: &'a Object) -> Self {
        self.definition = definition;
        self
    }

    /// With the types of the cluster's objects.
    #[must_use]
    pub fn types(mut self, types: Option<&'a ClusterTypes>) -> Self {
        self.types = types;
        self
    }

    /// With the judge's requests so far.
    #[must_use]
    pub fn exchanges(mut self, exchanges: &'a [Exchange]) -> Self {
        self.exchanges = exchanges;
        self
    }
}

/// A judge's answer. Questions, doubts and refusals count for what is absent as for what is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Judgement {
    /// Applying it would change nothing. It is there: what is absent is created.
    Nothing,
    /// It is absent and would be created by this document.
    Create(Object),
    /// It is there, and applying this document would change these fields. No fields: only who owns them. Where the merge
    /// is made here, the document is the whole object as it is to be.
    Update(Object, Vec<FieldChange>),
    /// Applying it would change nothing, and this patch removes these fields: others added them, and a rule says that they
    /// do not belong there.
    Remove(json_patch::Patch, Vec<FieldChange>),
    /// It is there and cannot be changed in place: these fields cannot change, as this says. Only an object made anew
    /// would be as defined.
    Recreate(Vec<FieldChange>, Fault),
    /// This request must be answered first.
    Ask(Request),
    /// The object moved while it was judged: read it again.
    Stale,
    /// The server would refuse the change.
    Refused(Fault),
    /// It cannot be said now, for this reason; ask again later.
    Unsure(Fault),
}

/// Says what applying an object would do. Pure: requests it needs are carried out by the engine.
///
/// The document in the answer is the only thing a strategy may send.
pub trait Judge: Send + Sync + 'static {
    /// The judgement, or the next request to ask.
    fn judge(&self, subject: Subject<'_>) -> Judgement;

    /// Why nothing at all may be done with an object of this definition, not even take it over.
    fn forbids(&self, _definition: &Object) -> Option<Fault> {
        None
    }

    /// Whether there may be something to remove of an object of this definition once it was applied
    /// ([`Judgement::Remove`]): then it is judged again after each write.
    fn removes(&self, _definition: &Object) -> bool {
        false
    }

    /// Whether it makes use of the types of the cluster's objects: then they are learnt before it is asked.
    fn uses_types(&self) -> bool {
        false
    }
}

impl<T: Judge + ?Sized> Judge for std::sync::Arc<T> {
    fn judge(&self, subject: Subject<'_>) -> Judgement {
        (**self).judge(subject)
    }

    fn forbids(&self, definition: &Object) -> Option<Fault> {
        (**self).forbids(definition)
    }

    fn removes(&self, definition: &Object) -> bool {
        (**self).removes(definition)
    }

    fn uses_types(&self) -> bool {
        (**self).uses_types()
    }
}
