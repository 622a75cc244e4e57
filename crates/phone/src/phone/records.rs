//! Events, contacts, tasks and notes on the phone.

use super::Phone;
use super::sync::{Keep, Round, refused};
use crate::client::Body;
use crate::error::{Error, Result};
use dme_eas::calendar::{self, Context};
use dme_eas::folder_sync::FolderType;
use dme_eas::meeting_response::{self, Answer, Outcome};
use dme_eas::query::{Command, Parameters};
use dme_eas::sync::{ClientCommand, CollectionResponse, FilterType, ItemResponse, ServerCommand};
use dme_eas::{contacts, notes, tasks};
use dme_model::{Class, Item, ItemPatch, Timestamp};
use dme_wbxml::Element;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a folder of this kind holds.
pub(super) fn class_of(kind: FolderType) -> Class {
    match kind {
        FolderType::Calendar | FolderType::UserCalendar => Class::Calendar,
        FolderType::Contacts | FolderType::UserContacts => Class::Contacts,
        FolderType::Tasks | FolderType::UserTasks => Class::Tasks,
        FolderType::Notes | FolderType::UserNotes => Class::Notes,
        _ => Class::Mail,
    }
}

/// The filter, where it is for the class; else everything (MS-ASCMD 2.2.3.68.2).
pub(super) fn filter_for(class: Class, filter: FilterType) -> FilterType {
    let fits = match class {
        Class::Mail => filter <= FilterType::OneMonth,
        Class::Calendar => (FilterType::TwoWeeks..=FilterType::SixMonths).contains(&filter),
        Class::Tasks => filter == FilterType::IncompleteTasks,
        Class::Contacts | Class::Notes => false,
    };
    if fits { filter } else { FilterType::All }
}

impl Phone {
    /// The events, contacts, tasks or notes of a folder by server id.
    ///
    /// # Errors
    /// [`Error::NoFolder`] where it knows no such folder.
    pub fn records(&self, folder: &str) -> Result<&BTreeMap<String, Item>> {
        self.folder(folder).map(|state| &state.records)
    }

