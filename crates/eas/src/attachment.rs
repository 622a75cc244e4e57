//! Files of mails and events (MS-ASAIRS 2.2.2.7, 2.2.2.8): told by the server; attached and taken
//! off by a phone (16.0 on).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::line::one_line;
use crate::server_id::{FileReference, ServerId};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dme_model::{Attachment, AttachmentKind};
use dme_wbxml::pages::air_sync_base;
use dme_wbxml::{Content, Element};

/// The most attachments added or deleted at once.
const MAX_ATTACHMENTS: usize = 1_000;

/// `Attachment` (MS-ASAIRS 2.2.2.7).
pub(crate) fn element(attachment: &Attachment, id: &ServerId) -> Element {
    let reference = FileReference { item: id.clone(), part: attachment.part.clone() };
    let mut children = vec![];
    children.put(air_sync_base::DISPLAY_NAME, one_line(&attachment.name));
    children.put(air_sync_base::FILE_REFERENCE, reference.to_string());
    children.put(
        air_sync_base::METHOD,
        match attachment.kind {
            AttachmentKind::File => "1",
            AttachmentKind::Message => "5",
        },
    );
    children.put_number(air_sync_base::ESTIMATED_DATA_SIZE, attachment.size);
    children.put_some(air_sync_base::CONTENT_ID, attachment.content_id.as_deref());
    children.put_some(air_sync_base::CONTENT_LOCATION, attachment.content_location.as_deref());
    if attachment.inline {
        children.put_boolean(air_sync_base::IS_INLINE, true);
    }
    Element::parent(air_sync_base::ATTACHMENT, children)
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

/// What an `Attachments` element adds, and the file references of what it deletes.
///
/// # Errors
/// Where there are too many, or one lacks what it must have.
pub(crate) fn read_changes(element: &Element) -> Result<(Vec<NewAttachment>, Vec<String>)> {
    if element.children().len() > MAX_ATTACHMENTS {
        let element = air_sync_base::ATTACHMENTS;
        return Err(Error::TooMany { element, limit: MAX_ATTACHMENTS });
    }
    let added = element.each(air_sync_base::ADD).map(NewAttachment::from_element);
    let deleted = element
        .each(air_sync_base::DELETE)
        .map(|deleted| deleted.required_text(air_sync_base::FILE_REFERENCE).map(str::to_owned));
    Ok((added.collect::<Result<_>>()?, deleted.collect::<Result<_>>()?))
}

/// The same the other way; nothing where nothing is added or deleted.
pub(crate) fn put_changes(
    children: &mut Vec<Element>,
    attach: &[NewAttachment],
    detach: &[String],
) {
    let added = attach.iter().map(NewAttachment::to_element);
    let deleted = detach.iter().map(|reference| {
        let reference = Element::text(air_sync_base::FILE_REFERENCE, &**reference);
        Element::parent(air_sync_base::DELETE, vec![reference])
    });
    children.put_parent(air_sync_base::ATTACHMENTS, added.chain(deleted).collect());
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
pub(crate) fn read_content(element: &Element) -> Result<Bytes> {
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
