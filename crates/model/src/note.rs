//! A note in neutral form (MS-ASNOTE; iCalendar's `VJOURNAL`).

use crate::patch::{Patch, fields};
use crate::{BodyKind, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// One note.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// The same for all copies of the note (`UID`). Empty in a new one: then the backend makes one.
    pub uid: String,
    /// Title, one line.
    pub title: String,
    /// The user's categories.
    pub categories: Vec<String>,
    /// When it was changed last; set by the backend.
    pub modified: Timestamp,
    /// The form its text was written in.
    pub native: Option<BodyKind>,
    /// Its text.
    pub text: Option<Text>,
}

/// New values for some fields of a note.
pub type NotePatch = Patch<Note>;

fields! {
    /// A field of a [`Note`] that a phone can write.
    Note as NoteField {
        /// [`Note::uid`]; only counts for a new note.
        Uid: uid;
        /// [`Note::title`].
        Title: title;
        /// [`Note::categories`].
        Categories: categories;
        /// [`Note::text`] and [`Note::native`].
        Text: text, native;
    }
}
