//! What the mail system holds: users, their folders, the history, and what was sent.

use crate::{
    ChangeToken, Changes, ContentMark, Error, ErrorKind, ItemFilter, ItemState, Result, StateNow,
    SubmissionKey, Submitted, WatchEvent,
};
use bytes::Bytes;
use dme_model::{
    Access, Class, Collection, CollectionId, FlagPatch, Flags, ItemId, ItemSet, Notice, Owner,
    Role, Timestamp, UserId, Vacation,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;
use tokio::sync::broadcast;

/// How many events a slow watcher may lag behind before it is told "anything may have changed".
const WATCH_BACKLOG: usize = 1024;

/// A message as it was accepted for sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentMessage {
    /// Who sent it.
    pub user: UserId,
    /// The act it belongs to.
    pub key: SubmissionKey,
    /// Its `Message-ID` without the brackets.
    pub message_id: String,
    /// Those it was accepted for.
    pub recipients: Vec<String>,
    /// As it went out.
    pub message: Bytes,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) sent: Vec<SentMessage>,
    pub(super) refused: BTreeSet<String>,
    pub(super) clock: Option<Timestamp>,
    /// Whether calendars tell others by themselves.
    pub(super) schedules: bool,
}

pub(super) struct User {
    pub(super) address: String,
    pub(super) folders: BTreeMap<CollectionId, Folder>,
    /// What each act of sending was answered.
    pub(super) submitted: HashMap<SubmissionKey, Submitted>,
    pub(super) vacation: Vacation,
    /// What others were told of by each act.
    pub(super) told: HashMap<SubmissionKey, Notice>,
    pub(super) events: broadcast::Sender<WatchEvent>,
    next_folder: u32,
}

pub(super) struct Folder {
    pub(super) collection: Collection,
    pub(super) items: BTreeMap<u32, Item>,
    validity: u32,
    next_item: u32,
    modseq: u64,
    /// Every item that was ever removed, and when.
    removed: BTreeMap<u32, u64>,
}

pub(super) struct Item {
    pub(super) content: Content,
    pub(super) flags: Flags,
    pub(super) received: Timestamp,
    /// The act that made it.
    key: Option<SubmissionKey>,
    modseq: u64,
}

/// What an item is.
#[derive(Clone)]
pub(super) enum Content {
    /// A mail, as it came.
    Message(Bytes),
    /// Any other.
    Other(dme_model::Item),
}

impl Content {
    /// The message; empty where it is none.
    pub(super) fn message(&self) -> Bytes {
        match self {
            Self::Message(message) => message.clone(),
            Self::Other(_) => Bytes::new(),
        }
    }
}

pub(super) fn item_id(uid: u32) -> ItemId {
    ItemId::new(uid.to_string())
}

fn uid(item: &ItemId) -> Option<u32> {
    item.as_str().parse().ok().filter(|uid: &u32| uid.to_string() == item.as_str())
}

pub(super) fn no_item(item: &ItemId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no item {item}"))
}

fn no_collection(collection: &CollectionId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no collection {collection}"))
}

impl State {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.unwrap_or_else(|| SystemTime::now().into())
    }

    pub(super) fn add_user(&mut self, user: &UserId, address: &str) {
        self.users.entry(user.clone()).or_insert_with(|| User::new(address));
    }

    pub(super) fn user(&mut self, user: &UserId) -> Result<&mut User> {
        self.users
            .get_mut(user)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no mailbox for {user}")))
    }

    pub(super) fn user_at(&mut self, address: &str) -> Option<&mut User> {
        self.users.values_mut().find(|user| user.address.eq_ignore_ascii_case(address))
    }

    /// Whether nothing can be sent there: it was said so, or nobody of that name lives in a domain
    /// that is ours.
    pub(super) fn refuses(&self, address: &str) -> bool {
        fn domain(address: &str) -> String {
            address.rsplit('@').next().unwrap_or_default().to_lowercase()
        }
        let known = |user: &User| user.address.eq_ignore_ascii_case(address);
        let ours = |user: &User| domain(&user.address) == domain(address);
        self.refused.contains(&address.to_lowercase())
            || self.users.values().any(ours) && !self.users.values().any(known)
    }

    pub(super) fn cut_watches(&mut self) {
        for user in self.users.values_mut() {
            user.events = broadcast::Sender::new(WATCH_BACKLOG);
        }
    }
}

