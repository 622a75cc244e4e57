//! A draft as a phone writes it (16.0 on, MS-ASEMAIL 3.1.5, MS-ASAIRS 2.2.2.8).

use super::{importance_code, importance_from_code, marks};
use crate::address;
use crate::attachment::{self, NewAttachment};
use crate::body::{BodyType, to_bytes, to_text};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use bytes::Bytes;
use dme_model::{Address, BodyKind, FlagPatch, Importance};
use dme_wbxml::Element;
use dme_wbxml::pages::{air_sync_base, email as page, email2};

/// What a phone says of a draft. What is none is not said: in a new draft it is empty, in a
/// changed one it stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DraftContent {
    /// Receivers.
    pub to: Option<Vec<Address>>,
    /// Receivers of a copy.
    pub cc: Option<Vec<Address>>,
    /// Hidden receivers.
    pub bcc: Option<Vec<Address>>,
    /// Where answers go.
    pub reply_to: Option<Vec<Address>>,
    /// The subject.
    pub subject: Option<String>,
    /// Urgency.
    pub importance: Option<Importance>,
    /// The text and its form.
    pub body: Option<(BodyKind, Bytes)>,
    /// Files to attach.
    pub attach: Vec<NewAttachment>,
    /// The file references of attachments to take off.
    pub detach: Vec<String>,
    /// Marks.
    pub marks: FlagPatch,
}

impl DraftContent {
    /// Reads the children of `ApplicationData`.
    ///
    /// # Errors
    /// Where a value is not what it must be, the body is RTF, or there are too many attachments.
    pub fn from_elements(data: &[Element]) -> Result<Self> {
        let mut draft = Self { marks: marks::patch_from_elements(data)?, ..Self::default() };
        for element in data {
            match element.tag {
                page::TO => draft.to = Some(read_list(element)?),
                page::CC => draft.cc = Some(read_list(element)?),
                email2::BCC => draft.bcc = Some(read_list(element)?),
                page::REPLY_TO => draft.reply_to = Some(read_list(element)?),
                page::SUBJECT => draft.subject = Some(element.text_value()?.to_owned()),
                page::IMPORTANCE => {
                    let code = element.text_value()?.trim().parse().ok();
                    let importance = code.and_then(importance_from_code);
                    draft.importance =
                        Some(importance.ok_or(Error::Value {
                            element: page::IMPORTANCE,
                            expected: "0 to 2",
                        })?);
                }
                air_sync_base::BODY => draft.body = read_body(element)?,
                air_sync_base::ATTACHMENTS => {
                    (draft.attach, draft.detach) = attachment::read_changes(element)?
                }
                _ => {}
            }
        }
        Ok(draft)
    }

    /// Whether it says anything of the message itself, rather than of marks alone.
    pub fn changes_content(&self) -> bool {
        let marks = self.marks.clone();
        *self != Self { marks, ..Self::default() }
    }

    /// Writes the children of `ApplicationData`.
    pub fn to_elements(&self) -> Vec<Element> {
        let mut children = vec![];
        for (tag, list) in [
            (page::TO, &self.to),
            (page::CC, &self.cc),
            (email2::BCC, &self.bcc),
            (page::REPLY_TO, &self.reply_to),
        ] {
            children.put_some(tag, list.as_deref().map(address::format_list));
        }
        children.put_some(page::SUBJECT, self.subject.as_deref());
        children.put_some_number(page::IMPORTANCE, self.importance.map(importance_code));
        children.extend(marks::patch_to_elements(&self.marks));
        attachment::put_changes(&mut children, &self.attach, &self.detach);
        if let Some((kind, data)) = &self.body {
            let mut body = vec![];
            body.put_number(air_sync_base::TYPE, BodyType::from(*kind).code());
            body.put(air_sync_base::DATA, to_text(data));
            children.push(Element::parent(air_sync_base::BODY, body));
        }
        children
    }
}

/// None where there is no data, which means that the text did not change.
fn read_body(element: &Element) -> Result<Option<(BodyKind, Bytes)>> {
    let Some(data) = element.child(air_sync_base::DATA) else { return Ok(None) };
    let kind = match BodyType::read(element, air_sync_base::TYPE)? {
        Some(kind) => kind
            .to_model()
            .ok_or(Error::Value { element: air_sync_base::TYPE, expected: "1, 2 or 4" })?,
        None => BodyKind::Plain,
    };
    Ok(Some((kind, to_bytes(data))))
}

fn read_list(element: &Element) -> Result<Vec<Address>> {
    element.text_value().map(address::parse_list)
}
