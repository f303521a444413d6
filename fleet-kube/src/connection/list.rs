//! Lists, complete or not at all.

use std::collections::HashMap;

use fleet_core::{Fault, Gvk, LiveMeta, Marks, ObjectKey, Remedy, Uid};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{
    Call, Connection, Query, Verb,
    address::collection_path,
    refusal::Refusal,
    reply::{Broken, JSON, Reply},
};

/// Metadata only; the second form is for servers that cannot do it, whose objects hold the same metadata.
pub(crate) const ACCEPT_META: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// A page, with items in whatever form.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(crate) struct Page<T> {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: PageMeta,
    /// They must be there: what is no list does not have them.
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) items: Vec<T>,
}

/// An empty list of metadata has `items: null`.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: Option<String>,
    #[serde(rename = "continue")]
    next: Option<String>,
}

impl<T> Page<T> {
    /// Whether it says of itself that it is one. The kind is not enough: custom resources may call their lists anything.
    fn is_list(&self) -> bool {
        self.kind.ends_with("List") || self.version().is_some()
    }

    /// The token of the next page, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        self.metadata.next.as_deref().filter(|token| !token.is_empty())
    }

    /// The state of the cluster the list shows.
    pub(crate) fn version(&self) -> Option<&str> {
        self.metadata
            .resource_version
            .as_deref()
            .filter(|version| !version.is_empty())
    }
}

/// What is listed.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) gvk: Gvk,
    pub(crate) namespace: Option<String>,
    /// Of labels.
    pub(crate) selector: Option<String>,
    /// A selector of fields; servers know few.
    pub(crate) fields: Option<&'static str>,
}

impl Selection {
    /// Everything of a kind.
    pub(crate) fn all(gvk: Gvk) -> Self {
        Self {
            gvk,
            namespace: None,
            selector: None,
            fields: None,
        }
    }
}

/// A page, or the news that the list must begin again.
pub(crate) enum Paged<T> {
    Page(Page<T>),
    Expired,
}

impl Connection {
    /// Lists a kind, metadata only: all objects at one moment, in one namespace or in all, that match a label
    /// selector. `marks` says which label and annotation to read.
    ///
    /// # Errors
    /// When any part of the list cannot be read: a part is never returned for the whole.
    pub async fn list_meta(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        selector: Option<&str>,
        marks: &Marks,
    ) -> Result<Vec<LiveMeta>, Fault> {
        let selection = Selection {
            gvk: gvk.clone(),
            namespace: namespace.map(str::to_owned),
            selector: selector.map(str::to_owned),
            fields: None,
        };
        self.list(&selection, ACCEPT_META, |_, item: Item| {
            item.into_live_meta(gvk, marks)
        })
        .await
    }

    /// All items of a list, whole or not at all. A list whose pages expire is begun again. What is taken may depend on
    /// what was taken before in this list.
    pub(crate) async fn list<T: DeserializeOwned, U>(
        &self,
        selection: &Selection,
        accept: &'static str,
        take: impl Fn(&[U], T) -> Result<U, Fault>,
    ) -> Result<Vec<U>, Fault> {
        let mut restarts = 0;
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let size = self.page_size(restarts);
            match self.page(selection, accept, token.as_deref(), size).await? {
                Paged::Page(page) => {
                    token = page.next().map(str::to_owned);
                    for item in page.items {
                        let taken = take(&items, item)?;
                        items.push(taken);
                    }
                    if token.is_none() {
                        return Ok(items);
                    }
                }
                Paged::Expired => {
                    restarts += 1;
                    items.clear();
                    token = None;
                }
            }
        }
    }

    /// The size of pages of a list that was begun anew so often; none: it is to be read in one piece.
    pub(super) fn page_size(&self, restarts: u32) -> Option<u32> {
        let options = &self.shared.options;
        (restarts <= options.list_restarts_max).then_some(options.list_page_size)
    }

    /// One page of a consistent list; without a size, everything in one.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        selection: &Selection,
        accept: &'static str,
        token: Option<&str>,
        size: Option<u32>,
    ) -> Result<Paged<T>, Fault> {
        let path = collection_path(&self.kinds(), &selection.gvk, selection.namespace.as_deref())?;
        let size = size.map(|size| size.to_string());
        let query = Query::new()
            .with_some("labelSelector", selection.selector.as_deref())
            .with_some("fieldSelector", selection.fields)
            .with_some("limit", size.as_deref())
            .with_some("continue", token);
        let call = Call::get(Verb::List, query.after(path)).accept(accept);
        let reply = self.call(&call).await.map_err(Broken::fault)?;
        if reply.is_success() {
            return parse(&reply, selection).map(Paged::Page);
        }
        let refusal = Refusal::of(&reply);
        // Without a token there is nothing that could have expired.
        if token.is_some() && refusal.is_out_of_history() {
            Ok(Paged::Expired)
        } else {
            Err(refusal.fault())
        }
    }
}

fn parse<T: DeserializeOwned>(reply: &Reply, selection: &Selection) -> Result<Page<T>, Fault> {
    let wrong = |why: String| {
        let message = format!("the list of {} cannot be read ({why})", selection.gvk);
        Fault::new(Remedy::Unreachable, message)
    };
    let page: Page<T> = serde_json::from_slice(&reply.body).map_err(|error| {
        // The error's own words may quote content.
        wrong(format!("line {}, column {}", error.line(), error.column()))
    })?;
    if page.is_list() {
        Ok(page)
    } else {
        Err(wrong("what came is no list".to_owned()))
    }
}

/// For lists of whole objects.
pub(crate) const ACCEPT_OBJECTS: &str = JSON;

#[derive(Deserialize)]
struct Item {
    metadata: ItemMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemMeta {
    name: String,
    namespace: Option<String>,
    uid: String,
    labels: Option<HashMap<String, String>>,
    annotations: Option<HashMap<String, String>>,
    owner_references: Option<Vec<Owner>>,
}

#[derive(Deserialize)]
struct Owner {
    uid: String,
}

impl Item {
    fn into_live_meta(self, gvk: &Gvk, marks: &Marks) -> Result<LiveMeta, Fault> {
        let meta = self.metadata;
        if meta.name.is_empty() || meta.uid.is_empty() {
            let message = format!("the list of {gvk} holds an object without name or UID");
            return Err(Fault::new(Remedy::Unreachable, message));
        }
        let key = ObjectKey::of(gvk.group_kind().clone(), meta.namespace.as_deref(), &meta.name);
        let mut live = LiveMeta::new(key, Uid::new(meta.uid));
        live.owner_label = meta
            .labels
            .and_then(|mut labels| labels.remove(marks.label_key()));
        live.mark = meta
            .annotations
            .and_then(|mut annotations| annotations.remove(marks.annotation_key()));
        live.owners = meta
            .owner_references
            .into_iter()
            .flatten()
            .map(|owner| Uid::new(owner.uid))
            .collect();
        Ok(live)
    }
}
