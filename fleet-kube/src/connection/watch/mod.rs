//! Watches: what is there, and then what changes, for ever.

mod event;
mod feed;

use std::{collections::VecDeque, time::Duration};

use fleet_core::{Document, Fault, Gvk, Live, ObjectKey, Remedy, Uid};
use futures_core::Stream;
use tokio::time::{Instant, sleep, timeout};

use self::{event::Event, feed::Feed};
use super::{
    Call, Connection, Query, Verb,
    address::collection_path,
    limits::millis,
    list::{ACCEPT_OBJECTS, Page, Paged, Selection},
    refusal::Refusal,
    reply::{Broken, Reply},
};

/// A watch this short that showed nothing did not work.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Watches that short, or begun anew, in a row that are opened again at once. From then on there are pauses: a server
/// or gateway that ends every watch after its first words is not asked without end.
const SHORT_LIVES_FREE: u32 = 5;

/// What a watch tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// Everything that is there follows: forget what the watch has shown so far once [`Synced`](Self::Synced) comes,
    /// except what is shown again in between. May come again before that: then the listing began anew.
    Reset,
    /// An object, as it is now.
    Seen(Live),
    /// An object left the watch: it was deleted, or does not match the selector any more.
    Gone {
        /// Which.
        key: ObjectKey,
        /// Its UID.
        uid: Uid,
        /// As it was last, with the resourceVersion of its leaving.
        live: Live,
    },
    /// Everything that was there at one moment has been shown.
    Synced,
    /// Connected again after [`Lost`](Self::Lost), where it was left: nothing was missed.
    Resumed,
    /// The watch is interrupted, and goes on trying with growing waits. Comes once for each try that fails.
    Lost(Fault),
}

impl Connection {
    /// Watches a kind at a version: all objects in one namespace or in all that match a label selector. The stream
    /// does not end; drop it to end the watch.
    ///
    /// The initial objects are streamed where the server can do that, else listed in pages. After an interruption it
    /// goes on where it was; when that is no longer possible it begins anew with [`WatchEvent::Reset`]. A watch
    /// that says nothing for the time of `watch_idle_timeout` is opened again, which finds out whether the server
    /// is still there.
    pub fn watch(
        &self,
        gvk: &Gvk,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> impl Stream<Item = WatchEvent> + Send + use<> {
        let selection = Selection {
            gvk: gvk.clone(),
            namespace: namespace.map(str::to_owned),
            selector: selector.map(str::to_owned),
            fields: None,
        };
        let watcher = Watcher {
            connection: self.clone(),
            selection,
            phase: Phase::Closed,
            version: None,
            streaming: true,
            failures: 0,
            wait: None,
            lost: false,
            short_lives: 0,
            restarts: 0,
            queue: VecDeque::new(),
        };
        futures_util::stream::unfold(watcher, |mut watcher| async {
            let event = watcher.next().await;
            Some((event, watcher))
        })
    }
}

struct Watcher {
    connection: Connection,
    selection: Selection,
    phase: Phase,
    /// Where to go on; none until everything has been shown once.
    version: Option<String>,
    /// False once the server has shown that it does not stream initial objects.
    streaming: bool,
    /// Failures since the watch last worked.
    failures: u32,
    /// The wait the server asked for.
    wait: Option<Duration>,
    /// True after `Lost`, until connected again.
    lost: bool,
    /// Watches in a row that ended at once or had to begin anew.
    short_lives: u32,
    /// How often paging began anew since the last complete listing.
    restarts: u32,
    queue: VecDeque<WatchEvent>,
}

enum Phase {
    Closed,
    /// Listing in pages; the token of the next one.
    Paging(Option<String>),
    /// Reading events.
    Open {
        feed: Feed,
        since: Instant,
        /// Still showing what was there at first.
        initial: bool,
        /// Has shown anything.
        alive: bool,
    },
}

impl Watcher {
    async fn next(&mut self) -> WatchEvent {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            match &self.phase {
                Phase::Closed => self.open().await,
                Phase::Paging(_) => self.page().await,
                Phase::Open { .. } => self.read().await,
            }
        }
    }

