//! The phone's requests, each met by its fate, and what the phone makes of the answers.

use super::Fate;
use super::driver::{FolderAct, Life, What, meet, pick, wrong};
use crate::{
    ClientCommand, CommandResult, Error, FolderEntry, FolderError, FolderNo, MoveError,
    MoveRequest, Outgoing, Session,
};
use dme_model::{Class, CollectionId, ItemId};
use std::sync::Arc;

impl Life<'_> {
    /// One Sync; says whether anything came of it.
    pub(super) async fn sync(
        &mut self,
        no: FolderNo,
        window: u32,
        hold: bool,
        fate: Fate,
    ) -> Result<bool, String> {
        let Some(folder) = self.phone.folders.get_mut(&no) else { return Ok(false) };
        let request = folder.request(window, hold);
        let faulty = Arc::clone(&self.faulty);
        let session = Session { device: &self.device, mailbox: &*faulty, now: self.now };
        let answer = meet(self.world, fate, self.engine.sync_collection(session, &request)).await;
        match answer {
            None => Ok(true),
            Some(Ok(answer)) => {
                for (command, result) in request.commands.iter().zip(&answer.results) {
                    match (command, result) {
                        (
                            ClientCommand::AddDraft(client, _) | ClientCommand::Create(client, _),
                            CommandResult::Added(_),
                        ) if !self.thrown_away.contains(&client.0) => {
                            self.kept.insert(client.0.clone());
                        }
                        (ClientCommand::Send(Outgoing::New(client), _), CommandResult::Sent) => {
                            self.sent.insert(client.0.clone());
                        }
                        _ => {}
                    }
                }
                let news = answer.key != request.key
                    || answer.more_available
                    || !answer.changes.is_empty();
                folder.apply(answer)?;
                Ok(news || !request.commands.is_empty())
            }
            Some(Err(Error::InvalidKey)) => {
                let collection = self.collection_of(no).await?;
                let there =
                    self.collections().await?.iter().any(|c| Some(&c.id) == collection.as_ref());
                let excused = collection.is_none_or(|id| self.invalidated.contains(&id)) || !there;
                if !excused || request.key.is_initial() {
                    return Err(format!("key {} of folder {no} was refused", request.key));
                }
                if let Some(folder) = self.phone.folders.get_mut(&no) {
                    folder.begin_again();
                }
                Ok(true)
            }
            Some(Err(Error::FolderNotFound(_))) => {
                if let Some(folder) = self.phone.folders.get_mut(&no) {
                    folder.unanswered = None;
                }
                Ok(false)
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(true),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    pub(super) async fn collection_of(&self, no: FolderNo) -> Result<Option<CollectionId>, String> {
        self.engine.store().folder(&self.device.user, no).await.map_err(wrong)
    }

    pub(super) async fn folder_sync(&mut self, fate: Fate) -> Result<bool, String> {
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let key = self.phone.hierarchy_key.clone();
        match meet(self.world, fate, self.engine.folder_sync(session, &key)).await {
            None => Ok(true),
            Some(Ok(answer)) => {
                // What became of the phone's own act shows in the answer.
                self.unanswered_act = None;
                let news = !answer.changes.is_empty();
                self.phone.apply_hierarchy(answer)?;
                Ok(news)
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(true),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    pub(super) fn plan_move(&self, from: u8, item: u8, to: u8) -> Option<MoveRequest> {
        let (from, to) = (self.folder_at(from)?, self.folder_at(to)?);
        let items: Vec<&ItemId> = self.phone.folders.get(&from)?.items.keys().collect();
        let item = (*pick(&items, item)?).clone();
        (from != to).then_some(MoveRequest { item, from, to })
    }

    pub(super) async fn try_move(&mut self, fate: Fate) -> Result<(), String> {
        let Some(request) = self.unanswered_move.clone() else { return Ok(()) };
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let moves = std::slice::from_ref(&request);
        let Some(answer) = meet(self.world, fate, self.engine.move_items(session, moves)).await
        else {
            return Ok(());
        };
        match answer.map_err(wrong)?.pop() {
            Some(Ok(_)) => {
                self.unanswered_move = None;
                if let Some(folder) = self.phone.folders.get_mut(&request.from) {
                    folder.items.remove(&request.item);
                    folder.thrown_away.insert(request.item.clone());
                    folder.queue.retain(|command| match command {
                        ClientCommand::Change(item, _) | ClientCommand::Delete(item) => {
                            *item != request.item
                        }
                        _ => true,
                    });
                }
                Ok(())
            }
            Some(Err(MoveError::Mailbox(error))) if error.is_transient() => Ok(()),
            Some(Err(MoveError::SourceNotFound | MoveError::DestinationNotFound)) => {
                self.unanswered_move = None;
                Ok(())
            }
            other => Err(format!("the move was answered {other:?}")),
        }
    }

    pub(super) async fn send(&mut self, fate: Fate) -> Result<(), String> {
        let Some(first) = self.outbox.first() else { return Ok(()) };
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        match meet(self.world, fate, self.engine.submit(session, &first.request)).await {
            None => Ok(()),
            Some(Ok(_)) => {
                self.sent.insert(self.outbox.remove(0).subject);
                Ok(())
            }
            Some(Err(Error::Mailbox(error))) if error.is_transient() => Ok(()),
            Some(Err(error)) => Err(wrong(error)),
        }
    }

    /// An act on folders: the unanswered one again, or this.
    pub(super) async fn act(&mut self, what: What, fate: Fate) -> Result<(), String> {
        if self.phone.hierarchy_key.is_initial() {
            return Ok(());
        }
        let new = FolderAct { key: self.phone.hierarchy_key.clone(), what };
        let act = self.unanswered_act.get_or_insert(new).clone();
        if let What::Delete { folder } = act.what
            && let Some(collection) = self.collection_of(folder).await?
        {
            self.may_be_lost(&collection).await?;
        }
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let key = &act.key;
        let done = match &act.what {
            What::Create { parent, name } => {
                let made = meet(
                    self.world,
                    fate,
                    self.engine.folder_create(session, key, *parent, name, Class::Mail),
                )
                .await;
                made.map(|made| {
                    made.map(|made| {
                        self.phone.add_folder(FolderEntry {
                            no: made.no,
                            parent: *parent,
                            name: name.clone(),
                            class: Class::Mail,
                            role: None,
                        });
                        made.key
                    })
                })
            }
            What::Rename { folder, parent, name } => {
                let renamed = self.engine.folder_update(session, key, *folder, *parent, name);
                let renamed = meet(self.world, fate, renamed).await;
                if let (Some(Ok(_)), Some(known)) = (&renamed, self.phone.folders.get_mut(folder)) {
                    known.entry.parent = *parent;
                    known.entry.name.clone_from(name);
                }
                renamed
            }
            What::Delete { folder } => {
                let deleted =
                    meet(self.world, fate, self.engine.folder_delete(session, key, *folder)).await;
                if let Some(Ok(_)) = &deleted {
                    self.phone.folders.remove(folder);
                }
                deleted
            }
        };
        match done {
            None => Ok(()),
            Some(Ok(key)) => {
                self.unanswered_act = None;
                self.phone.hierarchy_key = key;
                Ok(())
            }
            Some(Err(FolderError::Engine(Error::Mailbox(error)))) if error.is_transient() => Ok(()),
            Some(Err(FolderError::Engine(error))) => Err(wrong(error)),
            Some(Err(_)) => {
                self.unanswered_act = None;
                Ok(())
            }
        }
    }
}
