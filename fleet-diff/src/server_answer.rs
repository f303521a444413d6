//! What the server's answer to a dry-run apply says: would applying change anything?

use crate::{
    Digest, DigestBuilder, FieldChange, Object,
    compare::changes_without,
    managed_fields::{Entry, applied_by},
};

/// The fields of `metadata` that do not count when a live object is compared with the server's answer.
///
/// The server moves them by itself: `resourceVersion` and `generation` count writes, `managedFields` holds times (who
/// owns what is compared apart, see [`Differences::ownership`]), and `selfLink` comes from old servers only. Everything
/// else counts.
pub const LEFT_OUT: &[&str] = &["resourceVersion", "generation", "managedFields", "selfLink"];

/// What applying would change on a live object, according to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// The fields that would change, apart from [`LEFT_OUT`].
    pub fields: Vec<FieldChange>,
    /// Whether the manager would come to own other fields than now, or own them at another API version.
    pub ownership: bool,
}

impl Differences {
    /// True when applying would change nothing at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && !self.ownership
    }
}

/// Compares the live object with what a dry-run apply as field manager `manager` returned for it.
///
/// ```
/// use fleet_diff::{Object, differences};
/// use serde_json::json;
///
/// let object = |replicas: u8, version: &str| Object::from_json(json!({
///     "apiVersion": "apps/v1", "kind": "Deployment",
///     "metadata": {"name": "web", "resourceVersion": version},
///     "spec": {"replicas": replicas},
/// }));
/// let found = differences(&object(2, "7")?, &object(3, "8")?, "fleet");
/// assert_eq!(found.fields[0].path.to_string(), ".spec.replicas");
/// assert!(!found.ownership);
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
pub fn differences(live: &Object, answer: &Object, manager: &str) -> Differences {
    let (before, after) = (applied_by(live, manager), applied_by(answer, manager));
    let same = before.len() == after.len() && before.iter().zip(&after).all(|(a, b)| a.claim() == b.claim());
    Differences {
        fields: changes_without(live.root(), answer.root(), LEFT_OUT),
        ownership: !same,
    }
}

