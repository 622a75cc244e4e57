//! The engine itself: its parts and its limits.

use crate::locks::{Lock, Locks};
use crate::{DeviceKey, FolderNo, StateStore};
use dme_mailbox::Mailbox;
use dme_model::{Class, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// For which device, on whose mailbox, at what time a request is carried out.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// Which device asks.
    pub device: &'a DeviceKey,
    /// Its user's mailbox.
    pub mailbox: &'a dyn Mailbox,
    /// When.
    pub now: Timestamp,
}

/// What the engine never goes beyond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Commands of a phone in one request for one collection.
    pub commands: usize,
    /// Folders of a mailbox; further ones are not shown.
    pub folders: usize,
    /// Unreadable items passed over in one answer; with more, the mail system is taken to be out
    /// of order rather than the items.
    pub unreadable: usize,
    /// Items in one conversation that is moved as a whole.
    pub conversation: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { commands: 2_000, folders: 5_000, unreadable: 20, conversation: 1_000 }
    }
}

/// The sync engine. One for all users and devices; requests for one folder of one device are
/// carried out one after another, all others at once.
pub struct Engine {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) limits: Limits,
    pub(crate) locks: Locks<Lock>,
    /// What folders hold; a number never stands for a folder of another class.
    pub(crate) classes: Mutex<HashMap<(UserId, FolderNo), Class>>,
}

impl Engine {
    /// An engine on this store.
    pub fn new(store: Arc<dyn StateStore>, limits: Limits) -> Self {
        Self { store, limits, locks: Locks::default(), classes: Mutex::default() }
    }

    /// The store it works on.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.store
    }
}
