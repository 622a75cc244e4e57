//! Bodies, and what of them the phone wants (MS-ASAIRS).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use bytes::Bytes;
use dme_model::{Body, BodyKind, BodyView, MimeSupport};
use dme_wbxml::pages::{air_sync, air_sync_base as page, rights_management};
use dme_wbxml::{Content, Element, Tag};
use std::collections::HashSet;

mod text;

pub(crate) use text::{put_native, read_native, read_text, text_element};

/// The most preferences read in one request; there are four types.
const MAX_PREFERENCES: usize = 16;

/// The form of a body (MS-ASAIRS 2.2.2.41.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyType {
    /// Plain text (1).
    Plain,
    /// HTML (2).
    Html,
    /// Compressed RTF (3); never offered, but phones ask for it.
    Rtf,
    /// The whole message (4).
    Mime,
}

/// One body form a phone accepts, with its limits (MS-ASAIRS 2.2.2.12, and 2.2.2.11 for parts).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyPreference {
    /// The form.
    pub kind: BodyType,
    /// At most so many bytes; none means whole.
    pub truncation_size: Option<u32>,
    /// Whole or, if longer, not at all.
    pub all_or_none: bool,
    /// So many characters of plain text beside the body (14.0 on; 0 to 255).
    pub preview: Option<u16>,
}

/// The part of `Options` that says how contents are wanted; the same in Sync, ItemOperations and
/// Search.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContentOptions {
    /// When MIME is wanted (MS-ASCMD 2.2.3.110.3).
    pub mime_support: Option<MimeSupport>,
    /// How much of it (MS-ASCMD 2.2.3.111), Sync only.
    pub mime_truncation: Option<MimeTruncation>,
    /// The body forms accepted.
    pub preferences: Vec<BodyPreference>,
    /// Wanted of the message's own part of its conversation (14.1 on).
    pub part_preference: Option<BodyPreference>,
    /// Whether rights managed mail is understood (14.1 on).
    pub rights_management: Option<bool>,
}

/// After how many characters MIME is cut (MS-ASCMD 2.2.3.111): 0 to 8 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MimeTruncation(u8);

impl MimeTruncation {
    /// The value with this number, 0 to 8.
    pub fn from_code(code: u8) -> Option<Self> {
        (code <= 8).then_some(Self(code))
    }

    /// The number on the wire.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The most that is sent; none means whole.
    pub fn limit(self) -> Option<u32> {
        match self.0 {
            0 => Some(0),
            1 => Some(4_096),
            2 => Some(5_120),
            3 => Some(7_168),
            4 => Some(10_240),
            5 => Some(20_480),
            6 => Some(51_200),
            7 => Some(102_400),
            _ => None,
        }
    }
}

impl BodyType {
    /// The number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Plain => 1,
            Self::Html => 2,
            Self::Rtf => 3,
            Self::Mime => 4,
        }
    }

    /// The type with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Plain, Self::Html, Self::Rtf, Self::Mime].into_iter().find(|t| t.code() == code)
    }

    pub(crate) fn read(parent: &Element, tag: Tag) -> Result<Option<Self>> {
        parent
            .number_of(tag)?
            .map(|code| {
                Self::from_code(code)
                    .ok_or(Error::Value { element: tag, expected: "a body type, 1 to 4" })
            })
            .transpose()
    }

    /// The neutral form; RTF has none.
    pub fn to_model(self) -> Option<BodyKind> {
        match self {
            Self::Plain => Some(BodyKind::Plain),
            Self::Html => Some(BodyKind::Html),
            Self::Rtf => None,
            Self::Mime => Some(BodyKind::Mime),
        }
    }
}

impl From<BodyKind> for BodyType {
    fn from(kind: BodyKind) -> Self {
        match kind {
            BodyKind::Plain => Self::Plain,
            BodyKind::Html => Self::Html,
            BodyKind::Mime => Self::Mime,
        }
    }
}

impl BodyPreference {
    /// A form without limits.
    pub fn whole(kind: BodyType) -> Self {
        Self { kind, truncation_size: None, all_or_none: false, preview: None }
    }

