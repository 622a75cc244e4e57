//! Folders that the phone makes, changes and deletes.
//!
//! The answer's key stands for what the phone then knows: its own change and nothing else. What
//! others changed it learns with its next FolderSync.

use super::tree::{Act, Base, Hierarchy, lies_in};
use super::{Created, FolderEntry, FolderError};
use crate::fingerprint::fingerprint;
use crate::{Engine, Error, FolderNo, Session, Slot, SyncKey};
use dme_mailbox::ErrorKind;
use dme_model::{Class, Collection, CollectionId};

/// Names are at most so long, in bytes (MS-ASCMD 2.2.3.49 allows 256 characters).
const LONGEST_NAME: usize = 256;

/// What an act of the phone needs: its hierarchy, and where it goes on from.
struct Known {
    hierarchy: Hierarchy,
    base: Base,
}

impl Known {
    fn folders(&self) -> &[FolderEntry] {
        &self.hierarchy.tree(self.base).folders
    }

    fn find(&self, no: FolderNo) -> Option<&FolderEntry> {
        self.hierarchy.tree(self.base).find(no)
    }

    /// The folder and key of an act that was carried out already, whose answer was lost.
    fn repeated(&self, print: &str) -> Option<(FolderNo, SyncKey)> {
        let act = self.hierarchy.act.as_ref().filter(|act| act.print == print)?;
        let key = SyncKey::of(self.hierarchy.current.no);
        (self.base == Base::Previous).then_some((act.folder, key))
    }

