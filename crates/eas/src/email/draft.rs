//! A draft as a phone writes it (16.0 on, MS-ASEMAIL 3.1.5, MS-ASAIRS 2.2.2.8).

use super::{importance_code, importance_from_code, marks};
use crate::address;
use crate::body::{BodyType, to_bytes, to_text};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dme_model::{Address, BodyKind, FlagPatch, Importance};
use dme_wbxml::pages::{air_sync_base, email as page, email2};
use dme_wbxml::{Content, Element};

/// The most attachments added or deleted at once.
const MAX_ATTACHMENTS: usize = 1_000;

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

/// A file to attach (MS-ASAIRS 2.2.2.2).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewAttachment {
    /// The phone's name for it, which the answer repeats beside the file reference.
    pub client_id: String,
    /// Its file name.
    pub display_name: String,
    /// Its content.
    pub content: Bytes,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its `Content-ID`, where the text shows it.
    pub content_id: Option<String>,
    /// Its `Content-Location`.
    pub content_location: Option<String>,
    /// Whether it is shown within the text.
    pub inline: bool,
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
                air_sync_base::ATTACHMENTS => draft.read_attachments(element)?,
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
        let added = self.attach.iter().map(NewAttachment::to_element);
        let deleted = self.detach.iter().map(|reference| {
            let reference = Element::text(air_sync_base::FILE_REFERENCE, &**reference);
            Element::parent(air_sync_base::DELETE, vec![reference])
        });
        children.put_parent(air_sync_base::ATTACHMENTS, added.chain(deleted).collect());
        if let Some((kind, data)) = &self.body {
            let mut body = vec![];
            body.put_number(air_sync_base::TYPE, BodyType::from(*kind).code());
            body.put(air_sync_base::DATA, to_text(data));
            children.push(Element::parent(air_sync_base::BODY, body));
        }
        children
    }

    fn read_attachments(&mut self, element: &Element) -> Result<()> {
        if element.children().len() > MAX_ATTACHMENTS {
            let element = air_sync_base::ATTACHMENTS;
            return Err(Error::TooMany { element, limit: MAX_ATTACHMENTS });
        }
        for added in element.each(air_sync_base::ADD) {
            self.attach.push(NewAttachment::from_element(added)?);
        }
        for deleted in element.each(air_sync_base::DELETE) {
            self.detach.push(deleted.required_text(air_sync_base::FILE_REFERENCE)?.to_owned());
        }
        Ok(())
    }
}

impl NewAttachment {
    fn from_element(element: &Element) -> Result<Self> {
        let text = |tag| Ok::<_, Error>(element.text_of(tag)?.map(str::to_owned));
        Ok(Self {
            client_id: element.required_text(air_sync_base::CLIENT_ID)?.to_owned(),
            display_name: element.required_text(air_sync_base::DISPLAY_NAME)?.to_owned(),
            content: read_content(element.required(air_sync_base::CONTENT)?)?,
            content_type: text(air_sync_base::CONTENT_TYPE)?,
            content_id: text(air_sync_base::CONTENT_ID)?,
            content_location: text(air_sync_base::CONTENT_LOCATION)?,
            inline: element.boolean_of(air_sync_base::IS_INLINE)?.unwrap_or(false),
        })
    }

    fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put(air_sync_base::CLIENT_ID, &*self.client_id);
        children.push(Element::opaque(air_sync_base::CONTENT, self.content.clone()));
        children.put_some(air_sync_base::CONTENT_ID, self.content_id.as_deref());
        children.put_some(air_sync_base::CONTENT_LOCATION, self.content_location.as_deref());
        children.put_some(air_sync_base::CONTENT_TYPE, self.content_type.as_deref());
        children.put(air_sync_base::DISPLAY_NAME, &*self.display_name);
        if self.inline {
            children.put_boolean(air_sync_base::IS_INLINE, true);
        }
        children.put(air_sync_base::METHOD, "1");
        Element::parent(air_sync_base::ADD, children)
    }
}

/// A file that was attached, as the answer tells it (MS-ASAIRS 2.2.2.7, in `Responses`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachedFile {
    /// The phone's name for it.
    pub client_id: String,
    /// By what it is fetched and taken off from now on.
    pub reference: String,
}

/// The children of `ApplicationData` in an answer to a draft; none where nothing was attached.
pub fn attached_to_elements(files: impl IntoIterator<Item = AttachedFile>) -> Vec<Element> {
    let attachments = files.into_iter().map(|file| {
        let client_id = Element::text(air_sync_base::CLIENT_ID, file.client_id);
        let reference = Element::text(air_sync_base::FILE_REFERENCE, file.reference);
        Element::parent(air_sync_base::ATTACHMENT, vec![client_id, reference])
    });
    let mut children = vec![];
    children.put_parent(air_sync_base::ATTACHMENTS, attachments.collect());
    children
}

/// Opaque data as it is; text is base64 (MS-ASAIRS 2.2.2.15).
fn read_content(element: &Element) -> Result<Bytes> {
    match &element.content {
        Content::Opaque(bytes) => Ok(bytes.clone()),
        Content::Empty => Ok(Bytes::new()),
        Content::Text(text) => {
            let joined: String = text.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(joined);
            let wrong = Error::Value { element: element.tag, expected: "opaque data or base64" };
            bytes.map(Bytes::from).map_err(|_| wrong)
        }
        Content::Children(_) => Err(Error::Value { element: element.tag, expected: "content" }),
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
