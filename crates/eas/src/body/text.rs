//! The notes of events, contacts, tasks and notes as a `Body` (MS-ASAIRS 2.2.2.9).

use super::{BodyType, page, to_bytes, to_text};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use dme_model::{BodyKind, Text};
use dme_wbxml::Element;

/// `Body` for a text.
pub(crate) fn text_element(text: &Text) -> Element {
    let mut children = vec![];
    children.put_number(page::TYPE, BodyType::from(text.kind).code());
    children.put_number(page::ESTIMATED_DATA_SIZE, text.full_size);
    if text.truncated {
        children.put_boolean(page::TRUNCATED, true);
    }
    if !text.text.is_empty() {
        children.put(page::DATA, &*text.text);
    }
    Element::parent(page::BODY, children)
}

/// The form the text was written in (`NativeBodyType`, MS-ASAIRS 2.2.2.32).
pub(crate) fn put_native(children: &mut Vec<Element>, native: Option<BodyKind>) {
    if let Some(native) = native.filter(|native| *native != BodyKind::Mime) {
        children.put_number(page::NATIVE_BODY_TYPE, BodyType::from(native).code());
    }
}

/// The text of a `Body`; none where it is empty. Without a type it is plain.
///
/// # Errors
/// Where the type is not plain or HTML: compressed RTF is never offered.
pub(crate) fn read_text(element: &Element) -> Result<Option<Text>> {
    let kind = match BodyType::read(element, page::TYPE)? {
        None | Some(BodyType::Plain) => BodyKind::Plain,
        Some(BodyType::Html) => BodyKind::Html,
        Some(BodyType::Rtf | BodyType::Mime) => {
            return Err(Error::Value { element: page::TYPE, expected: "1 or 2" });
        }
    };
    let text = element.child(page::DATA).map(|data| to_text(&to_bytes(data)));
    let text = text.unwrap_or_default();
    let truncated = element.boolean_of(page::TRUNCATED)?.unwrap_or(false);
    if text.is_empty() && !truncated {
        return Ok(None);
    }
    let size = text.len() as u64;
    let full_size = match element.number_of(page::ESTIMATED_DATA_SIZE)? {
        Some(full_size) if truncated => full_size,
        _ => size,
    };
    Ok(Some(Text { kind, text, truncated, full_size }))
}

/// What `NativeBodyType` says; RTF is no form known here.
pub(crate) fn read_native(element: &Element) -> Result<Option<BodyKind>> {
    let wrong = Error::Value { element: element.tag, expected: "a body type, 1 to 3" };
    let code = element.text_value()?.trim().parse().map_err(|_| wrong.clone())?;
    Ok(BodyType::from_code(code).ok_or(wrong)?.to_model())
}