    /// Reads a `BodyPreference` or `BodyPartPreference`.
    ///
    /// # Errors
    /// Where the type is missing, a value is out of range, or the children are not those of MS-ASAIRS
    /// 2.2.2.12, each once and in that order: 3.2.5.1 has the server refuse what else there is.
    pub fn from_element(element: &Element) -> Result<Self> {
        let mut allowed =
            [page::TYPE, page::TRUNCATION_SIZE, page::ALL_OR_NONE, page::PREVIEW].into_iter();
        if !element.children().iter().all(|child| allowed.any(|tag| tag == child.tag)) {
            return Err(Error::Value { element: element.tag, expected: "its elements in order" });
        }
        let kind = BodyType::read(element, page::TYPE)?
            .ok_or(Error::Missing { parent: element.tag, element: page::TYPE })?;
        let preview = element.number_of(page::PREVIEW)?;
        if preview.is_some_and(|length| length > 255) {
            return Err(Error::Value { element: page::PREVIEW, expected: "0 to 255" });
        }
        Ok(Self {
            kind,
            truncation_size: element.number_of(page::TRUNCATION_SIZE)?,
            all_or_none: element.boolean_of(page::ALL_OR_NONE)?.unwrap_or(false),
            preview,
        })
    }

    /// Writes it as an element of this tag.
    pub fn to_element(&self, tag: Tag) -> Element {
        let mut children = vec![];
        children.put_number(page::TYPE, self.kind.code());
        children.put_some_number(page::TRUNCATION_SIZE, self.truncation_size);
        if self.all_or_none {
            children.put_boolean(page::ALL_OR_NONE, true);
        }
        children.put_some_number(page::PREVIEW, self.preview);
        Element::parent(tag, children)
    }

    /// In neutral terms; none for a form that is never offered.
    pub fn to_model(&self) -> Option<dme_model::BodyPreference> {
        Some(dme_model::BodyPreference {
            kind: self.kind.to_model()?,
            truncation: self.truncation_size.map(u64::from),
            all_or_none: self.all_or_none,
            preview: self.preview,
        })
    }
}

impl ContentOptions {
    /// Reads what of an `Options` element concerns contents.
    ///
    /// # Errors
    /// Where a value is out of range.
    pub fn from_options(options: &Element) -> Result<Self> {
        let mime_support = options
            .number_of::<u8>(air_sync::MIME_SUPPORT)?
            .map(|code| match code {
                0 => Ok(MimeSupport::Never),
                1 => Ok(MimeSupport::Smime),
                2 => Ok(MimeSupport::Always),
                _ => Err(Error::Value { element: air_sync::MIME_SUPPORT, expected: "0 to 2" }),
            })
            .transpose()?;
        let mime_truncation = options
            .number_of(air_sync::MIME_TRUNCATION)?
            .map(|code| {
                MimeTruncation::from_code(code)
                    .ok_or(Error::Value { element: air_sync::MIME_TRUNCATION, expected: "0 to 8" })
            })
            .transpose()?;
        if options.each(page::BODY_PREFERENCE).count() > MAX_PREFERENCES {
            return Err(Error::TooMany { element: page::BODY_PREFERENCE, limit: MAX_PREFERENCES });
        }
        let preferences = options.each(page::BODY_PREFERENCE).map(BodyPreference::from_element);
        let preferences: Vec<BodyPreference> = preferences.collect::<Result<_>>()?;
        let mut types = HashSet::new();
        if !preferences.iter().all(|preference| types.insert(preference.kind)) {
            // "More than one BodyPreference for each Type" must not be (MS-ASAIRS 2.2.2.12).
            return Err(Error::TooMany { element: page::TYPE, limit: 1 });
        }
        let part = options.child(page::BODY_PART_PREFERENCE).map(BodyPreference::from_element);
        Ok(Self {
            mime_support,
            mime_truncation,
            preferences,
            part_preference: part.transpose()?,
            rights_management: options.boolean_of(rights_management::RIGHTS_MANAGEMENT_SUPPORT)?,
        })
    }

    /// Appends what it says to the children of an `Options` element.
    pub fn put(&self, children: &mut Vec<Element>) {
        children.put_some_number(
            air_sync::MIME_SUPPORT,
            self.mime_support.map(|support| match support {
                MimeSupport::Never => 0u8,
                MimeSupport::Smime => 1,
                MimeSupport::Always => 2,
            }),
        );
        let truncation = self.mime_truncation.map(MimeTruncation::code);
        children.put_some_number(air_sync::MIME_TRUNCATION, truncation);
        for preference in &self.preferences {
            children.push(preference.to_element(page::BODY_PREFERENCE));
        }
        if let Some(part) = &self.part_preference {
            children.push(part.to_element(page::BODY_PART_PREFERENCE));
        }
        let support = rights_management::RIGHTS_MANAGEMENT_SUPPORT;
        children.put_some_boolean(support, self.rights_management);
    }

