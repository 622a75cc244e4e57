//! The property of issue and rules in one place: whatever happens, phone and mail system agree in
//! the end, and nothing was lost, duplicated or sent twice.
//!
//! A model phone ([`phone`](self)) lives a random life on a real [`Mailbox`]: it syncs, marks,
//! deletes, moves, writes and sends, while another client does the same, answers get lost, calls
//! fail before or after they took effect, requests are cut off anywhere, the engine is restarted
//! and change tokens become invalid. Then everything is left in peace, and what the phone shows is
//! compared with what the mailbox holds.
//!
//! It runs on any mailbox: implement [`World`] for it and give [`run`] a list of [`Op`]s.

mod answers;
mod driver;
pub(crate) mod faulty;
mod judge;
mod phone;
mod records;
mod requests;

#[cfg(test)]
mod tests;

pub use driver::run;

use crate::FilterAge;
use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{Mailbox, Result};
use dme_model::{CollectionId, FlagPatch, Flags, Followup, Timestamp};
use std::sync::Arc;

/// A mailbox to live on, fresh and empty but for its special folders.
#[async_trait]
pub trait World: Send + Sync {
    /// The mailbox, as another client has it.
    fn mailbox(&self) -> Arc<dyn Mailbox>;

    /// The mailbox as the phone's requests reach it. Calls on it are made to fail now and then.
    fn phones_mailbox(&self) -> Arc<dyn Mailbox> {
        self.mailbox()
    }

    /// The phone is about to make a request; for worlds that can make its way hard.
    async fn before_request(&self) {}

    /// When life begins.
    fn now(&self) -> Timestamp;

    /// The time has come to this; for mailboxes that can be told.
    fn set_clock(&self, _now: Timestamp) {}

    /// Puts a message into a collection as another client would.
    ///
    /// # Errors
    /// The mail system's.
    async fn put(
        &self,
        collection: &CollectionId,
        message: Bytes,
        flags: Flags,
        received: Timestamp,
    ) -> Result<()>;

    /// Makes the collection's change tokens invalid; false where that cannot be done.
    async fn invalidate(&self, collection: &CollectionId) -> bool;

    /// Every message that went out, whole.
    async fn sent(&self) -> Vec<Bytes>;

    /// The address messages are sent to.
    fn recipient(&self) -> &str;
}

/// What becomes of a request's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrives.
    Answered,
    /// The request is carried out, the answer is lost.
    Lost,
    /// The request is cut off after so many steps, as when a process dies.
    Cut(u8),
}

/// A change of marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each says what it sets")]
pub enum Mark {
    Read,
    Unread,
    Flag,
    Complete,
    Unflag,
    Category(u8),
}

impl Mark {
    fn patch(self) -> FlagPatch {
        let none = FlagPatch::default();
        match self {
            Self::Read => FlagPatch { seen: Some(true), ..none },
            Self::Unread => FlagPatch { seen: Some(false), ..none },
            Self::Flag => FlagPatch { followup: Some(Followup::Active), ..none },
            Self::Complete => FlagPatch { followup: Some(Followup::Complete), ..none },
            Self::Unflag => FlagPatch { followup: Some(Followup::None), ..none },
            Self::Category(n) => {
                let one = std::iter::once(format!("category{}", n % 3)).collect();
                FlagPatch { categories: Some(one), ..none }
            }
        }
    }
}

/// What is done to an event, contact, task or note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordAct {
    /// A new one is made; so it is with the others where there is none to do it to.
    Make,
    /// It gets new notes.
    Rewrite,
    /// One instance of it, an event that repeats, gets a title of its own; all else new notes.
    Rename(u8),
    /// One instance of it, an event that repeats, is taken out; all else gets new notes.
    Drop(u8),
    /// It is deleted.
    Delete,
    /// Somebody asks the user to a new event, which another client puts into a calendar; the phone
    /// makes one of the user's own.
    Invite,
}

/// One event of a life. Folders and items are picked by number among those there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are picks, and the variants say what they do")]
pub enum Op {
    /// A message arrives, dated some days back.
    Deliver { folder: u8, days_ago: u8, read: bool },
    /// Another client changes marks.
    OtherMarks { folder: u8, item: u8, mark: Mark },
    /// Another client deletes an item for good.
    OtherDelete { folder: u8, item: u8 },
    /// Another client moves an item.
    OtherMove { from: u8, item: u8, to: u8 },
    /// Another client changes marks, or deletes for good, while the phone's next request is under
    /// way: after so many of its calls.
    Meanwhile { ahead: u8, folder: u8, item: u8, mark: Option<Mark> },
    /// Another client makes a folder.
    OtherFolder { parent: u8 },
    /// Another client deletes a folder and what is in it.
    OtherDeleteFolder { folder: u8 },
    /// The phone's user changes marks.
    Marks { folder: u8, item: u8, mark: Mark },
    /// The phone's user deletes an item.
    Delete { folder: u8, item: u8 },
    /// Another client does something to an event, contact, task or note.
    OtherRecord { folder: u8, item: u8, act: RecordAct },
    /// The phone's user does.
    Record { folder: u8, item: u8, act: RecordAct },
    /// The phone's user answers an invitation in the calendar, or the phone tries again to tell.
    Answer { item: u8, says: u8, fate: Fate },
    /// The phone syncs a calendar, address book, task list or its notes.
    SyncRecords { folder: u8, window: u8, fate: Fate },
    /// The phone's user writes a draft.
    Draft,
    /// The phone's user sends a mail by way of Sync.
    SendBySync,
    /// The phone syncs a folder.
    Sync { folder: u8, window: u8, hold: bool, fate: Fate },
    /// The phone asks for its folders.
    FolderSync { fate: Fate },
    /// The phone moves an item.
    Move { from: u8, item: u8, to: u8, fate: Fate },
    /// The phone's user sends a mail, named by the phone or not.
    Send { named: bool, fate: Fate },
    /// The phone tries again to send what has not gone out.
    SendAgain { fate: Fate },
    /// The phone makes a folder.
    Folder { parent: u8, fate: Fate },
    /// The phone renames and moves a folder.
    RenameFolder { folder: u8, parent: u8, fate: Fate },
    /// The phone deletes a folder.
    DeleteFolder { folder: u8, fate: Fate },
    /// The phone's user wants mail of another age.
    Filter { folder: u8, age: FilterAge },
    /// A day passes.
    Day,
    /// The server is started anew.
    Restart,
    /// One of the next calls to the mail system fails, after or before it took effect.
    Fail { ahead: u8, after: bool },
    /// A collection's change tokens become invalid.
    Invalidate { folder: u8 },
}
