//! What a `CustomResourceDefinition` makes a server serve.

use std::sync::Arc;

use fleet_diff::{Node, Object};

use super::{Resource, Subresource, api_version, storage};

/// In the order in which discovery says them (`sync` in `customresource_discovery_controller.go` of
/// apiextensions-apiserver, as everything here).
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// Of a definition that is going: nothing new may come.
const TERMINATING_VERBS: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];

/// Of all subresources.
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// A resource for each served version, in the order of the definition. Nothing comes of a definition without a group, a
/// kind and a plural, which no server takes.
pub(super) fn resources(definition: &Object) -> Vec<Arc<Resource>> {
    let Some(spec) = definition.root().get("spec") else {
        return Vec::new();
    };
    let name = |key: &str| text(spec, &["names", key]);
    let (Some(group), Some(kind), Some(plural)) = (text(spec, &["group"]), name("kind"), name("plural"))
    else {
        return Vec::new();
    };
    // As `SetDefaults_CustomResourceDefinitionSpec` completes what is left out.
    let singular = name("singular").map_or_else(|| kind.to_lowercase(), str::to_owned);
    let list_kind = name("listKind").map_or_else(|| format!("{kind}List"), str::to_owned);
    let verbs = match is_terminating(definition) {
        true => owned(&TERMINATING_VERBS),
        false => owned(&VERBS),
    };
    let versions: Vec<Node<'_>> = items(spec, "versions").collect();
    let stored = versions.iter().find(|version| flag(**version, "storage"));
    let stored_at = stored.and_then(|version| text(*version, &["name"]));
    // What is not served has no mark.
    let marked = stored.is_some_and(|version| flag(*version, "served"));
    let storage_hash = match stored_at.filter(|_| marked) {
        Some(version) => storage::hash(group, version, kind),
        None => String::new(),
    };
    let served = versions.iter().filter(|version| flag(**version, "served"));
    let resources = served.filter_map(|served| {
        let version = text(*served, &["name"])?;
        Some(Arc::new(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            list_kind: list_kind.clone(),
            plural: plural.to_owned(),
            singular: singular.clone(),
            short_names: texts(spec, "shortNames"),
            categories: texts(spec, "categories"),
            namespaced: text(spec, &["scope"]) == Some("Namespaced"),
            verbs: verbs.clone(),
            subresources: subresources(*served, group, version, kind),
            storage_version: stored_at.map(|stored| api_version(group, stored)),
            storage_hash: storage_hash.clone(),
            is_custom: true,
        }))
    });
    resources.collect()
}

fn subresources(served: Node<'_>, group: &str, version: &str, kind: &str) -> Vec<Subresource> {
    let known = [
        ("status", group, version, kind),
        ("scale", "autoscaling", "v1", "Scale"),
    ];
    let there = known.into_iter().filter(|(name, ..)| {
        let found = served.at(&["subresources", *name]);
        found.is_some_and(|found| !found.is_null())
    });
    let subresources = there.map(|(name, group, version, kind)| Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        verbs: owned(&SUBRESOURCE_VERBS),
    });
    subresources.collect()
}

fn is_terminating(definition: &Object) -> bool {
    let Some(status) = definition.root().get("status") else {
        return false;
    };
    items(status, "conditions").any(|condition| {
        let is = |key: &str, wanted: &str| text(condition, &[key]) == Some(wanted);
        is("type", "Terminating") && is("status", "True")
    })
}

fn items<'a>(node: Node<'a>, key: &str) -> impl Iterator<Item = Node<'a>> {
    node.get(key).into_iter().flat_map(Node::items)
}

/// Of `spec.names`.
fn texts(spec: Node<'_>, key: &str) -> Vec<String> {
    let names = spec.get("names").into_iter().flat_map(|names| items(names, key));
    names.filter_map(Node::as_str).map(str::to_owned).collect()
}

/// A text that is not empty.
fn text<'a>(node: Node<'a>, path: &[&str]) -> Option<&'a str> {
    node.at(path)?.as_str().filter(|text| !text.is_empty())
}

