//! Hints that files changed, by events of the file system.
//!
//! Events are only hints: they get lost, and none come from network file systems. Whoever listens also reads at an
//! interval.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use fleet_core::{Changed, Changes};
use futures_util::stream;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Instant, sleep, timeout_at},
};

use super::written::BeingWritten;

/// A burst of changes is over when nothing has changed for so long, and no file is being written.
const QUIET: Duration = Duration::from_millis(500);
/// A burst that does not end is told of after so long: as late as by an interval.
const BURST_MAX: Duration = Duration::from_secs(10);
/// Between two tries to have events.
const RETRY: Duration = Duration::from_secs(60);
/// For the system to end a watcher before the next one.
const ENDING: Duration = Duration::from_millis(100);
/// Most folders that are watched. Each costs memory of the system, which has a limit of its own.
pub(crate) const FOLDERS_MAX: usize = 10_000;

/// Folders that are watched, themselves and not what is below.
#[derive(Default, Debug)]
pub(crate) struct Watched(BTreeMap<PathBuf, Names>);

/// What counts in a folder.
#[derive(Debug)]
enum Names {
    All,
    Only(BTreeSet<OsString>),
}

impl Watched {
    /// Everything in this folder counts. False when that was so before.
    ///
    /// # Errors
    /// When there are too many folders.
    pub(crate) fn folder(&mut self, folder: PathBuf) -> io::Result<bool> {
        let before = self.0.insert(folder, Names::All);
        if self.0.len() > FOLDERS_MAX {
            return Err(io::Error::other(format!(
                "there are more than {FOLDERS_MAX} folders"
            )));
        }
        Ok(!matches!(before, Some(Names::All)))
    }

    /// In the folder it is in, this counts; and where a link leads from there.
    pub(crate) fn entry(&mut self, path: &Path) {
        let real = path.canonicalize().ok();
        for path in [Some(path), real.as_deref()].into_iter().flatten() {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            // The parent of a bare name is here.
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            let names = self
                .0
                .entry(parent.to_owned())
                .or_insert_with(|| Names::Only(BTreeSet::new()));
            if let Names::Only(names) = names {
                // Config maps are mounted so that this link is what changes.
                names.extend([name.to_owned(), OsString::from("..data")]);
            }
        }
    }

    fn counts(&self, event: &Event) -> bool {
        // Reading is no change.
        let is_read =
            matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
        event.need_rescan()
            || !is_read && (event.paths.is_empty() || event.paths.iter().any(|path| self.has(path)))
    }

    fn has(&self, path: &Path) -> bool {
        if self.0.contains_key(path) {
            return true;
        }
        match path.parent().and_then(|parent| self.0.get(parent)) {
            Some(Names::Only(names)) => path.file_name().is_some_and(|name| names.contains(name)),
            // Systems differ in how they write a path.
            Some(Names::All) | None => true,
        }
    }
}

/// Who is told that there are no events.
#[derive(Clone)]
pub(crate) struct Trouble(Arc<dyn Fn(&str) + Send + Sync>);

impl Trouble {
    pub(crate) fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl Default for Trouble {
    fn default() -> Self {
        Self::new(|why| tracing::warn!("{why}"))
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trouble")
    }
}

/// Hints of changes in what `watched` says; it is asked again after each burst, as folders come and go. The first
/// hint comes once events are on their way, since something may have changed before.
pub(crate) fn changes(
    trouble: Trouble,
    watched: impl Fn() -> io::Result<Watched> + Send + Sync + 'static,
) -> Changes {
    let (sender, events) = channel(1);
    let watch = Watch {
        watched: Arc::new(watched),
        written: BeingWritten::default(),
        sender,
        events,
        watcher: None,
        trouble,
        is_told: false,
    };
    Box::pin(stream::unfold(
        (watch, true),
        |(mut watch, is_first)| async move {
            if is_first {
                watch.renew().await;
            } else {
                watch.burst().await;
            }
            Some((Changed::All, (watch, false)))
        },
    ))
}

/// Gives the folders that matter now.
type AskWatched = dyn Fn() -> io::Result<Watched> + Send + Sync;

struct Watch {
    watched: Arc<AskWatched>,
    written: BeingWritten,
    sender: Sender<()>,
    events: Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    trouble: Trouble,
    is_told: bool,
}

impl Watch {
    /// Returns after changes, when all folders are watched that are there then.
    async fn burst(&mut self) {
        while self.watcher.is_none() {
            sleep(RETRY).await;
            self.renew().await;
            if self.watcher.is_some() {
                return;
            }
        }
        // The sender is ours: there is always a next one.
        let _ = self.events.recv().await;
        until_quiet(&mut self.events, &self.written).await;
        // What is still open after so long may stay open for ever.
        self.written.clear();
        self.renew().await;
    }

