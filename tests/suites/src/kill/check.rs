//! What must hold after the run that follows a kill.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{EntryState, ObjectKey, Uid};
use fleet_harness::{AuditEvent, User};
use serde_json::Value;

use super::{
    course::{Course, Scene},
    inventories::keys,
    lab::Reference,
    look::State,
    report::Finding,
    rules::Replace,
};

/// Contents by key, the tag taken out of both.
pub(super) type Contents = BTreeMap<String, Value>;

pub(super) fn contents(state: &State, tag: &str) -> Contents {
    let one = |(key, value): (&ObjectKey, &Value)| (untagged(key, tag), content(value, tag));
    state.objects.iter().map(one).collect()
}

fn untagged(key: &ObjectKey, tag: &str) -> String {
    key.to_string().replace(tag, "TAG")
}

/// What of an object does not depend on when it was made, who looked at it, or under which tag.
fn content(value: &Value, tag: &str) -> Value {
    let text = value.to_string().replace(tag, "TAG");
    let mut value: Value = serde_json::from_str(&text).expect("still JSON");
    let remove = |value: &mut Value, names: &[&str]| {
        if let Some(map) = value.as_object_mut() {
            map.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    remove(&mut value, &["status"]);
    remove(
        &mut value["metadata"],
        &[
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
        ],
    );
    // Controllers count revisions; addresses are given out at random.
    remove(
        &mut value["metadata"]["annotations"],
        &["deployment.kubernetes.io/revision"],
    );
    if value["kind"] == "Service" {
        remove(&mut value["spec"], &["clusterIP", "clusterIPs"]);
    }
    value
}

/// What a case comes to.
pub(super) fn judge(course: Course, reference: &Reference) -> Finding {
    let violations = match &course.scene {
        Some(scene) => scene.violations(&reference.contents),
        None => Vec::new(),
    };
    Finding {
        case: course.case,
        reached: course.scene.is_some(),
        missed: course.missed,
        violations,
        took: course.took,
    }
}

impl Scene {
    fn violations(&self, reference: &Contents) -> Vec<String> {
        let after = match &self.after {
            Ok(after) => after,
            Err(why) => return vec![why.clone()],
        };
        let mut all = self.ending(after);
        all.extend(self.objects(after, reference));
        all.extend(self.entries(after));
        all.extend(self.identities(after));
        all.extend(self.deletes());
        all
    }

    /// The object that somebody replaced: nothing else is said about it.
    fn stranger(&self) -> Option<ObjectKey> {
        self.replaced.as_ref().map(|_| Replace::victim(&self.tag))
    }

    /// The run after the pass is content; or it reports that an object was replaced, which survives.
    fn ending(&self, after: &State) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some(replaced) = &self.replaced else {
            if self.next.code != Some(0) {
                let (code, output) = (self.next.code, &self.next.output);
                wrong.push(format!("the run after the kill ended with {code:?}\n{output}"));
            }
            return wrong;
        };
        let victim = Replace::victim(&self.tag);
        match replaced {
            Err(why) => wrong.push(why.clone()),
            Ok(uid) if after.uid(&victim) != Some(uid) => {
                wrong.push(format!("{victim} of somebody else is gone"));
            }
            Ok(_) if !self.next.output.contains("mark-with-other-uid") => {
                wrong.push(format!("{victim} of somebody else is not reported"));
            }
            Ok(_) => {}
        }
        wrong
    }

    /// Same keys, content and marks as without a kill; what bears our mark is all listed.
    fn objects(&self, after: &State, reference: &Contents) -> Vec<String> {
        let mut found = contents(after, &self.tag);
        if let Some(stranger) = self.stranger() {
            found.remove(&untagged(&stranger, &self.tag));
        }
        let mut wrong = Vec::new();
        for (key, wanted) in reference {
            match found.remove(key) {
                None => wrong.push(format!("{key} is missing, or without our mark")),
                Some(value) if value != *wanted => {
                    wrong.push(format!("{key} is {value} instead of {wanted}"));
                }
                Some(_) => {}
            }
        }
        wrong.extend(found.keys().map(|key| format!("{key} is orphaned")));
        wrong
    }

    /// The ledger says what is there, and nothing else.
    fn entries(&self, after: &State) -> Vec<String> {
        let mut wanted: BTreeSet<ObjectKey> = keys(&self.inventories.b).into_iter().collect();
        let mut wrong = Vec::new();
        let stranger = self.stranger();
        for (key, entry) in after
            .entries
            .iter()
            .filter(|(key, _)| Some(*key) != stranger.as_ref())
        {
            let uid = entry.uid.as_ref().map(Uid::as_str);
            if !wanted.remove(key) {
                wrong.push(format!("an entry of {key} is left over: {entry:?}"));
            } else if entry.state != EntryState::Owned || uid.is_none() || uid != after.uid(key) {
                wrong.push(format!("the entry of {key} is {entry:?}"));
            }
        }
        wrong.extend(wanted.iter().map(|key| format!("{key} is not recorded")));
        wrong
    }

    /// What was listed throughout is the same object as before.
    fn identities(&self, after: &State) -> Vec<String> {
        let throughout = self.inventories.throughout();
        let same = |key: &&ObjectKey| {
            let before = self.before.get(*key).map(String::as_str);
            before.is_some() && before == after.uid(key)
        };
        let others = throughout.iter().filter(|key| !same(key));
        others.map(|key| format!("{key} was made again")).collect()
    }

    /// No delete was sent of anything that was listed throughout; what was dropped shows that the log would tell.
    fn deletes(&self) -> Vec<String> {
        let is_delete = |event: &&AuditEvent| {
            event.user == User::Fleet.as_str() && event.verb.starts_with("delete") && event.is_write()
        };
        let sent: Vec<&AuditEvent> = self.audit.iter().filter(is_delete).collect();
        let of = |key: &ObjectKey| sent.iter().find(|event| is_about(event, key));
        let throughout = self.inventories.throughout();
        let wrong = throughout.iter().filter_map(|key| {
            let event = of(key)?;
            Some(format!(
                "{} {} was sent, answered {}",
                event.verb, event.uri, event.code
            ))
        });
        let dropped = self.inventories.dropped();
        let stranger = self.stranger();
        let untold = dropped
            .iter()
            .filter(|key| stranger.as_ref() != Some(*key) && of(key).is_none());
        wrong
            .chain(untold.map(|key| format!("the log shows no delete of {key}")))
            .collect()
    }
}

/// Whether a request is about this object, alone or among others.
fn is_about(event: &AuditEvent, key: &ObjectKey) -> bool {
    // The log notes a namespace as being in itself.
    let place = key.namespace().unwrap_or(&event.namespace);
    event.resource == format!("{}s", key.kind().to_lowercase())
        && event.group == key.group()
        && event.namespace == place
        && (event.name == key.name() || event.verb == "deletecollection")
}
