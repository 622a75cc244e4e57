//! What the mail system holds: users, their folders, the history, and what was sent.

use crate::{
    ChangeToken, Changes, Error, ErrorKind, ItemState, Result, SubmissionKey, Submitted, WatchEvent,
};
use bytes::Bytes;
use dme_model::{
    Access, Class, Collection, CollectionId, FlagPatch, Flags, ItemId, ItemSet, Role, Timestamp,
    UserId, Vacation,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};
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
}

pub(super) struct User {
    pub(super) address: String,
    pub(super) folders: BTreeMap<CollectionId, Folder>,
    /// What each act of sending was answered.
    pub(super) submitted: HashMap<SubmissionKey, Submitted>,
    pub(super) vacation: Vacation,
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
    pub(super) message: Bytes,
    pub(super) flags: Flags,
    pub(super) received: Timestamp,
    draft_key: Option<SubmissionKey>,
    modseq: u64,
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
        self.clock.unwrap_or_else(|| {
            let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_millis(i64::try_from(millis.as_millis()).unwrap_or(i64::MAX))
        })
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
            user.add_folder(None, name, Some(role));
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
        role: Option<Role>,
    ) -> CollectionId {
        let id = CollectionId::new(format!("c{}", self.next_folder));
        let collection = Collection {
            id: id.clone(),
            parent: parent.cloned(),
            name: name.to_owned(),
            class: Class::Mail,
            role,
            access: Access::ReadWrite,
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
    ) -> Result<CollectionId> {
        self.check_place(None, parent, name)?;
        let id = self.add_folder(parent, name, None);
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
        message: Bytes,
        flags: Flags,
        received: Timestamp,
        draft_key: Option<SubmissionKey>,
    ) -> Result<ItemId> {
        self.alter(to, |folder| Ok(folder.add(message, flags, received, draft_key)))
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
        self.append(to, moved.message, moved.flags, moved.received, moved.draft_key)
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

impl Folder {
    fn add(
        &mut self,
        message: Bytes,
        flags: Flags,
        received: Timestamp,
        draft_key: Option<SubmissionKey>,
    ) -> ItemId {
        let uid = self.next_item;
        self.next_item += 1;
        self.modseq += 1;
        let modseq = self.modseq;
        self.items.insert(uid, Item { message, flags, received, draft_key, modseq });
        item_id(uid)
    }

    pub(super) fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.get(&uid(id)?)
    }

    pub(super) fn draft(&self, key: &SubmissionKey) -> Option<ItemId> {
        let (uid, _) = self.items.iter().find(|(_, item)| item.draft_key.as_ref() == Some(key))?;
        Some(item_id(*uid))
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
            self.add(item.message, item.flags, item.received, item.draft_key);
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
            .map(|(uid, item)| ItemState {
                id: item_id(*uid),
                received: item.received,
                flags: item.flags.clone(),
            })
            .collect();
        let removed: ItemSet = self
            .removed
            .iter()
            .filter(|(_, modseq)| **modseq > since)
            .map(|(uid, _)| item_id(*uid))
            .collect();
        Ok(Changes { upserted, removed, token: self.token() })
    }

    fn known_since(&self, token: &ChangeToken) -> Option<u64> {
        let (validity, modseq) = token.0.strip_prefix("m1:")?.split_once(':')?;
        let modseq: u64 = modseq.parse().ok()?;
        (validity.parse() == Ok(self.validity) && modseq <= self.modseq).then_some(modseq)
    }
}