    async fn make(&self) -> Result<RecommendedWatcher, Wrong> {
        let (watched, written) = (self.watched.clone(), self.written.clone());
        let sender = self.sender.clone();
        let made = tokio::task::spawn_blocking(move || make(watched()?, written, sender));
        made.await
            .unwrap_or_else(|_| Err("the task that sets them up failed".into()))
    }

    /// Watches what is there now. The new watcher listens before the old one ends.
    async fn renew(&mut self) {
        let mut made = self.make().await;
        if made.is_err() && self.watcher.take().is_some() {
            // Perhaps the system has no room for both.
            sleep(ENDING).await;
            made = self.make().await;
        }
        match made {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                self.is_told = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    let tell = &self.trouble.0;
                    tell(&format!(
                        "file events cannot be had, so changes are found only at the interval: {error}"
                    ));
                }
            }
        }
    }
}

/// Waits until there was no event for a while and no file is being written, or until that takes too long.
async fn until_quiet(events: &mut Receiver<()>, written: &BeingWritten) {
    let end = Instant::now() + BURST_MAX;
    loop {
        let quiet = Instant::now() + QUIET;
        match timeout_at(quiet.min(end), events.recv()).await {
            Ok(Some(())) if Instant::now() < end => {}
            Err(_) if Instant::now() < end && !written.is_none() => {}
            _ => return,
        }
    }
}

/// Why no watcher could be made.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn make(watched: Watched, written: BeingWritten, sender: Sender<()>) -> Result<RecommendedWatcher, Wrong> {
    let watched = Arc::new(watched);
    let filter = watched.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Ok(event) = &event {
            if !filter.counts(event) {
                return;
            }
            written.note(event);
        }
        // Of a full queue one is waiting to be seen already.
        let _ = sender.try_send(());
    })
    .map_err(words)?;
    let mut paths = watcher.paths_mut();
    for folder in watched.0.keys() {
        match paths.add(folder, RecursiveMode::NonRecursive) {
            // It went meanwhile, which the folder it was in tells.
            Err(error) if is_gone(&error) => {}
            other => other.map_err(words)?,
        }
    }
    paths.commit().map_err(words)?;
    Ok(watcher)
}

/// With the name of the limit of the system that is in the way, if one is.
fn words(error: notify::Error) -> Wrong {
    const TOO_MANY_OPEN_FILES: i32 = 24;
    let limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => "fs.inotify.max_user_watches",
        notify::ErrorKind::Io(error)
            if BeingWritten::IS_KNOWN && error.raw_os_error() == Some(TOO_MANY_OPEN_FILES) =>
        {
            "fs.inotify.max_user_instances, or of open files"
        }
        _ => return error.into(),
    };
    format!("{error} (the limit {limit})").into()
}

fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_ends_with_quiet_or_after_ten_seconds() {
        // Events that many milliseconds apart, so often, and when they are told of.
        for (apart, count, expect) in [
            (1, 1, 501),
            (450, 10, 5000),
            (499, 10, 5490),
            (501, 10, 500),
            (100, 500, 10_000),
        ] {
            let (sender, mut events) = channel(1);
            let start = Instant::now();
            let task = tokio::spawn(async move {
                for _ in 0..count {
                    sleep(Duration::from_millis(apart)).await;
                    let _ = sender.try_send(());
                }
                sleep(Duration::from_secs(60)).await;
            });
            until_quiet(&mut events, &BeingWritten::default()).await;
            let told = start.elapsed().as_millis();
            assert!(
                told.abs_diff(expect) <= 1,
                "{count} events {apart} ms apart: after {told} ms"
            );
            task.abort();
        }
    }

    #[test]
    fn only_changes_of_what_is_watched_count() {
        let mut watched = Watched::default();
        assert!(watched.folder("/all".into()).unwrap());
        assert!(!watched.folder("/all".into()).unwrap());
        watched.entry(Path::new("/some/config"));
        watched.entry(Path::new("/all/config"));
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let any = EventKind::Any;
        for (event, counts) in [
            (event(any, "/all/x"), true),
            (event(any, "/all"), true),
            (event(any, "/some/config"), true),
            (event(any, "/some/..data"), true),
            (event(any, "/some/other"), false),
            (event(EventKind::Access(AccessKind::Read), "/all/x"), false),
            (
                event(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/all/x"),
                false,
            ),
            (
                event(EventKind::Access(AccessKind::Close(AccessMode::Write)), "/all/x"),
                true,
            ),
            (
                Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan),
                true,
            ),
        ] {
            assert_eq!(watched.counts(&event), counts, "{event:?}");
        }
    }

    #[test]
    fn limits_of_the_system_are_named() {
        let full = io::Error::from_raw_os_error(24);
        for (error, expect) in [
            (
                notify::Error::new(notify::ErrorKind::MaxFilesWatch),
                "max_user_watches",
            ),
            (
                notify::Error::io(full),
                if BeingWritten::IS_KNOWN {
                    "max_user_instances"
                } else {
                    "24"
                },
            ),
        ] {
            let told = words(error).to_string();
            assert!(told.contains(expect), "{told}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_room_for_both_the_new_watcher_comes_after_the_old_one() {
        use futures_util::StreamExt as _;
        use std::sync::Mutex;

        let told = Arc::<Mutex<Vec<String>>>::default();
        let heard = told.clone();
        let trouble = Trouble::new(move |why| heard.lock().unwrap().push(why.to_owned()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let tries = Mutex::new(0);
        let mut hints = changes(trouble, move || {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            let mut watched = Watched::default();
            if *tries == 2 {
                return Err(io::Error::other("no space left"));
            }
            watched.folder(path.clone())?;
            Ok(watched)
        });
        assert_eq!(hints.next().await, Some(Changed::All));
        for name in ["a", "b"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
            assert_eq!(hints.next().await, Some(Changed::All), "{name}");
        }
        assert!(told.lock().unwrap().is_empty());
    }

    #[test]
    fn there_are_only_so_many_folders() {
        let mut watched = Watched::default();
        for number in 0..FOLDERS_MAX {
            watched.folder(PathBuf::from(number.to_string())).unwrap();
        }
        assert!(watched.folder("one more".into()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_is_told_once_and_tried_again() {
        use futures_util::StreamExt as _;
        use std::sync::Mutex;

        let told = Arc::<Mutex<Vec<String>>>::default();
        let (heard, tries) = (told.clone(), Arc::<Mutex<usize>>::default());
        let trouble = Trouble::new(move |why| heard.lock().unwrap().push(why.to_owned()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let counted = tries.clone();
        let mut hints = changes(trouble, move || {
            let mut tries = counted.lock().unwrap();
            *tries += 1;
            let mut watched = Watched::default();
            if *tries < 4 {
                return Err(io::Error::other("no space left"));
            }
            watched.folder(path.clone())?;
            Ok(watched)
        });
        for _ in 0..2 {
            assert_eq!(hints.next().await, Some(Changed::All));
        }
        assert_eq!(*tries.lock().unwrap(), 4);
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("only at the interval: no space left"),
            "{told:?}"
        );
    }
}
