//! Being told of changes: one inotify instance and one thread for the whole mail system, whatever
//! the number of users and watches.
//!
//! The thread starts with the first watch and ends with the mail system. Each watch collects what
//! it has to tell in a set, so that a slow reader costs no more memory than it has collections.

use crate::error::failed;
use crate::home::Home;
use crate::vdir::Vdir;
use dme_mailbox::{Error, ErrorKind, Result, WatchEvent};
use dme_model::CollectionId;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask, Watches};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};
use tokio::sync::Notify;

/// Files and directories come, go and are renamed.
const ENTRIES: WatchMask = WatchMask::CREATE.union(WatchMask::DELETE).union(WatchMask::MOVE);
/// Room for a few hundred events at once.
const BUFFER: usize = 16 * 1024;

/// Tells of changes below the root.
#[derive(Default)]
pub(crate) struct Watcher {
    running: Mutex<Option<Running>>,
}

struct Running {
    watches: Watches,
    board: Arc<Board>,
}

/// Who is to be told of what.
#[derive(Default)]
struct Board {
    state: Mutex<BoardState>,
}

#[derive(Default)]
struct BoardState {
    next: u64,
    watched: HashMap<WatchDescriptor, HashMap<u64, Vec<Concern>>>,
    stopped: bool,
}

/// What an event in a directory means for one watch.
#[derive(Clone)]
struct Concern {
    event: Subject,
    names: Names,
    due: Arc<Due>,
}

#[derive(Clone)]
enum Subject {
    Collection(CollectionId),
    Hierarchy,
}

/// Which names in a directory matter.
#[derive(Clone, Copy)]
enum Names {
    All,
    /// Only folders' directories, not the files that programs keep beside them.
    MaildirFolders,
    /// Only directories of collections.
    Collections,
    /// Only what can be an item.
    Items,
    /// Only the name of the collection.
    DisplayName,
}

impl Names {
    fn matter(self, mask: EventMask, name: Option<&OsStr>) -> bool {
        // The directory itself is gone.
        if mask.contains(EventMask::IGNORED) {
            return true;
        }
        let begins =
            |text: &str| name.and_then(OsStr::to_str).is_some_and(|it| it.starts_with(text));
        let directory = mask.contains(EventMask::ISDIR);
        match self {
            Self::All => true,
            Self::MaildirFolders => directory && begins("."),
            Self::Collections => directory && !begins("."),
            Self::Items => !directory && !begins("."),
            Self::DisplayName => name == Some(OsStr::new("displayname")),
        }
    }
}

/// What one watch has to tell.
#[derive(Default)]
struct Due {
    state: Mutex<DueState>,
    rung: Notify,
}

#[derive(Default)]
struct DueState {
    ready: bool,
    changed: BTreeSet<CollectionId>,
    hierarchy: bool,
    lost: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Due {
    fn note(&self, subject: &Subject) {
        let mut state = locked(&self.state);
        match subject {
            Subject::Collection(id) => {
                state.changed.insert(id.clone());
            }
            Subject::Hierarchy => state.hierarchy = true,
        }
        drop(state);
        self.rung.notify_one();
    }

    fn lose(&self) {
        locked(&self.state).lost = true;
        self.rung.notify_one();
    }

    /// The next event; waits for one.
    async fn next(&self) -> Result<WatchEvent> {
        loop {
            {
                let mut state = locked(&self.state);
                if !std::mem::replace(&mut state.ready, true) {
                    return Ok(WatchEvent::Ready);
                }
                if let Some(id) = state.changed.pop_first() {
                    return Ok(WatchEvent::Changed(id));
                }
                if std::mem::take(&mut state.hierarchy) {
                    return Ok(WatchEvent::Hierarchy);
                }
                if state.lost {
                    return Err(Error::new(ErrorKind::Unavailable, "the watch of files ended"));
                }
            }
            self.rung.notified().await;
        }
    }
}

impl Board {
    /// Passes the event on to those whom it concerns.
    fn tell(&self, descriptor: &WatchDescriptor, mask: EventMask, name: Option<&OsStr>) {
        let mut state = locked(&self.state);
        if mask.contains(EventMask::Q_OVERFLOW) {
            // Events were lost: any of them may have been anything.
            for concern in state.watched.values().flat_map(HashMap::values).flatten() {
                concern.due.note(&concern.event);
            }
            return;
        }
        for concern in state.watched.get(descriptor).into_iter().flat_map(HashMap::values).flatten()
        {
            if concern.names.matter(mask, name) {
                concern.due.note(&concern.event);
            }
        }
        if mask.contains(EventMask::IGNORED) {
            state.watched.remove(descriptor);
        }
    }

