//! The local-files mail system: mail, and beside it calendars, contacts, tasks and notes.
//!
//! Mail is in a Maildir++ tree that Dovecot or any Maildir program can serve and
//! change at the same time.
//!
//! ```text
//! <root>/<user>/Maildir/{cur,new,tmp}       the Inbox
//! <root>/<user>/Maildir/.Sent/…             a folder
//! <root>/<user>/Maildir/.Projects.Bridge/…  a folder within a folder
//! <root>/<user>/dme-vacation.json           the out-of-office message
//! <root>/<user>/vdir/…                      calendars, contacts, tasks and notes, see `vdir.rs`
//! <root>/<alias> -> <user>                  another address of the same user
//! ```
//!
//! Messages, marks and keywords are where Maildir and Dovecot keep them: in the file names and in
//! `dovecot-keywords`. Beside them each folder has a `dme-uidlist`, the journal of what was seen to
//! arrive, change and go (see `index.rs`); it may be deleted at any time, and costs phones one
//! resync. Mail is sent to users of the same tree only: any other recipient is refused. The
//! out-of-office message is kept for the user to see and change; nothing answers by it here.

mod clock;
mod durable;
mod error;
mod folder;
mod held;
mod home;
mod index;
mod journal;
mod keywords;
mod lookout;
mod mailbox;
mod maildir;
mod name;
mod portions;
mod search;
mod submit;
mod vacation;
mod vdir;
mod watch;

use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{Account, CallContext, Error, ErrorKind, Joined, MailSystem, Mailbox, Result};
use dme_model::{
    ByteSize, CollectionId, Flags, ItemId, OutOfRange, Role, Timestamp, UserId, within,
};
use folder::Folder;
pub use folder::NewMail;
use held::Held;
use home::Home;
use lookout::Lookout;
use mailbox::FilesMailbox;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
pub use vdir::NewObject;
use vdir::{Collection, VdirSystem};
use watch::Watcher;

/// Where the mail is, and its limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// The directory with one directory for each user. It must be on a local file system that
    /// has `flock`, hard links and inotify.
    pub root: PathBuf,
    /// The largest message accepted for sending.
    #[serde(default = "default_max_message_size")]
    pub max_message_size: ByteSize,
    /// How many calls may work on files at the same time; others wait.
    #[serde(default = "default_parallel")]
    pub parallel: u16,
    /// Whether users of the tree are told when others of it are free, but not what they do.
    #[serde(default = "default_share_busy")]
    pub share_busy: bool,
}

fn default_share_busy() -> bool {
    true
}

fn default_max_message_size() -> ByteSize {
    ByteSize(50 << 20)
}

fn default_parallel() -> u16 {
    16
}

impl FilesConfig {
    /// The defaults, for mail below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            max_message_size: default_max_message_size(),
            parallel: default_parallel(),
            share_busy: default_share_busy(),
        }
    }
}

impl FilesConfig {
    /// Whether the limits make sense.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self) -> std::result::Result<(), OutOfRange> {
        let sizes = ByteSize(64 << 10)..=ByteSize(256 << 20);
        within("files.max_message_size", self.max_message_size, sizes)?;
        within("files.parallel", self.parallel, 1..=1_000)
    }
}

/// The local-files mail system. Clones are the same mail system.
#[derive(Clone)]
pub struct FilesMailSystem {
    shared: Arc<Shared>,
    /// Both halves as one.
    joined: Arc<Joined>,
}

/// The mail alone.
struct MaildirSystem {
    shared: Arc<Shared>,
}

struct Shared {
    config: FilesConfig,
    folders: Held<Folder>,
    collections: Held<Collection>,
    lookout: Lookout,
    watcher: Watcher,
    slots: Arc<Semaphore>,
}

impl Shared {
    /// The user's part of the tree, whether or not it is there.
    fn home(&self, user: &str) -> Result<Home> {
        Home::new(&self.config.root, user)
    }

    /// Does file work on a thread that may block, when one of the slots is free.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let closed = |_| Error::new(ErrorKind::Unavailable, "the mail system is shutting down");
        let slot = self.slots.clone().acquire_owned().await.map_err(closed)?;
        let shared = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work(&shared)
        });
        task.await.map_err(|error| Error::new(ErrorKind::Bug, format!("file work: {error}")))?
    }
}

