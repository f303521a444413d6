//! The definitions that everything begins with: each a manifest, as written and with all its defaults spelled out.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{
    compare::{answer_in_short, take_chosen},
    frozen, own,
    place::get,
    rich,
    server::{Answer, Server, is_built_in, label},
    site::{Site, absent, sites},
    status,
};
use crate::{
    manifests::Set,
    random::{Random, hash},
    served::Served,
};

/// Where namespaced objects are, and where those that limit others are.
pub(super) const NAMESPACE: &str = "truth";
const LIMITS: &str = "truth-limits";
/// Where a policy changes what is written.
pub(super) const MUTATED: &str = "truth-mutated";

/// The name of what is only asked about.
pub(super) const PROBE: &str = "probe";

/// The name of the set of this test's own.
const RICH: &str = "rich";

/// Manifests of one kind that are used, of a set.
const A_KIND_AND_SET: usize = 4;
/// And of all sets.
const A_KIND: usize = 8;
/// Objects larger than this are left out: questions about them say no more, and take longer.
const SIZE_MAX: usize = 24 * 1024;

/// Requests at a time while they are read.
const LANES: usize = 16;

/// A definition.
pub(super) struct Base {
    /// From its definition.
    pub(super) id: u64,
    pub(super) resource: Served,
    pub(super) kind: String,
    /// The set it is from.
    pub(super) set: String,
    /// With the name [`PROBE`].
    pub(super) document: Value,
    /// Its defaults are spelled out.
    pub(super) is_full: bool,
    pub(super) sites: Vec<Site>,
    /// Known fields that are not there.
    pub(super) absent: Vec<Site>,
    /// Its kind is served at several versions.
    pub(super) has_versions: bool,
    /// The schema of its kind changes.
    pub(super) evolves: bool,
    pub(super) can_be_mutated: bool,
    /// What a controller might write.
    pub(super) status: Option<Value>,
}

impl Base {
    pub(super) fn is_built_in(&self) -> bool {
        is_built_in(&self.resource)
    }

    /// Its kind refuses changes here.
    pub(super) fn is_frozen(&self, site: &Site) -> bool {
        self.is_built_in() && frozen::is(&self.resource.kind, &site.path)
    }
}

/// What has to be there first: namespaces, and definitions of custom resources.
pub(super) fn first(sets: &[Set]) -> Vec<Value> {
    let namespace = |name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
    for object in sets
        .iter()
        .flat_map(|set| &set.versions)
        .flat_map(|version| &version.objects)
    {
        if object.key().kind() == "CustomResourceDefinition" && !object.name().starts_with("refus") {
            let definition = object.to_json();
            if definition.to_string().len() <= SIZE_MAX {
                definitions.insert(object.name().to_owned(), definition);
            }
        }
    }
    let namespaces = [NAMESPACE, LIMITS, MUTATED].map(namespace).into_iter();
    namespaces
        .chain(definitions.into_values())
        .chain(own::definitions())
        .collect()
}

