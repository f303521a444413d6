//! What a case has left in the cluster: objects, marks, ledger.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{
    EngineOptions, Entry, GroupKind, InventoryId, Ledger, LedgerAnswer, MarkState, Marks, Object, ObjectKey,
    Target,
};
use fleet_kube::{ConfigMapLedger, Connection};
use futures_util::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, Discovery,
    api::{ApiResource, DynamicObject, ListParams},
    discovery::{ApiGroup, verbs},
};
use serde_json::Value;

use super::{inventories, lab::Lab};

/// Kinds listed at once.
const LISTS_AT_ONCE: usize = 8;

/// What belongs to one inventory.
pub(super) struct State {
    /// Everything that bears our mark, of any kind.
    pub(super) objects: BTreeMap<ObjectKey, Value>,
    /// What the ledger says.
    pub(super) entries: BTreeMap<ObjectKey, Entry>,
}

impl State {
    pub(super) fn uid(&self, key: &ObjectKey) -> Option<&str> {
        self.objects.get(key)?["metadata"]["uid"].as_str()
    }
}

pub(super) fn target(lab: &Lab, tag: &str) -> Target {
    let inventory = InventoryId::new(tag).expect("an id");
    Target::new(lab.connection.cluster().clone(), inventory)
}

/// What the ledger of a target says.
pub(super) async fn entries(
    connection: &Connection,
    target: &Target,
) -> Result<BTreeMap<ObjectKey, Entry>, String> {
    match ConfigMapLedger::new(connection.clone()).load(target).await {
        Ok(LedgerAnswer::Known(content)) => Ok(content.entries),
        other => Err(format!("the ledger cannot be read: {other:?}")),
    }
}

/// Everything of the inventory `tag`; an error says what could not be read.
pub(super) async fn look(lab: &Lab, tag: &str) -> Result<State, String> {
    let target = target(lab, tag);
    let entries = entries(&lab.connection, &target).await?;
    let marks = Marks::new(&EngineOptions::default().domain, &target);
    // Kinds of other cases are left out: there may be many.
    let wanted = |resource: &ApiResource| {
        resource.group == inventories::group(tag) || !resource.group.ends_with(inventories::DOMAIN)
    };
    let found = list(&lab.someone, wanted, &marks.selector())
        .await
        .map_err(|error| format!("the cluster cannot be read: {error}"))?;
    // Controllers copy labels to objects of their own making.
    let marked = found
        .into_iter()
        .filter(|object| marks.read(object) == MarkState::Ours);
    let objects = marked.map(|object| (object.key().clone(), object.to_json()));
    Ok(State {
        objects: objects.collect(),
        entries,
    })
}

/// The UIDs of these objects.
pub(super) async fn uids(lab: &Lab, keys: &[ObjectKey]) -> BTreeMap<ObjectKey, String> {
    let kinds: BTreeSet<&GroupKind> = keys.iter().map(ObjectKey::group_kind).collect();
    let wanted = |resource: &ApiResource| {
        kinds.contains(&GroupKind::new(resource.group.as_str(), resource.kind.as_str()))
    };
    let found = list(&lab.someone, wanted, "").await.expect("objects");
    let ours = found.into_iter().filter(|object| keys.contains(object.key()));
    let uid = |object: &Object| object.metadata_text("uid").unwrap_or_default().to_owned();
    ours.map(|object| (object.key().clone(), uid(&object))).collect()
}

/// All objects of these kinds with these labels. The reconciler's own code is not asked.
async fn list(
    client: &Client,
    wanted: impl Fn(&ApiResource) -> bool,
    selector: &str,
) -> Result<Vec<Object>, kube::Error> {
    let discovery = Discovery::new(client.clone()).run_aggregated().await?;
    let listable: Vec<ApiResource> = discovery
        .groups()
        .flat_map(ApiGroup::recommended_resources)
        .filter(|(resource, can)| can.supports_operation(verbs::LIST) && wanted(resource))
        .map(|(resource, _)| resource)
        .collect();
    let params = ListParams::default().labels(selector);
    let lists = listable
        .iter()
        .map(|resource| list_kind(client, resource, &params));
    stream::iter(lists)
        .buffer_unordered(LISTS_AT_ONCE)
        .try_concat()
        .await
}

async fn list_kind(
    client: &Client,
    resource: &ApiResource,
    params: &ListParams,
) -> Result<Vec<Object>, kube::Error> {
    let api = Api::<DynamicObject>::all_with(client.clone(), resource);
    let items = match api.list(params).await {
        // It was there a moment ago.
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        list => list?.items,
    };
    let object = |item: DynamicObject| {
        let mut value = serde_json::to_value(item).expect("json");
        value["apiVersion"] = resource.api_version.as_str().into();
        value["kind"] = resource.kind.as_str().into();
        Object::from_json(value).expect("an object")
    };
    Ok(items.into_iter().map(object).collect())
}
