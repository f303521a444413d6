//! Watches: what is there at first, and then what changes (`apiserver/pkg/storage/cacher/cache_watcher.go`).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use fleet_diff::Object;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Ask, Server, WatchId};
use crate::{
    request::{Form, Options, Selector, VersionMatch},
    status::Status,
    store::{Change, Table},
};

/// Marks the bookmark behind the last initial object.
const INITIAL_END: &str = "k8s.io/initial-events-end";

/// Between bookmarks.
const BOOKMARK_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The shortest time after which a watch is ended that asked for none; it lasts up to twice as long.
const SHORTEST: i64 = 1800;

/// An open watch.
#[derive(Debug)]
pub(crate) struct Watch {
    table: Table,
    namespace: Option<String>,
    selector: Selector,
    show: Show,
    /// Up to here everything was told.
    revision: u64,
    /// Told before anything else.
    queue: VecDeque<Bytes>,
    bookmarks: bool,
    next_bookmark: Timestamp,
    ends: Timestamp,
    /// Nothing more comes.
    over: bool,
}

/// How its objects are shown.
#[derive(Debug)]
struct Show {
    api_version: String,
    kind: String,
    form: Form,
}

/// What a watch has to say now.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Events {
    /// Lines of JSON, each with its end.
    pub lines: Bytes,
    /// The stream ends behind them.
    pub over: bool,
}

impl Server {
    pub(super) fn watch(&mut self, ask: &Ask<'_>) -> Result<Watch, Status> {
        let options = &ask.options;
        let initial = check(options)?;
        let selector = ask.selector()?;
        let asked = self.asked_revision(options.resource_version.as_deref())?;
        let now = self.store.revision();
        let shows_all = initial.unwrap_or(asked.is_none());
        let ends = options
            .timeout_seconds
            .and_then(|seconds| i64::try_from(seconds).ok());
        let ends = ends.filter(|seconds| *seconds > 0).unwrap_or_else(|| {
            // Not all at once, and the same whenever it is played again.
            let spread = fleet_diff::Digest::of_bytes(
                format!("{} {}", self.settings.seed, self.watches_made).as_bytes(),
            );
            SHORTEST + i64::from(spread.as_bytes()[0]) * SHORTEST / 256
        });
        let mut watch = Watch {
            table: ask.table(),
            namespace: ask.place.namespace.clone(),
            selector,
            show: Show {
                api_version: ask.api_version(),
                kind: ask.resource.kind.clone(),
                form: ask.form,
            },
            revision: if shows_all { now } else { asked.unwrap_or(now) },
            queue: VecDeque::new(),
            bookmarks: options.bookmarks,
            next_bookmark: ask.now + BOOKMARK_EVERY,
            ends: ask.now + SignedDuration::from_secs(ends),
            over: false,
        };
        if shows_all {
            let rows = self.store.all(&watch.table, watch.namespace.as_deref());
            let wanted = rows.filter(|(_, stored)| watch.selector.takes(&stored.object));
            let lines = wanted.map(|(_, stored)| watch.show.event("ADDED", &stored.object, None));
            watch.queue = lines.collect::<Result<_, _>>()?;
        }
        if initial == Some(true) {
            watch.queue.push_back(watch.show.bookmark(now, true));
        }
        Ok(watch)
    }

