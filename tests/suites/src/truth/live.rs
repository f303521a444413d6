//! Objects as they came to be: by real writes of several managers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    base::{Base, rename, without_what_servers_choose},
    edit::other,
    place::{Place, get, set},
    server::{Answer, Server, Write},
    site::{Site, part, sites},
};
use crate::random::{Random, hash};

/// A value for a place.
pub(super) type Edit = (Place, Value);

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Places that are edited at another version.
const AT_OTHER: usize = 3;

/// Tries, for objects that servers themselves write to.
const PUTS: usize = 10;

/// One write in the making of an object.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// A definition is applied by force.
    Applied { manager: &'static str, document: Value },
    /// A definition is created by `POST`.
    Created { manager: &'static str, document: Value },
    /// A definition is created as kubectl's client-side apply does.
    KubectlCreated { document: Value },
    /// Somebody applies values of their own by force, at these places only.
    AppliedPart { manager: &'static str, edits: Vec<Edit> },
    /// Somebody edits these places of the whole object.
    Edited { manager: &'static str, edits: Vec<Edit> },
    /// Somebody edits some leaves of the object at another version.
    EditedAtOther { manager: &'static str, salt: u64 },
    /// A merge patch, to a subresource or not.
    Merged {
        manager: &'static str,
        subresource: Option<&'static str>,
        patch: Value,
    },
    /// Somebody applies a status.
    StatusApplied { manager: &'static str, patch: Value },
    /// Nobody is recorded as an owner any more.
    Disowned,
}

/// How an object is made: the base's definition stands for the places.
#[derive(Clone, Debug, Default)]
pub(super) struct Recipe(pub(super) Vec<Made>);

/// An object, and what is known of how it came to be.
pub(super) struct Live {
    pub(super) object: Value,
    pub(super) name: String,
    /// What was written at which place by whom, in this order; what was refused is left out.
    pub(super) edits: Vec<(&'static str, Place, Value)>,
    /// What somebody could write down who looks at another version.
    pub(super) others: Vec<Other>,
}

/// An object at another version, as a definition.
pub(super) struct Other {
    pub(super) document: Value,
    pub(super) sites: Vec<Site>,
}

type Cell = Arc<OnceCell<Option<Arc<Live>>>>;

/// All that were made so far.
#[derive(Default)]
pub(super) struct Lives(Mutex<BTreeMap<String, Cell>>);

impl Lives {
    /// The object of a recipe, made at its first use; `None` when the server refuses it.
    pub(super) async fn get(
        &self,
        server: &Server,
        base: &Base,
        namespace: &'static str,
        recipe: &Recipe,
    ) -> Option<Arc<Live>> {
        let key = format!("{} {namespace} {recipe:?}", base.id);
        let name = format!("t{:016x}", hash(key.as_bytes()));
        let cell = {
            let mut all = self.0.lock().expect("not poisoned");
            all.entry(name.clone()).or_default().clone()
        };
        let maker = Maker {
            server,
            base,
            namespace,
            name: &name,
        };
        cell.get_or_init(|| async { maker.make(recipe).await.map(Arc::new) })
            .await
            .clone()
    }

    /// Looks again at all of them.
    pub(super) async fn look_again(&self, server: &Server) {
        let names: Vec<String> = self.0.lock().expect("not poisoned").keys().cloned().collect();
        for name in names {
            let cell = self.0.lock().expect("not poisoned").get(&name).cloned();
            let Some(Some(live)) = cell.and_then(|cell| cell.get().cloned()) else {
                continue;
            };
            let object = server.get(&live.object).await.expect("an object that was there");
            let (edits, others) = (live.edits.clone(), Vec::new());
            let again = Live {
                object,
                name: name.clone(),
                edits,
                others,
            };
            let cell = Arc::new(OnceCell::new_with(Some(Some(Arc::new(again)))));
            self.0.lock().expect("not poisoned").insert(name, cell);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }
}

/// Gives a document its name and namespace.
pub(super) fn put_at(document: &mut Value, name: &str, namespace: &str) {
    rename(document, name);
    // Those that limit others stay where they are.
    if document["metadata"]["namespace"] == super::base::NAMESPACE {
        document["metadata"]["namespace"] = json!(namespace);
    }
}

/// Makes one object.
#[derive(Clone, Copy)]
struct Maker<'a> {
    server: &'a Server,
    base: &'a Base,
    namespace: &'static str,
    name: &'a str,
}

impl Maker<'_> {
    async fn make(self, recipe: &Recipe) -> Option<Live> {
        let mut edits = Vec::new();
        let mut object = Value::Null;
        for (number, made) in recipe.0.iter().enumerate() {
            match self.one(made, &object, &mut edits).await {
                // Some answers are of another kind than the object.
                Some(answer) if answer["kind"] == self.base.document["kind"] => object = answer,
                Some(_) => object = self.server.get(&object).await?,
                None if number == 0 => return None,
                None => {}
            }
        }
        let object = self.server.get(&object).await?;
        let others = self.others(&object).await;
        let name = self.name.to_owned();
        Some(Live {
            object,
            name,
            edits,
            others,
        })
    }

    fn named(self, document: &Value) -> Value {
        let mut document = document.clone();
        put_at(&mut document, self.name, self.namespace);
        document
    }

    async fn one(
        self,
        made: &Made,
        object: &Value,
        edits: &mut Vec<(&'static str, Place, Value)>,
    ) -> Option<Value> {
        let apply = |manager: &str, subresource| Write::Apply {
            manager: manager.to_owned(),
            force: true,
            subresource,
        };
        let (document, write) = match made {
            Made::Applied { manager, document } => (self.named(document), apply(manager, None)),
            Made::Created { manager, document } => (
                self.named(document),
                Write::Create {
                    manager: (*manager).to_owned(),
                },
            ),
            Made::KubectlCreated { document } => {
                let mut document = self.named(document);
                let text = format!("{document}\n");
                document["metadata"]["annotations"][LAST_APPLIED] = json!(text);
                (
                    document,
                    Write::Create {
                        manager: "kubectl-client-side-apply".to_owned(),
                    },
                )
            }
            Made::AppliedPart {
                manager,
                edits: wanted,
            } => {
                return self.most(manager, false, object, wanted, edits).await;
            }
            Made::Edited {
                manager,
                edits: wanted,
            } => {
                return self.most(manager, true, object, wanted, edits).await;
            }
            Made::EditedAtOther { manager, salt } => return self.at_other(manager, *salt, object).await,
            Made::Merged {
                manager,
                subresource,
                patch,
            } => {
                let write = Write::Merge {
                    manager: (*manager).to_owned(),
                    subresource: *subresource,
                };
                (with_patch(object, patch), write)
            }
            Made::StatusApplied { manager, patch } => {
                let mut document = json!({
                    "apiVersion": object["apiVersion"], "kind": object["kind"],
                    "metadata": {"name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"]},
                });
                document["status"] = patch["status"].clone();
                (document, apply(manager, Some("status")))
            }
            Made::Disowned => {
                let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]);
                (
                    with_patch(object, &patch),
                    Write::Patch {
                        manager: "cleaner".to_owned(),
                        subresource: None,
                    },
                )
            }
        };
        self.server.write(&document, &write, false).await.object()
    }

    /// Makes as many of the edits as the server takes, and returns the object then.
    async fn most(
        self,
        manager: &'static str,
        whole: bool,
        object: &Value,
        wanted: &[Edit],
        done: &mut Vec<(&'static str, Place, Value)>,
    ) -> Option<Value> {
        let mut object = object.clone();
        let mut taken: Vec<Edit> = Vec::new();
        let mut waiting = vec![wanted.to_vec()];
        while let Some(batch) = waiting.pop() {
            if batch.is_empty() {
                continue;
            }
            let answer = if whole {
                self.put(manager, &object, &batch).await
            } else {
                self.apply_part(manager, taken.iter().chain(&batch)).await
            };
            let Answer::Object { object: now, .. } = answer else {
                if batch.len() > 1 {
                    let (front, back) = batch.split_at(batch.len() / 2);
                    waiting.push(back.to_vec());
                    waiting.push(front.to_vec());
                }
                continue;
            };
            object = now;
            taken.extend(batch);
        }
        done.extend(taken.into_iter().map(|(place, value)| (manager, place, value)));
        Some(object)
    }

    /// Puts the whole object; once more when the server has written to it meanwhile.
    async fn put(self, manager: &str, object: &Value, edits: &[Edit]) -> Answer {
        let put = Write::Put {
            manager: manager.to_owned(),
            subresource: None,
        };
        let mut object = object.clone();
        for _ in 0..PUTS {
            let mut next = object.clone();
            for (place, value) in edits {
                set(&mut next, place, value.clone());
            }
            match self.server.write(&next, &put, false).await {
                Answer::Refused { code: 409, .. } => {}
                answer => return answer,
            }
            match self.server.get(&object).await {
                Some(now) => object = now,
                None => break,
            }
        }
        Answer::Refused {
            code: 409,
            message: "the object does not keep still".to_owned(),
        }
    }

    async fn apply_part(self, manager: &str, edits: impl Iterator<Item = &Edit> + Clone) -> Answer {
        let mut document = self.base.document.clone();
        for (place, value) in edits.clone() {
            set(&mut document, place, value.clone());
        }
        let places: Vec<Place> = edits.map(|(place, _)| place.clone()).collect();
        let Some(schema) = self.server.schema(&document) else {
            return Answer::Refused {
                code: 0,
                message: "no schema".to_owned(),
            };
        };
        let document = self.named(&part(&document, schema, &places));
        let apply = Write::Apply {
            manager: manager.to_owned(),
            force: true,
            subresource: None,
        };
        self.server.write(&document, &apply, false).await
    }

    async fn at_other(self, manager: &'static str, salt: u64, object: &Value) -> Option<Value> {
        let resources = self.server.other_versions(object);
        let version = &resources.first()?.api_version;
        let mut there = object.clone();
        there["apiVersion"] = json!(version);
        let there = self.server.get(&there).await?;
        let mut random = Random::of(salt, "at other", self.base.id);
        let sites = sites(&there, self.server.schema(&there)?);
        let mut leaves: Vec<&Site> = sites
            .iter()
            .filter(|site| site.is_leaf() && !site.in_atomic && !site.is_key)
            .collect();
        random.shuffle(&mut leaves);
        let change = |site: &&Site| Some((site.place.clone(), other(&there, site, &mut random)?));
        let edits: Vec<Edit> = leaves.iter().filter_map(change).take(AT_OTHER).collect();
        self.most(manager, true, &there, &edits, &mut Vec::new()).await?;
        self.server.get(object).await
    }

    async fn others(self, object: &Value) -> Vec<Other> {
        let mut others = Vec::new();
        for resource in self.server.other_versions(object) {
            let mut there = object.clone();
            there["apiVersion"] = json!(resource.api_version);
            let Some(there) = self.server.get(&there).await else {
                continue;
            };
            let mut document = without_what_servers_choose(there);
            rename(&mut document, super::base::PROBE);
            if let Some(schema) = self.server.schema(&document) {
                others.push(Other {
                    sites: sites(&document, schema),
                    document,
                });
            }
        }
        others
    }
}

/// A patch, and the object it is for.
pub(super) fn with_patch(object: &Value, patch: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": object["metadata"], "patch": patch,
    })
}

/// Edits that say what is there already.
pub(super) fn as_is(document: &Value, places: impl IntoIterator<Item = Place>) -> Vec<Edit> {
    let edit = |place: Place| {
        let value = get(document, &place)?.clone();
        Some((place, value))
    };
    places.into_iter().filter_map(edit).collect()
}
