//! Why an object is as it is: what the inventory, the ledger, the cluster and the reconciler say of it, put together.

mod kind;
mod words;

use std::collections::BTreeSet;

use fleet_core::{
    Answer, Cluster, Fault, GroupKind, Gvk, KindMap, Known, LedgerAnswer, Live, Marks, Object, ObjectKey,
    Reason, Request, Target,
    fleet_diff::{Apply, FieldIntentRules, FieldPath, Secrets, managers_within},
};
use futures_util::{StreamExt, stream};

pub use words::{Explanation, Named, Record, Standing};

use super::{CLUSTERS_AT_ONCE, Fleet, Inner, Outcome};
use crate::connection::Connection;

impl Fleet {
    /// Why an object is as it is, in each cluster. Nothing is written anywhere. `rules` say whose fields are; give
    /// those of the fleet's judge. With [`Secrets::Hidden`], no value of a Secret is in the answers.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn explain(
        &self,
        object: &Named,
        rules: &dyn FieldIntentRules,
        secrets: Secrets,
    ) -> Result<Vec<Explanation>, fleet_core::Unknown> {
        let question = Question {
            object,
            rules,
            secrets,
        };
        let clusters = self.clusters().await?;
        let answers = clusters
            .iter()
            .map(|cluster| self.inner.explain(cluster, &question));
        // As a list of their own: what a stream makes one by one may not borrow.
        let answers: Vec<_> = answers.collect();
        let mut answers: Vec<Explanation> = stream::iter(answers)
            .buffer_unordered(CLUSTERS_AT_ONCE)
            .collect()
            .await;
        answers.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        Ok(answers)
    }
}

struct Question<'a> {
    object: &'a Named,
    rules: &'a dyn FieldIntentRules,
    secrets: Secrets,
}

/// The kind that is meant, as this cluster has it.
struct Place {
    key: ObjectKey,
    /// None when the cluster does not serve it.
    gvk: Option<Gvk>,
}

impl Inner {
    async fn explain(&self, cluster: &Cluster, question: &Question<'_>) -> Explanation {
        let mut found = Explanation::new(&cluster.name);
        if let Err(reason) = self.fill(&mut found, cluster, question).await {
            found.failure = Some(reason);
        }
        found
    }

    async fn fill(
        &self,
        found: &mut Explanation,
        cluster: &Cluster,
        question: &Question<'_>,
    ) -> Result<(), Reason> {
        let (connection, options) = self.reach(cluster).await?;
        let kinds = connection.discover().await.map_err(unasked)?;
        let snapshot = self.source.snapshot(cluster).await;
        let listed = snapshot.as_ref().map_or(&[][..], Known::objects);
        let place = place(&kinds, listed, question.object, &options.default_namespace)?;
        let key = place.key.clone();
        found.object = Some(key.clone());
        let definition = definition(listed, &key, &options.default_namespace);
        found.listed = definition.is_some();

        let mut target = Target::new(connection.cluster().clone(), self.inventory.clone());
        target.scope = options.scope.clone();
        let marks = Marks::new(&options.domain, &target);
        let ledger = (self.ledger)(&connection, &target);
        let entry = match ledger.load(&target).await.map_err(unasked)? {
            LedgerAnswer::Known(mut content) => content.entries.remove(&key),
            // Why it cannot be believed the reconciler tells.
            _ => None,
        };
        found.record = entry
            .as_ref()
            .map(|entry| Record::new(self.inventory.clone(), entry));

        let outcome = self
            .look_through(cluster, connection.clone(), options, snapshot.clone())
            .await;
        found.failure.clone_from(&outcome.failure);
        stand(found, &key, &outcome);

        let (gvk, live) = match place.gvk {
            Some(gvk) => (Some(gvk.clone()), read(&connection, &key, gvk).await?),
            None => (None, None),
        };
        let (Some(gvk), Some(live)) = (gvk, live) else {
            // While the inventory cannot be read, nobody knows that it does not list it.
            let is_nowhere = definition.is_none() && entry.is_none() && found.failure.is_none();
            return if is_nowhere {
                Err(nowhere(&key, listed))
            } else {
                Ok(())
            };
        };
        tell_live(found, &live, &marks);
        let (types, faults) = connection.learn_types(&BTreeSet::from([gvk]), &kinds).await;
        if let Some(fault) = faults.into_iter().next() {
            found.failure.get_or_insert_with(|| unasked(fault));
        }
        // What others contest says nothing about which rules count.
        let layers = definition
            .as_ref()
            .map(|definition| question.rules.layers(definition));
        let layers = layers.and_then(Result::ok);
        let rules: &dyn FieldIntentRules = match &layers {
            Some(layers) => layers,
            None => question.rules,
        };
        let document = definition.map_or_else(|| live.object().bare(), |object| marks.mark(&object));
        let contested = found
            .contested
            .keys()
            .filter_map(|path| path.parse::<FieldPath>().ok());
        let contested: Vec<FieldPath> = contested.collect();
        let document = document.without(&contested).unwrap_or(document);
        if document.gvk() == live.object().gvk() {
            let apply = Apply::new(&document, marks.manager(), types.schemas())
                .to(Some(live.object()))
                // As the reconciler writes it: what is ours is forced.
                .force(entry.is_some())
                .rules(rules)
                .admitted_by(types.admitted_by());
            found.report = Some(apply.decide().report(question.secrets));
        }
        Ok(())
    }
}