impl User {
    fn new(address: &str) -> Self {
        let mut user = Self {
            address: address.to_owned(),
            folders: BTreeMap::new(),
            submitted: HashMap::new(),
            vacation: Vacation::default(),
            told: HashMap::new(),
            events: broadcast::Sender::new(WATCH_BACKLOG),
            next_folder: 1,
        };
        for (name, role) in [
            ("Inbox", Role::Inbox),
            ("Drafts", Role::Drafts),
            ("Sent", Role::Sent),
            ("Trash", Role::Trash),
            ("Junk", Role::Junk),
            ("Archive", Role::Archive),
        ] {
            user.add_folder(None, name, Class::Mail, Some(role));
        }
        for (name, class, role) in [
            ("Calendar", Class::Calendar, Role::Calendar),
            ("Contacts", Class::Contacts, Role::Contacts),
            ("Tasks", Class::Tasks, Role::Tasks),
            ("Notes", Class::Notes, Role::Notes),
        ] {
            user.add_folder(None, name, class, Some(role));
        }
        user
    }

    fn tell(&self, event: WatchEvent) {
        // An error only means that nobody watches.
        let _ = self.events.send(event);
    }

    fn add_folder(
        &mut self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
        role: Option<Role>,
    ) -> CollectionId {
        let id = CollectionId::new(format!("c{}", self.next_folder));
        let collection = Collection {
            id: id.clone(),
            parent: parent.cloned(),
            name: name.to_owned(),
            class,
            role,
            access: Access::ReadWrite,
            owner: Owner::User,
        };
        let folder = Folder {
            collection,
            items: BTreeMap::new(),
            validity: self.next_folder,
            next_item: 1,
            modseq: 1,
            removed: BTreeMap::new(),
        };
        self.next_folder += 1;
        self.folders.insert(id.clone(), folder);
        id
    }

    pub(super) fn with_role(&self, role: Role) -> Result<CollectionId> {
        self.folders
            .values()
            .find(|folder| folder.collection.role == Some(role))
            .map(|folder| folder.collection.id.clone())
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no {role:?} collection")))
    }

    pub(super) fn folder(&mut self, id: &CollectionId) -> Result<&mut Folder> {
        self.folders.get_mut(id).ok_or_else(|| no_collection(id))
    }

    /// Parents before children; among them in order of making.
    pub(super) fn collections(&self) -> Vec<Collection> {
        let mut found = Vec::new();
        self.collect(None, &mut found);
        found
    }

    fn collect(&self, parent: Option<&CollectionId>, found: &mut Vec<Collection>) {
        let mut children: Vec<_> = self.children(parent).collect();
        children.sort_by_key(|folder| folder.validity);
        for folder in children {
            found.push(folder.collection.clone());
            self.collect(Some(&folder.collection.id), found);
        }
    }

    fn children(&self, parent: Option<&CollectionId>) -> impl Iterator<Item = &Folder> {
        let parent = parent.cloned();
        self.folders.values().filter(move |folder| folder.collection.parent == parent)
    }

    /// Those in `id`, at any depth, without itself.
    pub(super) fn within(&self, id: &CollectionId) -> Vec<CollectionId> {
        let mut found = Vec::new();
        self.collect(Some(id), &mut found);
        found.into_iter().map(|collection| collection.id).collect()
    }

    fn check_place(
        &self,
        itself: Option<&CollectionId>,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<()> {
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(Error::new(ErrorKind::Invalid, "not a name for a collection"));
        }
        if let Some(parent) = parent
            && !self.folders.contains_key(parent)
        {
            return Err(no_collection(parent));
        }
        let taken = self
            .children(parent)
            .any(|folder| folder.collection.name == name && Some(&folder.collection.id) != itself);
        if taken {
            return Err(Error::new(ErrorKind::AlreadyExists, "the name is taken"));
        }
        Ok(())
    }

