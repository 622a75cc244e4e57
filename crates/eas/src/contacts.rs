//! Contacts as they stand in `ApplicationData` (MS-ASCNTC).
//!
//! The server tells a contact with [`to_elements`] and reads what a phone writes with
//! [`patch_from_elements`]; a phone reads with [`from_elements`] and writes with
//! [`patch_to_elements`].

mod day;
mod table;

use crate::attachment::read_content;
use crate::body::{put_native, read_native, read_text, text_element};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::ghosting::{Writing, keep_text, patch, whole_text};
use crate::line::one_line;
use crate::version::ProtocolVersion;
use crate::{address, categories};
use base64::{Engine, engine::general_purpose::STANDARD};
use dme_model::{Contact, ContactField, ContactPatch, ContactText, Picture};
use dme_wbxml::pages::{air_sync_base, contacts as page};
use dme_wbxml::{Element, Tag};
use dme_zone::Zone;
use table::text_of;

/// The longest picture a phone is told, in base64 (MS-ASCNTC 2.2.2.56).
const MAX_PICTURE_TOLD: usize = 48 * 1024;

/// The largest picture a phone may write, in bytes; some keep less strictly to the limit.
const MAX_PICTURE_READ: usize = 1024 * 1024;

/// The most children read.
const MAX_CHILDREN: usize = 300;

/// The elements of a contact for this version, in the order of the code pages. A picture of more
/// than 48 KB in base64 is not told.
pub fn to_elements(contact: &Contact, version: ProtocolVersion) -> Vec<Element> {
    let mut children = Vec::with_capacity(16);
    children.put_some(page::ANNIVERSARY, contact.anniversary.map(day::format));
    children.put_some(page::BIRTHDAY, contact.birthday.map(day::format));
    for (which, tag, since) in table::TEXTS {
        let text = contact.text_of(*which);
        if !text.is_empty() && version >= *since {
            children.put(*tag, text);
        }
    }
    categories::put(&mut children, page::CATEGORIES, page::CATEGORY, &contact.categories);
    categories::put(&mut children, page::CHILDREN, page::CHILD, &contact.children);
    if let Some(picture) = &contact.picture {
        let text = STANDARD.encode(&picture.0);
        if text.len() <= MAX_PICTURE_TOLD {
            children.put(page::PICTURE, text);
        }
    }
    children.extend(contact.text.as_ref().map(text_element));
    put_native(&mut children, contact.native);
    children
}

/// Reads a contact as the other side wrote it. `home` is the clock of the user: see
/// [`patch_from_elements`].
///
/// # Errors
/// Where an element does not hold what it must, or holds too much.
pub fn from_elements(data: &[Element], home: &Zone) -> Result<Contact> {
    let mut contact = Contact::default();
    for element in data {
        match element.tag {
            page::ANNIVERSARY => contact.anniversary = day::read(element, home)?,
            page::BIRTHDAY => contact.birthday = day::read(element, home)?,
            page::CATEGORIES => contact.categories = categories::read(element, page::CATEGORY)?,
            page::CHILDREN => contact.children = read_children(element)?,
            page::PICTURE => contact.picture = read_picture(element)?,
            air_sync_base::BODY => contact.text = read_text(element)?,
            air_sync_base::NATIVE_BODY_TYPE => contact.native = read_native(element)?,
            tag => {
                if let Some(which) = text_of(tag) {
                    contact.set_text(which, &read_line(which, element)?);
                }
            }
        }
    }
    if contact.native.is_none() {
        contact.native = contact.text.as_ref().map(|text| text.kind);
    }
    Ok(contact)
}

