//! The model phone: what it shows, what it has done and not yet told, what it waits to hear.
//!
//! It behaves as phones do: it keeps one request a folder until it is answered and repeats it
//! unchanged when the answer does not come; it begins a folder again when its key is refused.

use crate::{
    ClientCommand, CollectionAnswer, CollectionOptions, CollectionRequest, CommandResult,
    FilterAge, FolderEntry, FolderNo, HierarchyAnswer, HierarchyChange, Saved, ServerChange,
    SyncKey,
};
use dme_model::{
    ContactText, Event, Flags, InstanceChange, Item, ItemId, LocalTime, Participation, Text,
};
use std::collections::{BTreeMap, BTreeSet};

/// An item as the phone shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shown {
    pub subject: String,
    pub notes: String,
    pub flags: Flags,
    pub plan: Plan,
}

/// What the phone shows of an event beside that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Plan {
    pub repeats: bool,
    /// Instances that are otherwise: their titles; none of what does not take place.
    pub instances: BTreeMap<LocalTime, Option<String>>,
    /// Somebody else asks the user to it.
    pub asked: bool,
    pub participation: Participation,
}

impl Plan {
    fn of(event: &Event) -> Self {
        let instances = event.exceptions.iter().map(|one| match &one.change {
            InstanceChange::Deleted => (one.original, None),
            InstanceChange::Changed(patch) => (one.original, Some(patch.value.title.clone())),
        });
        Self {
            repeats: event.recurrence.is_some(),
            instances: instances.collect(),
            asked: !event.own,
            participation: event.participation,
        }
    }
}

impl Shown {
    /// What the phone shows of an item: of one that is no mail its title and its notes.
    pub fn of(item: &Item) -> Self {
        let plain = |title: &str, text: &Option<Text>| {
            let notes = text.as_ref().map(|text| text.text.as_str()).unwrap_or_default();
            let (subject, notes) = (title.to_owned(), notes.to_owned());
            Self { subject, notes, flags: Flags::default(), plan: Plan::default() }
        };
        match item {
            Item::Mail(mail) => Self {
                subject: mail.subject.clone(),
                notes: String::new(),
                flags: mail.flags.clone(),
                plan: Plan::default(),
            },
            Item::Event(event) => {
                Self { plan: Plan::of(event), ..plain(&event.title, &event.text) }
            }
            Item::Contact(contact) => plain(contact.text_of(ContactText::LastName), &contact.text),
            Item::Task(task) => plain(&task.title, &task.text),
            Item::Note(note) => plain(&note.title, &note.text),
        }
    }
}

/// A folder as the phone has it.
#[derive(Clone, Debug)]
pub(super) struct PhoneFolder {
    pub entry: FolderEntry,
    pub key: SyncKey,
    pub items: BTreeMap<ItemId, Shown>,
    /// Done here, not in a request yet.
    pub queue: Vec<ClientCommand>,
    /// Sent, not answered yet.
    pub unanswered: Option<CollectionRequest>,
    pub filter: FilterAge,
    /// The options were told since they changed.
    pub told: bool,
    /// Drafts in a request, with what they say.
    pub drafts: BTreeMap<String, String>,
    /// Made here and not named by the server yet.
    pub made: BTreeMap<String, Shown>,
    /// Deleted here; the server may still speak of them.
    pub thrown_away: BTreeSet<ItemId>,
}

/// The phone.
#[derive(Debug)]
pub(super) struct Phone {
    pub hierarchy_key: SyncKey,
    pub folders: BTreeMap<FolderNo, PhoneFolder>,
}

impl PhoneFolder {
    fn new(entry: FolderEntry) -> Self {
        Self {
            entry,
            key: SyncKey::initial(),
            items: BTreeMap::new(),
            queue: Vec::new(),
            unanswered: None,
            filter: FilterAge::All,
            told: false,
            drafts: BTreeMap::new(),
            made: BTreeMap::new(),
            thrown_away: BTreeSet::new(),
        }
    }

    /// Begins again: everything shown goes, and what was done and not told is forgotten.
    pub fn begin_again(&mut self) {
        let filter = self.filter;
        *self = Self::new(self.entry.clone());
        self.filter = filter;
    }

    /// The request to send: the unanswered one again, or a new one.
    pub fn request(&mut self, window: u32, hold: bool) -> CollectionRequest {
        if let Some(unanswered) = &self.unanswered {
            return unanswered.clone();
        }
        let mut request = CollectionRequest::new(self.entry.no, self.key.clone());
        request.window.items = window;
        if hold {
            request.changes = crate::Changes::Hold;
        }
        if !self.told || self.key.is_initial() {
            let options = CollectionOptions { filter: self.filter, ..CollectionOptions::default() };
            request.options = Some(options);
        }
        if !self.key.is_initial() {
            request.commands = std::mem::take(&mut self.queue);
        }
        self.unanswered = Some(request.clone());
        request
    }

