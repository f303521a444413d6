//! Writing a table from what a server answers. For `cargo xtask resources` only.

use std::fmt::Write as _;

use serde_json::Value;

use super::ALL;
use crate::resources::{
    group_version,
    order::{Rank, by_maturity},
    storage,
};

/// What discovery puts `apiregistration.k8s.io` first with, which has no `APIService` (`APIRegistrationGroupPriority` and
/// `apiServiceRegistrationController` of kube-aggregator).
const REGISTRATION: (&str, Rank) = (
    "apiregistration.k8s.io/v1",
    Rank {
        group: 20_001,
        version: 0,
    },
);

/// What a server answered.
#[derive(Debug)]
pub struct Answers {
    /// To `/version`.
    pub version: Value,
    /// To `/apis/apiregistration.k8s.io/v1/apiservices`.
    pub services: Value,
    /// Each `APIResourceList`, those of the core first, then as `/apis` orders them.
    pub lists: Vec<Value>,
}

/// The table of it.
///
/// # Errors
/// When an answer says something that the table has no words for.
pub fn table(answers: &Answers) -> Result<String, String> {
    let mut out = String::from(
        "# What a Kubernetes API server serves, in the order of its discovery. Written by `cargo xtask resources`.\n",
    );
    line(&mut out, "kubernetes", text(&answers.version, "gitVersion")?);
    let kinds = kinds(&answers.lists);
    for list in &answers.lists {
        let api_version = text(list, "groupVersion")?;
        let rank = rank(&answers.services, api_version)?;
        line(
            &mut out,
            &format!("version {api_version}"),
            &format!("{} {}", rank.group, rank.version),
        );
        let mut parent = &Value::Null;
        for resource in list["resources"].as_array().into_iter().flatten() {
            let name = text(resource, "name")?;
            let words = match name.split_once('/') {
                None => {
                    parent = resource;
                    words(resource, &kinds)?
                }
                Some((plural, _)) if parent["name"] == plural => {
                    if parent["namespaced"] != resource["namespaced"] {
                        return Err(format!("{api_version}: {name} has a scope of its own"));
                    }
                    format!("{} {}", subresource_kind(resource)?, verbs(resource)?)
                }
                Some(_) => return Err(format!("{api_version}: {name} does not follow its resource")),
            };
            line(&mut out, &format!("{api_version}/{name}"), &words);
        }
    }
    Ok(out)
}

fn line(out: &mut String, subject: &str, words: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "{subject}: {words}");
}

fn words(resource: &Value, kinds: &[(String, String)]) -> Result<String, String> {
    if !resource["group"].is_null() || !resource["version"].is_null() {
        return Err(format!("{resource} is of another group than where it is"));
    }
    let kind = text(resource, "kind")?;
    let scope = if resource["namespaced"] == true {
        "namespaced"
    } else {
        "cluster"
    };
    let mut out = format!(
        "{kind} {} {scope} {}",
        text(resource, "singularName")?,
        verbs(resource)?
    );
    for (key, field) in [("short", "shortNames"), ("categories", "categories")] {
        let names = texts(&resource[field]);
        if !names.is_empty() {
            let _ = write!(out, " {key}={}", names.join(","));
        }
    }
    if let Some(hash) = resource["storageVersionHash"].as_str() {
        let stored =
            stored(kind, hash, kinds).ok_or_else(|| format!("no version has the hash of {resource}"))?;
        let _ = write!(out, " stored={stored}");
    }
    Ok(out)
}

/// `Kind`, or `group/version/Kind`.
fn subresource_kind(resource: &Value) -> Result<String, String> {
    let kind = text(resource, "kind")?;
    let (group, version) = (&resource["group"], &resource["version"]);
    Ok(match (group.as_str(), version.as_str()) {
        (None, None) => kind.to_owned(),
        (group, Some(version)) => {
            let api_version = crate::resources::api_version(group.unwrap_or(""), version);
            format!("{api_version}/{kind}")
        }
        (Some(_), None) => return Err(format!("{resource} has a group and no version")),
    })
}

fn verbs(resource: &Value) -> Result<String, String> {
    let verbs = texts(&resource["verbs"]).join(",");
    match &*verbs {
        "" => Err(format!("{resource} has no verbs")),
        ALL => Ok("all".to_owned()),
        _ => Ok(verbs),
    }
}