    fn stop(&self) {
        let mut state = locked(&self.state);
        state.stopped = true;
        for concern in state.watched.values().flat_map(HashMap::values).flatten() {
            concern.due.lose();
        }
    }
}

impl Watcher {
    /// A standing watch on the folders and on the list of folders.
    pub(crate) fn watch(
        &self,
        home: &Home,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        if !home.exists() {
            return Err(Error::new(ErrorKind::NotFound, "no such mailbox to watch"));
        }
        let mut standing = self.standing()?;
        standing.add(&home.maildir(), ENTRIES, Names::MaildirFolders, Subject::Hierarchy)?;
        for id in collections {
            let directories = home.watched(id);
            standing.add_collection(id, directories.as_ref(), ENTRIES, Names::All)?;
        }
        Ok(standing.events())
    }

    /// The same on collections of the other classes.
    pub(crate) fn watch_vdir(
        &self,
        vdir: &Vdir,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        // A file may be changed where it is.
        let contents = ENTRIES | WatchMask::CLOSE_WRITE;
        let mut standing = self.standing()?;
        standing.add(vdir.path(), ENTRIES, Names::Collections, Subject::Hierarchy)?;
        for id in collections {
            let directory = vdir.existing(id).map(|directory| [directory]);
            if let Ok([directory]) = &directory {
                standing.add(directory, contents, Names::DisplayName, Subject::Hierarchy)?;
            }
            standing.add_collection(id, directory.as_ref(), contents, Names::Items)?;
        }
        Ok(standing.events())
    }

    /// A watch of nothing yet.
    fn standing(&self) -> Result<Standing> {
        let (watches, board) = self.running()?;
        let number = {
            let mut state = locked(&board.state);
            state.next += 1;
            state.next
        };
        // From here on whatever was added is taken away again, also when something fails.
        let due = Arc::new(Due::default());
        Ok(Standing { watches, board, number, descriptors: Vec::new(), due })
    }

