//! The folders a phone knows (FolderSync, FolderCreate, FolderUpdate, FolderDelete; MS-ASCMD
//! 2.2.1.3 to 2.2.1.6).

use crate::{Engine, Error, FolderNo, Result, Session, SyncKey};
use dme_model::{Class, Role};
use serde::{Deserialize, Serialize};

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
        let _ = (session, key);
        todo!()
    }

    /// Whether a FolderSync would tell anything. A phone that has no folders yet is told so.
    ///
    /// # Errors
    /// The mail system's, the store's.
    pub async fn hierarchy_changed(&self, session: Session<'_>) -> Result<bool> {
        let _ = session;
        todo!()
    }

    /// The folders the phone was told of last; empty before its first FolderSync.
    ///
    /// # Errors
    /// The store's.
    pub async fn known_folders(&self, session: Session<'_>) -> Result<Vec<FolderEntry>> {
        let _ = session;
        todo!()
    }

    /// Makes a mail folder for the phone.
    ///
    /// # Errors
    /// As [`FolderError`] says.
    pub async fn folder_create(
        &self,
        session: Session<'_>,
        key: &SyncKey,
        parent: Option<FolderNo>,
        name: &str,
    ) -> Result<Created, FolderError> {
        let _ = (session, key, parent, name);
        todo!()
    }

    /// Renames and moves a folder for the phone; its number stays, and so do the numbers of the
    /// folders in it. Answers the key from now on.
    ///
    /// # Errors
    /// As [`FolderError`] says.
    pub async fn folder_update(
        &self,
        session: Session<'_>,
        key: &SyncKey,
        folder: FolderNo,
        parent: Option<FolderNo>,
        name: &str,
    ) -> Result<SyncKey, FolderError> {
        let _ = (session, key, folder, parent, name);
        todo!()
    }

    /// Deletes a folder for the phone, with what is in it. Answers the key from now on.
    ///
    /// # Errors
    /// As [`FolderError`] says.
    pub async fn folder_delete(
        &self,
        session: Session<'_>,
        key: &SyncKey,
        folder: FolderNo,
    ) -> Result<SyncKey, FolderError> {
        let _ = (session, key, folder);
        todo!()
    }
}
