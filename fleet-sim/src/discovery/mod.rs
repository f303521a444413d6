//! What a server says of itself: its version, its groups, and their resources.
//!
//! Everything is written as the server's Go types write it (`k8s.io/apimachinery/pkg/apis/meta/v1`,
//! `k8s.io/api/apidiscovery/v2`); a test compares each document with a real server's.

mod accept;
mod aggregated;
mod plain;
mod version;

use http::StatusCode;
use serde_json::{Value, json};

use crate::resources::{Resource, Resources};
use accept::Form;

/// The type of everything that is not aggregated.
const JSON: &str = "application/json";

/// An answer to a GET, to be written as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// 200, or 406 where nothing is served that is accepted.
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// What a GET of a path is answered; none when the path is not one of discovery, or nothing is served there.
/// `accept` is the header of that name.
pub(crate) fn answer(resources: &Resources, path: &str, accept: Option<&str>) -> Option<Answer> {
    // One slash at the end changes nothing, but for the aggregated form of `/apis`.
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let parts = parts.strip_suffix(&[""]).unwrap_or(&parts);
    if is_routed(resources, parts) && !accept::reaches_route(accept) {
        // `serviceErrorHandler` of `k8s.io/apiserver/pkg/server`, of what go-restful says.
        let mut refusal = refusal("406: Not Acceptable\n\nAvailable representations");
        refusal.body["details"] = json!({});
        return Some(refusal);
    }
    if parts == ["version"] {
        // Written without a second look at what is accepted.
        return Some(ok(JSON, version::info(resources.kubernetes())));
    }
    if accept::accepts(accept, Form::Aggregated) {
        let list = match path {
            "/api" | "/api/" => Some(aggregated::list(resources, true)),
            "/apis" => Some(aggregated::list(resources, false)),
            _ => None,
        };
        if let Some(list) = list {
            return Some(ok(aggregated::CONTENT_TYPE, list));
        }
    }
    let body = plain_body(resources, parts)?;
    Some(match accept::accepts(accept, Form::Plain) {
        true => ok(JSON, body),
        // `NewNotAcceptableError` of `k8s.io/apiserver/pkg/endpoints/handlers/negotiation`.
        false => refusal("only the following media types are accepted"),
    })
}

/// Whether a path is served by a route of go-restful, which looks at what is accepted before the API server does. Groups
/// and what CRDs define are not.
fn is_routed(resources: &Resources, parts: &[&str]) -> bool {
    match *parts {
        ["version" | "api"] | ["apis", "apiregistration.k8s.io"] => true,
        ["api", version] => resources.is_builtin("", version),
        ["apis", group, version] => resources.is_builtin(group, version),
        _ => false,
    }
}

fn plain_body(resources: &Resources, parts: &[&str]) -> Option<Value> {
    let groups = resources.groups();
    let core = || groups.iter().find(|group| group.is_core());
    let named = |name: &str| groups.iter().find(|group| !group.is_core() && group.name == name);
    match *parts {
        ["api"] => Some(plain::versions(core()?)),
        ["apis"] => Some(plain::groups(&groups)),
        ["api", version] => plain::resources(core()?, version),
        ["apis", name] => Some(plain::group(named(name)?)),
        ["apis", name, version] => plain::resources(named(name)?, version),
        _ => None,
    }
}

fn ok(content_type: &str, body: Value) -> Answer {
    Answer {
        status: StatusCode::OK,
        content_type: content_type.to_owned(),
        body,
    }
}

/// Of those who accept nothing that is served.
fn refusal(message: &str) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotAcceptable",
        "message": format!("{message}: {JSON}"), "code": 406,
    });
    Answer {
        status: StatusCode::NOT_ACCEPTABLE,
        content_type: JSON.to_owned(),
        body,
    }
}

/// Short names and categories, where there are any.
fn add_names(out: &mut Value, resource: &Resource) {
    for (key, names) in [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ] {
        if !names.is_empty() {
            out[key] = json!(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, accept: Option<&str>) -> Option<Answer> {
        answer(&Resources::of("1.36"), path, accept)
    }

    #[test]
    fn paths_of_discovery_are_answered_and_no_others() {
        for (path, kind) in [
            ("/api", "APIVersions"),
            ("/api/", "APIVersions"),
            ("/api/v1", "APIResourceList"),
            ("/apis", "APIGroupList"),
            ("/apis/", "APIGroupList"),
            ("/apis/apps", "APIGroup"),
            ("/apis/apps/", "APIGroup"),
            ("/apis/apps/v1", "APIResourceList"),
        ] {
            let answer = get(path, None).expect(path);
            assert_eq!(
                (answer.status, &*answer.content_type),
                (StatusCode::OK, JSON),
                "{path}"
            );
            assert_eq!(answer.body["kind"], kind, "{path}");
        }
        let version = get("/version", None).expect("a version").body;
        assert_eq!(
            (&version["major"], &version["minCompatibilityMinor"]),
            (&json!("1"), &json!("35"))
        );
        for path in [
            "",
            "/",
            "api",
            "/api//",
            "/api/v2",
            "/api/v1/pods",
            "/apis//",
            "/apis//v1",
            "/apis/apps/v9",
            "/apis/none",
            "/apis/apps/v1/deployments",
            "/version/x",
            "/openapi/v3",
            "/healthz",
        ] {
            assert_eq!(get(path, None), None, "{path}");
        }
    }

    #[test]
    fn what_is_accepted_decides_the_form() {
        let said = |path: &str, accept: &str| {
            let answer = get(path, Some(accept)).expect(path);
            (
                answer.status.as_u16(),
                answer.body["kind"].as_str().unwrap_or("").to_owned(),
            )
        };
        let kind = |status: u16, kind: &str| (status, kind.to_owned());
        let list = aggregated::CONTENT_TYPE;
        assert_eq!(said("/apis", list), kind(200, "APIGroupDiscoveryList"));
        assert_eq!(get("/apis", Some(list)).expect("an answer").content_type, list);
        assert_eq!(said("/api/", list), kind(200, "APIGroupDiscoveryList"));
        assert_eq!(said("/apis/", list), kind(406, "Status"));
        assert_eq!(said("/apis/apps", list), kind(406, "Status"));
        assert_eq!(said("/version", list), kind(200, ""));
        // Only what is no route of go-restful knows half a star.
        assert_eq!(said("/apis/apps", "application/*"), kind(200, "APIGroup"));
        assert_eq!(said("/apis/apps/v1", "application/*"), kind(406, "Status"));
        assert_eq!(get("/apis/apps/v9", Some("text/html")), None);
    }
}
