//! A life, event by event.

use super::answers::Reply;
use super::faulty::{Faulty, Meanwhile};
use super::phone::{Phone, Shown};
use super::{Fate, Op, World};
use crate::{
    ClientCommand, ClientId, DeviceKey, Engine, FolderNo, Limits, MoveRequest, Outgoing,
    StateStore, SubmitId, SubmitRequest, SyncKey,
};
use bytes::Bytes;
use dme_mailbox::{FetchOutcome, ItemFilter};
use dme_model::{
    BodyView, Class, Collection, CollectionId, Flags, Item, ItemId, Participation, Role, Timestamp,
};
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// After more days an unanswered sending is no longer the same act.
const MOST_DAYS: u32 = 5;

/// Lives the events through on a fresh world and judges the end. `open` opens the store; at every
/// restart it is called again.
///
/// # Errors
/// What was wrong, and at which event.
pub async fn run(
    world: &dyn World,
    open: &(dyn Fn() -> Arc<dyn StateStore> + Sync),
    ops: &[Op],
) -> Result<(), String> {
    let mut life = Life::new(world, open);
    for (at, op) in ops.iter().enumerate() {
        life.step(*op).await.map_err(|wrong| format!("at event {at}, {op:?}: {wrong}"))?;
    }
    life.settle().await.map_err(|wrong| format!("in the end: {wrong}"))?;
    life.judge().await.map_err(|wrong| format!("in the end: {wrong}"))
}

/// A folder made, renamed or deleted by the phone, with the key it was done with.
#[derive(Clone, Debug)]
pub(super) struct FolderAct {
    pub key: SyncKey,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Create { parent: Option<FolderNo>, name: String },
    Rename { folder: FolderNo, parent: Option<FolderNo>, name: String },
    Delete { folder: FolderNo },
}

pub(super) struct Outgo {
    pub subject: String,
    pub request: SubmitRequest,
}

pub(super) struct Life<'w> {
    pub world: &'w dyn World,
    pub open: &'w (dyn Fn() -> Arc<dyn StateStore> + Sync),
    pub engine: Engine,
    pub faulty: Arc<Faulty>,
    pub device: DeviceKey,
    pub now: Timestamp,
    pub days: u32,
    pub phone: Phone,
    pub made: u32,
    /// Subjects that must be in the mailbox exactly once.
    pub kept: BTreeSet<String>,
    /// Subjects that someone threw away.
    pub thrown_away: BTreeSet<String>,
    /// Subjects that must have gone out exactly once; all others at most once.
    pub sent: BTreeSet<String>,
    pub outbox: Vec<Outgo>,
    pub unanswered_move: Option<MoveRequest>,
    pub unanswered_act: Option<FolderAct>,
    pub unanswered_reply: Option<Reply>,
    /// What the calendar must have as the user's answer, by the titles of events.
    pub answers: BTreeMap<String, Participation>,
    pub invalidated: BTreeSet<CollectionId>,
}

/// The answer, if it arrives.
pub(super) async fn meet<T>(
    world: &dyn World,
    fate: Fate,
    request: impl Future<Output = T>,
) -> Option<T> {
    world.before_request().await;
    let mut request = pin!(request);
    match fate {
        Fate::Answered => Some(request.await),
        Fate::Lost => {
            request.await;
            None
        }
        Fate::Cut(steps) => {
            let mut left = steps;
            poll_fn(|context| match (request.as_mut().poll(context), left) {
                (Poll::Ready(_), _) | (Poll::Pending, 0) => Poll::Ready(()),
                (Poll::Pending, _) => {
                    left -= 1;
                    Poll::Pending
                }
            })
            .await;
            None
        }
    }
}

pub(super) fn pick<T>(list: &[T], n: u8) -> Option<&T> {
    list.get(usize::from(n).checked_rem(list.len())?)
}

