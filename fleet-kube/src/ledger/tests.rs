//! The ledger against a made-up API server that keeps config maps, with every kind of trouble.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Mutex as StdMutex,
};

use bytes::Bytes;
use fleet_core::{
    ClusterId, Entry, InventoryId, LedgerContent,
    conformance::{LedgerFixture, ledger},
};
use http::{Method, Request, Response};
use http_body_util::Full;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::ConnectionOptions;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    /// Never answered, nothing done.
    SilentBefore,
    /// Done, never answered.
    SilentAfter,
    /// Refused with this status.
    Refused(u16),
    /// Done, and a gateway says it failed.
    GatewayAfter,
}

#[derive(Default)]
struct State {
    namespaces: BTreeSet<String>,
    maps: BTreeMap<String, Value>,
    clock: u64,
    /// Method, path and body of each request but those of connecting.
    seen: Vec<(Method, String, Value)>,
    /// Nobody may read a namespace.
    hides_namespaces: bool,
    /// For the write of that number, counted from 0.
    trouble: Option<(usize, Trouble)>,
}

#[derive(Clone, Default)]
struct Server(Arc<StdMutex<State>>);

impl Server {
    async fn connect(&self) -> Connection {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.serve(request).await }
        });
        Connection::over(
            kube::Client::new(service, "default"),
            ConnectionOptions::default(),
        )
        .await
        .unwrap()
    }

    async fn open(&self) -> ConfigMapLedger {
        ConfigMapLedger::new(self.connect().await)
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// The requests since the last call, as `PUT s01`, and `GET` for the list.
    fn seen(&self) -> Vec<String> {
        let seen = self.state(|state| std::mem::take(&mut state.seen));
        let short = |(method, path, body): &(Method, String, Value)| {
            let name = body["metadata"]["name"].as_str().map(str::to_owned);
            let name = name.or(path.split_once("configmaps/").map(|(_, name)| name.to_owned()));
            let name = name.unwrap_or_default();
            format!(
                "{method} {}",
                name.strip_prefix("fleet-ledger-fleet-").unwrap_or(&name)
            )
            .trim()
            .to_owned()
        };
        seen.iter().map(short).collect()
    }

    async fn serve(&self, request: Request<Body>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let body: Value = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let (trouble, answer) = self.state(|state| {
            let writes =
                |seen: &[(Method, String, Value)]| seen.iter().filter(|(m, _, _)| *m != Method::GET).count();
            let number = writes(&state.seen);
            if path.contains("configmaps") || parts.method != Method::GET {
                state
                    .seen
                    .push((parts.method.clone(), path.clone(), body.clone()));
            }
            let trouble = state
                .trouble
                .filter(|(at, _)| *at == number && parts.method != Method::GET);
            let trouble = trouble.map(|(_, trouble)| trouble);
            let done = !matches!(trouble, Some(Trouble::SilentBefore | Trouble::Refused(_)));
            (
                trouble,
                done.then(|| state.answer(&parts.method, &path, &query, &body)),
            )
        });
        let (status, body) = match (trouble, answer) {
            (None, Some(answer)) => answer,
            (Some(Trouble::GatewayAfter), _) => (504, json!("gateway timeout")),
            (Some(Trouble::Refused(code)), _) => (code, status(code, "Refused", "no")),
            _ => std::future::pending().await,
        };
        Ok(Response::builder()
            .status(status)
            .body(Full::from(body.to_string()))
            .unwrap())
    }
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
        "details": {"name": "x", "kind": "configmaps"}})
}

