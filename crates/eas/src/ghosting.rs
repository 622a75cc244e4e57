//! What becomes of the elements that a phone leaves out of a change (MS-ASCMD 2.2.3.179).
//!
//! A phone that knows half of the elements of an event or contact says so once, by `Supported` in
//! the first Sync of a collection. What it does not name is *ghosted*: left out of a change, it
//! stays. What it names, or everything where it names nothing, is deleted when it is left out.
//! From 16.0 on a change of an event says only what changes, whatever was named before.

use dme_model::{BodyKind, Patch, Text};
use dme_wbxml::Tag;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a phone named as supported when it began a collection. Kept with the collection's state.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ghosting(
    /// Page and token of each; none where the phone named nothing, not even nothing.
    Option<BTreeSet<(u8, u8)>>,
);

impl Ghosting {
    /// From the tags within `Supported`; none where there is no such element.
    pub fn of(supported: Option<&[Tag]>) -> Self {
        Self(supported.map(|tags| tags.iter().map(|tag| (tag.page, tag.token)).collect()))
    }

    /// Whether an element that a change leaves out is deleted.
    pub fn deletes(&self, tag: Tag) -> bool {
        self.0.as_ref().is_none_or(|named| named.contains(&(tag.page, tag.token)))
    }
}

/// What a phone does with what it writes.
#[derive(Debug)]
pub enum Writing<'a, T> {
    /// It makes a new item: what it leaves out has its default.
    Add,
    /// It changes an item.
    Change {
        /// What it named as supported.
        ghosting: &'a Ghosting,
        /// The item as it is now, with its text as the phone is told it, where that is known. Then what the phone merely repeats of what
        /// it was told is no change: so a rule, a status or a picture that a phone cannot be told
        /// in full outlives its edits. For events of 16.0 on it must be known, since there a phone
        /// may name a begin without an end.
        present: Option<&'a T>,
    },
}

// By hand, since what is copied is a reference, whatever the item.
impl<T> Clone for Writing<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Writing<'_, T> {}

impl<'a, T> Writing<'a, T> {
    /// The same of an item that is known more exactly; one that is of another class is not known.
    pub fn of<U>(self, known: impl FnOnce(&'a T) -> Option<&'a U>) -> Writing<'a, U> {
        match self {
            Self::Add => Writing::Add,
            Self::Change { ghosting, present } => {
                Writing::Change { ghosting, present: present.and_then(known) }
            }
        }
    }

    /// The item as it is now.
    pub(crate) fn present(&self) -> Option<&'a T> {
        match self {
            Self::Add => None,
            Self::Change { present, .. } => *present,
        }
    }
}

/// The patch that sets these fields from the value, less those in which it says what `told` says:
/// the present item as a phone reads it.
pub(crate) fn patch<T: dme_model::Fields>(
    fields: impl IntoIterator<Item = T::Field>,
    value: &T,
    told: Option<&T>,
) -> Patch<T> {
    let mut patch = Patch::default();
    for field in fields {
        if told.is_none_or(|told| !told.same(value, field)) {
            patch.set(field, value);
        }
    }
    patch
}

/// A text as a phone writes it: whole, and in the form that it writes.
pub(crate) fn whole_text(text: &mut Option<Text>, native: &mut Option<BodyKind>) {
    let written = text.take().filter(|text| !text.text.is_empty());
    *text = written.map(|text| Text::whole(text.kind, text.text));
    *native = text.as_ref().map(|text| text.kind);
}

/// Puts the text that the phone was told in the place of what it writes, where it says the same: as
/// much of it, in that form, whatever its line ends. So a phone that knows a text in plain or in part
/// does not write that over the whole.
pub(crate) fn keep_text(
    (text, native): (&mut Option<Text>, &mut Option<BodyKind>),
    (told, told_native): (&Option<Text>, Option<BodyKind>),
) {
    // A text that was wholly held back looks like none.
    let essence = |text: &Option<Text>| {
        let text = text.as_ref().filter(|text| !text.text.trim().is_empty())?;
        let lines = text.text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        Some((text.kind, lines.trim_end().to_owned()))
    };
    if essence(text) == essence(told) {
        text.clone_from(told);
        *native = told_native;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_wbxml::pages::contacts;

    #[test]
    fn what_is_not_named_as_supported_is_left_alone_when_it_is_left_out() {
        let deletes = |supported: Option<&[Tag]>| {
            let ghosting = Ghosting::of(supported);
            (ghosting.deletes(contacts::JOB_TITLE), ghosting.deletes(contacts::SPOUSE))
        };
        assert_eq!(deletes(None), (true, true), "nothing said: all are managed by the phone");
        assert_eq!(deletes(Some(&[contacts::JOB_TITLE])), (true, false));
        assert_eq!(deletes(Some(&[])), (false, false), "an empty list: none is");
    }

    #[test]
    fn it_is_kept_as_text() {
        for ghosting in [
            Ghosting::default(),
            Ghosting::of(Some(&[])),
            Ghosting::of(Some(&[contacts::JOB_TITLE, contacts::SPOUSE])),
        ] {
            let text = serde_json::to_string(&ghosting).unwrap();
            assert_eq!(serde_json::from_str::<Ghosting>(&text).unwrap(), ghosting, "{text}");
        }
    }
}
