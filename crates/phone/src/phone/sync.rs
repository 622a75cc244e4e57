//! Sync as phones do it: window by window until nothing is left, anew where the key is unknown.

use super::Phone;
use super::records::{class_of, filter_for};
use crate::client::Body;
use crate::error::{Error, Result};
use dme_eas::ProtocolVersion;
use dme_eas::body::{BodyPreference, BodyType, ContentOptions};
use dme_eas::email::{DraftContent, EmailView, patch_to_elements};
use dme_eas::query::{Command, Parameters};
use dme_eas::sync::{
    ClientCommand, Collection, CollectionResponse, FilterType, ItemResponse, Options, Request,
    Response, ServerCommand, Status,
};
use dme_model::{Class, FlagPatch};
use std::time::Duration;

/// How often a folder begins anew, or a failure is tried again, within one sync.
const MAX_SETBACKS: u32 = 3;
/// More windows than any folder has: a server that always says `MoreAvailable` is cut off here.
const MAX_ROUNDS: u32 = 100_000;

/// What is kept of items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// All that was sent.
    #[default]
    Items,
    /// Only that they are there: for load, where memory counts.
    Ids,
}

/// How the phone wants items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncOptions {
    /// How far back.
    pub filter: FilterType,
    /// Changes in one answer.
    pub window: u32,
    /// In what form.
    pub content: ContentOptions,
    /// What is kept of them.
    pub keep: Keep,
}

impl Default for SyncOptions {
    /// All mail, 100 at a time, as HTML of at most 32 KB.
    fn default() -> Self {
        let html = BodyPreference {
            truncation_size: Some(32 * 1024),
            ..BodyPreference::whole(BodyType::Html)
        };
        let content = ContentOptions { preferences: vec![html], ..ContentOptions::default() };
        Self { filter: FilterType::All, window: 100, content, keep: Keep::Items }
    }
}

/// What one answer, or a whole sync, brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Items that are new to the phone.
    pub added: usize,
    /// Items that changed.
    pub changed: usize,
    /// Items that are gone.
    pub deleted: usize,
    /// Whether more changes wait.
    pub more: bool,
    /// What became of what the phone did.
    pub responses: Vec<ItemResponse>,
}

