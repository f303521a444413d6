//! Namespaces: what each has from the beginning, and how they end (`pkg/controller/namespace/deletion`).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::edit::{MANAGER, Writer};
use crate::{
    request::Options,
    server::{Server, table_of},
    status::Status,
    store::{Key, Stored, Table},
    write,
};

impl Server {
    pub(super) fn empty_namespaces(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("", "namespaces") {
            if stored.object.metadata_text("deletionTimestamp").is_some() {
                self.empty_namespace(&key, now)?;
            }
        }
        Ok(())
    }

    pub(super) fn furnish_namespaces(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("", "namespaces") {
            if stored.object.metadata_text("deletionTimestamp").is_none() {
                self.furnish(&key.name, now)?;
            }
        }
        Ok(())
    }

    /// What controllers put into every namespace.
    fn furnish(&mut self, namespace: &str, now: Timestamp) -> Result<(), Status> {
        let objects = [
            (
                "serviceaccounts",
                json!({"apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": {"namespace": namespace, "name": "default"}}),
            ),
            (
                "configmaps",
                json!({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"namespace": namespace, "name": "kube-root-ca.crt", "annotations": {
                        "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
                    "data": {"ca.crt": "in-process clusters have none\n"}}),
            ),
        ];
        for (plural, object) in objects {
            if let Some(resource) = self.resources.find("", "v1", plural).cloned() {
                self.make(&resource, MANAGER, now, object)?;
            }
        }
        Ok(())
    }

    /// Everything in it goes, and then the namespace itself.
    fn empty_namespace(&mut self, key: &Key, now: Timestamp) -> Result<(), Status> {
        let tables: Vec<Table> = self.store.tables().cloned().collect();
        let mut is_empty = true;
        for table in tables {
            let Some(resource) = self.resources.of_resource(&table.group, &table.resource).cloned() else {
                continue;
            };
            let inside = self.store.all(&table, Some(&key.name));
            let inside: Vec<Key> = inside
                .map(|(key, _)| key.clone())
                .filter(|_| resource.namespaced)
                .collect();
            for object in inside {
                self.end(&resource, &object, &Options::default(), &write::stamp(now))?;
                is_empty &= self.store.get(&table, &object).is_none();
            }
        }
        let Some(resource) = self
            .resources
            .find("", "v1", "namespaces")
            .cloned()
            .filter(|_| is_empty)
        else {
            return Ok(());
        };
        let writer = Writer {
            subresource: "finalize",
            ..MANAGER
        };
        let holds = |stored: &Arc<Stored>| {
            let finalizers = stored.object.root().at(&["spec", "finalizers"]);
            finalizers.is_some_and(|list| !list.is_empty())
        };
        if !self.store.get(&table_of(&resource), key).is_some_and(holds) {
            return self.end(&resource, key, &Options::default(), &write::stamp(now));
        }
        self.edit(&resource, key, writer, now, |namespace| {
            if let Some(finalizers) = namespace["spec"]["finalizers"].as_array_mut() {
                finalizers.retain(|one| one != "kubernetes");
            }
        })
    }
}
