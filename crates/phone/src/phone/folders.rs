//! The phone's list of folders.

use super::{FolderState, Phone};
use crate::error::{Error, Result};
use dme_eas::folder_sync::{Changes, Folder, FolderType, Request, Response, Status};
use dme_eas::query::Command;
use dme_eas::{folder_create, folder_delete, folder_update};
use std::collections::BTreeMap;

impl Phone {
    /// Brings the list of folders up to date; begins anew where the server does not know the key.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn folder_sync(&mut self) -> Result<Changes> {
        for _ in 0..2 {
            let request = Request { sync_key: self.folder_key.clone() };
            let answer = self.ask(Command::FolderSync, request.to_element()).await?;
            let answer = Response::from_element(&answer)
                .map_err(|e| Error::Answer(Command::FolderSync, e))?;
            match answer.status {
                Status::Success => {
                    self.apply_folders(&answer);
                    return Ok(answer.changes);
                }
                Status::InvalidSyncKey if self.folder_key != "0" => {
                    self.folder_key = "0".to_owned();
                }
                status => {
                    return Err(Error::Refused { step: "FolderSync", status: status.code() });
                }
            }
        }
        Err(Error::GoesRound("FolderSync", 2))
    }

    fn apply_folders(&mut self, answer: &Response) {
        let mut known = BTreeMap::new();
        if self.folder_key == "0" {
            // A whole new list. What is kept of folders that are still there stays.
            known = std::mem::take(&mut self.folders);
        }
        if let Some(key) = &answer.sync_key {
            self.folder_key.clone_from(key);
        }
        for folder in answer.changes.added.iter().chain(&answer.changes.updated) {
            let kept = self.folders.remove(&folder.server_id);
            let state = kept.or_else(|| known.remove(&folder.server_id)).map_or_else(
                || new_state(folder.clone()),
                |state| FolderState { folder: folder.clone(), ..state },
            );
            self.folders.insert(folder.server_id.clone(), state);
        }
        for id in &answer.changes.deleted {
            self.folders.remove(id);
        }
    }

    /// Makes a folder of this kind and returns its server id.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn create_folder(
        &mut self,
        parent_id: &str,
        name: &str,
        kind: FolderType,
    ) -> Result<String> {
        let request = folder_create::Request {
            sync_key: self.folder_key.clone(),
            parent_id: parent_id.to_owned(),
            display_name: name.to_owned(),
            kind,
        };
        let answer = self.ask(Command::FolderCreate, request.to_element()).await?;
        let answer = folder_create::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::FolderCreate, e))?;
        let refused = Error::Refused { step: "FolderCreate", status: answer.status.code() };
        let created = answer.created.ok_or(refused)?;
        let server_id = created.server_id;
        self.folder_key = created.sync_key;
        let folder = Folder {
            server_id: server_id.clone(),
            parent_id: parent_id.to_owned(),
            display_name: name.to_owned(),
            kind,
        };
        self.folders.insert(server_id.clone(), new_state(folder));
        Ok(server_id)
    }

    /// Renames or moves a folder.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn update_folder(&mut self, id: &str, parent_id: &str, name: &str) -> Result<()> {
        let request = folder_update::Request {
            sync_key: self.folder_key.clone(),
            server_id: id.to_owned(),
            parent_id: parent_id.to_owned(),
            display_name: name.to_owned(),
        };
        let answer = self.ask(Command::FolderUpdate, request.to_element()).await?;
        let answer = folder_update::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::FolderUpdate, e))?;
        let status = answer.status.code();
        match (answer.status, answer.sync_key) {
            (folder_update::Status::Success, Some(key)) => self.folder_key = key,
            _ => return Err(Error::Refused { step: "FolderUpdate", status }),
        }
        if let Some(state) = self.folders.get_mut(id) {
            state.folder.parent_id = parent_id.to_owned();
            state.folder.display_name = name.to_owned();
        }
        Ok(())
    }

    /// Deletes a folder.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn delete_folder(&mut self, id: &str) -> Result<()> {
        let request =
            folder_delete::Request { sync_key: self.folder_key.clone(), server_id: id.to_owned() };
        let answer = self.ask(Command::FolderDelete, request.to_element()).await?;
        let answer = folder_delete::Response::from_element(&answer)
            .map_err(|e| Error::Answer(Command::FolderDelete, e))?;
        let status = answer.status.code();
        match (answer.status, answer.sync_key) {
            (folder_delete::Status::Success, Some(key)) => self.folder_key = key,
            _ => return Err(Error::Refused { step: "FolderDelete", status }),
        }
        self.folders.remove(id);
        Ok(())
    }
}

fn new_state(folder: Folder) -> FolderState {
    FolderState {
        folder,
        sync_key: "0".to_owned(),
        items: BTreeMap::new(),
        records: BTreeMap::new(),
    }
}