    /// What an open watch has to say since it was last asked. Watches that are over are forgotten; of one that is not
    /// known, the end is told.
    pub fn events(&mut self, id: WatchId, now: Timestamp) -> Events {
        let Some(watch) = self.watches.get_mut(&id) else {
            return Events {
                lines: Bytes::new(),
                over: true,
            };
        };
        let mut lines = BytesMut::new();
        watch
            .queue
            .drain(..)
            .for_each(|line| lines.extend_from_slice(&line));
        let current = self.store.revision();
        match self.store.changes_since(&watch.table, watch.revision) {
            Some(changes) => {
                for change in changes {
                    if let Some(line) = watch.tell(change) {
                        lines.extend_from_slice(&line);
                    }
                }
                watch.revision = current;
                if watch.bookmarks && now >= watch.next_bookmark {
                    watch.next_bookmark = now + BOOKMARK_EVERY;
                    lines.extend_from_slice(&watch.show.bookmark(current, false));
                }
            }
            None => {
                let floor = self.store.floor(&watch.table);
                let gone = Status::expired(format!("too old resource version: {} ({floor})", watch.revision));
                lines.extend_from_slice(&line("ERROR", &gone.to_json()));
                watch.over = true;
            }
        }
        watch.over |= now >= watch.ends;
        let over = watch.over;
        if over {
            self.watches.remove(&id);
        }
        Events {
            lines: lines.freeze(),
            over,
        }
    }

    /// Forgets a watch: its client is gone.
    pub fn close(&mut self, id: WatchId) {
        self.watches.remove(&id);
    }

    /// Forgets what has changed so far, as compaction in etcd does: watches and lists that go on from before are
    /// refused.
    pub fn compact(&mut self) {
        self.store.compact();
    }

    /// Ends all watches, as a server does that is stopped.
    pub fn end_watches(&mut self) {
        self.watches.values_mut().for_each(|watch| watch.over = true);
    }

    /// When some watch has something to say next although nothing changes.
    pub(crate) fn next_word(&self) -> Option<Timestamp> {
        let word = |watch: &Watch| {
            if watch.bookmarks {
                watch.ends.min(watch.next_bookmark)
            } else {
                watch.ends
            }
        };
        self.watches.values().map(word).min()
    }
}

/// Whether initial events are asked for at all.
fn check(options: &Options) -> Result<Option<bool>, Status> {
    let wrong = |why: &str| {
        let about = crate::status::About {
            group: "meta.k8s.io",
            resource: "ListOptions",
            name: "",
        };
        Err(Status::invalid(
            about,
            &[("sendInitialEvents".to_owned(), why.to_owned())],
        ))
    };
    match (options.initial_events, options.version_match) {
        (Some(_), Some(VersionMatch::NotOlderThan)) => Ok(options.initial_events),
        (Some(_), _) => {
            wrong("Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        (None, Some(_)) => wrong(
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (None, None) => Ok(None),
    }
}

impl Watch {
    /// What a change looks like from here: an object may also come into the selection, or leave it.
    fn tell(&self, change: &Change) -> Option<Bytes> {
        if self
            .namespace
            .as_deref()
            .is_some_and(|namespace| *change.key.namespace != *namespace)
        {
            return None;
        }
        let before = change
            .before
            .as_ref()
            .filter(|stored| self.selector.takes(&stored.object));
        let after = change
            .after
            .as_ref()
            .filter(|stored| self.selector.takes(&stored.object));
        let line = match (before, after) {
            (None, None) => return None,
            (None, Some(new)) => self.show.event("ADDED", &new.object, None),
            (Some(_), Some(new)) => self.show.event("MODIFIED", &new.object, None),
            (Some(old), None) => self.show.event("DELETED", &old.object, Some(change.revision)),
        };
        // What is stored can be shown.
        line.ok()
    }
}

impl Show {
    fn event(&self, kind: &str, object: &Object, revision: Option<u64>) -> Result<Bytes, Status> {
        let mut value = Server::at_version(object, &self.api_version)?.to_json();
        if let Some(revision) = revision {
            value["metadata"]["resourceVersion"] = revision.to_string().into();
        }
        if self.form == Form::Metadata {
            value = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]});
        }
        Ok(line(kind, &value))
    }

    fn bookmark(&self, revision: u64, initial_end: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial_end {
            metadata["annotations"] = json!({INITIAL_END: "true"});
        }
        let (api_version, kind) = match self.form {
            Form::Whole => (&*self.api_version, &*self.kind),
            Form::Metadata => ("meta.k8s.io/v1", "PartialObjectMetadata"),
        };
        line(
            "BOOKMARK",
            &json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}),
        )
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}
