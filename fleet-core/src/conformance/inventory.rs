//! What an inventory source promises.

use std::{
    collections::BTreeMap,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use fleet_diff::{Digest, Object, ObjectKey};
use serde_json::json;

use super::{Findings, Violation};
use crate::{
    edge::{Changed, Changes, InventorySource},
    words::{Cluster, Inventory, Known, Revision, Snapshot},
};

/// A source, and the means to change and to break what is behind it.
#[async_trait]
pub trait InventoryFixture: Send + Sync {
    /// The source.
    fn source(&self) -> &dyn InventorySource;

    /// Makes this the truth for the cluster. The source may give it another revision than the one passed here.
    /// Mends what [`InventoryFixture::break_source`] broke.
    async fn publish(&self, cluster: &Cluster, known: Known);

    /// Makes the truth unreadable for the cluster: the server is gone, a file is half-written.
    async fn break_source(&self, cluster: &Cluster);

    /// Waits until what was published can be seen. Default: at once.
    async fn settle(&self) {}
}

/// Runs the suite with a cluster about which the source knows nothing yet.
///
/// The promises:
/// - `unheard-of-is-unknown`: about a cluster nobody spoke of, the answer is unknown, never empty.
/// - `complete`: all published objects, as they are, and no others; also after a change, and after a break.
/// - `settled`: asked again without a change, the answer is the same, revision included.
/// - `revision-names-content`: other content has another revision.
/// - `empty-is-meant`: what is known to be empty is answered so.
/// - `broken-is-unknown`: when the truth cannot be read, the answer is unknown, and says why.
/// - `reason-without-content`: that reason holds nothing of what the inventory held.
/// - `hints-go-on`: the stream of hints does not end while the source lives, and a hint told after a change of
///   this cluster alone does not name only others.
pub async fn inventory_source(fixture: &dyn InventoryFixture, cluster: &Cluster) -> Vec<Violation> {
    let mut suite = Suite {
        fixture,
        cluster,
        found: Findings::default(),
    };
    suite.unheard_of().await;
    let mut changes = fixture.source().changes();

    let first = suite.published("complete", &objects("one")).await;
    suite.hints(&mut changes);
    suite.settled(&first).await;
    let second = suite.published("complete", &objects("two")).await;
    suite.hints(&mut changes);
    suite.differs(&first, &second);
    let fewer = suite.published("complete", &objects("two")[1..]).await;
    suite.differs(&second, &fewer);

    let empty = suite.empty().await;
    suite.differs(&fewer, &empty);
    suite.hints(&mut changes);

    let again = suite.published("complete", &objects("one")).await;
    suite.differs(&empty, &again);
    suite.broken().await;
    let mended = suite.published("complete", &objects("two")).await;
    suite.differs(&again, &mended);
    suite.hints(&mut changes);
    suite.found.0
}

struct Suite<'a> {
    fixture: &'a dyn InventoryFixture,
    cluster: &'a Cluster,
    found: Findings,
}

/// A value that no message may repeat.
const SECRET: &str = "bm90LWZvci1sb2dz";

fn objects(variant: &str) -> Vec<Object> {
    let documents = [
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": "conformance", "name": "credentials"},
            "data": {"password": SECRET},
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "conformance", "name": "settings"},
            "data": {"variant": variant, "text": "a: 1\n# not a comment\n--- \n", "yes": "on", "number": "007"},
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "conformance", "labels": {"variant": variant}},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
        }),
        json!({
            "apiVersion": "example.com/v1", "kind": "Settings",
            "metadata": {"namespace": "conformance", "name": "settings"},
            "spec": {"ratio": 0.25, "count": -3, "on": true, "nothing": null, "list": [[], {}]},
        }),
    ];
    documents
        .into_iter()
        .filter_map(|document| Object::from_json(document).ok())
        .collect()
}

fn content(objects: &[Object]) -> BTreeMap<ObjectKey, Digest> {
    objects
        .iter()
        .map(|object| (object.key().clone(), object.digest()))
        .collect()
}

fn describe(snapshot: &Snapshot) -> String {
    match snapshot {
        Ok(Known::Objects(inventory)) => format!(
            "{} objects at {}",
            inventory.objects().len(),
            inventory.revision()
        ),
        Ok(Known::Empty(revision)) => format!("known to be empty at {revision}"),
        Err(unknown) => format!("unknown: {unknown}"),
    }
}