    /// Opens the watch, or begins to list.
    async fn open(&mut self) {
        let failures = self
            .failures
            .max(self.short_lives.saturating_sub(SHORT_LIVES_FREE));
        if failures > 0 {
            let options = &self.connection.shared.options;
            let (base, max) = (options.watch_backoff_base, options.watch_backoff_max);
            let backoff = self.connection.shared.random.backoff(base, max, failures);
            let asked = self.wait.take().unwrap_or_default().min(max);
            sleep(backoff.max(asked)).await;
        }
        if self.version.is_none() && !self.streaming {
            self.phase = Phase::Paging(None);
            return;
        }
        let initial = self.version.is_none();
        if !initial && let Err(fault) = self.connection.check_same().await {
            if self.connection.doubt().is_some() {
                // A server that was restored from a backup takes a later state for the future, and shows nothing until
                // it comes.
                self.version = None;
            }
            return self.lose(fault);
        }
        match self.request(initial).await {
            Ok(feed) => {
                if initial {
                    self.queue.push_back(WatchEvent::Reset);
                } else if self.lost {
                    self.queue.push_back(WatchEvent::Resumed);
                }
                self.lost = false;
                self.phase = Phase::Open {
                    feed,
                    since: Instant::now(),
                    initial,
                    alive: false,
                };
            }
            Err(Refused::Said(refusal)) if refusal.is_out_of_history() => self.begin_anew(),
            Err(Refused::Said(refusal)) if initial && matches!(refusal.code, 400 | 422) => {
                self.streaming = false;
            }
            Err(Refused::Said(refusal)) => self.lose(refusal.fault()),
            Err(Refused::Broken(fault)) => self.lose(fault),
        }
    }

