//! Ping as phones do it: parked until something changes, with the interval the server allows.

use super::Phone;
use crate::client::Body;
use crate::error::{Error, Result};
use dme_eas::ping::{Folder, Request, Response, Status};
use dme_eas::query::{Command, Parameters};
use dme_eas::sync::ItemClass;
use std::time::Duration;

const MAX_ATTEMPTS: u32 = 4;

/// What a wait ended with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Woken {
    /// These folders changed.
    Changed(Vec<String>),
    /// The time was over.
    Expired,
}

impl Phone {
    /// Waits until one of these mail folders changes, or the time is over. An interval the server
    /// does not allow is replaced by the one it suggests.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn ping(&mut self, folders: &[&str], heartbeat: Duration) -> Result<Woken> {
        let mut heartbeat = heartbeat;
        let mut watched: Vec<Folder> = folders
            .iter()
            .map(|id| Folder { id: (*id).to_owned(), class: Some(ItemClass::Email) })
            .collect();
        for _ in 0..MAX_ATTEMPTS {
            let request = Request { heartbeat: Some(heartbeat), folders: Some(watched.clone()) };
            let body = Body::Element(request.to_element());
            let answer =
                self.exchange(Command::Ping, Parameters::default(), body, heartbeat).await?;
            let element = answer.element.ok_or(Error::NoBody(Command::Ping))?;
            let answer =
                Response::from_element(&element).map_err(|e| Error::Answer(Command::Ping, e))?;
            match answer {
                Response::Expired => return Ok(Woken::Expired),
                Response::Changed(folders) => return Ok(Woken::Changed(folders)),
                Response::HeartbeatOutOfRange(allowed) => heartbeat = allowed,
                Response::TooManyFolders(most) => {
                    watched.truncate(usize::try_from(most).unwrap_or(usize::MAX).max(1));
                }
                Response::Failed(Status::FolderSyncRequired) => {
                    self.folder_sync().await?;
                    watched.retain(|folder| self.folders.contains_key(&folder.id));
                }
                Response::Failed(status) => {
                    return Err(Error::Refused { step: "Ping", status: status.code() });
                }
            }
        }
        Err(Error::GoesRound("Ping", MAX_ATTEMPTS))
    }
}
