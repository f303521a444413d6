//! What is written where the merge is made here: whole objects, and what of them differs.

use fleet_diff::{
    Action, Apply, Decision, FieldChange, FieldIntentRules, FieldPath, Memory, Object, OwnersError,
    Prediction, Verdict, differences, without_updates,
};

use super::{
    Judgement, Subject,
    local::{recreation, shown},
    server::without_object,
};
use crate::{
    edge::{Answer, Exchange, Fault, Remedy, Request},
    words::{ClusterTypes, Live},
};

/// Longest memory that is kept on an object, in bytes. Longer ones are not: what to remove is then not known.
const MEMORY_BYTES_MAX: usize = 64 * 1024;

/// In place of a memory that is longer.
const TOO_LONG: &str = "too-long";

/// One question: the subject, with what the judge found of it.
pub(super) struct Merging<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) types: &'a ClusterTypes,
    pub(super) rules: &'a dyn FieldIntentRules,
    pub(super) key: &'a str,
}

impl Merging<'_> {
    pub(super) fn judge(&self) -> Judgement {
        let gvk = self.subject.document.gvk();
        if !self.types.schemas().knows(gvk) {
            // Of a kind whose CRD was just made they come in a moment.
            let message = format!("the fields of {gvk} are not known, so they cannot be merged here");
            return Judgement::Unsure(Fault::new(Remedy::Retry, message));
        }
        let judged = match self.subject.live {
            None => self.create(),
            Some(live) => self.update(live),
        };
        judged.unwrap_or_else(Judgement::Refused)
    }

    fn apply<'b>(&'b self, live: Option<&'b Object>) -> Apply<'b> {
        Apply::new(self.subject.document, self.subject.manager, self.types.schemas())
            .to(live)
            .force(true)
            .rules(self.rules)
            .admitted_by(self.types.admitted_by())
    }

    fn create(&self) -> Result<Judgement, Fault> {
        let apply = self.apply(None);
        let document = apply
            .document()
            .map_err(|error| Fault::new(Remedy::Invalid, format!("its rules cannot be used: {error}")))?;
        // Of what is not known in every detail the fields are known all the same.
        let foreseen = Apply::new(&document, self.subject.manager, self.types.schemas())
            .regardless_of_doubt(true)
            .predict();
        let memory = match &foreseen {
            Prediction::Object(object) => Memory::of(object, self.subject.manager).map_err(unreadable)?,
            _ => None,
        };
        Ok(Judgement::Create(self.remembering(&document, memory.as_ref())))
    }

    fn update(&self, live: &Live) -> Result<Judgement, Fault> {
        let object = live.object();
        let memory = self.memory(object)?;
        let manager = self.subject.manager;
        let (bare, written) = without_updates(object, manager).map_err(unreadable)?;
        let as_applied = match &memory {
            Some(memory) => memory.as_applied(object, manager).map_err(unreadable)?,
            None => bare,
        };
        let decision = self.apply(Some(&as_applied)).decide();
        if let Some(error) = decision.unusable_rules() {
            return Err(Fault::new(
                Remedy::Invalid,
                format!("its rules cannot be used: {error}"),
            ));
        }
        if memory.is_none() {
            let doubtful = |path: &FieldPath| written.owns(path) && !self.is_bookkeeping(path);
            check_forgotten(&decision, doubtful)?;
        }
        let (after, sure) = match (decision.action(), decision.predicted()) {
            (Action::None | Action::Adopt | Action::Update, Some(after)) => (after.clone(), true),
            (Action::Recreate, _) => {
                let fields: Vec<String> = decision.blocked().iter().map(|b| b.path.to_string()).collect();
                let fault = Fault::new(
                    Remedy::Invalid,
                    format!("{} cannot be changed", fields.join(", ")),
                );
                return Ok(recreation(&decision, fault));
            }
            (Action::Unsure, _) => (self.guess(&decision, &as_applied)?, false),
            (_, _) => {
                let why = decision
                    .refusal()
                    .map_or_else(|| "the server would refuse it".to_owned(), ToString::to_string);
                return Err(Fault::new(Remedy::Invalid, why));
            }
        };
        let memory = Memory::of(&after, manager).map_err(unreadable)?;
        let whole = self.remembering(&without_owners(&after), memory.as_ref());
        if sure {
            let fields = differing(object, &whole, self.key);
            let same = fields.is_empty() && object.annotation(self.key) == whole.annotation(self.key);
            return Ok(if same {
                Judgement::Nothing
            } else {
                Judgement::Update(whole, shown(&decision, fields))
            });
        }
        Ok(self.asked(live, whole, &decision))
    }

    /// What it would become if what is not known made no difference.
    fn guess(&self, decision: &Decision<'_>, as_applied: &Object) -> Result<Object, Fault> {
        let document = decision.document();
        let guess = Apply::new(document, self.subject.manager, self.types.schemas())
            .to(Some(as_applied))
            .force(true)
            .regardless_of_doubt(true)
            .predict();
        let why = match guess {
            Prediction::Object(object) => return Ok(object),
            Prediction::Unsure(doubt) => doubt.to_string(),
            Prediction::Refused(refusal) => refusal.to_string(),
            _ => "the server would refuse it".to_owned(),
        };
        Err(Fault::new(
            Remedy::Invalid,
            format!("what to write cannot be computed here: {why}"),
        ))
    }

    /// What the server says to a dry run of what would be written.
    fn asked(&self, live: &Live, whole: Object, decision: &Decision<'_>) -> Judgement {
        let subject = &self.subject;
        let about = |exchange: &Exchange| {
            matches!(&exchange.request, Request::Update { document, uid: Some(uid), dry_run: true, .. }
                if *document == whole && uid == live.uid())
        };
        match subject.exchanges.last().filter(|exchange| about(exchange)) {
            None => Judgement::Ask(Request::Update {
                document: whole,
                manager: subject.manager.to_owned(),
                uid: Some(live.uid().clone()),
                version: Some(live.version().clone()),
                dry_run: true,
            }),
            Some(exchange) => match &exchange.answer {
                Answer::Object(then) => {
                    let fields = differing(live.object(), then.object(), self.key);
                    let same = live.object().annotation(self.key) == then.object().annotation(self.key);
                    if fields.is_empty() && same {
                        Judgement::Nothing
                    } else {
                        Judgement::Update(whole, shown(decision, fields))
                    }
                }
                other => without_object(other),
            },
        }
    }

    /// What was written last time, as the object remembers it.
    fn memory(&self, live: &Object) -> Result<Option<Memory>, Fault> {
        match live.annotation(self.key) {
            None | Some(TOO_LONG) => Ok(None),
            Some(text) => Memory::parse(text).map(Some).map_err(|error| {
                let message = format!("its annotation {} is {error}", self.key);
                Fault::new(Remedy::Policy, message)
            }),
        }
    }

    /// The object with this memory.
    fn remembering(&self, object: &Object, memory: Option<&Memory>) -> Object {
        let text = memory.map(ToString::to_string);
        match &text {
            None => object.clone(),
            Some(text) if text.len() > MEMORY_BYTES_MAX => object.with_marks([], [(self.key, TOO_LONG)]),
            Some(text) => object.with_marks([], [(self.key, text.as_str())]),
        }
    }

    fn is_bookkeeping(&self, path: &FieldPath) -> bool {
        *path == FieldPath::keys(["metadata", "annotations", self.key])
    }
}