    /// Takes an answer in; says what is wrong with it.
    pub fn apply(&mut self, answer: CollectionAnswer) -> Result<(), String> {
        let Some(request) = self.unanswered.take() else { return Err("nobody asked".into()) };
        if answer.results.len() != request.commands.len() {
            return Err("not as many results as commands".into());
        }
        self.told |= request.options.as_ref().is_some_and(|told| told.filter == self.filter);
        self.key = answer.key;
        for (command, result) in request.commands.iter().zip(answer.results) {
            match (command, result) {
                (ClientCommand::AddDraft(client, _), CommandResult::Added(Saved { item, .. })) => {
                    let subject = self.drafts.remove(&client.0).unwrap_or_default();
                    let flags = Flags { draft: true, seen: true, ..Flags::default() };
                    let (notes, plan) = (String::new(), Plan::default());
                    let shown = Shown { subject, notes, flags, plan };
                    if self.items.insert(item.clone(), shown).is_some() {
                        return Err(format!("the draft {item} was added twice"));
                    }
                }
                (ClientCommand::Create(client, _), CommandResult::Added(Saved { item, .. })) => {
                    let shown = self.made.remove(&client.0);
                    let shown = shown.ok_or_else(|| format!("{} was made twice", client.0))?;
                    if self.items.insert(item.clone(), shown).is_some() {
                        return Err(format!("the item {item} was added twice"));
                    }
                }
                (
                    ClientCommand::Edit(..),
                    CommandResult::NotFound | CommandResult::Conflict | CommandResult::Done,
                ) => {}
                (ClientCommand::Change(..) | ClientCommand::Delete(_), CommandResult::NotFound)
                | (ClientCommand::Change(..), CommandResult::Conflict)
                | (ClientCommand::Change(..) | ClientCommand::Delete(_), CommandResult::Done)
                | (ClientCommand::Send(..), CommandResult::Sent) => {}
                (command, result) => return Err(format!("{command:?} was answered {result:?}")),
            }
        }
        for change in answer.changes {
            self.apply_change(change)?;
        }
        // What the user did since stays on the screen.
        for command in &self.queue {
            match command {
                ClientCommand::Change(item, patch) => {
                    if let Some(shown) = self.items.get_mut(item) {
                        shown.flags = patch.apply(&shown.flags);
                    }
                }
                ClientCommand::Edit(item, said) => {
                    if let Some(shown) = self.items.get_mut(item) {
                        super::records::show(shown, &said.meaning);
                    }
                }
                ClientCommand::Delete(item) => {
                    self.items.remove(item);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn apply_change(&mut self, change: ServerChange) -> Result<(), String> {
        match change {
            ServerChange::Add(item, added) => {
                let shown = Shown::of(&added);
                if self.items.insert(item.clone(), shown).is_some() {
                    return Err(format!("item {item} was added though the phone has it"));
                }
            }
            ServerChange::Change(item, flags) => match self.items.get_mut(&item) {
                Some(shown) => shown.flags = flags,
                None if self.thrown_away.contains(&item) => {}
                None => return Err(format!("item {item} was changed, which the phone never had")),
            },
            ServerChange::Update(item, now) => match self.items.get_mut(&item) {
                Some(shown) => *shown = Shown::of(&now),
                None if self.thrown_away.contains(&item) => {}
                None => return Err(format!("item {item} was changed, which the phone never had")),
            },
            ServerChange::Delete(item) | ServerChange::SoftDelete(item) => {
                self.items.remove(&item);
            }
        }
        Ok(())
    }
}

impl Phone {
    pub fn new() -> Self {
        Self { hierarchy_key: SyncKey::initial(), folders: BTreeMap::new() }
    }

    pub fn apply_hierarchy(&mut self, answer: HierarchyAnswer) -> Result<(), String> {
        if self.hierarchy_key.is_initial() {
            self.folders.clear();
        }
        self.hierarchy_key = answer.key;
        for change in answer.changes {
            match change {
                HierarchyChange::Add(entry) => {
                    let no = entry.no;
                    if entry.parent.is_some_and(|parent| !self.folders.contains_key(&parent)) {
                        return Err(format!("folder {no} was added before its parent"));
                    }
                    if self.folders.insert(no, PhoneFolder::new(entry)).is_some() {
                        return Err(format!("folder {no} was added though the phone has it"));
                    }
                }
                HierarchyChange::Update(entry) => match self.folders.get_mut(&entry.no) {
                    Some(folder) => folder.entry = entry,
                    None => return Err(format!("folder {} is not there to update", entry.no)),
                },
                HierarchyChange::Delete(no) => {
                    self.folders.remove(&no);
                }
            }
        }
        Ok(())
    }

    /// The phone made a folder itself.
    pub fn add_folder(&mut self, entry: FolderEntry) {
        self.folders.insert(entry.no, PhoneFolder::new(entry));
    }
}