impl Suite<'_> {
    async fn snapshot(&self) -> Snapshot {
        self.fixture.source().snapshot(self.cluster).await
    }

    async fn unheard_of(&mut self) {
        let stranger = Cluster::new(format!("{}-nobody-spoke-of", self.cluster.name));
        for cluster in [self.cluster, &stranger] {
            let snapshot = self.fixture.source().snapshot(cluster).await;
            self.found
                .check(snapshot.is_err(), "unheard-of-is-unknown", || describe(&snapshot));
        }
    }

    async fn publish(&self, known: Known) {
        self.fixture.publish(self.cluster, known).await;
        self.fixture.settle().await;
    }

    async fn published(&mut self, promise: &'static str, expected: &[Object]) -> Snapshot {
        if let Ok(inventory) = Inventory::with_content_revision(expected.to_vec()) {
            self.publish(Known::Objects(inventory)).await;
        }
        let snapshot = self.snapshot().await;
        let seen = match &snapshot {
            Ok(Known::Objects(inventory)) => content(inventory.objects()),
            Ok(Known::Empty(_)) | Err(_) => BTreeMap::new(),
        };
        let expected = content(expected);
        self.found.check(seen == expected, promise, || {
            let wrong = expected
                .iter()
                .filter(|(key, digest)| seen.get(key) != Some(digest));
            let wrong = wrong.map(|(key, _)| key.to_string()).chain(
                seen.keys()
                    .filter(|key| !expected.contains_key(key))
                    .map(|key| format!("unexpected {key}")),
            );
            format!(
                "{}; wrong: {}",
                describe(&snapshot),
                wrong.collect::<Vec<_>>().join(", ")
            )
        });
        snapshot
    }

    async fn settled(&mut self, before: &Snapshot) {
        let again = self.snapshot().await;
        let same = match (before, &again) {
            (Ok(before), Ok(again)) => {
                before.revision() == again.revision() && content(before.objects()) == content(again.objects())
            }
            _ => false,
        };
        self.found.check(same, "settled", || {
            format!("{}, then {}", describe(before), describe(&again))
        });
    }

    fn differs(&mut self, one: &Snapshot, other: &Snapshot) {
        let revision = |snapshot: &Snapshot| -> Option<Revision> {
            snapshot.as_ref().ok().map(|k| k.revision().clone())
        };
        let both = revision(one).zip(revision(other));
        self.found.check(
            both.is_none_or(|(one, other)| one != other),
            "revision-names-content",
            || format!("{}, and {}", describe(one), describe(other)),
        );
    }

    async fn empty(&mut self) -> Snapshot {
        self.publish(Known::Empty("empty".into())).await;
        let snapshot = self.snapshot().await;
        self.found
            .check(matches!(snapshot, Ok(Known::Empty(_))), "empty-is-meant", || {
                describe(&snapshot)
            });
        snapshot
    }

    async fn broken(&mut self) {
        self.fixture.break_source(self.cluster).await;
        self.fixture.settle().await;
        let snapshot = self.snapshot().await;
        let says_why = matches!(&snapshot, Err(unknown) if !unknown.message().is_empty());
        self.found
            .check(says_why, "broken-is-unknown", || describe(&snapshot));
        if let Err(unknown) = &snapshot {
            let words = format!("{unknown} {unknown:?} {:?}", unknown.source());
            self.found
                .check(!words.contains(SECRET), "reason-without-content", || {
                    "a Secret's value".to_owned()
                });
        }
    }

    fn hints(&mut self, changes: &mut Changes) {
        let mut others = Vec::new();
        for _ in 0..1000 {
            match changes
                .as_mut()
                .poll_next(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Pending => break,
                Poll::Ready(None) => {
                    self.found
                        .check(false, "hints-go-on", || "the stream ended".to_owned());
                    *changes = crate::edge::silent();
                    break;
                }
                Poll::Ready(Some(Changed::Cluster(name))) if name != self.cluster.name => others.push(name),
                Poll::Ready(Some(_)) => return,
            }
        }
        self.found.check(others.is_empty(), "hints-go-on", || {
            format!("only for {}", others.join(", "))
        });
    }
}
