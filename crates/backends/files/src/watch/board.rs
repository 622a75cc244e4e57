//! Who is to be told of what: which events in a directory matter to which watch, and what each watch
//! has to tell.

use dme_mailbox::{Error, ErrorKind, Result, WatchEvent};
use dme_model::CollectionId;
use inotify::{EventMask, WatchDescriptor};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Who is to be told of what.
#[derive(Default)]
pub(super) struct Board {
    state: Mutex<BoardState>,
}

#[derive(Default)]
struct BoardState {
    /// How many watches there were, which numbers them.
    watches: u64,
    /// Whom the events of a directory concern, by the number of the watch.
    watched: HashMap<WatchDescriptor, HashMap<u64, Vec<Concern>>>,
    stopped: bool,
}

impl Board {
    /// A number for a watch, unlike that of any other.
    pub(super) fn number(&self) -> u64 {
        let mut state = locked(&self.state);
        state.watches += 1;
        state.watches
    }

    pub(super) fn is_stopped(&self) -> bool {
        locked(&self.state).stopped
    }

    /// Notes whom the events of a directory concern that is watched by `begin`. Nothing else happens
    /// to the board meanwhile, so that no event comes before the board knows whom it concerns, and
    /// nobody takes the directory's watch away between.
    pub(super) fn add(
        &self,
        number: u64,
        concern: Concern,
        begin: impl FnOnce() -> io::Result<WatchDescriptor>,
    ) -> io::Result<WatchDescriptor> {
        let mut state = locked(&self.state);
        let descriptor = begin()?;
        if state.stopped {
            // Nobody listens any longer.
            concern.due.lose();
        }
        let concerns = state.watched.entry(descriptor.clone()).or_default();
        concerns.entry(number).or_default().push(concern);
        Ok(descriptor)
    }

    /// Takes a watch off. `end` is called for the directories that no other watch is on, and nothing
    /// else happens to the board meanwhile.
    pub(super) fn remove(
        &self,
        number: u64,
        descriptors: impl IntoIterator<Item = WatchDescriptor>,
        mut end: impl FnMut(WatchDescriptor),
    ) {
        let mut state = locked(&self.state);
        for descriptor in descriptors {
            let Some(concerns) = state.watched.get_mut(&descriptor) else { continue };
            concerns.remove(&number);
            if concerns.is_empty() {
                state.watched.remove(&descriptor);
                end(descriptor);
            }
        }
    }

    /// How many directories are watched.
    #[cfg(test)]
    pub(super) fn directories(&self) -> usize {
        locked(&self.state).watched.len()
    }

    /// Passes the event on to those whom it concerns.
    pub(super) fn tell(&self, descriptor: &WatchDescriptor, mask: EventMask, name: Option<&OsStr>) {
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

    /// Ends all watches.
    pub(super) fn stop(&self) {
        let mut state = locked(&self.state);
        state.stopped = true;
        for concern in state.watched.values().flat_map(HashMap::values).flatten() {
            concern.due.lose();
        }
    }
}

/// What an event in a directory means for one watch.
pub(super) struct Concern {
    pub event: Subject,
    pub names: Names,
    pub due: Arc<Due>,
}

/// What has changed.
#[derive(Clone)]
pub(super) enum Subject {
    Collection(CollectionId),
    Hierarchy,
}

/// Which names in a directory matter.
#[derive(Clone, Copy)]
pub(super) enum Names {
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
pub(super) struct Due {
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

impl Due {
    /// Notes that something changed.
    pub(super) fn note(&self, subject: &Subject) {
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

    /// Notes that there is nothing more to come.
    pub(super) fn lose(&self) {
        locked(&self.state).lost = true;
        self.rung.notify_one();
    }

    /// The next event; waits for one.
    pub(super) async fn next(&self) -> Result<WatchEvent> {
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

/// What a panic left is as good as ever: everything is written in one go.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
