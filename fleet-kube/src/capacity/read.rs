//! Reading nodes and pods, page by page.

use fleet_core::{Capacity, Fault, GroupKind, Remedy, Tick};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{CapacityOptions, nodes::Node, pods::Pod, served, tally::Tally};
use crate::connection::{ACCEPT_OBJECTS, Connection, Paged, Selection, millis};

/// How often a reading is begun anew because its pages expired.
const RESTARTS_MAX: usize = 2;

/// What kube-scheduler itself follows of pods.
const NOT_FINISHED: &str = "status.phase!=Succeeded,status.phase!=Failed";

impl Connection {
    /// Reads what the cluster can carry: what its nodes offer, and what the pods on them and those that wait for a node ask
    /// for, whoever made them. `now` is the time it is of.
    ///
    /// Only nodes count that take pods: ready, neither cordoned nor going, without taints that keep pods away but for
    /// those in [`tolerated`](CapacityOptions::tolerated). Pods that a scheduling gate holds back ask for nothing yet. What
    /// it serves is as [`discover`](Self::discover) has found, which must have been called, and its version as when the
    /// connection was made.
    ///
    /// It costs one request for each page of nodes and of pods, one after the other, under the limits of the connection.
    /// The right to list nodes and pods in all namespaces is needed.
    ///
    /// # Errors
    /// When not all of it can be read within the limits of the options: a part never passes for the whole.
    pub async fn capacity(&self, options: &CapacityOptions, now: Tick) -> Result<Capacity, Fault> {
        let tally = timeout(options.timeout, self.add_up(options));
        let tally = tally.await.map_err(|_| {
            let limit = millis(options.timeout);
            Fault::new(
                Remedy::Retry,
                format!("nodes and pods are not read within {limit} (timeout)"),
            )
        })??;
        let mut capacity = tally.capacity(now);
        capacity.kinds = Some(served::kinds(&self.kinds()));
        capacity.version = Some(served::version(self.server_version()).to_owned());
        Ok(capacity)
    }

    async fn add_up<'a>(&self, options: &'a CapacityOptions) -> Result<Tally<'a>, Fault> {
        for _ in 0..=RESTARTS_MAX {
            let mut tally = Tally::new(&options.tolerated);
            let nodes = Wanted {
                selection: all("Node", None),
                page_size: options.page_size,
                max: (options.nodes_max, "nodes (nodes_max)"),
            };
            let pods = Wanted {
                selection: all("Pod", Some(NOT_FINISHED)),
                page_size: options.page_size,
                max: (options.pods_max, "pods (pods_max)"),
            };
            if self.each(&nodes, |node: Node| tally.node(node)).await?
                && self.each(&pods, |pod: Pod| tally.pod(&pod)).await?
            {
                return Ok(tally);
            }
        }
        let why = "their pages expired again and again while they were read";
        Err(Fault::new(
            Remedy::Retry,
            format!("nodes and pods cannot be read: {why}"),
        ))
    }

    /// Takes each object of a list, in pages. False when they expired in between.
    async fn each<T: DeserializeOwned>(
        &self,
        wanted: &Wanted,
        mut take: impl FnMut(T),
    ) -> Result<bool, Fault> {
        let Wanted {
            selection,
            page_size,
            max: (max, what),
        } = wanted;
        let (mut count, mut token) = (0, None);
        loop {
            let paged = self.page(selection, ACCEPT_OBJECTS, token.as_deref(), Some(*page_size));
            let Paged::Page(page) = paged.await? else {
                return Ok(false);
            };
            token = page.next().map(str::to_owned);
            count += page.items.len();
            if count > *max {
                let message = format!("there are more than {max} {what}");
                return Err(Fault::new(Remedy::Policy, message));
            }
            page.items.into_iter().for_each(&mut take);
            if token.is_none() {
                return Ok(true);
            }
        }
    }
}

struct Wanted {
    selection: Selection,
    page_size: u32,
    /// Most objects, and what these and the limit are called.
    max: (usize, &'static str),
}

/// All of a kind of the core group.
fn all(kind: &str, fields: Option<&'static str>) -> Selection {
    Selection {
        fields,
        ..Selection::all(GroupKind::new("", kind).at("v1"))
    }
}
