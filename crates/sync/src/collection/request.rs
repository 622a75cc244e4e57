//! What a phone asks of one collection, and what it is answered (MS-ASCMD 2.2.1.21).

use crate::fingerprint::fingerprint;
use crate::{FolderNo, SyncKey, TraceEntry};
use bytes::Bytes;
use dme_mailbox::ItemFilter;
use dme_model::{
    BodyView, Class, FlagPatch, Flags, Item, ItemEdit, ItemId, ItemPatch, PartId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// How far back a phone wants its items (`FilterType`, MS-ASCMD 2.2.3.68.2). Whole days, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterAge {
    /// Everything (0).
    #[default]
    All,
    /// One day (1).
    OneDay,
    /// Three days (2).
    ThreeDays,
    /// One week (3).
    OneWeek,
    /// Two weeks (4).
    TwoWeeks,
    /// One month (5): 31 days.
    OneMonth,
    /// Three months (6): 92 days. Calendars only.
    ThreeMonths,
    /// Six months (7): 183 days. Calendars only.
    SixMonths,
    /// What is not done yet (8). Tasks only.
    Incomplete,
}

impl FilterAge {
    /// What of a collection of this class passes now; a filter that is not for the class means
    /// everything.
    pub(crate) fn of(self, class: Class, now: Timestamp) -> ItemFilter {
        let since = match (class, self) {
            (Class::Mail, Self::ThreeMonths | Self::SixMonths) => None,
            (Class::Mail | Class::Calendar, age) => age.cutoff_day(now),
            _ => None,
        };
        ItemFilter {
            since: since.map(|day| Timestamp::from_seconds(day.saturating_mul(24 * 60 * 60))),
            incomplete: class == Class::Tasks && self == Self::Incomplete,
        }
    }

    /// The first day (since the epoch, UTC) of which items are wanted.
    fn cutoff_day(self, now: Timestamp) -> Option<i64> {
        let days = match self {
            Self::All | Self::Incomplete => return None,
            Self::OneDay => 1,
            Self::ThreeDays => 3,
            Self::OneWeek => 7,
            Self::TwoWeeks => 14,
            Self::OneMonth => 31,
            Self::ThreeMonths => 92,
            Self::SixMonths => 183,
        };
        Some(now.as_days().saturating_sub(days))
    }
}

/// Whose version stays where phone and mail system both changed an item (`Conflict`, MS-ASCMD
/// 2.2.3.38).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The mail system's (1).
    #[default]
    ServerWins,
    /// The phone's (0).
    ClientWins,
}

/// What a phone's Delete means (`DeletesAsMoves`, MS-ASCMD 2.2.3.45).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// Into the Trash; what lies in the Trash already goes for good.
    #[default]
    ToTrash,
    /// For good.
    ForGood,
}

/// Whether changes of the mail system are wanted in the answer (`GetChanges`, MS-ASCMD 2.2.3.84).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// They are.
    #[default]
    Send,
    /// Not now: only the phone's own commands are carried out.
    Hold,
}

/// What holds for a collection until the phone says otherwise (`Options`, MS-ASCMD 2.2.3.125.6).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CollectionOptions {
    /// How far back.
    pub filter: FilterAge,
    /// What of each item's text.
    pub view: BodyView,
    /// Whose version stays.
    pub conflict: ConflictRule,
}

/// How much fits into one answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Changes; taken as 1 to 512.
    pub items: u32,
    /// Bytes of mail, those of fetched items among them. The mail with which it is reached is still
    /// sent, so that every answer gets further; with none, no mail is.
    pub bytes: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { items: 100, bytes: 8 * 1024 * 1024 }
    }
}

/// One collection of a Sync request.
#[derive(Clone, PartialEq, Debug)]
pub struct CollectionRequest {
    /// Which folder.
    pub folder: FolderNo,
    /// Where the phone is.
    pub key: SyncKey,
    /// Whether it wants to be told anything.
    pub changes: Changes,
    /// How much at once.
    pub window: Window,
    /// What holds from now on; none: what held before.
    pub options: Option<CollectionOptions>,
    /// With key 0: which elements the phone knows (`Supported`), in the front's words; they are
    /// kept and given back by [`crate::Engine::held`].
    pub supported: Option<String>,
    /// What its Deletes mean.
    pub deletion: Deletion,
    /// Whether others are told of what it did to meetings (16.0 on): before, phones do so
    /// themselves.
    pub notify: bool,
    /// What it did itself, in its order.
    pub commands: Vec<ClientCommand>,
}

impl CollectionRequest {
    /// A request for changes with everything else as usual.
    pub fn new(folder: FolderNo, key: SyncKey) -> Self {
        Self {
            folder,
            key,
            changes: Changes::default(),
            window: Window::default(),
            options: None,
            supported: None,
            deletion: Deletion::default(),
            notify: true,
            commands: Vec::new(),
        }
    }
}

/// The name a phone gives an item it made, until the server names it (`ClientId`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