    fn running(&self) -> Result<(Watches, Arc<Board>)> {
        let mut running = locked(&self.running);
        let running = match &mut *running {
            Some(running) if !locked(&running.board.state).stopped => running,
            stopped => {
                let instance = Inotify::init().map_err(|error| unwatchable(&error))?;
                let (watches, board) = (instance.watches(), Arc::new(Board::default()));
                let told = board.clone();
                thread::Builder::new()
                    .name("files-watch".into())
                    .spawn(move || listen(instance, &told))
                    .map_err(|error| failed("start watching files", &error))?;
                stopped.insert(Running { watches, board })
            }
        };
        Ok((running.watches.clone(), running.board.clone()))
    }
}

fn unwatchable(error: &io::Error) -> Error {
    let context = format!(
        "watch files: {error}; fs.inotify.max_user_watches or max_user_instances may be too low"
    );
    Error::new(ErrorKind::Unavailable, context)
}

fn listen(mut instance: Inotify, board: &Board) {
    let mut buffer = [0; BUFFER];
    while !locked(&board.state).stopped {
        match instance.read_events_blocking(&mut buffer) {
            Ok(events) => {
                for event in events {
                    board.tell(&event.wd, event.mask, event.name);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::error!(%error, "watching files ended");
                board.stop();
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { watches, board }) = running {
            board.stop();
            // The end of a watch is an event, which wakes the thread, which sees that it is over.
            if let Ok(descriptor) = watches.add(Path::new("/"), WatchMask::DELETE_SELF) {
                let _ = watches.remove(descriptor);
            }
        }
    }
}

/// One watch's part of the board; taken off when dropped.
struct Standing {
    watches: Watches,
    board: Arc<Board>,
    number: u64,
    descriptors: Vec<WatchDescriptor>,
    due: Arc<Due>,
}

impl Standing {
    /// Looks for changes of a collection in its directories.
    fn add_collection<const N: usize>(
        &mut self,
        id: &CollectionId,
        directories: std::result::Result<&[PathBuf; N], &Error>,
        mask: WatchMask,
        names: Names,
    ) -> Result<()> {
        match directories {
            Ok(directories) => directories.iter().try_for_each(|directory| {
                self.add(directory, mask, names, Subject::Collection(id.clone()))
            }),
            // Gone already: that is a change too.
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.due.note(&Subject::Collection(id.clone()));
                Ok(())
            }
            Err(error) => Err(error.clone()),
        }
    }

    /// What it has to tell, until it is dropped.
    fn events(self) -> BoxStream<'static, Result<WatchEvent>> {
        stream::unfold(Some(self), |standing| async move {
            let standing = standing?;
            match standing.due.next().await {
                Ok(event) => Some((Ok(event), Some(standing))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    fn add(
        &mut self,
        directory: &Path,
        mask: WatchMask,
        names: Names,
        event: Subject,
    ) -> Result<()> {
        // Held while adding, so that no event comes before the board knows whom it concerns, and
        // nobody takes the directory's watch away between.
        let mut state = locked(&self.board.state);
        let descriptor = match self.watches.add(directory, mask) {
            Ok(descriptor) => descriptor,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.due.note(&event);
                return Ok(());
            }
            Err(error) => return Err(unwatchable(&error)),
        };
        let concern = Concern { event, names, due: self.due.clone() };
        let concerns = state.watched.entry(descriptor.clone()).or_default();
        concerns.entry(self.number).or_default().push(concern);
        self.descriptors.push(descriptor);
        Ok(())
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut state = locked(&self.board.state);
        for descriptor in self.descriptors.drain(..) {
            let Some(concerns) = state.watched.get_mut(&descriptor) else { continue };
            concerns.remove(&self.number);
            if concerns.is_empty() {
                state.watched.remove(&descriptor);
                // It may be gone with its directory.
                let _ = self.watches.remove(descriptor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;
    use tempfile::TempDir;
    use tokio::time::timeout;

    type Watch = BoxStream<'static, Result<WatchEvent>>;

    struct World {
        _root: TempDir,
        home: Home,
        watcher: Watcher,
    }

    fn world() -> World {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path(), "ann@x.example").unwrap();
        home.create().unwrap();
        World { _root: root, home, watcher: Watcher::default() }
    }

    fn inbox() -> CollectionId {
        CollectionId::from("INBOX")
    }

    async fn next(watch: &mut Watch) -> Option<Result<WatchEvent>> {
        timeout(Duration::from_secs(20), watch.next()).await.unwrap()
    }

    #[tokio::test]
    async fn many_events_are_told_as_one_and_nothing_is_told_of_other_folders() {
        let world = world();
        let mut watch = world.watcher.watch(&world.home, &[inbox()]).unwrap();
        assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
        let sent = world.home.watched(&CollectionId::from("Sent")).unwrap();
        let new = world.home.watched(&inbox()).unwrap();
        fs::write(sent[0].join("elsewhere"), "").unwrap();
        fs::write(world.home.maildir().join(".a-file-is-no-folder"), "").unwrap();
        for number in 0..1000 {
            fs::write(new[0].join(number.to_string()), "").unwrap();
        }
        // The events of one thread come in order: once the folder is told, all before it were.
        world.home.create_folder(None, "Last").unwrap();
        let mut told = Vec::new();
        while told.last() != Some(&WatchEvent::Hierarchy) {
            told.push(next(&mut watch).await.unwrap().unwrap());
        }
        assert!(told.iter().all(|it| *it != WatchEvent::Ready) && told.len() < 900, "{told:?}");
        assert!(told.contains(&WatchEvent::Changed(inbox())));
    }

    #[tokio::test]
    async fn a_folder_that_goes_is_told() {
        let world = world();
        let id = world.home.create_folder(None, "Going").unwrap();
        let mut watch = world.watcher.watch(&world.home, std::slice::from_ref(&id)).unwrap();
        assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
        world.home.delete_folder(&id).unwrap();
        let mut told = Vec::new();
        while told.len() < 2 {
            let event = next(&mut watch).await.unwrap().unwrap();
            if !told.contains(&event) {
                told.push(event);
            }
        }
        assert!(told.contains(&WatchEvent::Changed(id.clone())), "{told:?}");
        assert!(told.contains(&WatchEvent::Hierarchy), "{told:?}");
        // One that is gone before the watch stands is told at once.
        let mut late = world.watcher.watch(&world.home, std::slice::from_ref(&id)).unwrap();
        assert_eq!(next(&mut late).await, Some(Ok(WatchEvent::Ready)));
        assert_eq!(next(&mut late).await, Some(Ok(WatchEvent::Changed(id))));
    }

    #[tokio::test]
    async fn a_watch_leaves_nothing_behind() {
        let world = world();
        let watches: Vec<Watch> =
            (0..50).map(|_| world.watcher.watch(&world.home, &[inbox()]).unwrap()).collect();
        let (_, board) = world.watcher.running().unwrap();
        assert_eq!(locked(&board.state).watched.len(), 3);
        drop(watches);
        assert!(locked(&board.state).watched.is_empty());
    }

    #[tokio::test]
    async fn a_watch_ends_with_the_mail_system() {
        let world = world();
        let mut watch = world.watcher.watch(&world.home, &[inbox()]).unwrap();
        assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
        drop(world.watcher);
        assert!(next(&mut watch).await.unwrap().is_err());
        assert_eq!(next(&mut watch).await, None);
    }
}