/// Without a memory it is not known whether what we wrote, and is defined no longer, was ever defined: it may be a default
/// as it was when the object was made. Nothing is removed then, and that is said.
fn check_forgotten(decision: &Decision<'_>, doubtful: impl Fn(&FieldPath) -> bool) -> Result<(), Fault> {
    let fields = decision.fields();
    let forgotten: Vec<String> = fields
        .iter()
        .filter(|field| field.verdict == Verdict::ForeignUnknownWriter && doubtful(&field.path))
        .map(|field| field.path.to_string())
        .collect();
    if forgotten.is_empty() {
        return Ok(());
    }
    let message = format!(
        "it is not remembered which fields were defined last time, so it is not known whether to remove {}: \
         define them, or remove them in the cluster",
        forgotten.join(", ")
    );
    Err(Fault::new(Remedy::Policy, message))
}

/// What is different, our memory and what servers count aside.
fn differing(before: &Object, after: &Object, memory_key: &str) -> Vec<FieldChange> {
    let (before, after) = (
        without_memory(before, memory_key),
        without_memory(after, memory_key),
    );
    differences(&before, &after, "").fields
}

fn without_memory(object: &Object, key: &str) -> Object {
    let annotations = object.metadata().get("annotations");
    let alone =
        annotations.is_some_and(|annotations| annotations.len() == 1 && annotations.get(key).is_some());
    let whole = FieldPath::keys(["metadata", "annotations"]);
    let field = if alone {
        whole
    } else {
        FieldPath::keys(["metadata", "annotations", key])
    };
    object.without([&field]).unwrap_or_else(|_| object.clone())
}

/// An update says nothing of the owners.
fn without_owners(object: &Object) -> Object {
    let owners = FieldPath::keys(["metadata", "managedFields"]);
    object.without([&owners]).unwrap_or_else(|_| object.clone())
}

fn unreadable(error: OwnersError) -> Fault {
    Fault::new(Remedy::Policy, error.to_string())
}