/// Reads them: those that a server would create.
pub(super) async fn bases(server: &Server, sets: &[Set], seed: u64) -> Vec<Base> {
    let mut by_kind: BTreeMap<(String, String), Vec<(String, Value)>> = BTreeMap::new();
    let mut add = |set: &str, document: &Value| {
        if let Some(document) = prepared(server, document) {
            let word = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            let key = (word("apiVersion"), word("kind"));
            by_kind.entry(key).or_default().push((set.to_owned(), document));
        }
    };
    for document in rich::documents().iter().chain(&own::resources()) {
        add(RICH, document);
    }
    for set in sets {
        for object in set.versions.iter().flat_map(|version| &version.objects) {
            add(&set.name, &object.to_json());
        }
    }
    let mut chosen = Vec::new();
    for ((version, kind), mut found) in by_kind {
        let mut random = Random::of(seed, &format!("{version} {kind}"), 0);
        random.shuffle(&mut found);
        found.sort_by_key(|(set, _)| set != RICH);
        let mut from: BTreeMap<String, usize> = BTreeMap::new();
        let mut taken = 0;
        for (set, document) in found {
            let of_set = from.entry(set.clone()).or_default();
            if *of_set < A_KIND_AND_SET && taken < A_KIND {
                *of_set += 1;
                taken += 1;
                chosen.push((set, document));
            }
        }
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut all = Vec::new();
    for (set, document) in chosen {
        // One of each kind has owners, finalizers, labels and annotations.
        if seen.insert(format!("{} {}", document["apiVersion"], document["kind"])) {
            all.push((set.clone(), decorated(&document)));
        }
        all.push((set, document));
    }
    flavours(server, all).await
}

/// Those of the kinds whose schemas change.
pub(super) async fn evolving(server: &Server) -> Vec<Base> {
    let resources = own::resources();
    let evolving = resources.iter().filter(|document| own::evolves(document));
    let prepared = evolving.filter_map(|document| Some((RICH.to_owned(), prepared(server, document)?)));
    flavours(server, prepared.collect()).await
}

async fn flavours(server: &Server, documents: Vec<(String, Value)>) -> Vec<Base> {
    let bases = stream::iter(documents).map(|(set, document)| both(server, set, document));
    bases.buffered(LANES).flat_map(stream::iter).collect().await
}

fn decorated(document: &Value) -> Value {
    let mut document = document.clone();
    let owner =
        |name: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
    let metadata = &mut document["metadata"];
    metadata["ownerReferences"] = json!([
        owner("one", "11111111-2222-3333-4444-555555555555"),
        owner("two", "11111111-2222-3333-4444-666666666666"),
    ]);
    metadata["finalizers"] = json!(["example.net/first", "example.net/second"]);
    metadata["labels"]["example.net/decorated"] = json!("true");
    metadata["annotations"]["example.net/note"] = json!("decorated");
    document
}

/// A manifest as it can be asked about under another name: `None` for what would disturb the server.
fn prepared(server: &Server, document: &Value) -> Option<Value> {
    let resource = server.resource(document)?;
    let mut document = document.clone();
    let kind = if is_built_in(resource) {
        resource.kind.as_str()
    } else {
        ""
    };
    let disturbs = match kind {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            !document.to_string().contains("nothing")
        }
        "APIService" => true,
        _ => false,
    };
    if disturbs || document.to_string().len() > SIZE_MAX {
        return None;
    }
    document.as_object_mut()?.remove("status");
    let metadata = document["metadata"].as_object_mut()?;
    for name in [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "namespace",
    ] {
        metadata.remove(name);
    }
    for name in [
        "storageclass.kubernetes.io/is-default-class",
        "ingressclass.kubernetes.io/is-default-class",
    ] {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(name);
        }
    }
    if resource.namespaced {
        let namespace = if matches!(kind, "ResourceQuota" | "LimitRange") {
            LIMITS
        } else {
            NAMESPACE
        };
        document["metadata"]["namespace"] = json!(namespace);
    }
    match kind {
        // What two objects cannot both have.
        "Service" => {
            if let Some(spec) = document["spec"].as_object_mut() {
                spec.remove("healthCheckNodePort");
                if spec.get("clusterIP").is_some_and(|ip| ip != "None") {
                    spec.remove("clusterIP");
                    spec.remove("clusterIPs");
                }
            }
            for port in document["spec"]["ports"].as_array_mut().into_iter().flatten() {
                port.as_object_mut()?.remove("nodePort");
            }
        }
        "PriorityClass" => {
            document.as_object_mut()?.remove("globalDefault");
        }
        "CustomResourceDefinition" => {
            let names = document["spec"]["names"].as_object_mut()?;
            names.remove("shortNames");
            names.remove("categories");
        }
        _ => {}
    }
    rename(&mut document, PROBE);
    Some(document)
}

/// Gives a document another name, also where its kind repeats it.
pub(super) fn rename(document: &mut Value, name: &str) {
    if document["kind"] == "CustomResourceDefinition" {
        let group = document["spec"]["group"].as_str().unwrap_or_default().to_owned();
        let plural = name.replace(['-', '.'], "");
        document["metadata"]["name"] = json!(format!("{plural}.{group}"));
        document["spec"]["names"]["plural"] = json!(plural);
        document["spec"]["names"]["singular"] = json!(plural);
        document["spec"]["names"]["kind"] = json!(plural.to_uppercase());
        document["spec"]["names"]["listKind"] = json!(format!("{}List", plural.to_uppercase()));
    } else {
        document["metadata"]["name"] = json!(name);
    }
}

/// A manifest as written, and with its defaults.
async fn both(server: &Server, set: String, document: Value) -> Vec<Base> {
    let object = match server.ask(&document, "reader", true).await {
        Answer::Object { object, .. } => object,
        refused => {
            if set == RICH {
                println!("not usable: {} {}", document["kind"], answer_in_short(&refused));
            }
            return Vec::new();
        }
    };
    let base = |document: Value, is_full| {
        let resource = server.resource(&document)?.clone();
        let schema = server.schema(&document)?;
        let kind = label(&resource);
        Some(Base {
            id: hash(document.to_string().as_bytes()),
            sites: sites(&document, schema),
            absent: absent(&document, schema),
            has_versions: !server.other_versions(&document).is_empty(),
            evolves: own::evolves(&document),
            status: status::example(&resource, schema),
            can_be_mutated: resource.namespaced && !kind.ends_with("Event"),
            kind,
            resource,
            set: set.clone(),
            document,
            is_full,
        })
    };
    let full = without_what_servers_choose(object);
    let full = match server.ask(&full, "reader", true).await {
        Answer::Object { .. } if full != document => base(full, true),
        _ => None,
    };
    let full = full.map(|mut full| {
        for site in &mut full.sites {
            site.is_default = get(&document, &site.place).is_none();
        }
        full
    });
    [base(document.clone(), false), full]
        .into_iter()
        .flatten()
        .collect()
}

/// As somebody might write it down from what a server shows.
pub(super) fn without_what_servers_choose(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for name in [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
        ] {
            metadata.remove(name);
        }
    }
    // Somebody who writes down a Service may well keep the families of its addresses.
    let families = json!({"spec": {"ipFamilies": [], "ipFamilyPolicy": ""}});
    take_chosen(&mut object, &families, None);
    object
}