pub(super) fn wrong(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl<'w> Life<'w> {
    fn new(world: &'w dyn World, open: &'w (dyn Fn() -> Arc<dyn StateStore> + Sync)) -> Self {
        world.set_clock(world.now());
        Self {
            world,
            open,
            engine: Engine::new(open(), Limits::default()),
            faulty: Arc::new(Faulty::new(world.phones_mailbox())),
            device: DeviceKey { user: "model@example.com".into(), device: "phone1".into() },
            now: world.now(),
            days: 0,
            phone: Phone::new(),
            made: 0,
            kept: BTreeSet::new(),
            thrown_away: BTreeSet::new(),
            sent: BTreeSet::new(),
            outbox: Vec::new(),
            unanswered_move: None,
            unanswered_act: None,
            unanswered_reply: None,
            answers: BTreeMap::new(),
            invalidated: BTreeSet::new(),
        }
    }

    fn message(&mut self, kind: &str) -> (String, Bytes) {
        self.made += 1;
        let subject = format!("{kind}{}", self.made);
        let message = format!(
            "From: model@example.com\r\nTo: {}\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@example.com>\r\n\r\nText of {subject}.\r\n",
            self.world.recipient()
        );
        (subject, message.into())
    }

    pub(super) fn throw_away(&mut self, subject: String) {
        self.kept.remove(&subject);
        self.thrown_away.insert(subject);
    }

    pub(super) async fn collections(&self) -> Result<Vec<Collection>, String> {
        self.world.mailbox().collections().await.map_err(wrong)
    }

    async fn mail_collections(&self) -> Result<Vec<Collection>, String> {
        let all = self.collections().await?;
        Ok(all.into_iter().filter(|collection| collection.class == Class::Mail).collect())
    }

    /// What lies in a collection, with the time each item was received.
    pub(super) async fn contents(
        &self,
        collection: &CollectionId,
    ) -> Result<Vec<(ItemId, Shown, Timestamp)>, String> {
        let mailbox = self.world.mailbox();
        let listing = mailbox.list(collection, &ItemFilter::default()).await.map_err(wrong)?;
        let items: Vec<ItemId> = listing.items.iter().collect();
        let view = BodyView::default().or_native(None);
        let mut fetched = mailbox.fetch(collection, &items, &view).await.map_err(wrong)?;
        let mut contents = Vec::new();
        while let Some(next) = fetched.next().await {
            let next = next.map_err(wrong)?;
            if let FetchOutcome::Item(item) = next.outcome {
                let received = match &item {
                    Item::Mail(mail) => mail.received,
                    _ => self.now,
                };
                contents.push((next.id, Shown::of(&item), received));
            }
        }
        Ok(contents)
    }

    async fn pick_item(
        &self,
        folder: u8,
        item: u8,
    ) -> Result<Option<(CollectionId, ItemId, String)>, String> {
        let collections = self.mail_collections().await?;
        let Some(collection) = pick(&collections, folder) else { return Ok(None) };
        let contents = self.contents(&collection.id).await?;
        Ok(pick(&contents, item)
            .map(|(id, shown, _)| (collection.id.clone(), id.clone(), shown.subject.clone())))
    }

    /// One of the phone's mail folders.
    pub(super) fn folder_at(&self, n: u8) -> Option<FolderNo> {
        let of_mail = self.phone.folders.values().filter(|f| f.entry.class == Class::Mail);
        pick(&of_mail.map(|folder| folder.entry.no).collect::<Vec<_>>(), n).copied()
    }

    fn folder_with(&self, role: Role) -> Option<FolderNo> {
        let mut folders = self.phone.folders.values();
        folders.find(|folder| folder.entry.role == Some(role)).map(|folder| folder.entry.no)
    }

    /// A parent for a folder: the top, or any but the Trash, where deletion means something else.
    fn parent_at(&self, n: u8) -> Option<FolderNo> {
        let parent = self.folder_at(n).filter(|_| !n.is_multiple_of(3))?;
        (Some(parent) != self.folder_with(Role::Trash)).then_some(parent)
    }

    async fn step(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Deliver { folder, days_ago, read } => self.deliver(folder, days_ago, read).await,
            Op::OtherMarks { folder, item, mark } => {
                let Some((place, item, _)) = self.pick_item(folder, item).await? else {
                    return Ok(());
                };
                let set = [(item, mark.patch())];
                self.world.mailbox().set_flags(&place, &set).await.map(drop).map_err(wrong)
            }
            Op::OtherDelete { folder, item } => {
                let Some((place, item, subject)) = self.pick_item(folder, item).await? else {
                    return Ok(());
                };
                self.throw_away(subject);
                self.world.mailbox().delete_items(&place, &[item]).await.map_err(wrong)
            }
            Op::OtherMove { from, item, to } => self.other_move(from, item, to).await,
            Op::Meanwhile { ahead, folder, item, mark } => {
                let Some((collection, item, subject)) = self.pick_item(folder, item).await? else {
                    return Ok(());
                };
                // Both marking one item in the same moment cannot be told apart.
                if mark.is_some() && self.is_marked_here(&item) {
                    return Ok(());
                }
                if mark.is_none() {
                    self.throw_away(subject);
                }
                let patch = mark.map(super::Mark::patch);
                self.faulty.meanwhile(Meanwhile { ahead: ahead % 5, collection, item, patch });
                Ok(())
            }
            Op::OtherFolder { parent } => {
                let collections = self.mail_collections().await?;
                let parent = pick(&collections, parent)
                    .filter(|found| found.role != Some(Role::Trash) && !parent.is_multiple_of(3));
                self.made += 1;
                let name = format!("other{}", self.made);
                let parent = parent.map(|found| &found.id);
                let made = self.world.mailbox().create_collection(parent, &name, Class::Mail).await;
                made.map(drop).map_err(wrong)
            }
            Op::OtherDeleteFolder { folder } => {
                let collections = self.mail_collections().await?;
                let Some(found) = pick(&collections, folder) else { return Ok(()) };
                if !self.may_be_lost(&found.id).await? {
                    return Ok(());
                }
                self.world.mailbox().delete_collection(&found.id).await.map_err(wrong)
            }
            Op::Marks { folder, item, mark } => {
                self.faulty.forget_marks();
                self.on_item(folder, item, |folder, item| {
                    if let Some(shown) = folder.items.get_mut(&item) {
                        shown.flags = mark.patch().apply(&shown.flags);
                    }
                    folder.queue.push(ClientCommand::Change(item, mark.patch()));
                });
                Ok(())
            }
            Op::Delete { folder, item } => {
                let trash = self.folder_with(Role::Trash);
                let mut gone = None;
                self.on_item(folder, item, |folder, item| {
                    let shown = folder.items.remove(&item);
                    if Some(folder.entry.no) == trash {
                        gone = shown.map(|shown| shown.subject);
                    }
                    folder.thrown_away.insert(item.clone());
                    folder.queue.push(ClientCommand::Delete(item));
                });
                gone.into_iter().for_each(|subject| self.throw_away(subject));
                Ok(())
            }
            Op::OtherRecord { folder, item, act } => self.other_record(folder, item, act).await,
            Op::Record { folder, item, act } => {
                self.record(folder, item, act);
                Ok(())
            }
            Op::Answer { item, says, fate } => {
                if self.unanswered_reply.is_none() {
                    self.unanswered_reply = self.plan_answer(item, says);
                }
                self.try_answer(fate).await
            }
            Op::SyncRecords { folder, window, fate } => match self.record_folder_at(folder) {
                Some(no) => self.sync(no, u32::from(window % 8) + 1, false, fate).await.map(drop),
                None => Ok(()),
            },
            Op::Draft => {
                let (subject, message) = self.message("draft");
                self.queue_in_drafts(|folder| {
                    folder.drafts.insert(subject.clone(), subject.clone());
                    folder.queue.push(ClientCommand::AddDraft(ClientId(subject), message.into()));
                });
                Ok(())
            }
            Op::SendBySync => {
                let (subject, message) = self.message("synced");
                self.queue_in_drafts(|folder| {
                    let new = Outgoing::New(ClientId(subject));
                    folder.queue.push(ClientCommand::Send(new, message.into()));
                });
                Ok(())
            }
            Op::Sync { folder, window, hold, fate } => match self.folder_at(folder) {
                Some(no) => self.sync(no, u32::from(window % 8) + 1, hold, fate).await.map(drop),
                None => Ok(()),
            },
            Op::FolderSync { fate } => self.folder_sync(fate).await.map(drop),
            Op::Move { from, item, to, fate } => {
                if self.unanswered_move.is_none() {
                    self.unanswered_move = self.plan_move(from, item, to);
                }
                self.try_move(fate).await
            }
            Op::Send { named, fate } => {
                let (subject, message) = self.message("mail");
                let id = if named { SubmitId::Client(subject.clone()) } else { SubmitId::Content };
                let request = SubmitRequest {
                    id,
                    message,
                    reference: None,
                    replace_mime: false,
                    save_in_sent: true,
                    meeting: None,
                };
                self.outbox.push(Outgo { subject, request });
                self.send(fate).await
            }
            Op::SendAgain { fate } => self.send(fate).await,
            Op::Folder { parent, fate } => {
                self.made += 1;
                let what = What::Create {
                    parent: self.parent_at(parent),
                    name: format!("phone{}", self.made),
                };
                self.act(what, fate).await
            }
            Op::RenameFolder { folder, parent, fate } => {
                self.made += 1;
                let Some(folder) = self.folder_at(folder) else { return Ok(()) };
                let parent = self.parent_at(parent);
                let name = format!("renamed{}", self.made);
                self.act(What::Rename { folder, parent, name }, fate).await
            }
            Op::DeleteFolder { folder, fate } => match self.folder_at(folder) {
                Some(folder) => self.act(What::Delete { folder }, fate).await,
                None => Ok(()),
            },
            Op::Filter { folder, age } => {
                let no = self.folder_at(folder);
                if let Some(folder) = no.and_then(|no| self.phone.folders.get_mut(&no)) {
                    folder.filter = age;
                    folder.told = false;
                }
                Ok(())
            }
            Op::Day => {
                if self.days < MOST_DAYS {
                    self.days += 1;
                    self.now = self.now.plus(DAY);
                    self.world.set_clock(self.now);
                    // A phone tries within minutes or asks its user.
                    self.outbox.clear();
                }
                Ok(())
            }
            Op::Restart => {
                self.engine = Engine::new((self.open)(), Limits::default());
                Ok(())
            }
            Op::Fail { ahead, after } => {
                self.faulty.fail(ahead % 4, after);
                Ok(())
            }
            Op::Invalidate { folder } => {
                let collections = self.collections().await?;
                if let Some(found) = pick(&collections, folder)
                    && self.world.invalidate(&found.id).await
                {
                    self.invalidated.insert(found.id.clone());
                }
                Ok(())
            }
        }
    }

    /// Whether the phone has marked an item of this id and not heard that it arrived.
    fn is_marked_here(&self, item: &ItemId) -> bool {
        self.phone.folders.values().any(|folder| {
            let unanswered = folder.unanswered.iter().flat_map(|request| &request.commands);
            let mut commands = folder.queue.iter().chain(unanswered);
            commands.any(|command| matches!(command, ClientCommand::Change(id, _) if id == item))
        })
    }

    async fn deliver(&mut self, folder: u8, days_ago: u8, read: bool) -> Result<(), String> {
        let collections = self.mail_collections().await?;
        let Some(found) = pick(&collections, folder) else { return Ok(()) };
        let (subject, message) = self.message("mail");
        let received = self.now.minus(DAY * u32::from(days_ago % 40));
        let flags = Flags { seen: read, ..Flags::default() };
        self.world.put(&found.id, message, flags, received).await.map_err(wrong)?;
        self.kept.insert(subject);
        Ok(())
    }

    async fn other_move(&mut self, from: u8, item: u8, to: u8) -> Result<(), String> {
        let Some((from, item, subject)) = self.pick_item(from, item).await? else {
            return Ok(());
        };
        let collections = self.mail_collections().await?;
        // A draft whose saving the phone has not heard of yet would be saved again.
        match pick(&collections, to) {
            Some(to) if to.id != from && !subject.starts_with("draft") => {
                let moved = self.world.mailbox().move_items(&from, &to.id, &[item]).await;
                moved.map(drop).map_err(wrong)
            }
            _ => Ok(()),
        }
    }

    /// What lies in a collection and in those within it may be lost from now on; false where it
    /// holds a special one, which nobody deletes.
    pub(super) async fn may_be_lost(&mut self, top: &CollectionId) -> Result<bool, String> {
        let collections = self.collections().await?;
        let mut within = BTreeSet::from([top.clone()]);
        for found in &collections {
            if found.parent.as_ref().is_some_and(|parent| within.contains(parent)) {
                within.insert(found.id.clone());
            }
        }
        let all: Vec<&Collection> =
            collections.iter().filter(|found| within.contains(&found.id)).collect();
        if all.iter().any(|found| found.role.is_some()) {
            return Ok(false);
        }
        for found in all {
            for (_, shown, _) in self.contents(&found.id).await? {
                self.throw_away(shown.subject);
            }
        }
        Ok(true)
    }

    fn on_item(
        &mut self,
        folder: u8,
        item: u8,
        act: impl FnOnce(&mut super::phone::PhoneFolder, ItemId),
    ) {
        let no = self.folder_at(folder);
        if let Some(folder) = no.and_then(|no| self.phone.folders.get_mut(&no)) {
            let items: Vec<ItemId> = folder.items.keys().cloned().collect();
            if let Some(item) = pick(&items, item) {
                act(folder, item.clone());
            }
        }
    }

    fn queue_in_drafts(&mut self, queue: impl FnOnce(&mut super::phone::PhoneFolder)) {
        let drafts = self.folder_with(Role::Drafts);
        if let Some(folder) = drafts.and_then(|no| self.phone.folders.get_mut(&no)) {
            queue(folder);
        }
    }
}