impl State {
    fn answer(&mut self, method: &Method, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let conflict = || (409, status(409, "Conflict", "the object has been modified"));
        let missing = || (404, status(404, "NotFound", "not found"));
        match path {
            "/version" => return (200, json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
            "/api/v1/namespaces/kube-system" => {
                return (
                    200,
                    json!({"metadata": {"name": "kube-system", "uid": "c-1", "resourceVersion": "1"}}),
                );
            }
            "/api/v1/namespaces" => {
                let name = body["metadata"]["name"].as_str().unwrap().to_owned();
                return if self.namespaces.insert(name) {
                    (201, body.clone())
                } else {
                    conflict()
                };
            }
            _ => {}
        }
        let rest = path.strip_prefix("/api/v1/namespaces/").unwrap();
        let Some((namespace, rest)) = rest.split_once("/configmaps") else {
            return match self.namespaces.contains(rest) {
                _ if self.hides_namespaces => (403, status(403, "Forbidden", "no")),
                true => (200, json!({"metadata": {"name": rest}})),
                false => missing(),
            };
        };
        let name = rest.strip_prefix('/').unwrap_or_default().to_owned();
        if *method == Method::GET {
            let wanted = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("labelSelector="))
                .unwrap();
            let matches = |map: &&Value| {
                let labels = map["metadata"]["labels"].as_object().unwrap();
                labels
                    .iter()
                    .any(|(k, v)| wanted == format!("{}%3D{}", k.replace('/', "%2F"), v.as_str().unwrap()))
            };
            return (
                200,
                json!({"kind": "ConfigMapList", "metadata": {}, "items": self.maps.values().filter(matches).collect::<Vec<_>>()}),
            );
        }
        if !self.namespaces.contains(namespace) {
            return missing();
        }
        let there = self
            .maps
            .get(&name)
            .map(|map| map["metadata"]["resourceVersion"].clone());
        self.clock += 1;
        let mut stored = body.clone();
        stored["metadata"]["resourceVersion"] = self.clock.to_string().into();
        let meta = json!({"kind": "PartialObjectMetadata", "metadata": stored["metadata"]});
        match *method {
            Method::POST => {
                let name = body["metadata"]["name"].as_str().unwrap().to_owned();
                assert!(body["metadata"].get("resourceVersion").is_none());
                if self.maps.contains_key(&name) {
                    return (409, status(409, "AlreadyExists", "already exists"));
                }
                self.maps.insert(name, stored);
                (201, meta)
            }
            Method::PUT => match there {
                None => missing(),
                Some(version) if version != body["metadata"]["resourceVersion"] => conflict(),
                Some(_) => {
                    self.maps.insert(name, stored);
                    (200, meta)
                }
            },
            Method::DELETE => match there {
                None => missing(),
                Some(version) if version != body["preconditions"]["resourceVersion"] => conflict(),
                Some(_) => {
                    self.maps.remove(&name);
                    (200, json!({"kind": "Status", "status": "Success"}))
                }
            },
            _ => panic!("{method} {path}"),
        }
    }
}

fn target() -> Target {
    Target::new(ClusterId::new("c-1"), InventoryId::new("fleet").unwrap())
}

fn put(n: usize) -> LedgerWrite {
    LedgerWrite::Put(Entry::new(
        format!("apps/Deployment/shop/web-{n}").parse().unwrap(),
        "v1",
    ))
}

fn content(answer: LedgerAnswer) -> LedgerContent {
    match answer {
        LedgerAnswer::Known(content) => content,
        LedgerAnswer::Absent => LedgerContent::default(),
        lost => panic!("{lost:?}"),
    }
}

#[async_trait]
impl LedgerFixture for Server {
    async fn open(&self) -> Box<dyn Ledger> {
        Box::new(Server::open(self).await)
    }

