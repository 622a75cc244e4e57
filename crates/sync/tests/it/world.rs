//! One user with one phone, an engine and an in-memory mailbox.

use bytes::Bytes;
use dme_mailbox::Mailbox;
use dme_mailbox::memory::MemoryMailSystem;
pub use dme_mailbox::memory::Operation as Call;
use dme_model::{CollectionId, FlagPatch, Flags, Item, ItemId, Role, Timestamp, UserId};
use dme_sync::{
    ClientCommand, CollectionAnswer, CollectionRequest, DeviceKey, Engine, FolderNo, Limits,
    MemoryStore, Result, ServerChange, Session, SyncKey,
};
use std::sync::Arc;

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub struct World {
    pub system: MemoryMailSystem,
    pub user: UserId,
    pub device: DeviceKey,
    pub store: Arc<MemoryStore>,
    pub engine: Engine,
    pub mailbox: Arc<dyn Mailbox>,
    pub now: Timestamp,
}

impl World {
    /// A phone that knows its folders.
    pub async fn new() -> Self {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("ann@example.com"));
        system.add_user(&user, "ann@example.com");
        system.set_clock(NOW);
        let store = Arc::new(MemoryStore::default());
        let world = Self {
            mailbox: system.mailbox(&user).unwrap(),
            device: DeviceKey { user: user.clone(), device: "phone1".into() },
            engine: Engine::new(store.clone(), Limits::default()),
            store,
            system,
            user,
            now: NOW,
        };
        world.engine.folder_sync(world.session(), &SyncKey::initial()).await.unwrap();
        world.system.take_calls();
        world.store.take_writes();
        world
    }

    pub fn session(&self) -> Session<'_> {
        Session { device: &self.device, mailbox: &*self.mailbox, now: self.now }
    }

    pub fn place(&self, role: Role) -> CollectionId {
        self.system.collection(&self.user, role).unwrap()
    }

    pub async fn folder(&self, role: Role) -> FolderNo {
        let known = self.engine.known_folders(self.session()).await.unwrap();
        known.iter().find(|folder| folder.role == Some(role)).unwrap().no
    }

    /// A message arrives now.
    pub fn arrive(&self, subject: &str) -> ItemId {
        self.arrive_at(subject, self.now)
    }

    pub fn arrive_at(&self, subject: &str, received: Timestamp) -> ItemId {
        let inbox = self.place(Role::Inbox);
        let flags = Flags::default();
        self.system.insert(&self.user, &inbox, message(subject), flags, received).unwrap()
    }

    /// Another client changes marks in the Inbox.
    pub fn mark(&self, item: &ItemId, patch: &FlagPatch) {
        self.system.set_flags(&self.user, &self.place(Role::Inbox), item, patch).unwrap();
    }

    /// The marks of an item in the Inbox.
    pub fn marks(&self, item: &ItemId) -> Flags {
        let contents = self.system.contents(&self.user, &self.place(Role::Inbox)).unwrap();
        contents.into_iter().find(|(id, ..)| id == item).unwrap().1
    }

    /// The items in a folder.
    pub fn items(&self, role: Role) -> Vec<ItemId> {
        let contents = self.system.contents(&self.user, &self.place(role)).unwrap();
        contents.into_iter().map(|(id, ..)| id).collect()
    }

    pub async fn sync(&self, request: &CollectionRequest) -> Result<CollectionAnswer> {
        self.engine.sync_collection(self.session(), request).await
    }

    /// Begins a folder: key 0 and all that is there.
    pub async fn begin(&self, folder: FolderNo) -> SyncKey {
        let first = CollectionRequest::new(folder, SyncKey::initial());
        let key = self.sync(&first).await.unwrap().key;
        let mut request = CollectionRequest::new(folder, key);
        loop {
            let answer = self.sync(&request).await.unwrap();
            request.key = answer.key;
            if !answer.more_available {
                self.system.take_calls();
                self.store.take_writes();
                return request.key;
            }
        }
    }

    /// A phone whose Inbox is in step, and its key.
    pub async fn in_step(&self) -> (FolderNo, SyncKey) {
        let inbox = self.folder(Role::Inbox).await;
        (inbox, self.begin(inbox).await)
    }
}

pub fn message(subject: &str) -> Bytes {
    format!(
        "From: bob@example.com\r\nTo: eve@elsewhere.example\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@example.com>\r\n\r\nText.\r\n"
    )
    .into()
}

pub fn with(folder: FolderNo, key: &SyncKey, commands: Vec<ClientCommand>) -> CollectionRequest {
    CollectionRequest { commands, ..CollectionRequest::new(folder, key.clone()) }
}

pub fn read() -> FlagPatch {
    FlagPatch { seen: Some(true), ..FlagPatch::default() }
}

/// The changes, each as a word and an id.
pub fn told(answer: &CollectionAnswer) -> Vec<String> {
    let word = |change: &ServerChange| match change {
        ServerChange::Add(item, Item::Mail(mail)) => format!("add {item} {}", mail.subject),
        ServerChange::Add(item, other) => format!("add {item} {:?}", other.class()),
        ServerChange::Update(item, _) => format!("update {item}"),
        ServerChange::Change(item, flags) => {
            format!("change {item} {}", if flags.seen { "read" } else { "unread" })
        }
        ServerChange::Delete(item) => format!("delete {item}"),
        ServerChange::SoftDelete(item) => format!("soft delete {item}"),
    };
    answer.changes.iter().map(word).collect()
}
