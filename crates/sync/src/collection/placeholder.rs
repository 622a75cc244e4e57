//! What a phone is shown in place of an item that cannot be read (rule S5).

use bytes::Bytes;
use dme_model::{
    Body, BodyKind, BodyView, BusyStatus, Class, Contact, ContactText, Event, Item, LocalTime,
    Mail, Note, Task, Text, Timestamp, ZoneId,
};

/// An item that says so, in a form the view accepts.
pub(super) fn placeholder(class: Class, now: Timestamp, view: &BodyView) -> Item {
    let kind = match class {
        Class::Mail => "message",
        Class::Calendar => "event",
        Class::Contacts => "contact",
        Class::Tasks => "task",
        Class::Notes => "note",
    };
    let title = format!("This {kind} cannot be shown");
    let words = format!(
        "This {kind} is in your mailbox, but it cannot be read well enough to be shown on this \
         device. Please open it with another program."
    );
    if class == Class::Mail {
        return Item::Mail(Box::new(mail(title, &words, now, view)));
    }
    let native = Some(BodyKind::Plain);
    let text = Some(Text::plain(words));
    match class {
        Class::Contacts => {
            let mut contact = Contact { native, text, ..Contact::default() };
            contact.set_text(ContactText::FileAs, &title);
            contact.set_text(ContactText::LastName, &title);
            Item::Contact(Box::new(contact))
        }
        Class::Tasks => Item::Task(Box::new(Task { title, native, text, ..Task::default() })),
        Class::Notes => {
            Item::Note(Box::new(Note { title, native, text, modified: now, ..Note::default() }))
        }
        Class::Calendar | Class::Mail => {
            // At the full hour: when it truly is cannot be told.
            let start = LocalTime::from_seconds(now.as_seconds().div_euclid(3600) * 3600);
            let end = start.plus_seconds(3600);
            let event = Event {
                title,
                start,
                end,
                zone: Some(ZoneId::utc()),
                busy: BusyStatus::Free,
                own: true,
                stamp: now,
                native,
                text,
                last_end: Some(end.as_utc()),
                ..Event::default()
            };
            Item::Event(Box::new(event))
        }
    }
}

fn mail(title: String, words: &str, now: Timestamp, view: &BodyView) -> Mail {
    let accepts = |kind| view.preferences.iter().any(|preference| preference.kind == kind);
    let kind = match () {
        () if view.preferences.is_empty() => None,
        () if accepts(BodyKind::Plain) || !accepts(BodyKind::Html) => Some(BodyKind::Plain),
        () => Some(BodyKind::Html),
    };
    let body = kind.map(|kind| {
        let data = match kind {
            BodyKind::Html => Bytes::from(format!("<html><body><p>{words}</p></body></html>")),
            BodyKind::Plain | BodyKind::Mime => Bytes::from(words.to_owned()),
        };
        let full_size = data.len() as u64;
        Body { kind, data, truncated: false, full_size }
    });
    Mail {
        thread_topic: title.clone(),
        subject: title,
        received: now,
        native: Some(BodyKind::Plain),
        body,
        ..Mail::default()
    }
}
