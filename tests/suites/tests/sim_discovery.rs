//! What the simulated server says of itself is what a real one says.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fleet_harness::{ControlPlane, Options, User};
use fleet_sim::{Answer, Server, Settings};
use fleet_suites::{Bed, on_runtime};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::{Client, client::Body};
use serde::Serialize;
use serde_json::{Value, json};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// How long a CRD may take until discovery shows it, and how often we look.
const SHOWN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// Fields that are not compared: where they are, and why they differ.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "/version",
        "/goVersion",
        "the Go that made the real server; the simulated one was made by none",
    ),
    (
        "/version",
        "/platform",
        "of the machine that the real server was made for",
    ),
    (
        "/api",
        "/serverAddressByClientCIDRs/0/serverAddress",
        "a server that is a value has no address",
    ),
];

/// What an answer is compared by.
#[derive(Debug, PartialEq, Serialize)]
struct Said {
    status: u16,
    content_type: String,
    body: Value,
}

async fn ask(client: &Client, path: &str, accept: Option<&str>) -> Said {
    let mut request = http::Request::get(path);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    let request = request.body(Body::empty()).unwrap();
    let (head, body) = client.send(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let content_type = head.headers["content-type"].to_str().unwrap().to_owned();
    Said {
        status: head.status.as_u16(),
        content_type,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

/// The in-process server, at a time that stands still.
struct Ours {
    server: Server,
    now: Timestamp,
}

impl Ours {
    /// With these CRDs, all of them established.
    fn new(kubernetes: &str, definitions: &[Value]) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let server = Server::new(Settings::default().version(kubernetes), now);
        let mut ours = Self { server, now };
        for definition in definitions {
            let body = Bytes::from(definition.to_string());
            let made = ours.handle(http::Request::post(DEFINITIONS).body(body).unwrap());
            assert_eq!(made.status, 201, "{}", made.body);
        }
        ours.server.settle(now);
        ours
    }

    fn handle(&mut self, request: http::Request<Bytes>) -> Said {
        let Answer::Done(response) = self.server.handle(&request, self.now) else {
            panic!("a watch")
        };
        let content_type = response.headers()["content-type"].to_str().unwrap();
        Said {
            status: response.status().as_u16(),
            content_type: content_type.to_owned(),
            body: serde_json::from_slice(response.body()).unwrap_or(Value::Null),
        }
    }

    fn ask(&mut self, path: &str, accept: Option<&str>) -> Said {
        let mut request = http::Request::get(path);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        self.handle(request.body(Bytes::new()).unwrap())
    }

    /// The paths of everything that can be listed.
    fn lists(&mut self) -> Vec<String> {
        let mut paths = Vec::new();
        for path in ["/api", "/apis"] {
            let said = self.ask(path, Some(AGGREGATED)).body;
            for group in said["items"].as_array().unwrap() {
                let name = group["metadata"]["name"].as_str();
                for version in group["versions"].as_array().unwrap() {
                    let version_name = version["version"].as_str().unwrap();
                    let all = version["resources"].as_array().unwrap().iter();
                    let listed = all.filter(|one| {
                        let verbs = one["verbs"].as_array().unwrap();
                        verbs.iter().any(|verb| verb == "list")
                    });
                    let of = name.map_or_else(|| path.to_owned(), |name| format!("{path}/{name}"));
                    paths.extend(
                        listed
                            .map(|one| format!("{of}/{version_name}/{}", one["resource"].as_str().unwrap())),
                    );
                }
            }
        }
        paths
    }
}

/// Without what differs for a reason.
fn comparable(path: &str, mut said: Said) -> Said {
    let path = path.trim_end_matches('/');
    for (_, field, _) in EXCEPTIONS.iter().filter(|(at, ..)| *at == path) {
        if let Some(value) = said.body.pointer_mut(field) {
            assert!(value.is_string(), "{field} of {path}");
            *value = Value::Null;
        }
    }
    if said.status == 406 && path != "/version" {
        // It lists what can be had, and that is JSON alone from the simulated one.
        let message = said.body["message"].as_str().unwrap();
        let end = message.find(", application/yaml").unwrap_or(message.len());
        said.body["message"] = message[..end].into();
    }
    // A real server lists the custom resources of a version in the order in which its cache happens to be.
    if let Some(resources) = said.body.get_mut("resources").and_then(Value::as_array_mut)
        && path.contains(".example.com/")
    {
        resources.sort_by_key(|resource| resource["name"].as_str().unwrap().to_owned());
    }
    said
}

fn definition(group: &str, scope: &str, names: Value, versions: Value) -> Value {
    let mut versions = versions;
    for version in versions.as_array_mut().unwrap() {
        version["schema"] =
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{group}", names["plural"].as_str().unwrap())},
        "spec": {"group": group, "scope": scope, "names": names, "versions": versions},
    })
}

fn definitions() -> Vec<Value> {
    vec![
        definition(
            "shop.example.com",
            "Namespaced",
            json!({"kind": "Widget", "plural": "widgets", "shortNames": ["wd", "wg"], "categories": ["all", "shop"]}),
            json!([
                {"name": "v1beta1", "served": true, "storage": false, "subresources": {"status": {}}},
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}},
                {"name": "v2", "served": false, "storage": false},
                {"name": "v11alpha1", "served": true, "storage": false},
            ]),
        ),
        // In the same version, and with names of its own.
        definition(
            "shop.example.com",
            "Cluster",
            json!({"kind": "Gadget", "plural": "gadgets", "singular": "thing", "listKind": "Gadgets"}),
            json!([{"name": "v1", "served": true, "storage": true}]),
        ),
        // First in the aggregated form, and not in the other; stored at a version that is not served.
        definition(
            "attic.example.com",
            "Namespaced",
            json!({"kind": "BoxLid", "plural": "lids"}),
            json!([
                {"name": "v1alpha1", "served": true, "storage": false},
                {"name": "v2", "served": false, "storage": true},
            ]),
        ),
    ]
}

