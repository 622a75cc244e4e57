//! A tree in a directory of its own, and its users.

use async_trait::async_trait;
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::conformance::{Resident, World};
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_model::{CollectionId, RequestId, UserId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::{TempDir, tempdir, tempdir_in};

pub struct Files {
    pub root: TempDir,
    /// Two mail systems on one tree share nothing but the files.
    pub systems: [FilesMailSystem; 2],
    users: AtomicU32,
}

impl Files {
    pub fn new() -> Self {
        // In memory where there is such a place: the suite waits for thousands of durable writes.
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { tempdir_in(memory) } else { tempdir() }.unwrap();
        let system = || FilesMailSystem::new(FilesConfig::new(root.path()));
        Self { systems: [system(), system()], root, users: AtomicU32::new(0) }
    }

    pub fn maildir(&self, address: &str) -> PathBuf {
        self.root.path().join(address).join("Maildir")
    }
}

pub async fn open(system: &FilesMailSystem, address: &str) -> Arc<dyn Mailbox> {
    let account = Account {
        user: UserId::from(address),
        address: address.to_owned(),
        display_name: None,
        credentials: Credentials::None,
    };
    system.open(&account, &context()).await.unwrap()
}

pub fn context() -> CallContext {
    CallContext::new(RequestId::from("test"), Duration::from_secs(60))
}

#[async_trait]
impl World for Files {
    async fn resident(&self) -> Resident {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let address = format!("user{number}@files.example");
        let [here, there] = &self.systems;
        here.create_user(&UserId::from(address.as_str()), &[]).await.unwrap();
        let mailbox = open(here, &address).await;
        let other = open(there, &address).await;
        Resident { address, mailbox, other }
    }

    async fn invalidate_tokens(&self, resident: &Resident, collection: &CollectionId) {
        if let Some((_, collection)) = collection.as_str().split_once("vdir/") {
            let journal = self.root.path().join(&resident.address).join("vdir/.dme");
            return std::fs::remove_file(journal.join(format!("{collection}.items"))).unwrap();
        }
        let mut folder = self.maildir(&resident.address);
        if collection.as_str() != "INBOX" {
            folder.push(format!(".{collection}"));
        }
        std::fs::remove_file(folder.join("dme-uidlist")).unwrap();
    }
}
