//! `VJOURNAL` (RFC 5545 §3.6.3) ↔ the neutral note.

use super::clock::Zones;
use super::description::{self, Description};
use super::event_fields::{set_categories, set_title};
use super::object::Component;
use super::{event, fields, text};
use dme_model::{BodyView, Note, NoteField};
use std::collections::BTreeSet;

pub(crate) fn read(note: &Component, view: &BodyView, zones: &Zones) -> Note {
    let moment = |name| note.line(name).and_then(|line| zones.when(line)).map(|when| when.utc());
    let description = Description::of(note);
    Note {
        uid: note.value("UID").map(text::unescape).unwrap_or_default(),
        title: event::title(note),
        categories: event::categories(note),
        modified: moment("LAST-MODIFIED").or_else(|| moment("DTSTAMP")).unwrap_or_default(),
        native: description.written().native(),
        text: description.written().view(view),
    }
}

/// Writes the fields that differ between what was shown and what is wanted; says which.
pub(crate) fn write(
    note: &mut Component,
    shown: &Note,
    new: &Note,
    wanted: &BTreeSet<NoteField>,
) -> BTreeSet<NoteField> {
    fields::write(note, (shown, new), wanted, &[NoteField::Text], |note, field| match field {
        NoteField::Uid => {}
        NoteField::Title => set_title(note, &new.title),
        NoteField::Categories => set_categories(note, &new.categories),
        NoteField::Text => description::set(note, new.text.as_ref()),
    })
}
