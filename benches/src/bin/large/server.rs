//! What is on the server, asked of it without any of our own code.

use std::collections::BTreeMap;

use fleet_benches::{
    Failure,
    large::{CHANGING, LABEL},
};
use fleet_harness::{ControlPlane, User};
use fleet_kube::LEDGER_NAMESPACE;
use serde_json::Value;

/// Objects of the inventory, by the plural of their kind.
pub(crate) fn objects(
    plane: &ControlPlane,
    kinds: impl Iterator<Item = &'static str>,
) -> Result<BTreeMap<&'static str, usize>, Failure> {
    let mut found = BTreeMap::new();
    for kind in kinds {
        let names = kubectl(
            plane,
            &[
                "get",
                kind,
                "--all-namespaces",
                "--selector",
                LABEL,
                "--output",
                "name",
            ],
        )?;
        found.insert(kind, names.lines().count());
    }
    Ok(found)
}

/// The value in the line that changes.
pub(crate) fn revision(plane: &ControlPlane) -> Result<String, Failure> {
    let (namespace, name) = CHANGING;
    let path = "jsonpath={.data.revision}";
    kubectl(
        plane,
        &[
            "get",
            "configmap",
            name,
            "--namespace",
            namespace,
            "--output",
            path,
        ],
    )
}

/// The record of what is owned: how many config maps, and the bytes of their texts.
pub(crate) fn ledger(plane: &ControlPlane) -> Result<(usize, usize), Failure> {
    let json = kubectl(
        plane,
        &[
            "get",
            "configmaps",
            "--namespace",
            LEDGER_NAMESPACE,
            "--output",
            "json",
        ],
    )?;
    let list: Value = serde_json::from_str(&json)?;
    let maps = list["items"].as_array().ok_or("no list of config maps")?;
    let texts = maps.iter().filter_map(|map| map["data"].as_object());
    let bytes = texts
        .flat_map(|data| data.values().filter_map(Value::as_str))
        .map(str::len);
    Ok((maps.len(), bytes.sum()))
}

fn kubectl(plane: &ControlPlane, words: &[&str]) -> Result<String, Failure> {
    let output = plane.kubectl_as(User::Admin)?.args(words).output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}
