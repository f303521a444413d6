//! Whether the server would take the new object, while the old one is still there.

use fleet_diff::{DigestBuilder, Object};
use serde_json::Value;

use super::Recreation;
use crate::edge::Request;

/// A dry run that makes the new object under another name. What only one object can have is left out: the addresses and
/// ports of a Service.
pub(super) fn request(work: &Recreation, manager: &str) -> Option<Request> {
    let mut value = match work.create.as_ref()? {
        Request::Apply { document, .. } | Request::Create { document, .. } => document.to_json(),
        _ => return None,
    };
    let short = DigestBuilder::new().text(&work.key.to_path()).finish().short();
    *value.pointer_mut("/metadata/name")? = format!("fleet-proof-{short}").into();
    if work.key.is("", "Service") {
        leave_out_allocated(&mut value);
    }
    Some(Request::Create {
        document: Object::from_json(value).ok()?,
        manager: manager.to_owned(),
        dry_run: true,
    })
}

fn leave_out_allocated(service: &mut Value) {
    let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    let is_headless = spec.get("clusterIP").is_some_and(|ip| ip == "None");
    if !is_headless {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    spec.remove("healthCheckNodePort");
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
}