impl FilesMailSystem {
    /// The mail system on this tree. The root is made when the first user is.
    pub fn new(config: FilesConfig) -> Self {
        let slots = Arc::new(Semaphore::new(usize::from(config.parallel.max(1))));
        let (folders, collections, lookout, watcher) = Default::default();
        let shared = Arc::new(Shared { config, folders, collections, lookout, watcher, slots });
        let mail = Arc::new(MaildirSystem { shared: shared.clone() });
        let others = VdirSystem::new(shared.clone());
        Self { shared, joined: Arc::new(Joined::new(mail, vec![("vdir", Arc::new(others))])) }
    }

    /// Makes a user's mailbox with Inbox, Drafts, Sent, Trash, Junk and Archive, a calendar, an
    /// address book, a task list and notes. Mail to the user's
    /// own id and to each of `aliases` goes there. What is there already stays.
    ///
    /// # Errors
    /// `Invalid` where a name cannot be a directory's; `AlreadyExists` where an alias is someone
    /// else's; those of the file system.
    pub async fn create_user(&self, user: &UserId, aliases: &[String]) -> Result<()> {
        let (user, aliases) = (user.clone(), aliases.to_vec());
        self.shared
            .blocking(move |shared| {
                let home = shared.home(user.as_str())?;
                home.create()?;
                aliases.iter().try_for_each(|alias| home.add_alias(alias))
            })
            .await
    }

    /// Whose mailboxes there are, ascending.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn users(&self) -> Result<Vec<UserId>> {
        self.shared.blocking(|shared| Home::all(&shared.config.root)).await
    }

    /// Puts objects into the collection that new items of a class go to, as if they had long been
    /// there. For filling a calendar or an address book.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection; those of the file system.
    pub async fn insert_objects(
        &self,
        user: &UserId,
        role: Role,
        objects: Vec<NewObject>,
    ) -> Result<()> {
        let user = user.clone();
        self.shared
            .blocking(move |shared| {
                let vdir = shared.home(user.as_str())?.vdir();
                let id = vdir.with_role(role)?;
                vdir.open(shared, &id)?.insert(&objects)
            })
            .await
    }

    /// Puts a message into a collection as if it had long been there. For filling a mailbox;
    /// mail on its way comes by [`Mailbox::deliver`].
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection; those of the file system.
    pub async fn insert(
        &self,
        user: &UserId,
        collection: &CollectionId,
        message: Bytes,
        flags: &Flags,
        received: Timestamp,
    ) -> Result<ItemId> {
        let mail = NewMail { message, flags: flags.clone(), received };
        let items = self.insert_all(user, collection, vec![mail]).await?;
        items.into_iter().next().ok_or_else(|| Error::new(ErrorKind::Bug, "nothing was inserted"))
    }

    /// The same for many at once, which is faster.
    ///
    /// # Errors
    /// As [`FilesMailSystem::insert`]; some may then be there.
    pub async fn insert_all(
        &self,
        user: &UserId,
        collection: &CollectionId,
        mails: Vec<NewMail>,
    ) -> Result<Vec<ItemId>> {
        let (user, collection) = (user.clone(), collection.clone());
        self.shared
            .blocking(move |shared| {
                let home = shared.home(user.as_str())?;
                home.folder(&shared.folders, &collection)?.insert(&mails)
            })
            .await
    }
}

#[async_trait]
impl MailSystem for FilesMailSystem {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        self.joined.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        self.joined.open(account, context).await
    }
}

#[async_trait]
impl MailSystem for MaildirSystem {
    async fn owns(&self, account: &Account, _: &CallContext) -> Result<bool> {
        let user = account.user.clone();
        self.shared
            .blocking(move |shared| Ok(shared.home(user.as_str()).is_ok_and(|home| home.exists())))
            .await
    }

    async fn open(&self, account: &Account, _: &CallContext) -> Result<Arc<dyn Mailbox>> {
        let home = self.shared.home(account.user.as_str())?;
        Ok(Arc::new(FilesMailbox::new(self.shared.clone(), home, account.clone())))
    }
}