    /// Makes an event, contact, task or note; returns its server id.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn create(&mut self, folder: &str, patch: &ItemPatch) -> Result<String> {
        let client_id = self.next_client_id();
        self.create_as(&client_id, folder, patch).await
    }

    /// Makes one under this name. Who loses the answer to it makes the same again, so that the
    /// server knows it.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn create_as(
        &mut self,
        client_id: &str,
        folder: &str,
        patch: &ItemPatch,
    ) -> Result<String> {
        let data = self.data(patch);
        let item = self.read(patch.class(), &data)?;
        let (client_id, class) = (client_id.to_owned(), None);
        let add = ClientCommand::Add { client_id: client_id.clone(), class, send: false, data };
        let round = self.sync_with(folder, vec![add]).await?;
        refused(&round, "making an item")?;
        let added = round.responses.into_iter().find_map(|response| match response {
            ItemResponse::Add { client_id: id, server_id, .. } if id == client_id => server_id,
            _ => None,
        });
        let id = added.ok_or(Error::Refused { step: "making an item", status: 0 })?;
        if let Some(state) = self.folders.get_mut(folder) {
            state.records.entry(id.clone()).or_insert(item);
        }
        Ok(id)
    }

    /// Changes an event, contact, task or note.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn change(&mut self, folder: &str, item: &str, patch: &ItemPatch) -> Result<()> {
        self.change_one(folder, item, None, patch).await?;
        if let Some(state) = self.folders.get_mut(folder)
            && let Some(record) = state.records.get_mut(item)
        {
            match (record, patch) {
                (Item::Event(event), ItemPatch::Event(patch)) => patch.apply(event),
                (Item::Contact(contact), ItemPatch::Contact(patch)) => patch.apply(contact),
                (Item::Task(task), ItemPatch::Task(patch)) => patch.apply(task),
                (Item::Note(note), ItemPatch::Note(patch)) => patch.apply(note),
                _ => {}
            }
        }
        Ok(())
    }

    /// Changes one instance of a series (16.0 on), named by its begin.
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn change_instance(
        &mut self,
        folder: &str,
        item: &str,
        instance: Timestamp,
        patch: &ItemPatch,
    ) -> Result<()> {
        let instance = calendar::instance_id(instance);
        self.change_one(folder, item, Some(instance), patch).await
    }

    /// Takes one instance of a series out (16.0 on).
    ///
    /// # Errors
    /// Where there is no answer, or the server refuses.
    pub async fn drop_instance(
        &mut self,
        folder: &str,
        item: &str,
        instance: Timestamp,
    ) -> Result<()> {
        let instance_id = Some(calendar::instance_id(instance));
        let delete = ClientCommand::Delete { server_id: item.to_owned(), instance_id };
        let round = self.sync_with(folder, vec![delete]).await?;
        refused(&round, "taking an instance out")
    }

    async fn change_one(
        &mut self,
        folder: &str,
        item: &str,
        instance_id: Option<String>,
        patch: &ItemPatch,
    ) -> Result<()> {
        let change = ClientCommand::Change {
            server_id: item.to_owned(),
            instance_id,
            class: None,
            send: false,
            data: self.data(patch),
        };
        let round = self.sync_with(folder, vec![change]).await?;
        refused(&round, "changing an item")
    }

    /// Answers an invitation.
    ///
    /// # Errors
    /// Where there is no answer, or it makes no sense; a refusal is in the outcome.
    pub async fn respond(&mut self, answer: Answer) -> Result<Outcome> {
        let version = self.client.account.version;
        let request = meeting_response::Request { answers: vec![answer] };
        let body = Body::Element(request.to_element(version));
        let command = Command::MeetingResponse;
        let answer = self.exchange(command, Parameters::default(), body, Duration::ZERO).await?;
        let element =
            answer.element.ok_or(Error::Refused { step: "MeetingResponse", status: 0 })?;
        let read = meeting_response::Response::from_element(&element);
        let read = read.map_err(|e| Error::Answer(command, e))?;
        let outcome = read.outcomes.into_iter().next();
        outcome.ok_or(Error::Refused { step: "MeetingResponse", status: 0 })
    }

    fn data(&self, patch: &ItemPatch) -> Vec<Element> {
        let (version, home) = (self.client.account.version, &self.home);
        match patch {
            ItemPatch::Event(patch) => calendar::patch_to_elements(patch, None, version, home),
            ItemPatch::Contact(patch) => contacts::patch_to_elements(patch, version),
            ItemPatch::Task(patch) => tasks::patch_to_elements(patch, version, home),
            ItemPatch::Note(patch) => notes::patch_to_elements(patch),
        }
    }

    fn read(&self, class: Class, data: &[Element]) -> Result<Item> {
        let (version, home) = (self.client.account.version, &self.home);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        let item = match class {
            Class::Contacts => contacts::from_elements(data, home).map(|c| Item::Contact(c.into())),
            Class::Tasks => tasks::from_elements(data, home).map(|t| Item::Task(t.into())),
            Class::Notes => notes::from_elements(data).map(|n| Item::Note(n.into())),
            Class::Calendar | Class::Mail => {
                let context = Context { home, now };
                calendar::from_elements(data, version, &context).map(|e| Item::Event(e.into()))
            }
        };
        item.map_err(|e| Error::Answer(Command::Sync, e))
    }

    /// Takes an answer in.
    pub(super) fn apply_records(
        &mut self,
        folder: &str,
        class: Class,
        answer: CollectionResponse,
    ) -> Result<Round> {
        let mut round = Round { more: answer.more_available, ..Round::default() };
        let mut read = Vec::new();
        let mut gone = Vec::new();
        for command in answer.commands {
            let (id, data) = match command {
                ServerCommand::Add { server_id, data, .. } => {
                    round.added = round.added.saturating_add(1);
                    (server_id, data)
                }
                ServerCommand::Change { server_id, data, .. } => {
                    round.changed = round.changed.saturating_add(1);
                    (server_id, data)
                }
                ServerCommand::Delete { server_id } | ServerCommand::SoftDelete { server_id } => {
                    round.deleted = round.deleted.saturating_add(1);
                    gone.push(server_id);
                    continue;
                }
            };
            if self.options.keep == Keep::Items {
                read.push((id, self.read(class, &data)?));
            }
        }
        let state = self.folders.get_mut(folder);
        let state = state.ok_or_else(|| Error::NoFolder(folder.to_owned()))?;
        state.records.retain(|id, _| !gone.contains(id));
        state.records.extend(read);
        state.sync_key = answer.sync_key;
        round.responses = answer.responses;
        Ok(round)
    }
}
