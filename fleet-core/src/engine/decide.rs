//! What to do next for one object: a pure function of what is known of it.

use fleet_diff::ObjectKey;

use super::{
    options::EngineOptions,
    slot::{Awaited, Outcome, Recheck, Seen, Sight, Slot},
    unserved,
};
use crate::{
    ledger::{Entry, EntryState},
    marks::MarkState,
    strategy::recreate,
    words::{KindMap, Reason},
};

/// What is known around an object.
pub(super) struct Surroundings<'a> {
    pub(super) options: &'a EngineOptions,
    pub(super) kinds: &'a KindMap,
    /// Something may be written now.
    pub(super) may_write: bool,
    /// What the ledger says of it, or will say when everything this process knows is recorded.
    pub(super) entry: Option<&'a Entry>,
    /// The inventory's last answer was a definite one.
    pub(super) inventory_known: bool,
    /// The listing of its kind is under way.
    pub(super) listing: bool,
    /// Why its kind cannot be listed.
    pub(super) unlistable: Option<&'a Reason>,
    /// The watch of its kind has shown its initial state.
    pub(super) watch_synced: bool,
    /// A listed object of its group and kind could not be mapped to a resource.
    pub(super) unmapped: bool,
    /// For a kind that is no longer served: whether it is gone, or why that could not be found out; none while it is
    /// asked for the first time.
    pub(super) kind_gone: Option<&'a Result<bool, Reason>>,
    /// The CRD that will define its kind: still to come, or never.
    pub(super) definition_coming: bool,
    /// Its namespace is being deleted.
    pub(super) namespace_being_deleted: bool,
    /// It is the same object as one listed, or recorded, under another group.
    pub(super) same_object: bool,
}

/// The next step for one object.
#[derive(Debug)]
pub(super) enum Step {
    /// Neither listed nor owned: nothing to know any more.
    Forget,
    /// Nothing to do now: so it stands, and the outcome says what brings it back.
    Stand(Outcome),
    /// Read it.
    Read,
    /// Ours and listed: compare.
    Judge,
    /// It is being made again: go on with that.
    Resume,
    /// Absent and listed: make it.
    Create,
    /// Present, listed and not ours: take it over.
    Adopt,
    /// Ours and not listed: delete it, if budgets and permissions allow.
    Remove,
    /// Take our marks off it, to let go of it then.
    LetGo,
    /// Let go of its entry.
    Release(Reason),
    /// Find out whether its kind is really gone.
    AskKindGone,
}

/// Whose an object is.
enum Whose {
    Ours,
    Foreign,
    /// It bears our mark and is not the object we know.
    Impostor(Reason),
    /// Another inventory says that it is its.
    TakenOver(Reason),
}

pub(super) fn decide(key: &ObjectKey, slot: &Slot, around: &Surroundings<'_>) -> Step {
    if is_under_way(slot, around) {
        return resume(slot, around);
    }
    match (&slot.desired, around.entry) {
        (Some(_), _) => decide_listed(key, slot, around),
        (None, Some(_)) => decide_unlisted(key, slot, around),
        (None, None) => Step::Forget,
    }
}

/// Whether the ledger says that it is being made again, and the object can be looked at.
fn is_under_way(slot: &Slot, around: &Surroundings<'_>) -> bool {
    let note = around.entry.and_then(|entry| entry.note.as_deref());
    let kind = slot.entry.as_ref().map(|entry| entry.key.group_kind());
    let served = kind.is_some_and(|kind| around.kinds.get(kind).is_some());
    let known = slot.desired.is_some() || around.inventory_known;
    served
        && known
        && slot
            .desired
            .as_ref()
            .is_none_or(|desired| desired.blocked.is_none())
        && note.is_some_and(|note| !recreate::is_over(note))
}

fn resume(slot: &Slot, around: &Surroundings<'_>) -> Step {
    match &slot.sight {
        Sight::Unknown if around.listing => read_or_wait(around),
        Sight::Unknown | Sight::Listed(_) => Step::Read,
        Sight::Absent | Sight::Present(_) => Step::Resume,
    }
}