    /// In neutral terms. `MIMETruncation` limits a MIME preference that has no limit of its own; a
    /// phone that wants S/MIME mail as MIME need not say so twice.
    pub fn view(&self) -> BodyView {
        let mime = self.mime_support.unwrap_or_default();
        let mime_limit = self.mime_truncation.and_then(MimeTruncation::limit).map(u64::from);
        let mut preferences: Vec<dme_model::BodyPreference> = vec![];
        for mut preference in self.preferences.iter().filter_map(BodyPreference::to_model) {
            if preferences.iter().any(|other| other.kind == preference.kind) {
                continue;
            }
            if preference.kind == BodyKind::Mime {
                preference.truncation = preference.truncation.or(mime_limit);
            }
            preferences.push(preference);
        }
        let has_mime = preferences.iter().any(|preference| preference.kind == BodyKind::Mime);
        if mime == MimeSupport::Smime && !has_mime && !preferences.is_empty() {
            preferences.push(dme_model::BodyPreference {
                kind: BodyKind::Mime,
                truncation: mime_limit,
                all_or_none: false,
                preview: None,
            });
        }
        let part_preference = self.part_preference.as_ref().and_then(BodyPreference::to_model);
        BodyView { preferences, mime, part_preference }
    }
}

/// A body as it stands in an item (MS-ASAIRS 2.2.2.9), with the preview beside it.
pub(crate) fn body_element(body: &Body, preview: Option<&str>) -> Element {
    let mut children = body_children(body);
    children.put_some(page::PREVIEW, preview);
    Element::parent(page::BODY, children)
}

/// A body part as it stands in an item (MS-ASAIRS 2.2.2.10), with the preview beside it.
pub(crate) fn body_part_element(part: &Body, preview: Option<&str>) -> Element {
    let mut children = vec![Element::text(page::STATUS, "1")];
    children.append(&mut body_children(part));
    children.put_some(page::PREVIEW, preview);
    Element::parent(page::BODY_PART, children)
}

fn body_children(body: &Body) -> Vec<Element> {
    let mut children = vec![];
    children.put_number(page::TYPE, BodyType::from(body.kind).code());
    children.put_number(page::ESTIMATED_DATA_SIZE, body.full_size);
    if body.truncated {
        children.put_boolean(page::TRUNCATED, true);
    }
    if !body.data.is_empty() {
        children.put(page::DATA, to_text(&body.data));
    }
    children
}

/// Bytes as text; what is not UTF-8 is mended, since an element can hold nothing else.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The bytes an element holds, however they were written.
pub(crate) fn to_bytes(element: &Element) -> Bytes {
    match &element.content {
        Content::Opaque(bytes) => bytes.clone(),
        Content::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
        Content::Empty | Content::Children(_) => Bytes::new(),
    }
}

/// A body as a phone received it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedBody {
    /// Its form.
    pub kind: BodyType,
    /// The content, or as much of it as was sent.
    pub data: Bytes,
    /// Whether content is missing.
    pub truncated: bool,
    /// The size of the whole in bytes as the server estimates it.
    pub estimated_size: Option<u64>,
    /// The first characters as plain text.
    pub preview: Option<String>,
    /// Which part of a multipart answer holds the content.
    pub part: Option<u32>,
}

impl ReceivedBody {
    /// Reads a `Body` or `BodyPart`.
    ///
    /// # Errors
    /// Where the type is missing or a value is not what it must be.
    pub fn from_element(element: &Element) -> Result<Self> {
        Ok(Self {
            kind: BodyType::read(element, page::TYPE)?
                .ok_or(Error::Missing { parent: element.tag, element: page::TYPE })?,
            data: element.child(page::DATA).map(to_bytes).unwrap_or_default(),
            truncated: element.boolean_of(page::TRUNCATED)?.unwrap_or(false),
            estimated_size: element.number_of(page::ESTIMATED_DATA_SIZE)?,
            preview: element.text_of(page::PREVIEW)?.map(str::to_owned),
            part: element.number_of(dme_wbxml::pages::item_operations::PART)?,
        })
    }
}

#[cfg(test)]
mod tests;
