mod kinds;
mod rules;

use fleet_core::Object;
use fleet_diff::{ReadLimits, read_objects};

/// An object of a kind, with the rest of it as YAML.
fn object(kind: &str, rest: &str) -> Object {
    let (version, kind) = kind.rsplit_once('/').unwrap();
    let metadata = if rest.contains("metadata:") {
        ""
    } else {
        "metadata: {namespace: shop, name: a}\n"
    };
    let yaml = format!("apiVersion: {version}\nkind: {kind}\n{metadata}{rest}");
    read_objects(&yaml, &ReadLimits::default())
        .unwrap()
        .remove(0)
        .object
}
