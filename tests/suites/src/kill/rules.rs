//! Rules of proxies in a case: where the reconciler is killed, and what somebody else does.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fleet_core::{EntryState, ObjectKey, Target};
use fleet_kube::Connection;
use http::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{DeleteParams, ObjectMeta, PostParams},
};

use super::{
    cases::{At, Replaced},
    lab::Lab,
    look::{entries, target},
};
use crate::proxy::{Fate, Moment, Rule, Write};

/// Stops at one write.
pub(super) struct KillAt(pub(super) At, pub(super) Moment);

#[async_trait]
impl Rule for KillAt {
    async fn fate(&self, write: &Write) -> Fate {
        if self.0.is(write) {
            Fate::Stop(self.1)
        } else {
            Fate::Pass
        }
    }
}

/// Somebody replaces an object just when its delete comes.
pub(super) struct Replace {
    when: Replaced,
    someone: Client,
    connection: Connection,
    target: Target,
    victim: ObjectKey,
    done: Done,
}

/// The UID of the object in its place, once it was replaced; or what was wrong by then.
pub(super) type Done = Arc<Mutex<Option<Result<String, String>>>>;

impl Replace {
    pub(super) fn new(lab: &Lab, tag: &str, when: Replaced, done: Done) -> Self {
        Self {
            when,
            someone: lab.someone.clone(),
            connection: lab.connection.clone(),
            target: target(lab, tag),
            victim: Self::victim(tag),
            done,
        }
    }

    /// The object that is replaced: a config map that the pass deletes.
    pub(super) fn victim(tag: &str) -> ObjectKey {
        ObjectKey::new("", "ConfigMap", Some(&format!("{tag}-shop")), "drop-1")
    }

    fn is_delete_of_victim(&self, write: &Write) -> bool {
        let (namespace, name) = (self.victim.namespace().unwrap_or_default(), self.victim.name());
        write.method == Method::DELETE && write.path.ends_with(&format!("/{namespace}/configmaps/{name}"))
    }

    /// Deletes it and makes another one, with the marks copied.
    async fn replace(&self) -> Result<String, String> {
        let entries = entries(&self.connection, &self.target).await?;
        let recorded = entries.get(&self.victim).map(|entry| entry.state);
        if recorded != Some(EntryState::Deleting) {
            return Err(format!(
                "the delete of {} is not recorded: {recorded:?}",
                self.victim
            ));
        }
        self.copy().await.map_err(|error| error.to_string())
    }

    async fn copy(&self) -> Result<String, kube::Error> {
        let namespace = self.victim.namespace().unwrap_or_default();
        let api: Api<ConfigMap> = Api::namespaced(self.someone.clone(), namespace);
        let mut copy = api.get(self.victim.name()).await?;
        api.delete(self.victim.name(), &DeleteParams::default()).await?;
        copy.metadata = ObjectMeta {
            name: copy.metadata.name,
            labels: copy.metadata.labels,
            annotations: copy.metadata.annotations,
            ..ObjectMeta::default()
        };
        let made = api.create(&PostParams::default(), &copy).await?;
        Ok(made.metadata.uid.unwrap_or_default())
    }
}

#[async_trait]
impl Rule for Replace {
    async fn fate(&self, write: &Write) -> Fate {
        let done = self.done.lock().expect("not poisoned").is_some();
        if done || !self.is_delete_of_victim(write) {
            return Fate::Pass;
        }
        let replaced = self.replace().await;
        *self.done.lock().expect("not poisoned") = Some(replaced);
        match self.when {
            Replaced::Meanwhile => Fate::Pass,
            Replaced::AfterKill => Fate::Stop(Moment::Before),
        }
    }
}