/// Makes the CRDs, and waits until discovery shows them all.
async fn install(client: &Client, ours: &mut Ours, definitions: &[Value]) {
    for definition in definitions {
        let request = http::Request::post(DEFINITIONS);
        let request = request.header("content-type", "application/json");
        let request = request.body(serde_json::to_vec(definition).unwrap()).unwrap();
        client.request::<Value>(request).await.unwrap();
    }
    let deadline = Instant::now() + SHOWN;
    for accept in [AGGREGATED, "application/json"] {
        while ours.ask("/apis", Some(accept)) != ask(client, "/apis", Some(accept)).await {
            // What differs is shown by the comparison that comes.
            if Instant::now() > deadline {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Every path of discovery.
fn paths(ours: &mut Ours) -> Vec<String> {
    let mut paths = ["/version", "/api", "/api/v1", "/apis"]
        .map(str::to_owned)
        .to_vec();
    let groups = ours.ask("/apis", None).body;
    for group in groups["groups"].as_array().unwrap() {
        let path = format!("/apis/{}", group["name"].as_str().unwrap());
        for version in group["versions"].as_array().unwrap() {
            paths.push(format!("{path}/{}", version["version"].as_str().unwrap()));
        }
        paths.push(path);
    }
    let with_slash: Vec<String> = paths.iter().map(|path| format!("{path}/")).collect();
    paths.extend(with_slash);
    paths
}

#[test]
fn discovery_is_what_a_real_server_says() {
    let plane = ControlPlane::start(Options::new("disco").controllers(false).pods(false)).unwrap();
    let definitions = definitions();
    let mut ours = Ours::new(plane.kubernetes().as_str(), &definitions);
    on_runtime(async {
        let config = Bed::new([&plane]).config("disco", User::Admin).await;
        let client = Client::try_from(config).unwrap();
        install(&client, &mut ours, &definitions).await;

        let mixed = format!("application/json, text/html;q=0.5, {AGGREGATED}");
        let anything = AGGREGATED.replace("json", "*");
        let accepts = [
            None,
            Some(AGGREGATED),
            Some(&mixed),
            Some(&anything),
            Some("application/*, text/html"),
            Some("application/json;sv=1"),
            Some("text/html"),
        ];
        let paths = paths(&mut ours);
        let mut wrong: Vec<String> = Vec::new();
        assert!(paths.len() > 90, "{paths:?}");
        for path in &paths {
            for accept in accepts {
                let said = ask(&client, path, accept).await;
                let foreseen = ours.ask(path, accept);
                let (said, foreseen) = (comparable(path, said), comparable(path, foreseen));
                if said != foreseen {
                    let changes = json_patch::diff(&json!(foreseen), &json!(said));
                    wrong.push(format!("{path} {accept:?}: {changes}"));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "what would make ours the real one's:\n{}",
            wrong.join("\n")
        );
        for path in [
            "/api/v2",
            "/apis/apps/v9",
            "/apis/none.example.com",
            "/apis/none.example.com/v1",
            "/apis/shop.example.com/v2",
            "/apis/attic.example.com/v2",
        ] {
            assert_eq!(ask(&client, path, None).await.status, 404, "{path}");
            assert_eq!(ours.ask(path, None).status, 404, "{path}");
        }
        for path in ours.lists() {
            let path = format!("{path}?limit=1");
            let (said, foreseen) = (ask(&client, &path, None).await, ours.ask(&path, None));
            assert_eq!(said.body["kind"], foreseen.body["kind"], "{path}");
        }
    });
}
