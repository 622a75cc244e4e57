//! Calendars, address books, task lists and notes as files, beside the Maildir: the layout that
//! `vdirsyncer`, `khal`, `todoman` and `khard` share and change at the same time.
//!
//! ```text
//! <root>/<user>/vdir/<collection>/<item>.ics     an event or series, a task, a note
//! <root>/<user>/vdir/<collection>/<item>.vcf     a person
//! <root>/<user>/vdir/<collection>/displayname    the collection's name; without it its directory's
//! <root>/<user>/vdir/<collection>/color          its colour, which phones are not told
//! <root>/<user>/vdir/<collection>/.dme-class     calendar, contacts, tasks or notes
//! <root>/<user>/vdir/.dme/<collection>.items     the journal
//! ```
//!
//! A collection holds one class. Where no `.dme-class` says which, the first item does. What is of
//! another class, a group of people, a file that begins with a dot or ends in `.tmp`, a link: none
//! of them is an item. A file that can't be read is one, which phones see as a placeholder.
//!
//! The journal remembers what was there when (see `items`); it may be deleted at any time, and
//! costs phones one resync.

mod collection;
mod collections;
mod items;
mod mailbox;
mod object;

pub(crate) use collection::Collection;
pub use collection::NewObject;
pub(crate) use collections::Vdir;
pub(crate) use mailbox::VdirSystem;

use dme_model::Class;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many collections are held in memory.
const MAX_HELD: usize = 1_000;

/// The collections in use lately, so that their journals need not be read each time.
#[derive(Default)]
pub(crate) struct Held {
    collections: Mutex<HashMap<PathBuf, Arc<Collection>>>,
}

impl Held {
    /// The collection there. One of another class is another, made anew where one was deleted.
    pub(crate) fn open(
        &self,
        path: &Path,
        class: Class,
        make: impl FnOnce() -> Collection,
    ) -> Arc<Collection> {
        let mut held = self.collections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.get(path).filter(|known| known.class == class) {
            return known.clone();
        }
        if held.len() >= MAX_HELD {
            held.retain(|_, collection| Arc::strong_count(collection) > 1);
        }
        let collection = Arc::new(make());
        held.insert(path.to_owned(), collection.clone());
        collection
    }

    /// Forgets a collection that is gone; one of its name may be another.
    pub(crate) fn forget(&self, path: &Path) {
        self.collections.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}