/// The priorities of a version.
fn rank(services: &Value, api_version: &str) -> Result<Rank, String> {
    if api_version == REGISTRATION.0 {
        return Ok(REGISTRATION.1);
    }
    let (group, version) = group_version(api_version);
    let mut specs = services["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["spec"]);
    let found =
        specs.find(|spec| spec["group"].as_str().unwrap_or("") == group && spec["version"] == version);
    let number = |field: &str| u32::try_from(found?[field].as_u64()?).ok();
    match (number("groupPriorityMinimum"), number("versionPriority")) {
        (Some(group), Some(version)) => Ok(Rank { group, version }),
        _ => Err(format!("{api_version} has no APIService with priorities")),
    }
}

/// Every kind with every group that has one of that name: objects are stored in a group that serves their kind.
fn kinds(lists: &[Value]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for list in lists {
        let (group, _) = group_version(list["groupVersion"].as_str().unwrap_or(""));
        for resource in list["resources"].as_array().into_iter().flatten() {
            let kind = resource["kind"].as_str().unwrap_or("");
            found.push((kind.to_owned(), group.to_owned()));
        }
    }
    found
}

/// The `apiVersion` that has this hash, of all those that there may be: the stored one need not be served.
fn stored(kind: &str, hash: &str, kinds: &[(String, String)]) -> Option<String> {
    let mut versions: Vec<String> = Vec::new();
    for major in 1..=3 {
        versions.push(format!("v{major}"));
        for minor in 1..=9 {
            versions.extend([format!("v{major}beta{minor}"), format!("v{major}alpha{minor}")]);
        }
    }
    versions.sort_by(|a, b| by_maturity(a, b));
    let groups = kinds.iter().filter(|(of, _)| of == kind).map(|(_, group)| group);
    let mut all = groups.flat_map(|group| versions.iter().map(move |version| (group, version)));
    let (group, version) = all.find(|(group, version)| storage::hash(group, version, kind) == hash)?;
    Some(crate::resources::api_version(group, version))
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, String> {
    let found = value[field].as_str().filter(|text| !text.is_empty());
    found.ok_or_else(|| format!("{value} has no {field}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(resources: Value) -> Answers {
        Answers {
            version: json!({"gitVersion": "v1.2.3"}),
            services: json!({"items": [
                {"spec": {"version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1}},
                {"spec": {"group": "apps", "version": "v1", "groupPriorityMinimum": 17800, "versionPriority": 15}},
            ]}),
            lists: vec![
                json!({"groupVersion": "v1", "resources": [
                    {"name": "events", "singularName": "event", "kind": "Event", "namespaced": true, "verbs": ["get"]}]}),
                json!({"groupVersion": "apps/v1", "resources": resources}),
            ],
        }
    }

    #[test]
    fn answers_become_lines() {
        let resources = json!([
            {"name": "events", "singularName": "event", "kind": "Event", "namespaced": true,
             "verbs": ALL.split(',').collect::<Vec<_>>(), "shortNames": ["ev", "e"], "categories": ["all"],
             "storageVersionHash": storage::hash("", "v1", "Event")},
            {"name": "events/scale", "singularName": "", "kind": "Scale", "group": "autoscaling", "version": "v1",
             "namespaced": true, "verbs": ["get", "update"]},
            {"name": "events/status", "singularName": "", "kind": "Event", "namespaced": true, "verbs": ["get"]},
        ]);
        let table = table(&answers(resources)).expect("a table");
        let lines: Vec<&str> = table.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "kubernetes: v1.2.3",
                "version v1: 18000 1",
                "v1/events: Event event namespaced get",
                "version apps/v1: 17800 15",
                "apps/v1/events: Event event namespaced all short=ev,e categories=all stored=v1",
                "apps/v1/events/scale: autoscaling/v1/Scale get,update",
                "apps/v1/events/status: Event get",
            ]
        );
        super::super::read::read(&table).expect("a table that can be read");
    }

    #[test]
    fn what_has_no_words_is_an_error() {
        let event = json!({"name": "events", "singularName": "event", "kind": "Event", "namespaced": true, "verbs": ["get"]});
        let with = |field: &str, value: Value| {
            let mut event = event.clone();
            event[field] = value;
            event
        };
        for (resources, expected) in [
            (
                json!([with("storageVersionHash", json!("none"))]),
                "no version has the hash",
            ),
            (json!([with("version", json!("v7"))]), "of another group"),
            (json!([with("verbs", json!([]))]), "has no verbs"),
            (json!([with("singularName", json!(""))]), "has no singularName"),
            (
                json!([with("name", json!("events/status"))]),
                "does not follow its resource",
            ),
            (
                json!([event, {"name": "events/status", "kind": "Event", "namespaced": false, "verbs": ["get"]}]),
                "a scope of its own",
            ),
        ] {
            let error = table(&answers(resources)).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
    }
}
