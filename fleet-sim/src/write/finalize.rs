//! `finalize`: who still holds a namespace (`pkg/registry/core/namespace/strategy.go`).

use std::sync::Arc;

use fleet_diff::{Object, Update};
use serde_json::Value;

use super::{body::object, stamp};
use crate::{
    server::{Ask, Said, Server},
    status::Status,
    store::{Key, Stored},
};

impl Server {
    /// Writes all but the status.
    pub(super) fn finalize(
        &mut self,
        ask: &Ask<'_>,
        key: &Key,
        live: &Arc<Stored>,
        mut value: Value,
    ) -> Result<Said, Status> {
        let before = live.object.to_json();
        value["status"] = before["status"].clone();
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "resourceVersion",
            "managedFields",
        ] {
            value["metadata"][field] = before["metadata"][field].clone();
        }
        let after = without_nothing(value);
        let (manager, time) = (ask.manager(), stamp(ask.now));
        let owned = Update::new(&object(after)?, &manager, &self.schemas)
            .of(Some(&live.object))
            .through("finalize")
            .at(&time)
            .owners();
        let owned: Object = owned.map_err(Status::internal)?;
        self.finish(ask, key, Some(live), owned.to_json())
    }
}

/// As Go's `omitempty` leaves out lists without items, and nulls.
fn without_nothing(mut value: Value) -> Value {
    let is_nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    for part in ["metadata", "spec"] {
        if let Some(map) = value[part].as_object_mut() {
            map.retain(|_, value| !is_nothing(value));
        }
    }
    value
}