impl Phone {
    /// Syncs a folder until nothing is left.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn sync(&mut self, folder: &str) -> Result<Round> {
        let mut all = Round::default();
        for _ in 0..MAX_ROUNDS {
            let round = self.sync_round(folder).await?;
            all.added = all.added.saturating_add(round.added);
            all.changed = all.changed.saturating_add(round.changed);
            all.deleted = all.deleted.saturating_add(round.deleted);
            all.responses.extend(round.responses);
            if !round.more {
                return Ok(all);
            }
        }
        Err(Error::GoesRound("Sync", MAX_ROUNDS))
    }

    /// Syncs one window of a folder.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn sync_round(&mut self, folder: &str) -> Result<Round> {
        self.sync_with(folder, Vec::new()).await
    }

    /// Syncs one window of a folder and does something there.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses the whole; what became of each command is in
    /// the round.
    pub async fn sync_with(&mut self, folder: &str, commands: Vec<ClientCommand>) -> Result<Round> {
        let mut setbacks = 0;
        loop {
            let initial = self.folder(folder)?.sync_key == "0";
            let sent = if initial { Vec::new() } else { commands.clone() };
            let collection = self.collection(folder, sent)?;
            let request = Request { collections: vec![collection], ..Request::default() };
            let element = request.to_element(self.client.account.version);
            let body = Body::Element(element);
            let answer =
                self.exchange(Command::Sync, Parameters::default(), body, Duration::ZERO).await?;
            let status = match answer.element {
                // Nothing happened, and nothing was asked that must be answered.
                None => return Ok(Round::default()),
                Some(element) => {
                    let answer = Response::from_element(&element)
                        .map_err(|e| Error::Answer(Command::Sync, e))?;
                    let failed = answer.status.filter(|status| *status != Status::Success);
                    let mut found = answer.collections.into_iter();
                    match (failed, found.find(|one| one.collection_id == folder)) {
                        (Some(status), _) => status,
                        (None, None) => return Ok(Round::default()),
                        (None, Some(one)) if one.status == Status::Success => {
                            let round = self.apply(folder, one)?;
                            if !initial {
                                return Ok(round);
                            }
                            if self.folder(folder)?.sync_key == "0" {
                                return Err(Error::Refused { step: "first Sync", status: 3 });
                            }
                            continue;
                        }
                        (None, Some(one)) => one.status,
                    }
                }
            };
            setbacks += 1;
            if setbacks > MAX_SETBACKS {
                return Err(Error::Refused { step: "Sync", status: status.code() });
            }
            self.recover(folder, status).await?;
        }
    }

    /// What a phone does about a status.
    async fn recover(&mut self, folder: &str, status: Status) -> Result<()> {
        match status {
            Status::InvalidSyncKey => {
                self.events.resynced = self.events.resynced.saturating_add(1);
                let state = self.folders.get_mut(folder);
                let state = state.ok_or_else(|| Error::NoFolder(folder.to_owned()))?;
                state.sync_key = "0".to_owned();
                state.items.clear();
                state.records.clear();
            }
            Status::FolderHierarchyChanged | Status::ObjectNotFound => {
                self.folder_sync().await?;
                self.folder(folder)?;
            }
            Status::Retry | Status::ServerError => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            status => return Err(Error::Refused { step: "Sync", status: status.code() }),
        }
        Ok(())
    }

    fn collection(&self, folder: &str, commands: Vec<ClientCommand>) -> Result<Collection> {
        let state = self.folder(folder)?;
        let mut collection = Collection::new(folder, state.sync_key.clone());
        if self.client.account.version == ProtocolVersion::V12_1 {
            collection.class = Some(class_of(state.folder.kind).into());
        }
        if state.sync_key != "0" {
            collection.deletes_as_moves = Some(true);
            collection.get_changes = Some(true);
            collection.window_size = Some(self.options.window);
            collection.options = vec![Options {
                filter: Some(filter_for(class_of(state.folder.kind), self.options.filter)),
                content: self.options.content.clone(),
                ..Options::default()
            }];
            collection.commands = commands;
        }
        Ok(collection)
    }

    fn apply(&mut self, folder: &str, answer: CollectionResponse) -> Result<Round> {
        let keep = self.options.keep;
        let class = class_of(self.folder(folder)?.folder.kind);
        if class != Class::Mail {
            return self.apply_records(folder, class, answer);
        }
        let state = self.folders.get_mut(folder);
        let state = state.ok_or_else(|| Error::NoFolder(folder.to_owned()))?;
        let wrong = |e| Error::Answer(Command::Sync, e);
        let mut round = Round { more: answer.more_available, ..Round::default() };
        for command in answer.commands {
            match command {
                ServerCommand::Add { server_id, data, .. } => {
                    let view = match keep {
                        Keep::Items => EmailView::from_elements(&data).map_err(wrong)?,
                        Keep::Ids => EmailView::default(),
                    };
                    state.items.insert(server_id, view);
                    round.added = round.added.saturating_add(1);
                }
                ServerCommand::Change { server_id, data, .. } => {
                    if keep == Keep::Items {
                        let view = state.items.entry(server_id).or_default();
                        view.apply(&data).map_err(wrong)?;
                    }
                    round.changed = round.changed.saturating_add(1);
                }
                ServerCommand::Delete { server_id } | ServerCommand::SoftDelete { server_id } => {
                    state.items.remove(&server_id);
                    round.deleted = round.deleted.saturating_add(1);
                }
            }
        }
        state.sync_key = answer.sync_key;
        round.responses = answer.responses;
        Ok(round)
    }

    /// Marks a mail, here and there: read, follow-up, categories.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses the change.
    pub async fn mark(&mut self, folder: &str, item: &str, patch: &FlagPatch) -> Result<()> {
        let data = patch_to_elements(patch);
        let change = ClientCommand::Change {
            server_id: item.to_owned(),
            instance_id: None,
            class: None,
            send: false,
            data: data.clone(),
        };
        let round = self.sync_with(folder, vec![change]).await?;
        refused(&round, "changing a mail")?;
        let view = self.folders.get_mut(folder).and_then(|state| state.items.get_mut(item));
        if let Some(view) = view {
            view.apply(&data).map_err(|e| Error::Answer(Command::Sync, e))?;
        }
        Ok(())
    }

    /// Marks a mail read or unread.
    ///
    /// # Errors
    /// As [`Self::mark`].
    pub async fn mark_read(&mut self, folder: &str, item: &str, read: bool) -> Result<()> {
        self.mark(folder, item, &FlagPatch { seen: Some(read), ..FlagPatch::default() }).await
    }

    /// Deletes an item: a mail goes to the deleted items, or from there for good.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn delete(&mut self, folder: &str, item: &str) -> Result<()> {
        let delete = ClientCommand::Delete { server_id: item.to_owned(), instance_id: None };
        let round = self.sync_with(folder, vec![delete]).await?;
        refused(&round, "deleting an item")?;
        if let Some(state) = self.folders.get_mut(folder) {
            state.items.remove(item);
            state.records.remove(item);
        }
        Ok(())
    }

    /// Saves a draft, or sends it at once (16.0 on). Returns its server id, none where it was sent.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn save_draft(
        &mut self,
        folder: &str,
        draft: &DraftContent,
        send: bool,
    ) -> Result<Option<String>> {
        let client_id = self.next_client_id();
        self.save_draft_as(&client_id, folder, draft, send).await
    }

    /// Saves or sends a draft under this name. Who loses the answer to it saves the same again, so
    /// that the server knows it.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn save_draft_as(
        &mut self,
        client_id: &str,
        folder: &str,
        draft: &DraftContent,
        send: bool,
    ) -> Result<Option<String>> {
        let data = draft.to_elements();
        let add = ClientCommand::Add { client_id: client_id.to_owned(), class: None, send, data };
        let round = self.sync_with(folder, vec![add]).await?;
        refused(&round, "saving a draft")?;
        let added = round.responses.into_iter().find_map(|response| match response {
            ItemResponse::Add { client_id: id, server_id, .. } if id == client_id => {
                Some(server_id)
            }
            _ => None,
        });
        let server_id = added.ok_or(Error::Refused { step: "saving a draft", status: 0 })?;
        let state = self.folders.get_mut(folder);
        if let (Some(state), Some(id)) = (state, server_id.clone().filter(|_| !send)) {
            let view = EmailView::from_elements(&draft.to_elements());
            state.items.insert(id, view.map_err(|e| Error::Answer(Command::Sync, e))?);
        }
        Ok(server_id)
    }
}

/// An error where one of the phone's commands did not go well. A deletion of what is gone did.
pub(super) fn refused(round: &Round, step: &'static str) -> Result<()> {
    for response in &round.responses {
        let status = match response {
            ItemResponse::Delete { status: Status::ObjectNotFound, .. } => continue,
            ItemResponse::Add { status, .. }
            | ItemResponse::Change { status, .. }
            | ItemResponse::Delete { status, .. }
            | ItemResponse::Fetch { status, .. } => *status,
        };
        if status != Status::Success {
            return Err(Error::Refused { step, status: status.code() });
        }
    }
    Ok(())
}
