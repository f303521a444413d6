//! What namespaces let in (`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`).

use jiff::Timestamp;
use serde_json::json;

use crate::{
    server::{Ask, Server},
    status::{About, Status},
    store::{Key, Table},
};

/// Of namespaces themselves.
pub(crate) fn namespaces() -> Table {
    Table {
        group: "".into(),
        resource: "namespaces".into(),
    }
}

/// The address of a namespace.
pub(crate) fn namespace_key(name: &str) -> Key {
    Key {
        namespace: "".into(),
        name: name.into(),
    }
}

/// Those that no server lets go.
pub(super) const KEPT: [&str; 3] = ["default", "kube-public", "kube-system"];

impl Server {
    /// Refuses what goes into a namespace that is not there, or ends.
    pub(super) fn admit_into_namespace(&self, ask: &Ask<'_>, name: &str) -> Result<(), Status> {
        let Some(namespace) = ask.place.namespace.as_deref().filter(|_| ask.resource.namespaced) else {
            return Ok(());
        };
        let Some(stored) = self.store.get(&namespaces(), &namespace_key(namespace)) else {
            return Err(Status::not_found(About {
                group: "",
                resource: "namespaces",
                name: namespace,
            }));
        };
        let phase = stored.object.root().at(&["status", "phase"]);
        if phase.and_then(fleet_diff::Node::as_str) == Some("Terminating") {
            let mut about = ask.about();
            about.name = name;
            return Err(Status::terminating(about, namespace));
        }
        Ok(())
    }

    /// A namespace that is there from the beginning.
    pub(crate) fn begin_namespace(&mut self, name: &str, now: Timestamp) {
        let Some(resource) = self.resources.find("", "v1", "namespaces").cloned() else {
            return;
        };
        let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.begin(&resource, &mut object, now);
        // An object with a name is one.
        drop(self.store.put(&namespaces(), &namespace_key(name), object));
    }
}
