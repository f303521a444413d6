//! The judge that asks the server.

use fleet_diff::differences;

use super::{Judge, Judgement, Subject};
use crate::{
    edge::{Answer, Exchange, Fault, Remedy, Request},
    words::Live,
};

/// Asks the API server by one dry-run apply, and takes its answer as the truth: the change is whatever differs
/// between the live object and the answer. An absent object is a create and needs no question.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerJudge;

impl Judge for ServerJudge {
    fn judge(&self, subject: Subject<'_>) -> Judgement {
        if subject.memory_key.is_some() {
            let message = "its strategy writes what is merged here, which takes a judge that knows the types of the \
                           cluster's objects, such as the local one";
            return Judgement::Refused(Fault::new(Remedy::Policy, message));
        }
        let Some(live) = subject.live else {
            return Judgement::Create(subject.document.clone());
        };
        match subject.exchanges.last() {
            Some(exchange) if asked_about(exchange, &subject, live) => read(&exchange.answer, &subject, live),
            _ => Judgement::Ask(Request::Apply {
                document: subject.document.clone(),
                manager: subject.manager.to_owned(),
                uid: Some(live.uid().clone()),
                version: None,
                // Forced, because what is asked is "what would be different", not "who would mind".
                force: true,
                dry_run: true,
            }),
        }
    }
}

fn asked_about(exchange: &Exchange, subject: &Subject<'_>, live: &Live) -> bool {
    matches!(&exchange.request, Request::Apply { document, uid: Some(uid), dry_run: true, .. }
        if document == subject.document && uid == live.uid())
}

fn read(answer: &Answer, subject: &Subject<'_>, live: &Live) -> Judgement {
    match answer {
        Answer::Object(then) if then.version() != live.version() => Judgement::Stale,
        Answer::Object(then) => {
            let found = differences(live.object(), then.object(), subject.manager);
            if found.fields.is_empty() && !found.ownership {
                Judgement::Nothing
            } else {
                Judgement::Update(subject.document.clone(), found.fields)
            }
        }
        other => without_object(other),
    }
}

/// What follows from the answer to a dry run in which there is no object to compare with.
pub(super) fn without_object(answer: &Answer) -> Judgement {
    match answer {
        Answer::Object(_) | Answer::Absent | Answer::Created(_) | Answer::Deleted => Judgement::Stale,
        Answer::Refused(fault) => match fault.remedy {
            Remedy::Conflict => Judgement::Stale,
            Remedy::Retry | Remedy::Unreachable => Judgement::Unsure(fault.clone()),
            _ if is_final(fault) => Judgement::Recreate(Vec::new(), fault.clone()),
            _ => Judgement::Refused(fault.clone()),
        },
        Answer::NotSent(fault) | Answer::Lost(fault) => Judgement::Unsure(fault.clone()),
    }
}

/// Whether the server's validation says that something can never change (kubernetes, `pkg/apis/*/validation`).
pub(crate) fn is_final(fault: &Fault) -> bool {
    const WORDS: [&str; 3] = [
        "immutable",
        "may not be changed",
        "updates to statefulset spec for fields other than",
    ];
    fault.remedy == Remedy::Invalid && WORDS.iter().any(|words| fault.message.contains(words))
}
