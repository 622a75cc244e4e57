//! Items of each class that the cases make and change: all that they need to know of a class.

use super::Failure;
use dme_model::{
    Class, Contact, ContactField, ContactPatch, ContactText, Event, EventField, EventPatch,
    Frequency, Item, ItemPatch, LocalTime, Note, NoteField, NotePatch, Recurrence, Role, Task,
    TaskField, TaskPatch, Text, ZoneId,
};

/// 2026-11-02T09:00:00, a Monday.
pub(super) const MONDAY: LocalTime = LocalTime::from_seconds(1_793_610_000);

/// The role of the collection that new items of a class go to.
pub(super) fn role(class: Class) -> Role {
    match class {
        Class::Mail => Role::Inbox,
        Class::Calendar => Role::Calendar,
        Class::Contacts => Role::Contacts,
        Class::Tasks => Role::Tasks,
        Class::Notes => Role::Notes,
    }
}

/// A new item with a title, a text and a category.
pub(super) fn new_item(class: Class, title: &str) -> ItemPatch {
    let text = Some(Text::plain(format!("All about {title}.")));
    let categories = vec!["Work".to_owned(), "Größe, 中".to_owned()];
    match class {
        Class::Calendar => event(
            title,
            Event { start: MONDAY, end: MONDAY.plus_seconds(3600), ..Event::default() },
            &[EventField::Categories, EventField::Text],
            |event| Event { text, categories, ..event },
        ),
        Class::Contacts => {
            let mut value = Contact { text, categories, ..Contact::default() };
            value.set_text(ContactText::LastName, title);
            value.set_text(ContactText::Email1, "ann@conformance.example");
            value.set_text(ContactText::MobilePhone, "+27 21 555 0100");
            let texts = [ContactText::LastName, ContactText::Email1, ContactText::MobilePhone];
            let fields = texts.map(ContactField::Of);
            let others = [ContactField::Categories, ContactField::Text];
            ItemPatch::Contact(Box::new(ContactPatch::of(fields.into_iter().chain(others), value)))
        }
        Class::Tasks => {
            let value = Task { title: title.into(), text, categories, ..Task::default() };
            let fields = [TaskField::Title, TaskField::Text, TaskField::Categories];
            ItemPatch::Task(Box::new(TaskPatch::of(fields, value)))
        }
        Class::Notes | Class::Mail => {
            let value = Note { title: title.into(), text, categories, ..Note::default() };
            let fields = [NoteField::Title, NoteField::Text, NoteField::Categories];
            ItemPatch::Note(Box::new(NotePatch::of(fields, value)))
        }
    }
}

/// A new event of these times on UTC's clock.
pub(super) fn new_event(title: &str, start: LocalTime, end: LocalTime) -> ItemPatch {
    event(title, Event { start, end, ..Event::default() }, &[], |event| event)
}

/// A new event each day from then on, without end.
pub(super) fn new_series(title: &str, start: LocalTime) -> ItemPatch {
    let recurrence = Some(Recurrence::every(Frequency::Daily));
    let times = Event { start, end: start.plus_seconds(3600), recurrence, ..Event::default() };
    event(title, times, &[EventField::Recurrence], |event| event)
}

fn event(
    title: &str,
    times: Event,
    fields: &[EventField],
    more: impl FnOnce(Event) -> Event,
) -> ItemPatch {
    let zone = Some(ZoneId::utc());
    let value = more(Event { title: title.into(), zone, ..times });
    let always = [EventField::Title, EventField::Time];
    let fields = always.into_iter().chain(fields.iter().copied());
    ItemPatch::Event(Box::new(EventPatch::of(fields, value)))
}

/// Another title and nothing else.
pub(super) fn retitled(class: Class, title: &str) -> ItemPatch {
    match class {
        Class::Calendar => {
            let value = Event { title: title.into(), ..Event::default() };
            ItemPatch::Event(Box::new(EventPatch::of([EventField::Title], value)))
        }
        Class::Contacts => {
            let mut value = Contact::default();
            value.set_text(ContactText::LastName, title);
            let field = ContactField::Of(ContactText::LastName);
            ItemPatch::Contact(Box::new(ContactPatch::of([field], value)))
        }
        Class::Tasks => {
            let value = Task { title: title.into(), ..Task::default() };
            ItemPatch::Task(Box::new(TaskPatch::of([TaskField::Title], value)))
        }
        Class::Notes | Class::Mail => {
            let value = Note { title: title.into(), ..Note::default() };
            ItemPatch::Note(Box::new(NotePatch::of([NoteField::Title], value)))
        }
    }
}

/// Another text and nothing else.
pub(super) fn annotated(class: Class, text: &str) -> ItemPatch {
    let text = Some(Text::plain(text));
    match class {
        Class::Calendar => {
            let value = Event { text, ..Event::default() };
            ItemPatch::Event(Box::new(EventPatch::of([EventField::Text], value)))
        }
        Class::Contacts => {
            let value = Contact { text, ..Contact::default() };
            ItemPatch::Contact(Box::new(ContactPatch::of([ContactField::Text], value)))
        }
        Class::Tasks => {
            let value = Task { text, ..Task::default() };
            ItemPatch::Task(Box::new(TaskPatch::of([TaskField::Text], value)))
        }
        Class::Notes | Class::Mail => {
            let value = Note { text, ..Note::default() };
            ItemPatch::Note(Box::new(NotePatch::of([NoteField::Text], value)))
        }
    }
}

/// A task that is done, or not.
pub(super) fn completed(complete: bool) -> ItemPatch {
    let value = Task { complete, ..Task::default() };
    ItemPatch::Task(Box::new(TaskPatch::of([TaskField::Complete], value)))
}

/// What a case looks at in an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) class: Class,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) categories: Vec<String>,
    pub(super) uid: String,
}

impl Look {
    /// # Errors
    /// Where it is a mail.
    pub(super) fn at(item: &Item) -> Result<Self, Failure> {
        let (title, text, categories, uid) = match item {
            Item::Event(it) => (&*it.title, &it.text, &it.categories, &it.uid),
            Item::Contact(it) => {
                (it.text_of(ContactText::LastName), &it.text, &it.categories, &it.uid)
            }
            Item::Task(it) => (&*it.title, &it.text, &it.categories, &it.uid),
            Item::Note(it) => (&*it.title, &it.text, &it.categories, &it.uid),
            Item::Mail(_) => return Err(Failure("it is a mail".into())),
        };
        let text = text.as_ref().map(|text| text.text.replace("\r\n", "\n")).unwrap_or_default();
        Ok(Self {
            class: item.class(),
            title: title.to_owned(),
            text,
            categories: categories.clone(),
            uid: uid.clone(),
        })
    }
}
