//! A life, event by event, and the judgement at its end.

use super::faulty::{Faulty, Meanwhile};
use super::phone::{Phone, Shown};
use super::{Fate, Op, World};
use crate::{
    ClientCommand, ClientId, CommandResult, DeviceKey, Engine, Error, FolderEntry, FolderError,
    FolderNo, Limits, MoveError, MoveRequest, Outgoing, Session, StateStore, SubmitId,
    SubmitRequest, SyncKey,
};
use bytes::Bytes;
use dme_mailbox::{FetchOutcome, ItemFilter};
use dme_model::{BodyView, Class, Collection, CollectionId, Flags, ItemId, Role, Timestamp};
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

/// So many rounds of syncing must be enough for everything to settle.
const ROUNDS: usize = 200;

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
struct FolderAct {
    key: SyncKey,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Create { parent: Option<FolderNo>, name: String },
    Rename { folder: FolderNo, parent: Option<FolderNo>, name: String },
    Delete { folder: FolderNo },
}

struct Outgo {
    subject: String,
    request: SubmitRequest,
}

struct Life<'w> {
    world: &'w dyn World,
    open: &'w (dyn Fn() -> Arc<dyn StateStore> + Sync),
    engine: Engine,
    faulty: Arc<Faulty>,
    device: DeviceKey,
    now: Timestamp,
    days: u32,
    phone: Phone,
    made: u32,
    /// Subjects that must be in the mailbox exactly once.
    kept: BTreeSet<String>,
    /// Subjects that someone threw away.
    thrown_away: BTreeSet<String>,
    /// Subjects that must have gone out exactly once; all others at most once.
    sent: BTreeSet<String>,
    outbox: Vec<Outgo>,
    unanswered_move: Option<MoveRequest>,
    unanswered_act: Option<FolderAct>,
    invalidated: BTreeSet<CollectionId>,
}

