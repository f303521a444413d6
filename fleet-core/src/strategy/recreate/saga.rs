//! The steps of a recreation: from a note, a look at the object, and what was answered since, to what comes next.

use super::{
    Recreate, Recreation, copy,
    note::{Note, Step},
    proof,
};
use crate::{
    edge::{Answer, Fault, Remedy, Request},
    strategy::{History, Next},
    words::{Live, Reason},
};

pub(super) fn next(strategy: Recreate, work: &Recreation, history: History<'_>) -> Next {
    let saga = Saga {
        strategy,
        work,
        manager: history.manager,
        last: history
            .since
            .last()
            .map(|exchange| (&exchange.request, &exchange.answer)),
    };
    match history.note.map(Note::parse) {
        None => saga.begin(),
        Some(None) => Next::Stuck(Reason::new(
            "recreate-note",
            "the ledger's note about how it is made again cannot be read: an older version of this program?",
        )),
        Some(Some(note)) => match note.step {
            Step::Failed => saga.begin(),
            Step::Copying => saga.copy(&note),
            Step::Replacing => saga.replace(&note),
            Step::Restoring => saga.restore(&note),
            Step::Returning => saga.give_back(&note),
            Step::Discarding => saga.discard(&note),
        },
    }
}

struct Saga<'a> {
    strategy: Recreate,
    work: &'a Recreation,
    manager: &'a str,
    /// The last exchange since the note was recorded, in this process.
    last: Option<(&'a Request, &'a Answer)>,
}