fn decide_listed(key: &ObjectKey, slot: &Slot, around: &Surroundings<'_>) -> Step {
    let Some(desired) = &slot.desired else {
        return Step::Forget;
    };
    if let Some(reason) = &desired.blocked {
        return blocked(Recheck::News, reason.clone());
    }
    let kind = key.group_kind();
    let version = desired.object.gvk().version();
    let served = around.kinds.get(kind);
    if desired.awaits.is_some() && !served.is_some_and(|info| info.serves(version)) {
        return if !around.may_write {
            Step::Create
        } else if around.definition_coming {
            waiting(Awaited::Kind, unserved::definition_awaited(kind, version))
        } else {
            blocked(Recheck::News, unserved::definition_failed(kind, version))
        };
    }
    match &slot.sight {
        Sight::Unknown => read_or_wait(around),
        Sight::Listed(meta) => {
            let ours = meta.owner_label.is_some();
            if ours && !around.watch_synced {
                watch_awaited()
            } else {
                Step::Read
            }
        }
        Sight::Absent if around.options.posture == super::Posture::Cordoned && around.entry.is_none() => {
            let message = "the cluster is cordoned: what is new is not made";
            blocked(Recheck::News, Reason::new("cordoned", message))
        }
        Sight::Absent => {
            let finished = around.entry.and_then(|e| e.finished);
            if finished.is_some_and(|digest| digest == desired.object.digest()) {
                Step::Stand(Outcome::Finished)
            } else if around.namespace_being_deleted {
                let message = "its namespace is being deleted: it is made again after that";
                waiting(
                    Awaited::NamespaceDeletion,
                    Reason::new("namespace-leaving", message),
                )
            } else {
                Step::Create
            }
        }
        Sight::Present(seen) => match whose(key, seen, around) {
            Whose::Impostor(reason) | Whose::TakenOver(reason) => blocked(Recheck::NowAndThen, reason),
            _ if seen.deleting.is_some() => waiting(Awaited::OwnDeletion, being_deleted(seen)),
            Whose::Foreign if around.options.switches.force_only_ours => Step::Adopt,
            Whose::Ours | Whose::Foreign => Step::Judge,
        },
    }
}

fn decide_unlisted(key: &ObjectKey, slot: &Slot, around: &Surroundings<'_>) -> Step {
    if !around.inventory_known && around.options.switches.unknown_changes_nothing {
        return Step::Stand(Outcome::Kept);
    }
    if around.options.switches.incomplete_kinds {
        if around.unmapped {
            let message = format!(
                "another {} of the inventory could not be mapped to a resource",
                key.group_kind()
            );
            return blocked(Recheck::News, Reason::new("kind-unmapped", message));
        }
        if !around.kinds.is_complete(key.group()) {
            return blocked(Recheck::News, unserved::undiscovered(key.group()));
        }
    }
    if around.kinds.get(key.group_kind()).is_none() {
        return match around.kind_gone {
            Some(Ok(true)) => Step::Release(Reason::new(
                "kind-gone",
                "its kind no longer exists in the cluster",
            )),
            Some(Err(reason)) => blocked(Recheck::News, reason.clone()),
            Some(Ok(false)) => blocked(Recheck::News, unserved::still_defined(key.group_kind())),
            None if around.options.switches.incomplete_kinds => Step::AskKindGone,
            None => Step::Release(Reason::new("kind-gone", "its kind is not served")),
        };
    }
    if let Some(reason) = around
        .unlistable
        .filter(|_| around.options.switches.incomplete_kinds)
    {
        return blocked(Recheck::News, reason.clone());
    }
    if around.listing {
        return read_or_wait(around);
    }
    match &slot.sight {
        Sight::Listed(meta) if meta.owner_label.is_some() && !around.watch_synced => watch_awaited(),
        Sight::Unknown | Sight::Listed(_) => Step::Read,
        Sight::Absent => Step::Release(Reason::new("gone", "it is gone")),
        Sight::Present(seen) => decide_unlisted_present(key, seen, around),
    }
}