    async fn damage(&self, target: &Target) -> bool {
        let start = format!("fleet-ledger-{}-s", target.inventory);
        self.state(|state| {
            let name = state.maps.keys().find(|name| name.starts_with(&start)).cloned();
            name.is_some_and(|name| state.maps.remove(&name).is_some())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_promises_of_a_ledger() {
    let violations = ledger(&Server::default(), &target()).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_sends_one_request_for_each_config_map_that_changes() {
    let server = Server::default();
    let ledger = server.open().await;
    assert_eq!(ledger.load(&target()).await.unwrap(), LedgerAnswer::Absent);
    ledger.record(&target(), &[put(1)]).await.unwrap();
    let first = ["GET", "POST fleet-system", "POST head", "POST s", "PUT head"];
    assert_eq!(server.seen(), first);
    ledger.record(&target(), &[put(2), put(3)]).await.unwrap();
    assert_eq!(server.seen(), ["PUT s"]);
    ledger.record(&target(), &[put(2), put(3)]).await.unwrap();
    ledger.record(&target(), &[]).await.unwrap();
    assert_eq!(server.seen(), [""; 0], "nothing changes");
    let spent = LedgerWrite::Window(vec![fleet_core::Spent::new(fleet_core::Tick(5), 1)]);
    ledger.record(&target(), &[put(4), spent]).await.unwrap();
    assert_eq!(server.seen(), ["PUT head", "PUT s"]);

    let next = server.open().await;
    next.record(&target(), &[put(5)]).await.unwrap();
    assert_eq!(server.seen(), ["GET", "PUT s"]);
    assert_eq!(content(next.load(&target()).await.unwrap()).entries.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_namespace_is_created_also_for_one_who_may_not_look_for_it() {
    let server = Server::default();
    server.state(|state| state.hides_namespaces = true);
    server.open().await.record(&target(), &[put(1)]).await.unwrap();
    let first = [
        "GET",
        "POST head",
        "POST fleet-system",
        "POST head",
        "POST s",
        "PUT head",
    ];
    assert_eq!(server.seen(), first);
}

#[tokio::test(start_paused = true)]
async fn config_maps_are_named_and_labelled() {
    let server = Server::default();
    let ledger = server
        .open()
        .await
        .namespace("elsewhere")
        .domain("delivery.example.com")
        .shard_bytes_max(1000);
    let puts: Vec<LedgerWrite> = (0..100).map(put).collect();
    ledger.record(&target(), &puts).await.unwrap();
    let maps = server.state(|state| state.maps.clone());
    assert!(maps.len() > 5, "{}", maps.len());
    for (name, map) in maps {
        let dns = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            name.len() <= 253 && name.chars().all(dns) && !name.ends_with('-'),
            "{name}"
        );
        assert_eq!(
            map["metadata"]["labels"],
            json!({"delivery.example.com/ledger": "fleet"})
        );
        assert_eq!(map["metadata"]["namespace"], "elsewhere");
        assert!(map["data"]["ledger.json"].as_str().unwrap().len() <= 1000);
    }
    assert!(server.state(|state| state.namespaces.contains("elsewhere")));
}

#[tokio::test(start_paused = true)]
async fn another_writer_is_noticed_and_what_is_there_read_again() {
    let server = Server::default();
    let (one, other) = (server.open().await, server.open().await);
    one.record(&target(), &[put(1)]).await.unwrap();
    other.record(&target(), &[put(2)]).await.unwrap();
    let fault = one.record(&target(), &[put(3)]).await.unwrap_err();
    assert_eq!(fault.remedy, Remedy::Conflict, "{fault}");
    assert!(fault.message.contains("another writer"), "{fault}");
    server.seen();
    one.record(&target(), &[put(3)]).await.unwrap();
    assert_eq!(server.seen(), ["GET", "PUT s"]);
    assert_eq!(content(one.load(&target()).await.unwrap()).entries.len(), 3);

    // A config map that is gone is the work of another writer, too.
    server.state(|state| state.maps.retain(|name, _| !name.ends_with("-s")));
    assert_eq!(
        one.record(&target(), &[put(4)]).await.unwrap_err().remedy,
        Remedy::Conflict
    );
    assert!(matches!(
        one.load(&target()).await.unwrap(),
        LedgerAnswer::Lost(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_wherever_the_next_process_goes_on() {
    let troubles = [
        (Trouble::SilentBefore, Remedy::Unreachable, "may or may not"),
        (Trouble::SilentAfter, Remedy::Unreachable, "may or may not"),
        (Trouble::GatewayAfter, Remedy::Unreachable, "may or may not"),
        (Trouble::Refused(403), Remedy::Forbidden, "was not written"),
    ];
    let before: Vec<LedgerWrite> = (0..8).map(put).collect();
    // Makes one shard into several, and more than that the second time.
    let batches: [Vec<LedgerWrite>; 2] = [(8..30).map(put).collect(), (30..120).map(put).collect()];
    for (trouble, remedy, words) in troubles {
        for number in 0..60 {
            let server = Server::default();
            let open = async || server.open().await.shard_bytes_max(1500);
            open().await.record(&target(), &before).await.unwrap();
            server.seen();
            server.state(|state| state.trouble = Some((number, trouble)));
            let ledger = open().await;
            let mut failed = false;
            for batch in &batches {
                if let Err(fault) = ledger.record(&target(), batch).await {
                    assert_eq!(fault.remedy, remedy, "{fault}");
                    assert!(fault.message.contains(words), "{fault}");
                    failed = true;
                    break;
                }
            }
            server.state(|state| state.trouble = None);
            let ledger = open().await;
            let found = content(ledger.load(&target()).await.unwrap());
            assert!(
                found.entries.len() >= 8,
                "{trouble:?} at {number}: nothing recorded before is lost"
            );
            for batch in &batches {
                ledger.record(&target(), batch).await.unwrap();
            }
            assert_eq!(
                content(open().await.load(&target()).await.unwrap()).entries.len(),
                120
            );
            if !failed {
                assert!(number > 10, "the batches take {number} writes");
                break;
            }
            assert!(number < 59, "the batches take more writes than are tried");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_a_fault_and_not_an_absent_ledger() {
    let server = Server::default();
    let mut elsewhere = target();
    elsewhere.cluster = ClusterId::new("c-2");
    let ledger = server.open().await;
    assert_eq!(ledger.load(&elsewhere).await.unwrap_err().remedy, Remedy::Bug);
    assert_eq!(
        ledger.record(&elsewhere, &[put(1)]).await.unwrap_err().remedy,
        Remedy::Bug
    );

    // Foreign config maps under the label are none of the ledger's.
    ledger.record(&target(), &[put(1)]).await.unwrap();
    server.state(|state| {
        let mut copy = state.maps["fleet-ledger-fleet-s"].clone();
        copy["metadata"]["name"] = "backup".into();
        state.maps.insert("backup".to_owned(), copy);
    });
    assert_eq!(content(ledger.load(&target()).await.unwrap()).entries.len(), 1);

    // One of the ledger's own without its text is a loss.
    server.state(|state| {
        state
            .maps
            .get_mut("fleet-ledger-fleet-s")
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove("data");
    });
    assert!(matches!(
        ledger.load(&target()).await.unwrap(),
        LedgerAnswer::Lost(_)
    ));
}
