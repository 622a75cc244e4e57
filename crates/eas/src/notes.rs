//! Notes as they stand in `ApplicationData` (MS-ASNOTE; 14.0 on).
//!
//! The server tells a note with [`to_elements`] and reads what a phone writes with
//! [`patch_from_elements`]; a phone reads with [`from_elements`] and writes with
//! [`patch_to_elements`].

use crate::body::{put_native, read_native, read_text, text_element};
use crate::categories;
use crate::date;
use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::ghosting::{Writing, keep_text, patch, whole_text};
use crate::line::one_line;
use dme_model::{Note, NoteField, NotePatch, Timestamp};
use dme_wbxml::{Element, Tag, pages::air_sync_base, pages::notes as page};

/// `MessageClass` of a note (MS-ASNOTE 2.2.2.5).
const MESSAGE_CLASS: &str = "IPM.StickyNote";

/// The elements of a note: `Subject`, `MessageClass`, `LastModifiedDate`, `Categories`, `Body`,
/// `NativeBodyType`.
pub fn to_elements(note: &Note) -> Vec<Element> {
    let mut children = vec![];
    children.put(page::SUBJECT, one_line(&note.title));
    children.put(page::MESSAGE_CLASS, MESSAGE_CLASS);
    children.put(page::LAST_MODIFIED_DATE, date::format_compact(note.modified));
    categories::put(&mut children, page::CATEGORIES, page::CATEGORY, &note.categories);
    children.extend(note.text.as_ref().map(text_element));
    put_native(&mut children, note.native);
    children
}

/// Reads a note as the server told it.
///
/// # Errors
/// Where an element does not hold what it must.
pub fn from_elements(data: &[Element]) -> Result<Note> {
    let mut note = Note::default();
    for element in data {
        match element.tag {
            page::SUBJECT => note.title = one_line(element.text_value()?),
            page::LAST_MODIFIED_DATE => note.modified = element.moment_value()?,
            page::CATEGORIES => note.categories = categories::read(element, page::CATEGORY)?,
            air_sync_base::BODY => note.text = read_text(element)?,
            air_sync_base::NATIVE_BODY_TYPE => note.native = read_native(element)?,
            _ => {}
        }
    }
    if note.native.is_none() {
        note.native = note.text.as_ref().map(|text| text.kind);
    }
    Ok(note)
}

/// What a phone writes of a note. Left out of a change, categories are deleted while title and text
/// stay (MS-ASNOTE 3.2.5.3).
///
/// # Errors
/// Where an element does not hold what it must.
pub fn patch_from_elements(data: &[Element], writing: Writing<'_, Note>) -> Result<NotePatch> {
    let mut value = from_elements(data)?;
    whole_text(&mut value.text, &mut value.native);
    value.modified = Timestamp::default();
    if matches!(writing, Writing::Add) {
        return Ok(NotePatch::whole(value));
    }
    let told = writing.present().map(|note| from_elements(&to_elements(note))).transpose()?;
    if let Some(told) = &told {
        keep_text((&mut value.text, &mut value.native), (&told.text, told.native));
    }
    let named = data.iter().filter_map(|element| field_of(element.tag));
    Ok(patch(named.chain([NoteField::Categories]), &value, told.as_ref()))
}

/// What a phone says to bring about a patch.
pub fn patch_to_elements(patch: &NotePatch) -> Vec<Element> {
    let mut children = to_elements(&patch.value);
    children.retain(|element| {
        element.tag == page::MESSAGE_CLASS
            || field_of(element.tag).is_some_and(|field| patch.fields.contains(&field))
    });
    if patch.fields.contains(&NoteField::Text) && patch.value.text.is_none() {
        children.push(Element::empty(air_sync_base::BODY));
    }
    children
}

fn field_of(tag: Tag) -> Option<NoteField> {
    match tag {
        page::SUBJECT => Some(NoteField::Title),
        page::CATEGORIES => Some(NoteField::Categories),
        air_sync_base::BODY => Some(NoteField::Text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
