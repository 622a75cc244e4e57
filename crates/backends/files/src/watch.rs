//! Being told of changes: one inotify instance and one thread for the whole mail system, whatever
//! the number of users and watches.
//!
//! The thread starts with the first watch and ends with the mail system. Each watch collects what
//! it has to tell in a set, so that a slow reader costs no more memory than it has collections.

mod board;

use crate::error::failed;
use crate::home::Home;
use crate::vdir::Vdir;
use board::{Board, Concern, Due, Names, Subject, locked};
use dme_mailbox::{Error, ErrorKind, Result, WatchEvent};
use dme_model::CollectionId;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use inotify::{Inotify, WatchDescriptor, WatchMask, Watches};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

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
        let number = board.number();
        // From here on whatever was added is taken away again, also when something fails.
        let due = Arc::new(Due::default());
        Ok(Standing { watches, board, number, descriptors: Vec::new(), due })
    }

    fn running(&self) -> Result<(Watches, Arc<Board>)> {
        let mut running = locked(&self.running);
        let running = match &mut *running {
            Some(running) if !running.board.is_stopped() => running,
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
    while !board.is_stopped() {
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
        let concern = Concern { event: event.clone(), names, due: self.due.clone() };
        match self.board.add(self.number, concern, || self.watches.add(directory, mask)) {
            Ok(descriptor) => self.descriptors.push(descriptor),
            // Gone already: that is a change too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.due.note(&event),
            Err(error) => return Err(unwatchable(&error)),
        }
        Ok(())
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let Self { board, watches, descriptors, number, .. } = self;
        board.remove(*number, descriptors.drain(..), |descriptor| {
            // It may be gone with its directory.
            let _ = watches.remove(descriptor);
        });
    }
}

#[cfg(test)]
mod tests;
