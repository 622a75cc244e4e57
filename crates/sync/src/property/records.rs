//! Events, contacts, tasks and notes in a life: made, rewritten and deleted on both sides.

use super::RecordAct;
use super::driver::{Life, pick, wrong};
use super::phone::{PhoneFolder, Shown};
use crate::{ClientCommand, ClientId, FolderNo, Meant};
use dme_mailbox::{Edit, ErrorKind, NewItem, SubmissionKey};
use dme_model::{
    Class, Collection, Contact, ContactField, ContactPatch, ContactText, Event, EventField,
    EventPatch, Flags, ItemEdit, ItemId, ItemPatch, Note, NoteField, NotePatch, Task, TaskField,
    TaskPatch, Text,
};

/// An item of this class with this title and these notes.
fn whole(class: Class, title: &str, notes: &str) -> ItemPatch {
    let text = Some(Text::plain(notes));
    let title = title.to_owned();
    match class {
        Class::Contacts => {
            let mut contact = Contact { text, ..Contact::default() };
            contact.set_text(ContactText::LastName, &title);
            ItemPatch::Contact(Box::new(ContactPatch::whole(contact)))
        }
        Class::Tasks => {
            ItemPatch::Task(Box::new(TaskPatch::whole(Task { title, text, ..Task::default() })))
        }
        Class::Notes => {
            ItemPatch::Note(Box::new(NotePatch::whole(Note { title, text, ..Note::default() })))
        }
        Class::Calendar | Class::Mail => {
            let event = Event { title, text, own: true, ..Event::default() };
            ItemPatch::Event(Box::new(EventPatch::whole(event)))
        }
    }
}

/// New notes for an item of this class; all else of it stays.
fn rewritten(class: Class, notes: &str) -> ItemEdit {
    let text = Some(Text::plain(notes));
    ItemEdit::Patch(match class {
        Class::Contacts => {
            let value = Contact { text, ..Contact::default() };
            ItemPatch::Contact(Box::new(ContactPatch::of([ContactField::Text], value)))
        }
        Class::Tasks => {
            let value = Task { text, ..Task::default() };
            ItemPatch::Task(Box::new(TaskPatch::of([TaskField::Text], value)))
        }
        Class::Notes => {
            let value = Note { text, ..Note::default() };
            ItemPatch::Note(Box::new(NotePatch::of([NoteField::Text], value)))
        }
        Class::Calendar | Class::Mail => {
            let value = Event { text, ..Event::default() };
            ItemPatch::Event(Box::new(EventPatch::of([EventField::Text], value)))
        }
    })
}

/// The notes that an edit writes.
pub(super) fn notes_of(edit: &ItemEdit) -> String {
    let text = match edit {
        ItemEdit::Patch(ItemPatch::Event(patch)) => &patch.value.text,
        ItemEdit::Patch(ItemPatch::Contact(patch)) => &patch.value.text,
        ItemEdit::Patch(ItemPatch::Task(patch)) => &patch.value.text,
        ItemEdit::Patch(ItemPatch::Note(patch)) => &patch.value.text,
        _ => &None,
    };
    text.as_ref().map(|text| text.text.clone()).unwrap_or_default()
}

impl Life<'_> {
    /// One of the phone's folders that hold no mail.
    pub(super) fn record_folder_at(&self, n: u8) -> Option<FolderNo> {
        let others = self.phone.folders.values().filter(|f| f.entry.class != Class::Mail);
        pick(&others.map(|folder| folder.entry.no).collect::<Vec<_>>(), n).copied()
    }

    /// Another client at work.
    pub(super) async fn other_record(
        &mut self,
        folder: u8,
        item: u8,
        act: RecordAct,
    ) -> Result<(), String> {
        let mut collections = self.collections().await?;
        collections.retain(|collection| collection.class != Class::Mail);
        let Some(Collection { id, class, .. }) = pick(&collections, folder) else { return Ok(()) };
        self.made += 1;
        let name = format!("other{}", self.made);
        let key = SubmissionKey(name.clone());
        let mailbox = self.world.mailbox();
        let contents = self.contents(id).await?;
        match (act, pick(&contents, item)) {
            (RecordAct::Make, _) | (_, None) => {
                let patch = whole(*class, &name, &name);
                mailbox.create_item(id, &NewItem { key, patch }).await.map_err(wrong)?;
                self.kept.insert(name);
            }
            (RecordAct::Rewrite, Some((item, ..))) => {
                let edit = Edit { key, edit: rewritten(*class, &name) };
                mailbox.change_item(id, item, &edit).await.map_err(wrong)?;
            }
            (RecordAct::Delete, Some((item, shown, _))) => {
                self.throw_away(shown.subject.clone());
                match mailbox.delete_items(id, std::slice::from_ref(item)).await {
                    Err(error) if error.kind != ErrorKind::NotFound => return Err(wrong(error)),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The phone's user at work.
    pub(super) fn record(&mut self, folder: u8, item: u8, act: RecordAct) {
        self.made += 1;
        let name = format!("record{}", self.made);
        let no = self.record_folder_at(folder);
        let Some(folder) = no.and_then(|no| self.phone.folders.get_mut(&no)) else { return };
        let items: Vec<ItemId> = folder.items.keys().cloned().collect();
        let gone = match (act, pick(&items, item)) {
            (RecordAct::Make, _) | (_, None) => {
                make(folder, name);
                None
            }
            (RecordAct::Rewrite, Some(item)) => {
                rewrite(folder, item, &name);
                None
            }
            (RecordAct::Delete, Some(item)) => {
                folder.thrown_away.insert(item.clone());
                folder.queue.push(ClientCommand::Delete(item.clone()));
                folder.items.remove(item)
            }
        };
        if let Some(gone) = gone {
            self.throw_away(gone.subject);
        }
    }
}

fn make(folder: &mut PhoneFolder, name: String) {
    let patch = whole(folder.entry.class, &name, &name);
    let shown = Shown { subject: name.clone(), notes: name.clone(), flags: Flags::default() };
    folder.made.insert(name.clone(), shown);
    let said = Meant::new(name.as_bytes(), patch);
    folder.queue.push(ClientCommand::Create(ClientId(name), said));
}

fn rewrite(folder: &mut PhoneFolder, item: &ItemId, notes: &str) {
    let edit = rewritten(folder.entry.class, notes);
    if let Some(shown) = folder.items.get_mut(item) {
        notes.clone_into(&mut shown.notes);
    }
    folder.queue.push(ClientCommand::Edit(item.clone(), Meant::new(notes.as_bytes(), edit)));
}