/// Digest of the state a dry-run answer about this object was given for: remember the answer by it.
///
/// It covers the whole object without `status` and [`LEFT_OUT`], and the manager's own `managedFields` entries of
/// operation `Apply` without their times. `status` is in it where the manager owns part of it through the object
/// itself: kinds without a status subresource store whatever a definition says there. What other managers own is not in it, so a controller that only moves its
/// times or its status does not change it.
///
/// An answer that changes nothing stays true as long as this digest stays the same. Whether a *change* would conflict,
/// and whether a dropped field would stay because somebody else owns it too, depends on the other managers as well: ask
/// again before acting on such an answer.
pub fn live_digest(live: &Object, manager: &str) -> Digest {
    let mut digest = DigestBuilder::new()
        .text("live object")
        .map_without(live.root(), &["status", "metadata"])
        .map_without(live.metadata(), LEFT_OUT);
    let applied = applied_by(live, manager);
    let in_status = |entry: &Entry<'_>| {
        entry
            .fields
            .is_some_and(|fields| fields.get("f:status").is_some())
    };
    if applied
        .iter()
        .any(|entry| entry.subresource.is_empty() && in_status(entry))
    {
        digest = match live.root().get("status") {
            Some(status) => digest.node(status),
            None => digest.null(),
        };
    }
    for entry in applied {
        digest = digest.text(entry.subresource).text(entry.api_version);
        digest = match entry.fields {
            Some(fields) => digest.node(fields),
            None => digest.null(),
        };
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn live() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "5", "generation": 2,
                "labels": {"a": "1"},
                "managedFields": [
                    {"manager": "fleet", "operation": "Apply", "apiVersion": "apps/v1", "time": "2020-01-01T00:00:00Z",
                     "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1",
                     "subresource": "status", "time": "2020-01-01T00:00:00Z",
                     "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
                ],
            },
            "spec": {"replicas": 2},
            "status": {"replicas": 1},
        })
    }

    /// A change, and whether it counts for `fields`, `ownership` and the digest.
    struct Case {
        name: &'static str,
        edit: fn(&mut Value),
        expect: (&'static [&'static str], bool, bool),
    }

    #[test]
    fn what_counts_and_what_does_not() {
        let cases = [
            Case {
                name: "nothing",
                edit: |_| {},
                expect: (&[], false, false),
            },
            Case {
                name: "counters",
                edit: |o| {
                    o["metadata"]["resourceVersion"] = json!("6");
                    o["metadata"]["generation"] = json!(3);
                    o["metadata"]["selfLink"] = json!("/x");
                },
                expect: (&[], false, false),
            },
            Case {
                name: "times",
                edit: |o| {
                    o["metadata"]["managedFields"][0]["time"] = json!("2021-01-01T00:00:00Z");
                    o["metadata"]["managedFields"].as_array_mut().unwrap().swap(0, 1);
                },
                expect: (&[], false, false),
            },
            Case {
                name: "another manager's ownership",
                edit: |o| o["metadata"]["managedFields"][1]["fieldsV1"] = json!({"f:metadata": {}}),
                expect: (&[], false, false),
            },
            Case {
                name: "status",
                edit: |o| o["status"]["replicas"] = json!(2),
                expect: (&["~ .status.replicas"], false, false),
            },
            Case {
                name: "a label",
                edit: |o| o["metadata"]["labels"]["b"] = json!("2"),
                expect: (&["+ .metadata.labels.b"], false, true),
            },
            Case {
                name: "the uid",
                edit: |o| o["metadata"]["uid"] = json!("v"),
                expect: (&["~ .metadata.uid"], false, true),
            },
            Case {
                name: "the spec",
                edit: |o| o["spec"]["replicas"] = json!(3),
                expect: (&["~ .spec.replicas"], false, true),
            },
            Case {
                name: "our fields",
                edit: |o| o["metadata"]["managedFields"][0]["fieldsV1"] = json!({"f:spec": {}}),
                expect: (&[], true, true),
            },
            Case {
                name: "our version",
                edit: |o| o["metadata"]["managedFields"][0]["apiVersion"] = json!("apps/v1beta1"),
                expect: (&[], true, true),
            },
            Case {
                name: "our operation",
                edit: |o| o["metadata"]["managedFields"][0]["operation"] = json!("Update"),
                expect: (&[], true, true),
            },
            Case {
                name: "our entry is gone",
                edit: |o| {
                    o["metadata"].as_object_mut().unwrap().remove("managedFields");
                },
                expect: (&[], true, true),
            },
            Case {
                name: "a second entry of ours",
                edit: |o| {
                    let mut entry = o["metadata"]["managedFields"][0].clone();
                    entry["subresource"] = json!("scale");
                    o["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
                },
                expect: (&[], true, true),
            },
        ];
        let before = Object::from_json(live()).unwrap();
        for Case {
            name,
            edit,
            expect: (fields, ownership, digest),
        } in cases
        {
            let mut after = live();
            edit(&mut after);
            let after = Object::from_json(after).unwrap();
            let found = differences(&before, &after, "fleet");
            let printed: Vec<String> = found.fields.iter().map(|change| format!("{change:?}")).collect();
            assert_eq!(printed, fields, "{name}");
            assert_eq!(found.ownership, ownership, "{name}");
            assert_eq!(found.is_empty(), fields.is_empty() && !ownership, "{name}");
            let moved = live_digest(&before, "fleet") != live_digest(&after, "fleet");
            assert_eq!(moved, digest, "{name}");
        }
    }

    /// As those of [`Digest`]: memories of answers outlive a process.
    #[test]
    fn digests_never_change() {
        let live: Object = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop",
            "uid":"u","resourceVersion":"5","generation":2,"labels":{"a":"1"},"managedFields":[
            {"manager":"fleet","operation":"Apply","apiVersion":"apps/v1","subresource":"status",
            "time":"2020-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:x":{}}}},
            {"manager":"fleet","operation":"Apply","apiVersion":"apps/v1","time":"2020-01-01T00:00:00Z",
            "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{},"f:l":{"k:{\"name\":\"a\"}":
            {".":{},"f:name":{}}}},"f:status":{}}},
            {"manager":"fleet","operation":"Apply","apiVersion":"apps/v1beta1"},
            {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1","subresource":"status",
            "fieldsV1":{"f:status":{}}}]},
            "spec":{"replicas":2,"l":[{"name":"a"}],"ratio":0.25,"big":18446744073709551615},
            "status":{"replicas":1}}"#
            .parse()
            .unwrap();
        assert_eq!(live.digest().to_string(), "ee958733a6bd1cd02a81dc9bdc3e9443");
        assert_eq!(
            live_digest(&live, "fleet").to_string(),
            "4195e32d6f806c572fb71d3d3279a14b"
        );
        assert_eq!(
            live_digest(&live, "other").to_string(),
            "464f7fecff764dc89839972c85723deb"
        );
    }

    #[test]
    fn digests_are_per_manager() {
        let object = Object::from_json(live()).unwrap();
        assert_ne!(live_digest(&object, "fleet"), live_digest(&object, "other"));
    }

    #[test]
    fn status_counts_where_it_is_ours() {
        let with = |status: u8, ours: bool, subresource: &str| {
            let mut value = live();
            value["status"]["replicas"] = json!(status);
            if ours {
                value["metadata"]["managedFields"][0]["fieldsV1"]["f:status"] = json!({"f:replicas": {}});
                value["metadata"]["managedFields"][0]["subresource"] = json!(subresource);
            }
            live_digest(&Object::from_json(value).unwrap(), "fleet")
        };
        assert_eq!(with(1, false, ""), with(2, false, ""));
        assert_ne!(with(1, true, ""), with(2, true, ""));
        assert_eq!(with(1, true, "status"), with(2, true, "status"));
    }
}
