//! Objects as they came to be: by real writes of several managers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    base::{Base, rename},
    place::{Place, get, set},
    random::hash,
    server::{Answer, Server, Write},
    site::part,
};

/// One write in the making of an object.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// A definition is applied by force.
    Applied { manager: &'static str, document: Value },
    /// A definition is created by `POST`.
    Posted { manager: &'static str, document: Value },
    /// Somebody applies values of their own by force, at these places only.
    AppliedPart {
        manager: &'static str,
        edits: Vec<(Place, Value)>,
    },
    /// Somebody edits these places of the whole object.
    Edited {
        manager: &'static str,
        edits: Vec<(Place, Value)>,
    },
    /// A merge patch, to a subresource or not.
    Merged {
        manager: &'static str,
        subresource: Option<&'static str>,
        patch: Value,
    },
    /// A JSON patch.
    Patched { manager: &'static str, patch: Value },
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
}

/// All that were made so far.
#[derive(Default)]
pub(super) struct Lives(Mutex<BTreeMap<String, Arc<OnceCell<Option<Arc<Live>>>>>>);

impl Lives {
    /// The object of a recipe, made at its first use; `None` when the server refuses it.
    pub(super) async fn get(&self, server: &Server, base: &Base, recipe: &Recipe) -> Option<Arc<Live>> {
        let key = format!("{} {:?} {recipe:?}", base.document, base.is_full);
        let name = format!("t{:016x}", hash(key.as_bytes()));
        let cell = {
            let mut all = self.0.lock().expect("not poisoned");
            all.entry(name.clone()).or_default().clone()
        };
        cell.get_or_init(|| async { make(server, base, recipe, name).await.map(Arc::new) })
            .await
            .clone()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }
}

async fn make(server: &Server, base: &Base, recipe: &Recipe, name: String) -> Option<Live> {
    let named = |document: &Value| {
        let mut document = document.clone();
        rename(&mut document, &name);
        document
    };
    let mut edits = Vec::new();
    let mut object = Value::Null;
    for (number, made) in recipe.0.iter().enumerate() {
        let answer = match made {
            Made::Applied { manager, document } => {
                let apply = Write::Apply {
                    manager: (*manager).to_owned(),
                    force: true,
                };
                server.write(&named(document), &apply, false).await.object()
            }
            Made::Posted { manager, document } => {
                let create = Write::Create {
                    manager: (*manager).to_owned(),
                };
                server.write(&named(document), &create, false).await.object()
            }
            Made::AppliedPart {
                manager,
                edits: wanted,
            } => {
                let change = Change {
                    server,
                    base,
                    name: &name,
                    manager,
                    whole: false,
                };
                change.most(&object, wanted, &mut edits).await
            }
            Made::Edited {
                manager,
                edits: wanted,
            } => {
                let change = Change {
                    server,
                    base,
                    name: &name,
                    manager,
                    whole: true,
                };
                change.most(&object, wanted, &mut edits).await
            }
            Made::Merged {
                manager,
                subresource,
                patch,
            } => {
                let write = Write::Merge {
                    manager: (*manager).to_owned(),
                    subresource: *subresource,
                };
                server
                    .write(&with_patch(&object, patch), &write, false)
                    .await
                    .object()
            }
            Made::Patched { manager, patch } => {
                let write = Write::Patch {
                    manager: (*manager).to_owned(),
                    subresource: None,
                };
                server
                    .write(&with_patch(&object, patch), &write, false)
                    .await
                    .object()
            }
        };
        match answer {
            // Some answers are of another kind than the object.
            Some(answer) if answer["kind"] == base.document["kind"] => object = answer,
            Some(_) => object = server.get(&object).await?,
            None if number == 0 => return None,
            None => {}
        }
    }
    let object = server.get(&object).await?;
    Some(Live { object, name, edits })
}

fn with_patch(object: &Value, patch: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": object["metadata"], "patch": patch,
    })
}

/// Edits of one manager.
struct Change<'a> {
    server: &'a Server,
    base: &'a Base,
    name: &'a str,
    manager: &'static str,
    /// It puts the whole object, else it applies its part.
    whole: bool,
}

impl Change<'_> {
    /// Makes as many of the edits as the server takes, and returns the object then.
    async fn most(
        &self,
        object: &Value,
        wanted: &[(Place, Value)],
        done: &mut Vec<(&'static str, Place, Value)>,
    ) -> Option<Value> {
        let mut object = object.clone();
        let mut taken: Vec<(Place, Value)> = Vec::new();
        let mut waiting = vec![wanted.to_vec()];
        while let Some(batch) = waiting.pop() {
            let Answer::Object { object: now, .. } = self.write(&object, &taken, &batch).await else {
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
        done.extend(
            taken
                .into_iter()
                .map(|(place, value)| (self.manager, place, value)),
        );
        Some(object)
    }

    async fn write(&self, object: &Value, taken: &[(Place, Value)], batch: &[(Place, Value)]) -> Answer {
        let manager = self.manager.to_owned();
        if self.whole {
            let mut next = object.clone();
            for (place, value) in batch {
                set(&mut next, place, value.clone());
            }
            let put = Write::Put {
                manager,
                subresource: None,
            };
            return self.server.write(&next, &put, false).await;
        }
        // An applier says again what it said before.
        let mut document = self.base.document.clone();
        let all = || taken.iter().chain(batch);
        for (place, value) in all() {
            set(&mut document, place, value.clone());
        }
        let places: Vec<Place> = all().map(|(place, _)| place.clone()).collect();
        let Some(schema) = self.server.schema(&document) else {
            return Answer::Refused {
                code: 0,
                message: "no schema".to_owned(),
            };
        };
        let mut document = part(&document, schema, &places);
        rename(&mut document, self.name);
        let apply = Write::Apply { manager, force: true };
        self.server.write(&document, &apply, false).await
    }
}

/// Edits that say what is there already.
pub(super) fn as_is(document: &Value, places: impl IntoIterator<Item = Place>) -> Vec<(Place, Value)> {
    places
        .into_iter()
        .filter_map(|place| Some((place.clone(), get(document, &place)?.clone())))
        .collect()
}