/// What a phone did.
#[derive(Clone, PartialEq, Debug)]
pub enum ClientCommand {
    /// Changed marks.
    Change(ItemId, FlagPatch),
    /// Deleted an item.
    Delete(ItemId),
    /// Wants an item again, in the view that holds for the collection.
    Fetch(ItemId),
    /// Wrote a draft (16.0 on).
    AddDraft(ClientId, Written),
    /// Wrote a draft anew (16.0 on). The mail system makes a new item of it; the phone is told
    /// that the old one is gone.
    ChangeDraft(ItemId, Written),
    /// Wrote or completed a mail and sends it (`Send`, 16.0 on).
    Send(Outgoing, Written),
    /// Made an event, contact, task or note.
    Create(ClientId, Meant<ItemPatch>),
    /// Changed one.
    Edit(ItemId, Meant<ItemEdit>),
}

impl ClientCommand {
    /// The item it concerns; none for what makes a new one.
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Change(item, _)
            | Self::Delete(item)
            | Self::Fetch(item)
            | Self::ChangeDraft(item, _)
            | Self::Edit(item, _) => Some(item),
            Self::AddDraft(..) | Self::Send(..) | Self::Create(..) => None,
        }
    }
}

/// What a phone said, and what it means by what is there now. It says the same when it repeats
/// itself; what it means may be something else by then.
#[derive(Clone, PartialEq, Debug)]
pub struct Meant<T> {
    words: String,
    /// What it means.
    pub meaning: Box<T>,
}

impl<T> Meant<T> {
    /// What the phone said in `words`, however they are written down, and its meaning.
    pub fn new(words: &[u8], meaning: T) -> Self {
        Self { words: fingerprint(&[words]), meaning: Box::new(meaning) }
    }

    pub(crate) fn words(&self) -> &[u8] {
        self.words.as_bytes()
    }
}

/// What a phone wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct Written {
    /// Tells what the phone said from whatever else it may say; the same when it repeats itself.
    /// The message is not: it bears the time at which it was put together.
    words: String,
    /// The whole message that makes. None where the draft it changes is gone: then only what is
    /// remembered of it can be answered.
    pub message: Option<Bytes>,
    /// Which parts of the message are the files the phone attached, in its order.
    pub attached: Vec<Option<PartId>>,
}

impl Written {
    /// What the phone said in `words`, however they are written down.
    pub fn new(words: &[u8], message: Option<Bytes>) -> Self {
        Self { words: fingerprint(&[words]), message, attached: Vec::new() }
    }

    /// With these files attached.
    #[must_use]
    pub fn with_attached(mut self, attached: Vec<Option<PartId>>) -> Self {
        self.attached = attached;
        self
    }

    pub(super) fn words(&self) -> &[u8] {
        self.words.as_bytes()
    }
}

impl From<Bytes> for Written {
    /// A message that is the phone's own word for word.
    fn from(message: Bytes) -> Self {
        Self::new(&message.clone(), Some(message))
    }
}

/// Where a mail sent through Sync comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outgoing {
    /// Written at once, never saved.
    New(ClientId),
    /// The final form of this draft.
    Draft(ItemId),
}

/// What became of a command.
#[derive(Clone, PartialEq, Debug)]
pub enum CommandResult {
    /// It was carried out.
    Done,
    /// The new item is in the mail system.
    Added(Saved),
    /// A draft's new form is.
    Replaced(Saved),
    /// The mail was sent.
    Sent,
    /// Here is the item.
    Fetched(Item),
    /// The item would not fit into the answer any more: to be asked for again.
    Full,
    /// The phone knows no such item, or it is gone (status 8).
    NotFound,
    /// The mail system changed the item too, and its version stays (status 7).
    Conflict,
    /// The mail system refuses it; to repeat it is no use.
    Refused(dme_mailbox::Error),
}

/// An item as the mail system took it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Saved {
    /// Its id from now on.
    pub item: ItemId,
    /// As [`Written::attached`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Option<PartId>>,
}

impl From<ItemId> for Saved {
    /// One to which nothing was attached.
    fn from(item: ItemId) -> Self {
        Self { item, attached: Vec::new() }
    }
}

/// One thing the phone must be told.
#[derive(Clone, PartialEq, Debug)]
pub enum ServerChange {
    /// A new item.
    Add(ItemId, Item),
    /// New marks of a mail it has.
    Change(ItemId, Flags),
    /// The new content of an event, contact, task or note it has.
    Update(ItemId, Item),
    /// The item is gone.
    Delete(ItemId),
    /// The item is older than the phone wants; it is still in the mail system.
    SoftDelete(ItemId),
}

impl ServerChange {
    /// Which item.
    pub fn item(&self) -> &ItemId {
        match self {
            Self::Add(item, _)
            | Self::Change(item, _)
            | Self::Update(item, _)
            | Self::Delete(item)
            | Self::SoftDelete(item) => item,
        }
    }
}

/// What one collection is answered.
#[derive(Clone, PartialEq, Debug)]
pub struct CollectionAnswer {
    /// The key from now on; the one asked with where there was nothing to tell or do.
    pub key: SyncKey,
    /// What became of each command, in their order.
    pub results: Vec<CommandResult>,
    /// What the phone must be told: deletions, then changes, then additions, newest first.
    pub changes: Vec<ServerChange>,
    /// There is more than fitted.
    pub more_available: bool,
    /// What was written into the device's trace meanwhile.
    pub noted: Vec<TraceEntry>,
}