    /// The mailbox's name of a parent folder.
    fn check_parent(&self, parent: Option<FolderNo>) -> Result<(), FolderError> {
        match parent {
            Some(no) if self.find(no).is_none() => Err(FolderError::ParentNotFound),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// Makes a folder of this class for the phone.
    ///
    /// # Errors
    /// As [`FolderError`] says.
    pub async fn folder_create(
        &self,
        session: Session<'_>,
        key: &SyncKey,
        parent: Option<FolderNo>,
        name: &str,
        class: Class,
    ) -> Result<Created, FolderError> {
        let _one_at_a_time = self.lock_hierarchy(session).await;
        let known = self.known(session, key).await?;
        let print = print("create", None, parent, name);
        if let Some((no, key)) = known.repeated(&print) {
            return Ok(Created { no, key });
        }
        check_name(name)?;
        known.check_parent(parent)?;
        let above = self.parent_collection(session, parent).await?;
        let made = session.mailbox.create_collection(above.as_ref(), name, class).await;
        let made = made.map_err(|error| in_place(error, FolderError::ParentNotFound))?;
        let numbers = self.numbers(session, &[made]).await?;
        let no = numbers.first().copied().ok_or(FolderError::NotFound)?;
        let mut folders = known.folders().to_vec();
        folders.retain(|folder| folder.no != no);
        folders.push(FolderEntry { no, parent, name: name.to_owned(), class, role: None });
        let key = self.note_act(session, known, folders, Act { print, folder: no }).await?;
        Ok(Created { no, key })
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
        let _one_at_a_time = self.lock_hierarchy(session).await;
        let known = self.known(session, key).await?;
        let print = print("update", Some(folder), parent, name);
        if let Some((_, key)) = known.repeated(&print) {
            return Ok(key);
        }
        check_name(name)?;
        let entry = known.find(folder).ok_or(FolderError::NotFound)?;
        if entry.role.is_some() {
            return Err(FolderError::Special);
        }
        known.check_parent(parent)?;
        if parent.is_some_and(|parent| lies_in(known.folders(), parent, folder)) {
            return Err(FolderError::ParentNotFound);
        }
        let above = self.parent_collection(session, parent).await?;
        let collection = self.collection(session, folder).await.map_err(not_found)?;
        let before = session.mailbox.collections().await.map_err(Error::from)?;
        let shown = before.iter().find(|it| it.id == collection);
        let meant = shown.map_or(name, |it| it.meant_name(name));
        let updated = session.mailbox.update_collection(&collection, above.as_ref(), meant).await;
        let updated = updated.map_err(|error| in_place(error, FolderError::NotFound))?;
        if updated != collection {
            self.follow(session, folder, (&collection, &before), &updated).await?;
        }
        let mut folders = known.folders().to_vec();
        for entry in folders.iter_mut().filter(|entry| entry.no == folder) {
            entry.parent = parent;
            name.clone_into(&mut entry.name);
        }
        self.note_act(session, known, folders, Act { print, folder }).await
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
        let _one_at_a_time = self.lock_hierarchy(session).await;
        let known = self.known(session, key).await?;
        let print = print("delete", Some(folder), None, "");
        if let Some((_, key)) = known.repeated(&print) {
            return Ok(key);
        }
        known.find(folder).ok_or(FolderError::NotFound)?;
        let within = |entry: &&FolderEntry| lies_in(known.folders(), entry.no, folder);
        if known.folders().iter().filter(within).any(|entry| entry.role.is_some()) {
            return Err(FolderError::Special);
        }
        let collection = self.collection(session, folder).await.map_err(not_found)?;
        match session.mailbox.delete_collection(&collection).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(in_place(error, FolderError::NotFound)),
        }
        // Of the folders within it the phone learns with its next FolderSync.
        let mut folders = known.folders().to_vec();
        folders.retain(|entry| entry.no != folder);
        let key = self.note_act(session, known, folders, Act { print, folder }).await?;
        let slot = Slot::Collection(folder);
        self.store.clear(session.device, slot).await.map_err(Error::from)?;
        Ok(key)
    }

    async fn known(&self, session: Session<'_>, key: &SyncKey) -> Result<Known, FolderError> {
        let hierarchy = self.load_hierarchy(session.device).await?.ok_or(Error::InvalidKey)?;
        let base = hierarchy.base(key)?;
        Ok(Known { hierarchy, base })
    }

    async fn parent_collection(
        &self,
        session: Session<'_>,
        parent: Option<FolderNo>,
    ) -> Result<Option<CollectionId>, FolderError> {
        let Some(parent) = parent else { return Ok(None) };
        match self.collection(session, parent).await {
            Ok(collection) => Ok(Some(collection)),
            Err(Error::FolderNotFound(_)) => Err(FolderError::ParentNotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets the numbers of a folder and of those within it stand for their new collections: for
    /// IMAP the mailbox's name is its id, and within it changes with it.
    async fn follow(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        (old, before): (&CollectionId, &[Collection]),
        new: &CollectionId,
    ) -> Result<(), FolderError> {
        let after = session.mailbox.collections().await.map_err(Error::from)?;
        let numbers = self.store.folders(&session.device.user).await.map_err(Error::from)?;
        let mut moved = vec![(folder, new.clone())];
        let mut open = vec![(old.clone(), new.clone())];
        while let Some((old, new)) = open.pop() {
            for child in before.iter().filter(|child| child.parent.as_ref() == Some(&old)) {
                let same = |found: &&Collection| {
                    found.parent.as_ref() == Some(&new) && found.name == child.name
                };
                let Some(found) = after.iter().find(same) else { continue };
                if let Some((no, _)) = numbers.iter().find(|(_, id)| *id == child.id) {
                    moved.push((*no, found.id.clone()));
                }
                open.push((child.id.clone(), found.id.clone()));
            }
        }
        let user = &session.device.user;
        Ok(self.store.renumber_folders(user, &moved).await.map_err(Error::from)?)
    }

    async fn note_act(
        &self,
        session: Session<'_>,
        known: Known,
        folders: Vec<FolderEntry>,
        act: Act,
    ) -> Result<SyncKey, FolderError> {
        let next = known.hierarchy.act(known.base, folders, act);
        self.save_hierarchy(session, &next).await?;
        Ok(SyncKey::of(next.current.no))
    }
}

fn print(act: &str, folder: Option<FolderNo>, parent: Option<FolderNo>, name: &str) -> String {
    let numbers = format!("{folder:?} {parent:?}");
    fingerprint(&[act.as_bytes(), numbers.as_bytes(), name.as_bytes()])
}

fn check_name(name: &str) -> Result<(), FolderError> {
    if name.trim().is_empty() {
        return Err(FolderError::BadName("it is empty".into()));
    }
    if name.len() > LONGEST_NAME {
        return Err(FolderError::BadName(format!("it is longer than {LONGEST_NAME} bytes")));
    }
    if name.chars().any(char::is_control) {
        return Err(FolderError::BadName("it has control characters in it".into()));
    }
    Ok(())
}

fn not_found(error: Error) -> FolderError {
    match error {
        Error::FolderNotFound(_) => FolderError::NotFound,
        error => error.into(),
    }
}

/// A mailbox's error on making or changing a folder; `missing` is what its `NotFound` means.
fn in_place(error: dme_mailbox::Error, missing: FolderError) -> FolderError {
    match error.kind {
        ErrorKind::AlreadyExists => FolderError::AlreadyExists,
        ErrorKind::NotFound => missing,
        ErrorKind::Invalid => FolderError::BadName(error.context),
        _ => FolderError::Engine(error.into()),
    }
}
