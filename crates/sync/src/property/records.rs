//! Events, contacts, tasks and notes in a life: made, rewritten and deleted on both sides, series by
//! their instances too.

use super::RecordAct;
use super::driver::{Life, pick, wrong};
use super::phone::{PhoneFolder, Plan, Shown};
use crate::{ClientCommand, ClientId, FolderNo, Meant};
use dme_mailbox::{Edit, ErrorKind, NewItem, SubmissionKey};
use dme_model::{
    Class, Collection, Contact, ContactField, ContactPatch, ContactText, Event, EventField,
    EventPatch, Flags, Frequency, ItemEdit, ItemId, ItemPatch, LocalTime, Note, NoteField,
    NotePatch, Recurrence, RecurrenceEnd, Task, TaskField, TaskPatch, Text, Timestamp,
};

/// So many instances a series has, one a day.
const INSTANCES: u8 = 4;

/// How an event is: every other one repeats.
fn plan(number: u32, asked: bool) -> Plan {
    Plan { repeats: number.is_multiple_of(2), asked, ..Plan::default() }
}

/// When an instance begins by the rule.
fn instance(n: u8) -> Timestamp {
    Timestamp::from_seconds(i64::from(n % INSTANCES) * 86_400)
}

/// An item of this class with this title and these notes; an event as planned.
fn whole(class: Class, title: &str, notes: &str, plan: &Plan) -> ItemPatch {
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
            let end = RecurrenceEnd::Count(u32::from(INSTANCES));
            let rule = Recurrence { end, ..Recurrence::every(Frequency::Daily) };
            let recurrence = Some(rule).filter(|_| plan.repeats);
            let own = !plan.asked;
            let event = Event { title, text, own, recurrence, ..Event::default() };
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

/// What is changed of an item that is shown so: of one instance of a series, or else the notes.
fn edited(class: Class, act: RecordAct, name: &str, there: &Shown) -> ItemEdit {
    match act {
        RecordAct::Rename(n) if there.plan.repeats => {
            let value = Event { title: name.to_owned(), ..Event::default() };
            let patch = Box::new(EventPatch::of([EventField::Title], value));
            ItemEdit::Instance { original: instance(n), patch }
        }
        RecordAct::Drop(n) if there.plan.repeats => {
            ItemEdit::DropInstance { original: instance(n) }
        }
        _ => rewritten(class, name),
    }
}

/// Shows an item as an edit makes it.
pub(super) fn show(shown: &mut Shown, edit: &ItemEdit) {
    let local = |at: &Timestamp| LocalTime::from_seconds(at.as_seconds());
    match edit {
        ItemEdit::Instance { original, patch } => {
            shown.plan.instances.insert(local(original), Some(patch.value.title.clone()));
        }
        ItemEdit::DropInstance { original } => {
            shown.plan.instances.insert(local(original), None);
        }
        ItemEdit::Patch(_) => shown.notes = notes_of(edit),
        ItemEdit::Cancel => {}
    }
}

/// The notes that an edit writes.
fn notes_of(edit: &ItemEdit) -> String {
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
        collections.retain(|collection| match act {
            RecordAct::Invite => collection.class == Class::Calendar,
            _ => collection.class != Class::Mail,
        });
        let Some(Collection { id, class, .. }) = pick(&collections, folder) else { return Ok(()) };
        self.made += 1;
        let name = format!("other{}", self.made);
        let key = SubmissionKey(name.clone());
        let mailbox = self.world.mailbox();
        let contents = self.contents(id).await?;
        match (act, pick(&contents, item)) {
            (RecordAct::Make | RecordAct::Invite, _) | (_, None) => {
                let asked = act == RecordAct::Invite;
                let patch = whole(*class, &name, &name, &plan(self.made, asked));
                mailbox.create_item(id, &NewItem { key, patch }).await.map_err(wrong)?;
                self.kept.insert(name);
            }
            (RecordAct::Delete, Some((item, shown, _))) => {
                self.throw_away(shown.subject.clone());
                match mailbox.delete_items(id, std::slice::from_ref(item)).await {
                    Err(error) if error.kind != ErrorKind::NotFound => return Err(wrong(error)),
                    _ => {}
                }
            }
            (_, Some((item, shown, _))) => {
                let edit = Edit { key, edit: edited(*class, act, &name, shown) };
                mailbox.change_item(id, item, &edit).await.map_err(wrong)?;
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
            (RecordAct::Make | RecordAct::Invite, _) | (_, None) => {
                make(folder, name, &plan(self.made, false));
                None
            }
            (RecordAct::Delete, Some(item)) => {
                folder.thrown_away.insert(item.clone());
                folder.queue.push(ClientCommand::Delete(item.clone()));
                folder.items.remove(item)
            }
            (_, Some(item)) => {
                edit(folder, item, act, &name);
                None
            }
        };
        if let Some(gone) = gone {
            self.throw_away(gone.subject);
        }
    }
}

fn make(folder: &mut PhoneFolder, name: String, plan: &Plan) {
    let class = folder.entry.class;
    let patch = whole(class, &name, &name, plan);
    let plan = if class == Class::Calendar { plan.clone() } else { Plan::default() };
    let (subject, notes) = (name.clone(), name.clone());
    folder.made.insert(name.clone(), Shown { subject, notes, flags: Flags::default(), plan });
    let said = Meant::new(name.as_bytes(), patch);
    folder.queue.push(ClientCommand::Create(ClientId(name), said));
}

fn edit(folder: &mut PhoneFolder, item: &ItemId, act: RecordAct, name: &str) {
    let Some(shown) = folder.items.get_mut(item) else { return };
    let edit = edited(folder.entry.class, act, name, shown);
    show(shown, &edit);
    folder.queue.push(ClientCommand::Edit(item.clone(), Meant::new(name.as_bytes(), edit)));
}