/// The object as the cluster has it.
async fn read(connection: &Connection, key: &ObjectKey, gvk: Gvk) -> Result<Option<Live>, Reason> {
    let request = Request::Get {
        key: key.clone(),
        gvk,
    };
    match connection.execute(&request).await {
        Answer::Object(live) => Ok(Some(live)),
        Answer::Refused(fault) | Answer::NotSent(fault) | Answer::Lost(fault) => Err(unasked(fault)),
        _ => Ok(None),
    }
}

fn unasked(fault: Fault) -> Reason {
    Reason::new("unanswered", fault.to_string())
}

/// Which object is meant.
fn place(kinds: &KindMap, listed: &[Object], object: &Named, default: &str) -> Result<Place, Reason> {
    let coming: BTreeSet<GroupKind> = listed
        .iter()
        .map(|object| object.gvk().group_kind().clone())
        .collect();
    let coming: Vec<GroupKind> = coming.into_iter().collect();
    let kind = kind::resolve(kinds, &coming, &object.kind)?;
    let Some(info) = kinds.get(&kind) else {
        return Ok(unserved(&kind, listed, object));
    };
    let namespace = info
        .namespaced
        .then(|| object.namespace.as_deref().unwrap_or(default));
    let key = ObjectKey::new(kind.group(), kind.kind(), namespace, &object.name);
    let wanted = definition(listed, &key, default).map(|object| object.gvk().version().to_owned());
    let gvk = kinds.version_for(&kind, wanted.as_deref());
    Ok(Place { key, gvk })
}

/// Of a kind that is not served nobody knows whether it has namespaces: an object's identity is as it is written.
fn unserved(kind: &GroupKind, listed: &[Object], object: &Named) -> Place {
    let asked = object.namespace.as_deref();
    let is_it = |one: &&Object| {
        let elsewhere = asked.is_some() && one.namespace().is_some() && one.namespace() != asked;
        one.gvk().group_kind() == kind && one.name() == object.name && !elsewhere
    };
    let written = listed.iter().find(is_it).map(|one| one.key().clone());
    Place {
        key: written.unwrap_or_else(|| ObjectKey::of(kind.clone(), asked, &object.name)),
        gvk: None,
    }
}

/// The object's definition, in the namespace where it belongs.
fn definition(listed: &[Object], key: &ObjectKey, default: &str) -> Option<Object> {
    let is_it = |object: &&Object| {
        object.gvk().group_kind() == key.group_kind()
            && object.name() == key.name()
            && key
                .namespace()
                .is_none_or(|namespace| object.namespace().unwrap_or(default) == namespace)
    };
    let found = listed.iter().find(is_it)?;
    Some(found.with_namespace(key.namespace()))
}

/// How the reconciler sees the object.
fn stand(found: &mut Explanation, key: &ObjectKey, outcome: &Outcome) {
    let (Some(status), Some(plan)) = (&outcome.status, &outcome.plan) else {
        return;
    };
    found.contested = status.contested.get(key).cloned().unwrap_or_default();
    let with = |reasons: &std::collections::BTreeMap<ObjectKey, Reason>| reasons.get(key).cloned();
    let planned = || plan.changes.iter().find(|change| change.key == *key);
    found.standing = if let Some(reason) = with(&status.blocked) {
        Some(Standing::Blocked { reason })
    } else if let Some(reason) = with(&status.refused) {
        Some(Standing::Refused { reason })
    } else if let Some(reason) = with(&status.deleting) {
        Some(Standing::Deleting { reason })
    } else if let Some(reason) = with(&status.waiting) {
        Some(Standing::Waiting { reason })
    } else if let Some(change) = planned() {
        Some(Standing::Planned {
            action: change.action,
            reason: change.reason.clone(),
        })
    } else if outcome.failure.is_some() {
        None
    } else if found.listed {
        Some(Standing::InSync)
    } else if found.record.is_none() {
        Some(Standing::NotOurs)
    } else {
        None
    };
}

fn tell_live(found: &mut Explanation, live: &Live, marks: &Marks) {
    let object = live.object();
    found.created = Some(
        object
            .metadata_text("creationTimestamp")
            .unwrap_or_default()
            .to_owned(),
    );
    found.marked_by = marks.named_by(object).map(str::to_owned);
    found.managers = managers_within(object, &FieldPath::new([]));
    let ours = found
        .managers
        .iter()
        .filter(|manager| manager.name == marks.manager());
    found.last_write = ours.max_by(|a, b| a.time.cmp(&b.time)).cloned();
}

/// It is not in the inventory, not in the ledger, and not in the cluster: what is like it, perhaps in another namespace.
fn nowhere(key: &ObjectKey, listed: &[Object]) -> Reason {
    let same_kind = listed
        .iter()
        .filter(|object| object.gvk().group_kind() == key.group_kind());
    let mut like: Vec<(f64, String)> = same_kind
        .map(|object| {
            let name = object.namespace().map_or(object.name().to_owned(), |namespace| {
                format!("{namespace}/{}", object.name())
            });
            (strsim::jaro_winkler(object.name(), key.name()), name)
        })
        .filter(|(alike, _)| *alike >= kind::ALIKE)
        .collect();
    like.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    let names: Vec<String> = like
        .into_iter()
        .take(kind::NAMED_MAX)
        .map(|(_, name)| name)
        .collect();
    let hint = match names.as_slice() {
        [] => String::new(),
        names => format!("; the inventory has {}", names.join(", ")),
    };
    let message = format!("{key} is neither in the cluster nor in the inventory nor in the ledger{hint}");
    Reason::new("not-found", message)
}