/// Owned, no longer listed, and there.
fn decide_unlisted_present(key: &ObjectKey, seen: &Seen, around: &Surroundings<'_>) -> Step {
    let recorded = around.entry.and_then(|e| e.uid.as_ref());
    let switches = &around.options.switches;
    if switches.uid_check && recorded.is_some_and(|uid| *uid != seen.uid) {
        return match whose(key, seen, around) {
            Whose::Impostor(reason) => blocked(Recheck::NowAndThen, reason),
            _ => Step::Release(Reason::new(
                "replaced",
                "somebody else deleted it and made another object of this name",
            )),
        };
    }
    if around.same_object {
        return Step::Release(Reason::new(
            "moved-group",
            "it is listed under another API group, and is the same object",
        ));
    }
    if switches.own_marks_only && seen.mark != MarkState::Ours {
        return Step::Release(match recorded {
            Some(_) => Reason::new(
                "mark-removed",
                "somebody removed our mark: it stays, and is no longer ours",
            ),
            None => Reason::new("never-ours", "it was made by somebody else"),
        });
    }
    if seen.deleting.is_some() {
        return Step::Stand(Outcome::Deleting(being_deleted(seen)));
    }
    if around.options.posture == super::Posture::Orphaning {
        return Step::LetGo;
    }
    if seen.orphan {
        return Step::Release(Reason::new(
            "orphaned",
            "its on-delete annotation asks to let it go",
        ));
    }
    Step::Remove
}

fn whose(key: &ObjectKey, seen: &Seen, around: &Surroundings<'_>) -> Whose {
    let marked = seen.mark == MarkState::Ours;
    let Some(entry) = around.entry else {
        return if around.same_object {
            Whose::Ours
        } else {
            Whose::Foreign
        };
    };
    match &entry.uid {
        // A claim that was decided and did not arrive made nothing ours.
        Some(uid) if *uid == seen.uid && entry.state == EntryState::Writing && !marked => Whose::Foreign,
        Some(uid) if *uid == seen.uid && seen.inventory.is_some() => {
            let other = seen.inventory.as_deref().unwrap_or_default();
            let message = format!("inventory {other} took it over: take it out of this one");
            Whose::TakenOver(Reason::new("taken-over", message).with("inventory", other))
        }
        Some(uid) if *uid == seen.uid || !around.options.switches.uid_check => Whose::Ours,
        Some(uid) if marked => Whose::Impostor(
            Reason::new(
                "mark-with-other-uid",
                format!("{key} bears our mark but is not the object we made: it was restored or copied"),
            )
            .with("expected-uid", uid)
            .with("uid", &seen.uid),
        ),
        None if marked => Whose::Ours,
        Some(_) | None => Whose::Foreign,
    }
}

fn read_or_wait(around: &Surroundings<'_>) -> Step {
    if around.listing {
        waiting(
            Awaited::Listing,
            Reason::new("listing", "its kind is being listed"),
        )
    } else {
        Step::Read
    }
}

fn watch_awaited() -> Step {
    let message = "the watch of its kind has not shown everything yet";
    waiting(Awaited::Watch, Reason::new("watch-awaited", message))
}

fn waiting(awaited: Awaited, reason: Reason) -> Step {
    Step::Stand(Outcome::Waiting { awaited, reason })
}

fn blocked(recheck: Recheck, reason: Reason) -> Step {
    Step::Stand(Outcome::Blocked { recheck, reason })
}

fn being_deleted(seen: &Seen) -> Reason {
    match seen.deleting.as_deref() {
        None | Some([]) => Reason::new("being-deleted", "it is being deleted"),
        Some(holders) => Reason::new(
            "being-deleted",
            format!("it is being deleted, held by {}", holders.join(", ")),
        )
        .with("holders", holders.join(",")),
    }
}
