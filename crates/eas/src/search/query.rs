//! Where is searched, and what for (MS-ASCMD 2.2.3.142.2).

use crate::body::to_bytes;
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::version::ProtocolVersion;
use bytes::Bytes;
use dme_model::Timestamp;
use dme_wbxml::pages::{air_sync, document_library, email, search as s};
use dme_wbxml::{Element, Tag};

/// The longest text searched for, in characters (MS-ASCMD 2.2.3.142.2 names none).
const MAX_TEXT: usize = 1024;
/// Folders, and classes, in one query.
const MAX_NAMED: usize = 100;
const MAX_ID: usize = 64;
/// The longest conversation id, in bytes; ours have 16.
const MAX_CONVERSATION_ID: usize = 64;

/// Where is searched, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// In the mailbox.
    Mailbox(MailboxQuery),
    /// In the mailbox, but with `Or`, which the documents allow and no server takes, or with
    /// conditions beside `And`; answered with `TooComplex`.
    TooComplex,
    /// For people in the directory: the beginning of a name or address.
    Directory(String),
    /// On a file share; not served here.
    DocumentLibrary(String),
}

/// What is searched for in the mailbox. All conditions must hold; those not given always do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailboxQuery {
    /// Items of one of these classes (`Email`).
    pub classes: Vec<String>,
    /// In one of these folders.
    pub collection_ids: Vec<String>,
    /// With these words in them.
    pub free_text: Option<String>,
    /// Received after.
    pub received_after: Option<Timestamp>,
    /// Received before.
    pub received_before: Option<Timestamp>,
    /// Of this conversation (14.0 on).
    pub conversation_id: Option<Bytes>,
}

impl Query {
    pub(super) fn from_store(store: &Element) -> Result<Self> {
        let name = store.required_text(s::NAME)?;
        let query = store.required(s::QUERY)?;
        if name.eq_ignore_ascii_case("GAL") {
            return Ok(Self::Directory(text(query)?));
        }
        if name.eq_ignore_ascii_case("DocumentLibrary") {
            let link = query.required(s::EQUAL_TO)?.required_text(s::VALUE)?;
            return Ok(Self::DocumentLibrary(link.chars().take(MAX_TEXT).collect()));
        }
        if !name.eq_ignore_ascii_case("Mailbox") {
            let expected = "Mailbox, GAL or DocumentLibrary";
            return Err(Error::Value { element: s::NAME, expected });
        }
        let all = query.child(s::AND).unwrap_or(query);
        // All conditions stand in one `And` (MS-ASCMD 2.2.3.10); where there is none, they are
        // taken to.
        let more = query.children().len() > 1 && query.child(s::AND).is_some();
        if more || query.child(s::OR).is_some() || all.child(s::OR).is_some() {
            return Ok(Self::TooComplex);
        }
        Ok(Self::Mailbox(MailboxQuery::from_element(all)?))
    }

    /// `Name` and `Query`.
    pub(super) fn to_elements(&self, version: ProtocolVersion) -> Vec<Element> {
        let (name, query) = match self {
            Self::Mailbox(query) => {
                let all = Element::parent(s::AND, query.to_elements(version));
                ("Mailbox", Element::parent(s::QUERY, vec![all]))
            }
            Self::TooComplex => ("Mailbox", Element::parent(s::QUERY, vec![Element::empty(s::OR)])),
            Self::Directory(text) => ("GAL", Element::text(s::QUERY, text.as_str())),
            Self::DocumentLibrary(link) => {
                let mut children = vec![Element::empty(document_library::LINK_ID)];
                children.put(s::VALUE, link.as_str());
                let equal = Element::parent(s::EQUAL_TO, children);
                ("DocumentLibrary", Element::parent(s::QUERY, vec![equal]))
            }
        };
        vec![Element::text(s::NAME, name), query]
    }
}

impl MailboxQuery {
    fn from_element(all: &Element) -> Result<Self> {
        let named = |tag: Tag| {
            if all.each(tag).count() > MAX_NAMED {
                return Err(Error::TooMany { element: tag, limit: MAX_NAMED });
            }
            all.each(tag).map(|one| bounded_text(one, MAX_ID)).collect::<Result<Vec<_>>>()
        };
        let free_text = all.child(s::FREE_TEXT).map(text).transpose()?;
        let conversation_id = all.child(s::CONVERSATION_ID).map(to_bytes);
        if conversation_id.as_ref().is_some_and(|id| id.len() > MAX_CONVERSATION_ID) {
            return Err(Error::Value { element: s::CONVERSATION_ID, expected: "at most 64 bytes" });
        }
        Ok(Self {
            classes: named(air_sync::CLASS)?,
            collection_ids: named(air_sync::COLLECTION_ID)?,
            free_text,
            received_after: compared(all, s::GREATER_THAN)?,
            received_before: compared(all, s::LESS_THAN)?,
            conversation_id,
        })
    }

    fn to_elements(&self, version: ProtocolVersion) -> Vec<Element> {
        let mut children = Vec::new();
        for class in &self.classes {
            children.put(air_sync::CLASS, class.as_str());
        }
        for id in &self.collection_ids {
            children.put(air_sync::COLLECTION_ID, id.as_str());
        }
        if let Some(id) = &self.conversation_id
            && version >= ProtocolVersion::V14_0
        {
            children.push(Element::opaque(s::CONVERSATION_ID, id.clone()));
        }
        children.put_some(s::FREE_TEXT, self.free_text.as_deref());
        for (tag, moment) in
            [(s::GREATER_THAN, self.received_after), (s::LESS_THAN, self.received_before)]
        {
            if let Some(moment) = moment {
                let mut within = vec![Element::empty(email::DATE_RECEIVED)];
                within.put(s::VALUE, date::format(moment));
                children.push(Element::parent(tag, within));
            }
        }
        children
    }
}

/// The moment `DateReceived` is compared with; other elements cannot be compared.
fn compared(all: &Element, tag: Tag) -> Result<Option<Timestamp>> {
    let Some(comparison) = all.child(tag) else { return Ok(None) };
    comparison.required(email::DATE_RECEIVED)?;
    let wrong = Error::Value { element: s::VALUE, expected: "a date and time" };
    date::parse(comparison.required_text(s::VALUE)?).map(Some).ok_or(wrong)
}

fn text(element: &Element) -> Result<String> {
    bounded_text(element, MAX_TEXT)
}

fn bounded_text(element: &Element, max: usize) -> Result<String> {
    let text = element.text_value()?.trim();
    if text.is_empty() || text.chars().nth(max).is_some() {
        return Err(Error::Value { element: element.tag, expected: "some text, but not so much" });
    }
    Ok(text.to_owned())
}
