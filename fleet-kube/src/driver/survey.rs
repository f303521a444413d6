//! Listing over many kinds: what bears our label, what a container holds.

use std::time::Duration;

use fleet_core::{Container, Fault, GroupKind, Gvk, KindMap, LiveMeta, Marks, Remedy};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::sleep;

use crate::connection::Connection;

/// Lists under way at once.
const LISTS_AT_ONCE: usize = 8;
/// Readings of discovery before what it leaves out is an error, and the pause between two.
const DISCOVERY_TRIES: usize = 5;
const DISCOVERY_PAUSE: Duration = Duration::from_millis(500);

/// Everything that bears the owner label, of every kind that can be listed.
///
/// Kinds of groups whose discovery is incomplete cannot be searched; nothing of these is ever deleted while that is
/// so.
///
/// # Errors
/// When a kind that is served cannot be listed, or one that a CRD defines is not shown at the moment.
pub(super) async fn sweep(connection: &Connection, marks: &Marks) -> Result<Vec<LiveMeta>, Fault> {
    consistently(connection, marks, None).await
}

/// Everything inside a container. Complete, or an error.
pub(super) async fn survey(
    connection: &Connection,
    marks: &Marks,
    container: &Container,
) -> Result<Vec<LiveMeta>, Fault> {
    consistently(connection, marks, Some(container)).await
}

/// Discovery also shows kinds for moments that are gone, such as when their CRD was just deleted: then all is read and
/// listed again.
async fn consistently(
    connection: &Connection,
    marks: &Marks,
    inside: Option<&Container>,
) -> Result<Vec<LiveMeta>, Fault> {
    let mut tries = 1;
    loop {
        match look(connection, marks, inside).await {
            Err(fault) if fault.remedy == Remedy::KindUnknown && tries < DISCOVERY_TRIES => {
                tries += 1;
                sleep(DISCOVERY_PAUSE).await;
            }
            found => return found,
        }
    }
}

/// What bears our label, or all that is inside a container.
async fn look(
    connection: &Connection,
    marks: &Marks,
    inside: Option<&Container>,
) -> Result<Vec<LiveMeta>, Fault> {
    let Some(container) = inside else {
        let kinds = everything(connection).await?;
        let selector = marks.selector();
        let gvks = listable(&kinds, |_, _| true);
        return list_all(connection, marks, gvks, None, Some(&selector)).await;
    };
    match container {
        Container::Namespace(namespace) => {
            let kinds = everything(connection).await?;
            if let Some(group) = kinds.incomplete.iter().next() {
                let message =
                    format!("discovery of group {group} is incomplete: a namespace may hold objects of it");
                return Err(Fault::new(Remedy::Retry, message));
            }
            let gvks = listable(&kinds, |_, namespaced| namespaced);
            list_all(connection, marks, gvks, Some(namespace), None).await
        }
        Container::Kind(kind) => {
            let kinds = connection.discover().await?;
            let gvks = listable(&kinds, |other, _| other == kind);
            if gvks.is_empty() {
                let message = format!("{kind} is not served at the moment: its objects cannot be listed");
                return Err(Fault::new(Remedy::Retry, message));
            }
            list_all(connection, marks, gvks, None, None).await
        }
        _ => Err(Fault::new(Remedy::Bug, "a container the driver does not know")),
    }
}

/// All kinds, read anew. Discovery forgets kinds for moments, such as while a server starts or a CRD is new: what it
/// leaves out must not pass for empty.
async fn everything(connection: &Connection) -> Result<KindMap, Fault> {
    let mut tries = 0;
    loop {
        let kinds = connection.discover().await?;
        let Some(name) = connection.forgotten(&kinds).await? else {
            return Ok(kinds);
        };
        tries += 1;
        if tries == DISCOVERY_TRIES {
            let message =
                format!("what {name} defines is not served at the moment: its objects cannot be listed");
            return Err(Fault::new(Remedy::Retry, message));
        }
        sleep(DISCOVERY_PAUSE).await;
    }
}