    async fn request(&mut self, initial: bool) -> Result<Feed, Refused> {
        let connection = &self.connection;
        let options = &connection.shared.options;
        connection
            .shared
            .limits
            .enter_watch()
            .await
            .map_err(Refused::Broken)?;
        let selection = &self.selection;
        let path = collection_path(
            &connection.kinds(),
            &selection.gvk,
            selection.namespace.as_deref(),
        )
        .map_err(Refused::Broken)?;
        let life = connection
            .shared
            .random
            .between(options.watch_life, options.watch_life * 2);
        let query = Query::new()
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", &life.as_secs().max(1).to_string())
            .with_some("labelSelector", selection.selector.as_deref())
            .with_some("resourceVersion", self.version.as_deref())
            .with_some("sendInitialEvents", initial.then_some("true"))
            .with_some("resourceVersionMatch", initial.then_some("NotOlderThan"));
        let call = Call::get(Verb::Watch, query.after(path));
        let deadline = Instant::now() + options.call_timeout;
        let response = connection
            .head(&call, deadline)
            .await
            .map_err(|broken| Refused::Broken(broken.fault()))?;
        let status = response.status().as_u16();
        if status == 200 {
            connection.shared.contact.answered();
            return Ok(Feed::new(response.into_body(), options.body_bytes_max));
        }
        let retry_after = super::call::retry_after(response.headers());
        let body = tokio::time::timeout_at(deadline, connection.collect(response)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let reply = Reply {
            status,
            retry_after,
            body,
        };
        connection.note_contact(&call, &reply);
        Err(Refused::Said(Refusal::of(&reply)))
    }

    /// Reads one page of the initial listing.
    async fn page(&mut self) {
        let Phase::Paging(token) = std::mem::replace(&mut self.phase, Phase::Closed) else {
            return;
        };
        let size = self.connection.page_size(self.restarts);
        let page = self
            .connection
            .page(&self.selection, ACCEPT_OBJECTS, token.as_deref(), size)
            .await;
        let shown = page.and_then(|paged| match paged {
            Paged::Page(page) => self.show(page, token.is_none()),
            Paged::Expired => {
                self.restarts += 1;
                Ok(Phase::Paging(None))
            }
        });
        match shown {
            Ok(phase) => self.phase = phase,
            Err(fault) => self.lose(fault),
        }
    }

    fn show(&mut self, page: Page<Document>, first: bool) -> Result<Phase, Fault> {
        let next = page.next().map(str::to_owned);
        let version = page.version().map(str::to_owned);
        if first {
            self.queue.push_back(WatchEvent::Reset);
            self.lost = false;
        }
        for item in page.items {
            let live = event::item(item, &self.selection.gvk)?;
            self.queue.push_back(WatchEvent::Seen(live));
        }
        if next.is_some() {
            return Ok(Phase::Paging(next));
        }
        let version = version
            .ok_or_else(|| event::unreadable(&self.selection.gvk, "the list has no resourceVersion"))?;
        self.saw(&version);
        self.queue.push_back(WatchEvent::Synced);
        (self.version, self.restarts) = (Some(version), 0);
        Ok(Phase::Closed)
    }

    /// Reads one event.
    async fn read(&mut self) {
        let Phase::Open {
            feed,
            since,
            initial,
            alive,
        } = &mut self.phase
        else {
            return;
        };
        let (initial, since, was_alive) = (*initial, *since, *alive);
        let options = &self.connection.shared.options;
        let (idle, initial_max) = (options.watch_idle_timeout, options.watch_initial_timeout);
        let limit = if initial {
            idle.min(initial_max.saturating_sub(since.elapsed()))
        } else {
            idle
        };
        let read = timeout(limit, feed.line()).await;
        if since.elapsed() >= SHORT_LIFE {
            self.short_lives = 0;
        }
        let in_order = matches!(read, Ok(Ok(None)));
        match read {
            Ok(Ok(Some(line))) => {
                *alive = true;
                self.connection.shared.contact.answered();
                match event::parse(&line, &self.selection.gvk) {
                    Ok(event) => self.take(event, initial),
                    Err(fault) => {
                        // Going on from where this came up would meet it again.
                        self.version = None;
                        self.lose(fault);
                    }
                }
            }
            Ok(Ok(None)) if initial => self.lose(cut_short()),
            Ok(Err(fault)) if initial || fault.remedy != Remedy::Unreachable => self.lose(fault),
            // The server ends watches as it likes, restarts included: whether it is still there shows when the watch
            // is opened again.
            Ok(Ok(None) | Err(_)) => {
                self.phase = Phase::Closed;
                if !in_order {
                    self.connection.shared.contact.interrupted();
                }
                if since.elapsed() < SHORT_LIFE {
                    self.short_lives = self.short_lives.saturating_add(1);
                    if !was_alive {
                        self.failures = self.failures.saturating_add(1);
                    }
                }
            }
            Err(_) if initial => {
                // Some servers take the request for a stream and never say where the initial objects end.
                self.streaming = false;
                let (idle, initial) = (millis(idle), millis(initial_max));
                let message = format!(
                    "the watch was silent for {idle} (watch_idle_timeout), or did not show everything within {initial} (watch_initial_timeout)"
                );
                self.lose(Fault::new(Remedy::Unreachable, message));
            }
            Err(_) => self.phase = Phase::Closed,
        }
    }

    fn take(&mut self, event: Event, initial: bool) {
        // While the initial objects come, in no particular order, there is no place to go on from.
        let (guard, kind) = (
            &self.connection.shared.guard,
            self.selection.gvk.group_kind().clone(),
        );
        let mut moved = |version: &str| {
            if !initial {
                guard.saw(&kind, version, None);
                self.version = Some(version.to_owned());
            }
        };
        match event {
            Event::Seen(live) => {
                moved(live.version().as_str());
                self.queue.push_back(WatchEvent::Seen(live));
            }
            Event::Gone(live) => {
                moved(live.version().as_str());
                let (key, uid) = (live.key().clone(), live.uid().clone());
                self.queue.push_back(WatchEvent::Gone { key, uid, live });
            }
            Event::Bookmark { version, .. } if !initial => {
                if !self.saw(&version) {
                    return self.begin_anew();
                }
                self.version = Some(version);
            }
            Event::Bookmark {
                version,
                initial_end: true,
            } => {
                self.saw(&version);
                self.version = Some(version);
                self.queue.push_back(WatchEvent::Synced);
                if let Phase::Open { initial, .. } = &mut self.phase {
                    *initial = false;
                }
            }
            Event::Bookmark { .. } => {
                // Nobody who streams initial objects sends this before their end: it is a plain watch.
                self.streaming = false;
                self.phase = Phase::Closed;
            }
            Event::Error(refusal) if refusal.is_out_of_history() => return self.begin_anew(),
            Event::Error(refusal) => return self.lose(refusal.fault()),
        }
        self.failures = 0;
    }

    /// A state of the cluster was shown. False when it is earlier than the one this watch has shown: the cluster was
    /// restored from a backup, and a watch that goes on from a later state would show nothing until that comes again.
    fn saw(&self, version: &str) -> bool {
        let kind = self.selection.gvk.group_kind();
        self.connection
            .shared
            .guard
            .saw(kind, version, self.version.as_deref())
    }

    /// The place to go on from is no longer known to the server: everything must be shown again.
    fn begin_anew(&mut self) {
        // A server that says so about the newest state of all is out of order.
        if self.version.take().is_none() {
            self.failures = self.failures.saturating_add(1);
        }
        self.short_lives = self.short_lives.saturating_add(1);
        self.phase = Phase::Closed;
    }

    fn lose(&mut self, fault: Fault) {
        self.wait = fault.retry_after.map(|span| Duration::from_millis(span.0));
        self.failures = self.failures.saturating_add(1);
        self.lost = true;
        self.phase = Phase::Closed;
        self.queue.push_back(WatchEvent::Lost(fault));
    }
}

/// Why a watch was not opened.
enum Refused {
    Said(Refusal),
    Broken(Fault),
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.fault())
    }
}

fn cut_short() -> Fault {
    Fault::new(Remedy::Unreachable, "the watch ended before everything was shown")
}
