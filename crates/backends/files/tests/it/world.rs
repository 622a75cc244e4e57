//! A tree in a directory of its own, and its users.

use async_trait::async_trait;
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::conformance::{Resident, World};
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_model::{Class, CollectionId, RequestId, UserId};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
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

    pub fn vdir(&self, address: &str) -> PathBuf {
        self.root.path().join(address).join("vdir")
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

/// An object of a class as other programs write it, and a name for its file.
pub fn sample(class: Class) -> (&'static str, String) {
    let calendar = |component: &str, more: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//PIMUTILS.ORG//NONSGML khal//EN\r\n\
             BEGIN:{component}\r\nUID:u1\r\nDTSTAMP:20261101T090000Z\r\nSUMMARY:Hello\r\n{more}\
             X-UNKNOWN;X-P=1:stays\r\nEND:{component}\r\nEND:VCALENDAR\r\n"
        )
    };
    match class {
        Class::Contacts => (
            "u1.vcf",
            "BEGIN:VCARD\nVERSION:3.0\nUID:u1\nN:Hello;Ann;;;\nFN:Ann Hello\nX-UNKNOWN;X-P=1:stays\n\
             END:VCARD\n"
                .into(),
        ),
        Class::Tasks => ("u1.ics", calendar("VTODO", "")),
        Class::Notes => ("u1.ics", calendar("VJOURNAL", "")),
        _ => (
            "u1.ics",
            calendar("VEVENT", "DTSTART:20261102T090000Z\r\nDTEND:20261102T100000Z\r\n"),
        ),
    }
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

    async fn read_only(&self, resident: &Resident, class: Class) -> Option<CollectionId> {
        let name = format!("shared-{class:?}");
        let directory = self.vdir(&resident.address).join(&name);
        std::fs::create_dir(&directory).unwrap();
        let (file, object) = sample(class);
        std::fs::write(directory.join(file), object).unwrap();
        std::fs::set_permissions(&directory, Permissions::from_mode(0o555)).unwrap();
        let all = resident.mailbox.collections().await.unwrap();
        all.into_iter().find(|it| it.name == name).map(|it| it.id)
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
