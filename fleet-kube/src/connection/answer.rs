//! What a server's answer to a request about one object means.

use fleet_core::{Answer, Document, Fault, Live, Node, Object, Patch, Remedy, Request};

use super::{refusal::Refusal, reply::Reply};

/// Reads the answer.
pub(crate) fn of(request: &Request, reply: &Reply) -> Answer {
    if reply.is_success() {
        success(request, reply)
    } else {
        refused(request, &Refusal::of(reply))
    }
}

fn success(request: &Request, reply: &Reply) -> Answer {
    let Ok(document) = serde_json::from_slice::<Document>(&reply.body) else {
        return unreadable(request, Remedy::Unreachable, reply.status, "is not JSON");
    };
    let text = |field| document.root().get(field).and_then(Node::as_str);
    let is_status = text("kind") == Some("Status") && text("apiVersion") == Some("v1");
    if matches!(request, Request::Delete { .. }) && is_status {
        return match text("status") {
            Some("Success") => Answer::Deleted,
            _ => unreadable(
                request,
                Remedy::Bug,
                reply.status,
                "is neither an object nor a success",
            ),
        };
    }
    let is_stored = !request.is_dry_run();
    let read = if is_stored { Live::new } else { Live::of_dry_run };
    let live = Object::from_document(document).map_err(|e| e.to_string());
    match live.and_then(|object| read(object).map_err(|e| e.to_string())) {
        Ok(live) if live.key().name() != request.key().name() => {
            unreadable(request, Remedy::Bug, reply.status, "is another object")
        }
        Ok(live) if reply.status == 201 => Answer::Created(live),
        Ok(live) => Answer::Object(live),
        Err(why) => unreadable(
            request,
            Remedy::Bug,
            reply.status,
            &format!("is not an object: {why}"),
        ),
    }
}

/// A success nobody can read: of a write it is only known that something was done.
fn unreadable(request: &Request, remedy: Remedy, status: u16, why: &str) -> Answer {
    let fault = Fault::new(remedy, format!("the server's answer {why}")).code(status);
    if request.is_write() {
        Answer::Lost(fault)
    } else {
        Answer::Refused(fault)
    }
}

fn refused(request: &Request, refusal: &Refusal) -> Answer {
    if request.is_write() && refusal.leaves_outcome_open() {
        return Answer::Lost(refusal.fault());
    }
    if refusal.names_an_object()
        && refusal.name == request.key().name()
        && !is_about_namespace(request, refusal)
    {
        return Answer::Absent;
    }
    let mut fault = refusal.fault();
    if is_uid_conflict(request, refusal) || is_failed_test(request, refusal) {
        fault.remedy = Remedy::Conflict;
    }
    Answer::Refused(fault)
}

/// True when a test of a JSON patch failed, or what it removes is not there: it was made for another state of the object.
fn is_failed_test(request: &Request, refusal: &Refusal) -> bool {
    let is_patch = matches!(
        request,
        Request::Patch {
            patch: Patch::Json(_),
            ..
        }
    );
    is_patch && refusal.code == 422 && refusal.finds_no_field()
}

/// True when a UID asked for in an apply is not the object's. Only when nothing else stands against the apply the
/// server calls this a conflict; a forced one it calls an invalid change of `metadata.uid`.
fn is_uid_conflict(request: &Request, refusal: &Refusal) -> bool {
    let has_uid = matches!(
        request,
        Request::Apply { uid: Some(_), .. }
            | Request::Update { uid: Some(_), .. }
            | Request::Patch { uid: Some(_), .. }
    );
    has_uid && refusal.code == 422 && refusal.names_field("metadata.uid")
}

/// True when a 404 is about the namespace the object should be in.
fn is_about_namespace(request: &Request, refusal: &Refusal) -> bool {
    let asked_for_one = request.key().is("", "Namespace");
    !asked_for_one
        && matches!(refusal.kind.as_str(), "namespaces" | "Namespace")
        && request.key().namespace() == Some(refusal.name.as_str())
}