    pub(super) fn create(
        &mut self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.check_place(None, parent, name)?;
        let id = self.add_folder(parent, name, class, None);
        self.tell(WatchEvent::Hierarchy);
        Ok(id)
    }

    fn refuse_special(&mut self, id: &CollectionId) -> Result<()> {
        match self.folder(id)?.collection.role {
            Some(role) => {
                Err(Error::new(ErrorKind::Forbidden, format!("{role:?} stays where it is")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn update(
        &mut self,
        id: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<()> {
        self.refuse_special(id)?;
        self.check_place(Some(id), parent, name)?;
        if let Some(parent) = parent
            && (parent == id || self.within(id).contains(parent))
        {
            return Err(Error::new(ErrorKind::Invalid, "a collection cannot lie in itself"));
        }
        let collection = &mut self.folder(id)?.collection;
        collection.parent = parent.cloned();
        collection.name = name.to_owned();
        self.tell(WatchEvent::Hierarchy);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &CollectionId) -> Result<()> {
        self.refuse_special(id)?;
        for within in self.within(id) {
            self.folders.remove(&within);
        }
        self.folders.remove(id);
        self.tell(WatchEvent::Hierarchy);
        Ok(())
    }

    /// Changes a folder and tells those who watch it.
    fn alter<T>(
        &mut self,
        id: &CollectionId,
        change: impl FnOnce(&mut Folder) -> Result<T>,
    ) -> Result<T> {
        let folder = self.folder(id)?;
        let before = (folder.validity, folder.modseq);
        let answer = change(folder)?;
        if (folder.validity, folder.modseq) != before {
            self.tell(WatchEvent::Changed(id.clone()));
        }
        Ok(answer)
    }

    pub(super) fn append(
        &mut self,
        to: &CollectionId,
        content: Content,
        flags: Flags,
        received: Timestamp,
        key: Option<SubmissionKey>,
    ) -> Result<ItemId> {
        self.alter(to, |folder| Ok(folder.add(content, flags, received, key)))
    }

    pub(super) fn rewrite(
        &mut self,
        collection: &CollectionId,
        item: &ItemId,
        change: impl FnOnce(&mut dme_model::Item) -> Result<()>,
    ) -> Result<ContentMark> {
        self.alter(collection, |folder| folder.rewrite(item, change))
    }

    pub(super) fn set_flags(
        &mut self,
        collection: &CollectionId,
        item: &ItemId,
        patch: &FlagPatch,
    ) -> Result<()> {
        self.alter(collection, |folder| folder.set_flags(item, patch))
    }

    pub(super) fn move_item(
        &mut self,
        from: &CollectionId,
        to: &CollectionId,
        item: &ItemId,
    ) -> Result<ItemId> {
        self.folder(to)?;
        let moved = self.alter(from, |folder| folder.take(item).ok_or_else(|| no_item(item)))?;
        self.append(to, moved.content, moved.flags, moved.received, moved.key)
    }

    pub(super) fn delete(&mut self, collection: &CollectionId, item: &ItemId) -> Result<bool> {
        self.alter(collection, |folder| Ok(folder.take(item).is_some()))
    }

    pub(super) fn invalidate(&mut self, collection: &CollectionId) -> Result<()> {
        let validity = self.next_folder;
        self.next_folder += 1;
        self.alter(collection, |folder| {
            folder.renumber(validity);
            Ok(())
        })
    }
}

impl Item {
    fn now(&self) -> StateNow {
        match &self.content {
            Content::Message(_) => {
                StateNow::Mail { received: self.received, flags: self.flags.clone() }
            }
            Content::Other(_) => StateNow::Other(Some(self.mark())),
        }
    }

    fn mark(&self) -> ContentMark {
        ContentMark(self.modseq.to_string())
    }

    /// Whether it passes the filter.
    pub(super) fn passes(&self, filter: &ItemFilter) -> bool {
        match &self.content {
            Content::Message(_) => {
                filter.since.is_none_or(|since| self.received.as_days() >= since.as_days())
            }
            Content::Other(item) => filter.admits(item),
        }
    }
}

impl Folder {
    fn add(
        &mut self,
        content: Content,
        flags: Flags,
        received: Timestamp,
        key: Option<SubmissionKey>,
    ) -> ItemId {
        let uid = self.next_item;
        self.next_item += 1;
        self.modseq += 1;
        let modseq = self.modseq;
        self.items.insert(uid, Item { content, flags, received, key, modseq });
        item_id(uid)
    }

    pub(super) fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.get(&uid(id)?)
    }

    /// The item an act made.
    pub(super) fn made_by(&self, key: &SubmissionKey) -> Option<ItemId> {
        let (uid, _) = self.items.iter().find(|(_, item)| item.key.as_ref() == Some(key))?;
        Some(item_id(*uid))
    }

    /// The mark of an item's content.
    pub(super) fn mark(&self, id: &ItemId) -> Option<ContentMark> {
        self.item(id).map(Item::mark)
    }

    fn rewrite(
        &mut self,
        id: &ItemId,
        change: impl FnOnce(&mut dme_model::Item) -> Result<()>,
    ) -> Result<ContentMark> {
        let found = uid(id).and_then(|uid| self.items.get_mut(&uid));
        let item = found.ok_or_else(|| no_item(id))?;
        let Content::Other(content) = &mut item.content else {
            return Err(Error::new(ErrorKind::Invalid, "a mail does not change"));
        };
        let before = content.clone();
        change(content)?;
        if *content != before {
            self.modseq += 1;
            item.modseq = self.modseq;
        }
        Ok(item.mark())
    }

    fn set_flags(&mut self, id: &ItemId, patch: &FlagPatch) -> Result<()> {
        let found = uid(id).and_then(|uid| self.items.get_mut(&uid));
        let item = found.ok_or_else(|| no_item(id))?;
        let flags = patch.apply(&item.flags);
        if flags != item.flags {
            self.modseq += 1;
            item.flags = flags;
            item.modseq = self.modseq;
        }
        Ok(())
    }

    fn take(&mut self, id: &ItemId) -> Option<Item> {
        let uid = uid(id)?;
        let item = self.items.remove(&uid)?;
        self.modseq += 1;
        self.removed.insert(uid, self.modseq);
        Some(item)
    }

    fn renumber(&mut self, validity: u32) {
        let items = std::mem::take(&mut self.items);
        self.validity = validity;
        self.removed.clear();
        // Other numbers than before, so that an old id never means another item by accident.
        self.next_item = self.next_item.saturating_add(1000);
        for (_, item) in items {
            self.add(item.content, item.flags, item.received, item.key);
        }
    }

    pub(super) fn token(&self) -> ChangeToken {
        ChangeToken(format!("m1:{}:{}", self.validity, self.modseq))
    }

    pub(super) fn changes(&self, since: &ChangeToken) -> Result<Changes> {
        let since = self.known_since(since).ok_or_else(|| {
            Error::new(ErrorKind::InvalidToken, "the change token is no longer valid")
        })?;
        let upserted = self
            .items
            .iter()
            .filter(|(_, item)| item.modseq > since)
            .map(|(uid, item)| ItemState { id: item_id(*uid), now: item.now() })
            .collect();
        let removed: ItemSet = self
            .removed
            .iter()
            .filter(|(_, modseq)| **modseq > since)
            .map(|(uid, _)| item_id(*uid))
            .collect();
        Ok(Changes { upserted, removed, present: None, token: self.token() })
    }

    fn known_since(&self, token: &ChangeToken) -> Option<u64> {
        let (validity, modseq) = token.0.strip_prefix("m1:")?.split_once(':')?;
        let modseq: u64 = modseq.parse().ok()?;
        (validity.parse() == Ok(self.validity) && modseq <= self.modseq).then_some(modseq)
    }
}
