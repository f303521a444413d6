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
    let kinds = everything(connection).await?;
    let selector = marks.selector();
    list_all(
        connection,
        marks,
        listable(&kinds, |_, _| true),
        None,
        Some(&selector),
    )
    .await
}

/// Everything inside a container. Complete, or an error.
pub(super) async fn survey(
    connection: &Connection,
    marks: &Marks,
    container: &Container,
) -> Result<Vec<LiveMeta>, Fault> {
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