/// The answer, if it arrives.
async fn meet<T>(fate: Fate, request: impl Future<Output = T>) -> Option<T> {
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

fn pick<T>(list: &[T], n: u8) -> Option<&T> {
    list.get(usize::from(n).checked_rem(list.len())?)
}

fn wrong(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl<'w> Life<'w> {
    fn new(world: &'w dyn World, open: &'w (dyn Fn() -> Arc<dyn StateStore> + Sync)) -> Self {
        world.set_clock(world.now());
        Self {
            world,
            open,
            engine: Engine::new(open(), Limits::default()),
            faulty: Arc::new(Faulty::new(world.mailbox())),
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

    fn throw_away(&mut self, subject: String) {
        self.kept.remove(&subject);
        self.thrown_away.insert(subject);
    }

    async fn collections(&self) -> Result<Vec<Collection>, String> {
        self.world.mailbox().collections().await.map_err(wrong)
    }

    /// What lies in a collection, with the time each item was received.
    async fn contents(
        &self,
        collection: &CollectionId,
    ) -> Result<Vec<(ItemId, Shown, Timestamp)>, String> {
        let mailbox = self.world.mailbox();
        let listing = mailbox.list(collection, &ItemFilter::default()).await.map_err(wrong)?;
        let items: Vec<ItemId> = listing.items.iter().collect();
        let view = BodyView::default();
        let mut fetched = mailbox.fetch(collection, &items, &view).await.map_err(wrong)?;
        let mut contents = Vec::new();
        while let Some(next) = fetched.next().await {
            let next = next.map_err(wrong)?;
            if let FetchOutcome::Item(mail) = next.outcome {
                let shown = Shown { subject: mail.subject.clone(), flags: mail.flags.clone() };
                contents.push((next.id, shown, mail.received));
            }
        }
        Ok(contents)
    }

    async fn pick_item(
        &self,
        folder: u8,
        item: u8,
    ) -> Result<Option<(CollectionId, ItemId, String)>, String> {
        let collections = self.collections().await?;
        let Some(collection) = pick(&collections, folder) else { return Ok(None) };
        let contents = self.contents(&collection.id).await?;
        Ok(pick(&contents, item)
            .map(|(id, shown, _)| (collection.id.clone(), id.clone(), shown.subject.clone())))
    }

    fn folder_at(&self, n: u8) -> Option<FolderNo> {
        pick(&self.phone.folders.keys().copied().collect::<Vec<_>>(), n).copied()
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
                let collections = self.collections().await?;
                let parent = pick(&collections, parent)
                    .filter(|found| found.role != Some(Role::Trash) && !parent.is_multiple_of(3));
                self.made += 1;
                let name = format!("other{}", self.made);
                let parent = parent.map(|found| &found.id);
                let made = self.world.mailbox().create_collection(parent, &name).await;
                made.map(drop).map_err(wrong)
            }
            Op::OtherDeleteFolder { folder } => {
                let collections = self.collections().await?;
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
            Op::Draft => {
                let (subject, message) = self.message("draft");
                self.queue_in_drafts(|folder| {
                    folder.drafts.insert(subject.clone(), subject.clone());
                    folder.queue.push(ClientCommand::AddDraft(ClientId(subject), message));
                });
                Ok(())
            }
            Op::SendBySync => {
                let (subject, message) = self.message("synced");
                self.queue_in_drafts(|folder| {
                    let new = Outgoing::New(ClientId(subject));
                    folder.queue.push(ClientCommand::Send(new, message));
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
        let collections = self.collections().await?;
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
        let collections = self.collections().await?;
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
    async fn may_be_lost(&mut self, top: &CollectionId) -> Result<bool, String> {
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

    /// One Sync; says whether anything came of it.
    async fn sync(
        &mut self,
        no: FolderNo,
        window: u32,
        hold: bool,
        fate: Fate,
    ) -> Result<bool, String> {
        let Some(folder) = self.phone.folders.get_mut(&no) else { return Ok(false) };
        let request = folder.request(window, hold);
        let faulty = Arc::clone(&self.faulty);
        let session = Session { device: &self.device, mailbox: &*faulty, now: self.now };
        let answer = meet(fate, self.engine.sync_collection(session, &request)).await;
        match answer {
            None => Ok(true),
            Some(Ok(answer)) => {
                for (command, result) in request.commands.iter().zip(&answer.results) {
                    match (command, result) {
                        (ClientCommand::AddDraft(client, _), CommandResult::Added(_))
                            if !self.thrown_away.contains(&client.0) =>
                        {
                            self.kept.insert(client.0.clone());
                        }
                        (ClientCommand::Send(Outgoing::New(client), _), CommandResult::Sent) => {
                            self.sent.insert(client.0.clone());
                        }
                        _ => {}
                    }
                }
                let news = answer.key != request.key
                    || answer.more_available
                    || !answer.changes.is_empty();
                folder.apply(answer)?;
                Ok(news || !request.commands.is_empty())
            }
            Some(Err(Error::InvalidKey)) => {
                let collection = self.collection_of(no).await?;
                let there =
                    self.collections().await?.iter().any(|c| Some(&c.id) == collection.as_ref());
                let excused = collection.is_none_or(|id| self.invalidated.contains(&id)) || !there;
                if !excused || request.key.is_initial() {
                    return Err(format!("key {} of folder {no} was refused", request.key));
                }
                if let Some(folder) = self.phone.folders.get_mut(&no) {
                    folder.begin_again();
                }
                Ok(true)
            }
            Some(Err(Error::FolderNotFound(_))) => {
                if let Some(folder) = self.phone.folders.get_mut(&no) {
                    folder.unanswered = None;
                }
                Ok(false)
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(true),
            // The Trash or this folder went away while the phone did not know.
            Some(Err(Error::Mailbox(error))) => Err(wrong(error)),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    async fn collection_of(&self, no: FolderNo) -> Result<Option<CollectionId>, String> {
        self.engine.store().folder(&self.device.user, no).await.map_err(wrong)
    }

    async fn folder_sync(&mut self, fate: Fate) -> Result<bool, String> {
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let key = self.phone.hierarchy_key.clone();
        match meet(fate, self.engine.folder_sync(session, &key)).await {
            None => Ok(true),
            Some(Ok(answer)) => {
                // What became of the phone's own act shows in the answer.
                self.unanswered_act = None;
                let news = !answer.changes.is_empty();
                self.phone.apply_hierarchy(answer)?;
                Ok(news)
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(true),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    fn plan_move(&self, from: u8, item: u8, to: u8) -> Option<MoveRequest> {
        let (from, to) = (self.folder_at(from)?, self.folder_at(to)?);
        let items: Vec<&ItemId> = self.phone.folders.get(&from)?.items.keys().collect();
        let item = (*pick(&items, item)?).clone();
        (from != to).then_some(MoveRequest { item, from, to })
    }

    async fn try_move(&mut self, fate: Fate) -> Result<(), String> {
        let Some(request) = self.unanswered_move.clone() else { return Ok(()) };
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let moves = std::slice::from_ref(&request);
        let Some(answer) = meet(fate, self.engine.move_items(session, moves)).await else {
            return Ok(());
        };
        match answer.map_err(wrong)?.pop() {
            Some(Ok(_)) => {
                self.unanswered_move = None;
                if let Some(folder) = self.phone.folders.get_mut(&request.from) {
                    folder.items.remove(&request.item);
                    folder.thrown_away.insert(request.item.clone());
                    folder.queue.retain(|command| match command {
                        ClientCommand::Change(item, _) | ClientCommand::Delete(item) => {
                            *item != request.item
                        }
                        _ => true,
                    });
                }
                Ok(())
            }
            Some(Err(MoveError::Mailbox(error))) if error.is_transient() => Ok(()),
            Some(Err(MoveError::SourceNotFound | MoveError::DestinationNotFound)) => {
                self.unanswered_move = None;
                Ok(())
            }
            other => Err(format!("the move was answered {other:?}")),
        }
    }

    async fn send(&mut self, fate: Fate) -> Result<(), String> {
        let Some(first) = self.outbox.first() else { return Ok(()) };
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        match meet(fate, self.engine.submit(session, &first.request)).await {
            None => Ok(()),
            Some(Ok(_)) => {
                self.sent.insert(self.outbox.remove(0).subject);
                Ok(())
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(()),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    /// An act on folders: the unanswered one again, or this.
    async fn act(&mut self, what: What, fate: Fate) -> Result<(), String> {
        if self.phone.hierarchy_key.is_initial() {
            return Ok(());
        }
        let new = FolderAct { key: self.phone.hierarchy_key.clone(), what };
        let act = self.unanswered_act.get_or_insert(new).clone();
        if let What::Delete { folder } = act.what
            && let Some(collection) = self.collection_of(folder).await?
        {
            self.may_be_lost(&collection).await?;
        }
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let key = &act.key;
        let done = match &act.what {
            What::Create { parent, name } => {
                let made = meet(fate, self.engine.folder_create(session, key, *parent, name)).await;
                made.map(|made| {
                    made.map(|made| {
                        self.phone.add_folder(FolderEntry {
                            no: made.no,
                            parent: *parent,
                            name: name.clone(),
                            class: Class::Mail,
                            role: None,
                        });
                        made.key
                    })
                })
            }
            What::Rename { folder, parent, name } => {
                let renamed = self.engine.folder_update(session, key, *folder, *parent, name);
                let renamed = meet(fate, renamed).await;
                if let (Some(Ok(_)), Some(known)) = (&renamed, self.phone.folders.get_mut(folder)) {
                    known.entry.parent = *parent;
                    known.entry.name.clone_from(name);
                }
                renamed
            }
            What::Delete { folder } => {
                let deleted = meet(fate, self.engine.folder_delete(session, key, *folder)).await;
                if let Some(Ok(_)) = &deleted {
                    self.phone.folders.remove(folder);
                }
                deleted
            }
        };
        match done {
            None => Ok(()),
            Some(Ok(key)) => {
                self.unanswered_act = None;
                self.phone.hierarchy_key = key;
                Ok(())
            }
            Some(Err(FolderError::Engine(Error::Mailbox(error)))) if error.is_transient() => Ok(()),
            Some(Err(FolderError::Engine(error))) => Err(wrong(error)),
            Some(Err(_)) => {
                self.unanswered_act = None;
                Ok(())
            }
        }
    }

    /// Leaves everything in peace until phone and mail system have nothing to tell each other.
    async fn settle(&mut self) -> Result<(), String> {
        self.faulty.heal();
        while !self.outbox.is_empty() {
            self.send(Fate::Answered).await?;
        }
        if let Some(act) = self.unanswered_act.clone() {
            self.act(act.what, Fate::Answered).await?;
        }
        self.try_move(Fate::Answered).await?;
        for _ in 0..ROUNDS {
            let mut news = self.folder_sync(Fate::Answered).await?;
            let folders: Vec<FolderNo> = self.phone.folders.keys().copied().collect();
            for no in folders {
                news |= self.sync(no, 7, false, Fate::Answered).await?;
            }
            if !news {
                return Ok(());
            }
        }
        Err(format!("after {ROUNDS} rounds there is still news"))
    }

    async fn judge(&mut self) -> Result<(), String> {
        let collections = self.collections().await?;
        let mut numbers = BTreeMap::new();
        for no in self.phone.folders.keys() {
            let collection = self.collection_of(*no).await?;
            numbers.insert(*no, collection.ok_or(format!("folder {no} stands for nothing"))?);
        }
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for collection in &collections {
            let shown = numbers.iter().find(|(_, id)| **id == collection.id);
            let folder = shown.and_then(|(no, _)| self.phone.folders.get(no));
            let folder = folder.ok_or(format!("the phone does not show {}", collection.name))?;
            let parent = folder.entry.parent.and_then(|parent| numbers.get(&parent));
            if (&folder.entry.name, parent) != (&collection.name, collection.parent.as_ref()) {
                return Err(format!("{:?} is shown for {collection:?}", folder.entry));
            }
            let cutoff = folder.filter.cutoff_day(self.now).unwrap_or(i64::MIN);
            let mut expected = BTreeMap::new();
            for (item, shown, received) in self.contents(&collection.id).await? {
                *counts.entry(shown.subject.clone()).or_default() += 1;
                if received.as_days() >= cutoff {
                    expected.insert(item, shown);
                }
            }
            if folder.items != expected {
                return Err(format!(
                    "in {} the phone shows {:?}, there is {expected:?}",
                    collection.name, folder.items
                ));
            }
        }
        if self.phone.folders.len() != collections.len() {
            return Err("the phone shows folders that are gone".into());
        }
        if let Some((subject, count)) = counts.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{subject} is there {count} times"));
        }
        if let Some(subject) = self.kept.iter().find(|subject| !counts.contains_key(*subject)) {
            return Err(format!("{subject} is lost"));
        }
        self.judge_sent().await
    }

    async fn judge_sent(&self) -> Result<(), String> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for message in self.world.sent().await {
            let text = String::from_utf8_lossy(&message);
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            *counts.entry(subject.unwrap_or("?").to_owned()).or_default() += 1;
        }
        if let Some((subject, count)) = counts.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{subject} went out {count} times"));
        }
        match self.sent.iter().find(|subject| !counts.contains_key(*subject)) {
            Some(subject) => Err(format!("{subject} never went out")),
            None => Ok(()),
        }
    }
}
