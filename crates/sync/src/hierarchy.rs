//! The folders a phone knows (FolderSync, FolderCreate, FolderUpdate, FolderDelete; MS-ASCMD
//! 2.2.1.3 to 2.2.1.6).

mod change;
mod tree;

use crate::key::GenerationNo;
use crate::locks::{Guard, Lock};
use crate::{DeviceKey, Engine, Error, FolderNo, Result, Session, Slot, SyncKey};
use dme_mailbox::ErrorKind;
use dme_model::{Class, CollectionId, Role};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::PoisonError;
use tree::{Base, Hierarchy};

/// Folders whose class is remembered at the most; beyond, all are forgotten and read again.
const CLASSES: usize = 200_000;

/// One folder as a phone knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FolderEntry {
    /// Its number.
    pub no: FolderNo,
    /// The folder it lies in; none for the top level.
    pub parent: Option<FolderNo>,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub class: Class,
    /// Its special purpose, if it has one.
    pub role: Option<Role>,
}

/// One thing the phone must be told of its folders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HierarchyChange {
    /// A new folder. Parents come before what lies in them.
    Add(FolderEntry),
    /// Renamed, moved, or of another purpose.
    Update(FolderEntry),
    /// Gone. What lay in it comes before it.
    Delete(FolderNo),
}

/// The answer to a FolderSync.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HierarchyAnswer {
    /// The key from now on; the one asked with where nothing changed.
    pub key: SyncKey,
    /// What changed.
    pub changes: Vec<HierarchyChange>,
}

/// The answer to a FolderCreate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Created {
    /// The new folder.
    pub no: FolderNo,
    /// The key from now on.
    pub key: SyncKey,
}

/// Why a folder could not be made, changed or deleted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FolderError {
    /// The name is taken in that place (status 2).
    #[error("a folder of this name is there already")]
    AlreadyExists,
    /// Folders with a special purpose stay as they are (status 3).
    #[error("a special folder can be neither changed nor deleted")]
    Special,
    /// No such folder (status 4).
    #[error("no such folder")]
    NotFound,
    /// No such parent, or the folder itself or one within it (status 5).
    #[error("no such parent folder")]
    ParentNotFound,
    /// The name is empty or too long, or the mail system does not take it.
    #[error("the name cannot be used: {0}")]
    BadName(String),
    /// Anything else.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Where a phone's deletions go.
pub(crate) enum Trash {
    /// The item lies in the Trash, or in a folder within it.
    Here,
    /// Here.
    At(CollectionId),
}

impl Engine {
    /// Tells the phone what changed in its folders.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], the mail system's, the store's.
    pub async fn folder_sync(
        &self,
        session: Session<'_>,
        key: &SyncKey,
    ) -> Result<HierarchyAnswer> {
        let _one_at_a_time = self.lock_hierarchy(session).await;
        let known = self.load_hierarchy(session.device).await?;
        let (hierarchy, base) = match (known, key.is_initial()) {
            (known, true) => {
                let earlier = known.map(|hierarchy| hierarchy.current.no);
                (Hierarchy::begin(GenerationNo::begin(session.now, earlier)), Base::Nothing)
            }
            (Some(hierarchy), false) => {
                let base = hierarchy.base(key)?;
                (hierarchy, base)
            }
            (None, false) => return Err(Error::InvalidKey),
        };
        let now = self.read_folders(session).await?;
        let changes = hierarchy.tree(base).changes_to(&now);
        let next = hierarchy.clone().reach(base, now);
        if next != hierarchy {
            self.save_hierarchy(session, &next).await?;
        }
        for change in &changes {
            if let HierarchyChange::Delete(no) = change {
                self.store.clear(session.device, Slot::Collection(*no)).await?;
            }
        }
        Ok(HierarchyAnswer { key: SyncKey::of(next.current.no), changes })
    }

    /// Whether a FolderSync would tell anything. A phone that has no folders yet is told so.
    ///
    /// # Errors
    /// The mail system's, the store's.
    pub async fn hierarchy_changed(&self, session: Session<'_>) -> Result<bool> {
        let Some(hierarchy) = self.load_hierarchy(session.device).await? else { return Ok(true) };
        Ok(hierarchy.current.folders != self.read_folders(session).await?)
    }

    /// The folders the phone was told of last; empty before its first FolderSync.
    ///
    /// # Errors
    /// The store's.
    pub async fn known_folders(&self, session: Session<'_>) -> Result<Vec<FolderEntry>> {
        self.folders_of(session.device).await
    }