/// What a phone writes of a contact. Left out of a change, an element is deleted unless it is
/// ghosted; picture and notes stay in any case, as does what only the server sets.
///
/// A birthday is a moment on the wire, which phones write as midnight of their own clock, of UTC,
/// or as noon. `home` is the clock of the user, on which such a moment is midnight of the day meant.
///
/// # Errors
/// Where an element does not hold what it must, or holds too much.
pub fn patch_from_elements(
    data: &[Element],
    version: ProtocolVersion,
    writing: Writing<'_, Contact>,
    home: &Zone,
) -> Result<ContactPatch> {
    let mut value = from_elements(data, home)?;
    whole_text(&mut value.text, &mut value.native);
    for which in SET_BY_SERVER {
        value.set_text(which, "");
    }
    let (ghosting, present) = match writing {
        Writing::Add => return Ok(ContactPatch::whole(value)),
        Writing::Change { ghosting, present } => (ghosting, present),
    };
    let told = present.map(|contact| from_elements(&to_elements(contact, version), home));
    let told = told.transpose()?;
    if let Some(told) = &told {
        keep_text((&mut value.text, &mut value.native), (&told.text, told.native));
    }
    let named = data.iter().filter_map(|element| field_of(element.tag));
    let left_out = table::DELETABLE
        .iter()
        .chain(table::TEXTS.iter().map(|(_, tag, _)| tag))
        .filter(|tag| ghosting.deletes(**tag) && !data.iter().any(|element| element.tag == **tag))
        .filter_map(|tag| field_of(*tag));
    Ok(patch(named.chain(left_out), &value, told.as_ref()))
}

/// What a phone of this version says to bring about a patch: what is emptied is an empty element.
pub fn patch_to_elements(patch: &ContactPatch, version: ProtocolVersion) -> Vec<Element> {
    let mut children = to_elements(&patch.value, version);
    let named = |tag| field_of(tag).is_some_and(|field| patch.fields.contains(&field));
    children.retain(|element| named(element.tag));
    let texts = table::TEXTS.iter().filter(|(_, _, since)| version >= *since).map(|text| text.1);
    let others = table::DELETABLE.iter().copied().chain([page::PICTURE, air_sync_base::BODY]);
    for tag in texts.chain(others).filter(|tag| named(*tag)) {
        if !children.iter().any(|element| element.tag == tag) {
            children.push(Element::empty(tag));
        }
    }
    children
}

/// What phones are told and do not write (MS-ASCNTC 2.2.2.68, 2.2.2.3).
const SET_BY_SERVER: [ContactText; 2] = [ContactText::WeightedRank, ContactText::Alias];

fn field_of(tag: Tag) -> Option<ContactField> {
    match tag {
        page::ANNIVERSARY => Some(ContactField::Anniversary),
        page::BIRTHDAY => Some(ContactField::Birthday),
        page::CATEGORIES => Some(ContactField::Categories),
        page::CHILDREN => Some(ContactField::Children),
        page::PICTURE => Some(ContactField::Picture),
        air_sync_base::BODY => Some(ContactField::Text),
        _ => text_of(tag).filter(|which| !SET_BY_SERVER.contains(which)).map(ContactField::Of),
    }
}

/// A text; streets may have several lines. Mail addresses are written with a name before them or
/// without: `"Ann Bell" <ann@example.org>`.
fn read_line(which: ContactText, element: &Element) -> Result<String> {
    let text = element.text_value()?.trim();
    Ok(match which {
        ContactText::Email1 | ContactText::Email2 | ContactText::Email3 => {
            let bare = address::parse_list(text).into_iter().next();
            bare.map_or_else(|| one_line(text), |address| address.email)
        }
        ContactText::BusinessStreet | ContactText::HomeStreet | ContactText::OtherStreet => {
            text.replace("\r\n", "\n").replace('\r', "\n")
        }
        _ => one_line(text),
    })
}

fn read_children(element: &Element) -> Result<Vec<String>> {
    if element.children().len() > MAX_CHILDREN {
        return Err(Error::TooMany { element: page::CHILD, limit: MAX_CHILDREN });
    }
    let names = element.each(page::CHILD).map(|name| name.text_value().map(one_line));
    names.filter(|name| !matches!(name, Ok(name) if name.is_empty())).collect()
}

/// None where it is empty: the picture is taken off.
fn read_picture(element: &Element) -> Result<Option<Picture>> {
    let bytes = read_content(element)?;
    if bytes.len() > MAX_PICTURE_READ {
        return Err(Error::Value { element: page::PICTURE, expected: "at most 1 MiB" });
    }
    Ok((!bytes.is_empty()).then_some(Picture(bytes)))
}

#[cfg(test)]
mod tests;