impl Saga<'_> {
    fn begin(&self) -> Next {
        let (Some(live), Some(definition)) = (&self.work.live, &self.work.definition) else {
            return Next::Look;
        };
        match self.last {
            None => match proof::request(self.work, self.manager) {
                Some(request) => Next::Send(request),
                None => Next::Stuck(Reason::new(
                    "no-proof",
                    "what would be made cannot be proved to be valid first",
                )),
            },
            Some((_, Answer::Created(_) | Answer::Object(_))) => {
                record(&Note::begin(self.work, live, definition))
            }
            Some((_, answer)) => failed(
                "it would have to be made again, and the server refuses the new one",
                answer,
            ),
        }
    }

    fn copy(&self, note: &Note) -> Next {
        let Some(live) = self.untouched(note) else {
            // Somebody was faster, with a delete or a change: from the beginning, without this copy.
            return record(&note.at(Step::Discarding));
        };
        if !note.is_of(self.work.definition.as_ref()) {
            return record(&note.at(Step::Discarding));
        }
        match self.last {
            None => match copy::make(self.work, note, live, self.manager) {
                Ok(request) => Next::Send(request),
                Err(why) => Next::Stuck(Reason::new("no-copy", why)),
            },
            Some((_, Answer::Created(_))) => record(&note.at(Step::Replacing)),
            // It was made by a process that did not hear of it, or somebody else has the name.
            Some((Request::Create { .. }, Answer::Refused(fault))) if fault.remedy == Remedy::Conflict => {
                Next::Send(copy::read(self.work, note))
            }
            Some((Request::Get { .. }, Answer::Object(found))) => match copy::content(found, note) {
                Some(_) => record(&note.at(Step::Replacing)),
                None => bad_copy(note),
            },
            Some((_, answer)) => failed("no copy of it could be kept", answer),
        }
    }

    fn replace(&self, note: &Note) -> Next {
        match &self.work.live {
            Some(live) if *live.uid() != note.uid => self.after_replacing(note, live),
            Some(live) if live.is_deleting() => self.wait(note, live),
            Some(_) => self.delete(note),
            None => self.create(note),
        }
    }

    /// It is still there, and nobody deletes it.
    fn delete(&self, note: &Note) -> Next {
        let untouched = self
            .untouched(note)
            .filter(|_| note.is_of(self.work.definition.as_ref()));
        let Some(live) = untouched else {
            // It changed since it was copied, or is not to be replaced any more.
            return record(&note.at(Step::Discarding));
        };
        match self.last {
            None => Next::Send(Request::Delete {
                key: self.work.key.clone(),
                gvk: self.work.gvk.clone(),
                uid: note.uid.clone(),
                version: Some(live.version().clone()),
                propagation: self.work.propagation,
            }),
            Some((_, Answer::Object(_) | Answer::Deleted | Answer::Absent)) => Next::Look,
            Some((_, Answer::Refused(fault))) if fault.remedy == Remedy::Conflict => Next::Look,
            Some((_, answer)) => failed("it could not be deleted to be made again", answer),
        }
    }

    fn wait(&self, note: &Note, live: &Live) -> Next {
        let holders = live.finalizers().join(", ");
        let held = if holders.is_empty() {
            String::new()
        } else {
            format!(", held by {holders}")
        };
        let message = format!("it is being deleted to be made again{held}");
        let reason = Reason::new("recreating", message).with("holders", &holders);
        if self.work.now.since(note.since) > self.strategy.deletion_max {
            let message = format!(
                "its deletion takes longer than {}{held}: it is made again once it is gone",
                self.strategy.deletion_max
            );
            return Next::Wait {
                reason: Reason::new("deletion-stuck", message).with("holders", holders),
                overdue: true,
            };
        }
        Next::Wait {
            reason,
            overdue: false,
        }
    }

    fn create(&self, note: &Note) -> Next {
        let Some(create) = &self.work.create else {
            // Not listed any more: it is gone, as it should be.
            return record(&note.at(Step::Discarding));
        };
        match self.last {
            None => Next::Send(create.clone()),
            Some((_, Answer::Created(_))) => record(&note.at(Step::Discarding)),
            Some((_, Answer::Refused(fault))) if is_no(fault) => {
                record(&note.at(Step::Restoring).because(fault))
            }
            Some((_, answer)) => failed("it could not be made again yet", answer),
        }
    }

    /// There is another object of its name.
    fn after_replacing(&self, note: &Note, live: &Live) -> Next {
        if self.work.is_ours {
            // A process that did not hear of it made it.
            return record(&note.at(Step::Discarding));
        }
        let message = format!(
            "somebody made another object of this name (UID {}) while it was made again; the old one is kept in Secret {}",
            live.uid(),
            note.copy
        );
        Next::Stuck(Reason::new("recreate-taken", message))
    }

    fn restore(&self, note: &Note) -> Next {
        match &self.work.live {
            Some(live) if *live.uid() == note.uid => return Next::Look,
            Some(live) if !self.work.is_ours => return self.after_replacing(note, live),
            Some(_) => return record(&note.at(Step::Returning)),
            None => {}
        }
        if self.work.create.is_some() && !note.is_of(self.work.definition.as_ref()) {
            // Another definition: it may be taken.
            let of = self
                .work
                .definition
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            return record(&Note {
                of,
                why: None,
                ..note.at(Step::Replacing)
            });
        }
        if self.work.create.is_none() {
            return record(&note.at(Step::Discarding));
        }
        match self.last {
            None => Next::Send(copy::read(self.work, note)),
            Some((Request::Get { .. }, Answer::Object(found))) => {
                let restore = copy::content(found, note).map(|old| copy::restore(&old, self.manager));
                match restore {
                    Some(Ok(request)) => Next::Send(request),
                    Some(Err(_)) | None => bad_copy(note),
                }
            }
            Some((Request::Get { .. }, Answer::Absent)) => bad_copy(note),
            Some((_, Answer::Created(_))) => record(&note.at(Step::Returning)),
            Some((_, answer)) => {
                let why = note.why.as_deref().unwrap_or_default();
                failed(
                    &format!(
                        "the new one was refused ({why}), and the old one, which is kept in Secret {}, could not be \
                              made again yet",
                        note.copy
                    ),
                    answer,
                )
            }
        }
    }

    fn give_back(&self, note: &Note) -> Next {
        let Some(live) = self.work.live.as_ref().filter(|_| self.work.is_ours) else {
            return record(&note.at(Step::Discarding));
        };
        match self.last {
            None => Next::Send(copy::read(self.work, note)),
            Some((Request::Get { .. }, Answer::Object(found))) => {
                let patch =
                    copy::content(found, note).and_then(|old| copy::give_back(&old, live, self.manager));
                patch.map_or_else(|| record(&note.at(Step::Discarding)), Next::Send)
            }
            Some((Request::Patch { .. }, Answer::Refused(fault))) if fault.remedy == Remedy::Conflict => {
                Next::Look
            }
            Some((_, Answer::NotSent(fault))) => Next::Refused(fault.clone()),
            Some((_, Answer::Lost(_))) => Next::Look,
            // Whose its fields are is not worth keeping the rest waiting for.
            Some(_) => record(&note.at(Step::Discarding)),
        }
    }

    fn discard(&self, note: &Note) -> Next {
        match self.last {
            None => Next::Send(copy::read(self.work, note)),
            Some((Request::Get { .. }, Answer::Object(found))) => Next::Send(copy::discard(found)),
            Some((_, Answer::Object(_) | Answer::Deleted | Answer::Absent)) => match &note.why {
                Some(_) => record(&note.at(Step::Failed)),
                None => Next::Record(None),
            },
            Some((_, answer)) => failed("the copy of what it was could not be removed", answer),
        }
    }

    /// The object as it was copied.
    fn untouched(&self, note: &Note) -> Option<&Live> {
        let live = self.work.live.as_ref()?;
        let same = *live.uid() == note.uid && copy::digest(live.object()) == note.digest;
        (same && !live.is_deleting()).then_some(live)
    }
}

fn bad_copy(note: &Note) -> Next {
    let message = format!(
        "Secret {} should hold a copy of it, and holds something else or is gone",
        note.copy
    );
    Next::Stuck(Reason::new("recreate-copy", message))
}

fn record(note: &Note) -> Next {
    Next::Record(Some(note.to_text()))
}

/// A refusal that the next try would get too.
fn is_no(fault: &Fault) -> bool {
    matches!(fault.remedy, Remedy::Invalid | Remedy::Policy | Remedy::Forbidden)
}

fn failed(what: &str, answer: &Answer) -> Next {
    match answer {
        Answer::Refused(fault) | Answer::NotSent(fault) => {
            let mut fault = fault.clone();
            fault.message = format!("{what}: {}", fault.message).into();
            Next::Refused(fault)
        }
        _ => Next::Look,
    }
}