    /// The same of a device that is not in contact.
    pub(crate) async fn folders_of(&self, device: &DeviceKey) -> Result<Vec<FolderEntry>> {
        let hierarchy = self.load_hierarchy(device).await?;
        Ok(hierarchy.map(|hierarchy| hierarchy.current.folders).unwrap_or_default())
    }

    /// What a folder holds. One that the phone was not told of counts as mail: whatever is asked
    /// of it is refused elsewhere.
    ///
    /// # Errors
    /// The store's.
    pub async fn folder_class(&self, session: Session<'_>, folder: FolderNo) -> Result<Class> {
        let key = (session.device.user.clone(), folder);
        let classes = || self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(class) = classes().get(&key) {
            return Ok(*class);
        }
        let folders = self.known_folders(session).await?;
        let mut known = classes();
        if known.len() >= CLASSES {
            known.clear();
        }
        let user = &session.device.user;
        known.extend(folders.into_iter().map(|entry| ((user.clone(), entry.no), entry.class)));
        Ok(known.get(&key).copied().unwrap_or(Class::Mail))
    }

    /// Where the items of a folder go when the phone deletes them. A mailbox without Trash gets
    /// one: nothing is deleted for good that was to be kept.
    pub(crate) async fn trash(&self, session: Session<'_>, folder: FolderNo) -> Result<Trash> {
        let mut folders = self.known_folders(session).await?;
        if !folders.iter().any(|folder| folder.role == Some(Role::Trash)) {
            folders = self.read_folders(session).await?;
        }
        let Some(trash) = folders.iter().find(|folder| folder.role == Some(Role::Trash)) else {
            return match session.mailbox.create_collection(None, "Trash", Class::Mail).await {
                Ok(made) => Ok(Trash::At(made)),
                Err(error) if error.kind == ErrorKind::AlreadyExists => {
                    let all = session.mailbox.collections().await?;
                    let named = all.into_iter().find(|c| c.parent.is_none() && c.name == "Trash");
                    named.map(|found| Trash::At(found.id)).ok_or(Error::Mailbox(error))
                }
                Err(error) => Err(Error::Mailbox(error)),
            };
        };
        if tree::lies_in(&folders, folder, trash.no) {
            return Ok(Trash::Here);
        }
        Ok(Trash::At(self.collection(session, trash.no).await?))
    }

    async fn lock_hierarchy(&self, session: Session<'_>) -> Guard<'_, Lock> {
        self.locks.lock(Lock::State(session.device.clone(), Slot::Hierarchy)).await
    }

    async fn load_hierarchy(&self, device: &DeviceKey) -> Result<Option<Hierarchy>> {
        let bytes = self.store.load(device, Slot::Hierarchy).await?;
        Ok(bytes.as_deref().and_then(Hierarchy::from_bytes))
    }

    async fn save_hierarchy(&self, session: Session<'_>, hierarchy: &Hierarchy) -> Result<()> {
        let bytes = hierarchy.to_bytes();
        Ok(self.store.save(session.device, Slot::Hierarchy, bytes).await?)
    }

    /// The folders there are, numbered, parents before children.
    async fn read_folders(&self, session: Session<'_>) -> Result<Vec<FolderEntry>> {
        let mut collections = session.mailbox.collections().await?;
        if collections.is_empty() {
            // There is always an Inbox. To believe this would empty the phone.
            let nonsense = "the mail system lists no folders at all";
            return Err(dme_mailbox::Error::new(ErrorKind::Protocol, nonsense).into());
        }
        if collections.len() > self.limits.folders {
            let (found, limit) = (collections.len(), self.limits.folders);
            tracing::warn!(user = %session.device.user, found, limit, "too many folders; the last are not shown");
            collections.truncate(limit);
        }
        let ids: Vec<CollectionId> = collections.iter().map(|found| found.id.clone()).collect();
        let numbers = self.numbers(session, &ids).await?;
        let number_of: HashMap<&CollectionId, FolderNo> =
            ids.iter().zip(numbers.iter().copied()).collect();
        let entries = collections.into_iter().zip(&numbers).map(|(found, no)| FolderEntry {
            no: *no,
            name: found.shown_name(),
            parent: found.parent.and_then(|parent| number_of.get(&parent).copied()),
            class: found.class,
            role: found.role,
        });
        Ok(entries.collect())
    }
}