fn flag(node: Node<'_>, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool) == Some(true)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(names: Value, versions: Value) -> Object {
        Object::from_json(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "racks.example.net"},
            "spec": {"group": "example.net", "scope": "Namespaced", "names": names, "versions": versions},
        }))
        .expect("an object")
    }

    #[test]
    fn each_served_version_is_a_resource() {
        let found = resources(&definition(
            json!({"kind": "Rack", "plural": "racks", "shortNames": ["rk"], "categories": ["all", "metal"]}),
            json!([
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": null}},
                {"name": "v2", "served": false, "storage": false, "subresources": {"status": {}}},
                {"name": "v3", "served": true, "storage": false, "subresources": {"scale": {}, "status": {}}},
            ]),
        ));
        let versions: Vec<&str> = found.iter().map(|one| &*one.version).collect();
        assert_eq!(versions, ["v1", "v3"]);
        for one in &found {
            assert_eq!(
                (&*one.group, &*one.kind, &*one.plural),
                ("example.net", "Rack", "racks")
            );
            assert_eq!(
                (one.short_names.join(" "), one.categories.join(" ")),
                ("rk".into(), "all metal".into())
            );
            assert!(one.namespaced && one.is_custom && one.has_verb("create"));
            assert_eq!(one.storage_version.as_deref(), Some("example.net/v1"));
            assert_eq!(one.storage_hash, storage::hash("example.net", "v1", "Rack"));
        }
        let subresources = |at: usize| {
            let all = found[at].subresources.iter();
            all.map(|sub| format!("{} {}/{} {}", sub.name, sub.group, sub.version, sub.kind))
                .collect::<Vec<_>>()
        };
        assert_eq!(subresources(0), ["status example.net/v1 Rack"]);
        assert_eq!(
            subresources(1),
            ["status example.net/v3 Rack", "scale autoscaling/v1 Scale"]
        );
    }

    #[test]
    fn names_that_are_left_out_are_made_of_the_kind() {
        let versions = json!([{"name": "v1", "served": true, "storage": true}]);
        let names = |names: Value| {
            let found = resources(&definition(names, versions.clone()));
            (found[0].singular.clone(), found[0].list_kind.clone())
        };
        assert_eq!(
            names(json!({"kind": "RackRow", "plural": "rows"})),
            ("rackrow".into(), "RackRowList".into())
        );
        let given = json!({"kind": "RackRow", "plural": "rows", "singular": "row", "listKind": "Rows"});
        assert_eq!(names(given), ("row".into(), "Rows".into()));
    }

    #[test]
    fn a_stored_version_that_is_not_served_has_no_mark() {
        let found = resources(&definition(
            json!({"kind": "Rack", "plural": "racks"}),
            json!([{"name": "v1", "served": true}, {"name": "v2", "served": false, "storage": true}]),
        ));
        assert_eq!((&*found[0].version, &*found[0].storage_hash), ("v1", ""));
        assert_eq!(found[0].storage_version.as_deref(), Some("example.net/v2"));
    }

    #[test]
    fn a_definition_that_is_going_lets_nothing_in() {
        let versions = json!([{"name": "v1", "served": true, "storage": true}]);
        let mut going = definition(json!({"kind": "Rack", "plural": "racks"}), versions).to_json();
        for (status, expected) in [("False", &VERBS[..]), ("True", &TERMINATING_VERBS)] {
            going["status"] = json!({"conditions": [{"type": "Terminating", "status": status}]});
            let object = Object::from_json(going.clone()).expect("an object");
            assert_eq!(resources(&object)[0].verbs, expected);
        }
    }

    #[test]
    fn nothing_comes_of_nonsense() {
        let bare = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "a"}});
        assert!(resources(&Object::from_json(bare).expect("an object")).is_empty());
        let versions = json!([{"name": "v1", "served": true, "storage": true}]);
        assert!(resources(&definition(json!({"kind": "Rack"}), versions)).is_empty());
        let nameless = json!([{"served": true, "storage": true}]);
        assert!(resources(&definition(json!({"kind": "Rack", "plural": "racks"}), nameless)).is_empty());
    }
}