fn listable(kinds: &KindMap, wanted: impl Fn(&GroupKind, bool) -> bool) -> Vec<Gvk> {
    let known = kinds
        .kinds
        .iter()
        .filter(|(kind, info)| info.listable && wanted(kind, info.namespaced));
    known
        .filter_map(|(kind, _)| kinds.version_for(kind, None))
        .collect()
}

async fn list_all(
    connection: &Connection,
    marks: &Marks,
    gvks: Vec<Gvk>,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<LiveMeta>, Fault> {
    let lists = gvks
        .into_iter()
        .map(|gvk| async move { connection.list_meta(&gvk, namespace, selector, marks).await });
    let found: Vec<Vec<LiveMeta>> = stream::iter(lists)
        .buffer_unordered(LISTS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::ConnectionOptions;

    fn discovery(kinds: &[&str]) -> Value {
        let resources: Vec<Value> = kinds
            .iter()
            .map(|kind| {
                json!({"resource": kind.to_lowercase() + "s", "responseKind": {"kind": kind}, "scope": "Namespaced",
                    "verbs": ["list", "watch"]})
            })
            .collect();
        let definitions = json!([{"resource": "customresourcedefinitions", "scope": "Cluster", "verbs": ["list", "watch"],
            "responseKind": {"kind": "CustomResourceDefinition"}}]);
        let group = |name: &str, resources: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "resources": resources}]});
        json!({"kind": "APIGroupDiscoveryList",
            "items": [group("apiextensions.k8s.io", definitions), group("example.net", resources.into())]})
    }

    /// A server whose discovery shows racks, which are gone, `stale` times.
    async fn connection(stale: usize, shown: Arc<AtomicUsize>) -> Connection {
        let service = tower::service_fn(move |request: Request<Body>| {
            let shown = shown.clone();
            let answer = match request.uri().path() {
                "/version" => Ok(json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
                "/api/v1/namespaces/kube-system" => Ok(json!({"metadata": {"uid": "u"}})),
                "/api" => Ok(json!({"kind": "APIGroupDiscoveryList", "items": []})),
                "/apis" if shown.fetch_add(1, Ordering::Relaxed) < stale => Ok(discovery(&["Part", "Rack"])),
                "/apis" => Ok(discovery(&["Part"])),
                "/apis/example.net/v1/namespaces/shop/racks" => Err("404 page not found\n"),
                _ => Ok(json!({"metadata": {"resourceVersion": "1"}, "items": []})),
            };
            let (code, body) = match answer {
                Ok(value) => (200, value.to_string()),
                Err(text) => (404, text.to_owned()),
            };
            let response = Response::builder()
                .status(code)
                .body(Full::new(Bytes::from(body)))
                .expect("a response");
            async { Ok::<_, Infallible>(response) }
        });
        let client = kube::Client::new(service, "default");
        Connection::over(client, ConnectionOptions::default())
            .await
            .expect("a connection")
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_was_shown_and_is_gone_is_looked_for_again() {
        let inventory = fleet_core::InventoryId::new("fleet").unwrap();
        let target = fleet_core::Target::new(fleet_core::ClusterId::new("u"), inventory);
        let marks = Marks::new("fleet.internal", &target);
        let container = Container::Namespace("shop".into());
        for (stale, expected) in [
            (0, true),
            (1, true),
            (DISCOVERY_TRIES - 1, true),
            (DISCOVERY_TRIES, false),
        ] {
            let shown = Arc::new(AtomicUsize::new(0));
            let connection = connection(stale, shown.clone()).await;
            let found = survey(&connection, &marks, &container).await;
            assert_eq!(found.is_ok(), expected, "shown {stale} times: {found:?}");
            assert_eq!(shown.load(Ordering::Relaxed), (stale + 1).min(DISCOVERY_TRIES));
        }
    }
}
