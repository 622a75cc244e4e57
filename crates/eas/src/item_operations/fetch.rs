//! What is to be fetched, and how (MS-ASCMD 2.2.3.67.1).

use crate::body::ContentOptions;
use crate::compose::bounded;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::range::Range;
use dme_wbxml::pages::air_sync;
use dme_wbxml::pages::air_sync_base as b;
use dme_wbxml::pages::document_library;
use dme_wbxml::pages::item_operations as i;
use dme_wbxml::pages::rights_management as rm;
use dme_wbxml::pages::search;
use dme_wbxml::{Element, Tag};

const MAX_ID: usize = 64;
const MAX_LONG_ID: usize = 256;
const MAX_FILE_REFERENCE: usize = 512;
const MAX_LINK: usize = 1024;
/// More elements than any class has.
const MAX_SCHEMA: usize = 200;

/// Where from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Store {
    /// The mailbox.
    #[default]
    Mailbox,
    /// A file share; not served here, answered with `UnknownStore`.
    DocumentLibrary,
    /// Another, which nobody knows.
    Unknown(String),
}

impl Store {
    fn from_text(text: &str) -> Self {
        if text.eq_ignore_ascii_case("Mailbox") {
            Self::Mailbox
        } else if text.eq_ignore_ascii_case("DocumentLibrary") {
            Self::DocumentLibrary
        } else {
            Self::Unknown(text.chars().take(MAX_ID).collect())
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Mailbox => "Mailbox",
            Self::DocumentLibrary => "DocumentLibrary",
            Self::Unknown(text) => text,
        }
    }
}

/// Which thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchTarget {
    /// An item, by the ids Sync gave it.
    Item {
        /// Its folder.
        collection_id: String,
        /// The item.
        server_id: String,
    },
    /// An item, by the id a search gave it.
    LongId(String),
    /// An attachment.
    FileReference(String),
    /// A document on a file share.
    Link(String),
    /// Something of a store that is not known.
    Unknown,
}

impl FetchTarget {
    pub(super) fn from_element(element: &Element) -> Result<Self> {
        if element.each(b::FILE_REFERENCE).nth(1).is_some() {
            return Err(Error::TooMany { element: b::FILE_REFERENCE, limit: 1 });
        }
        let file = bounded(element, b::FILE_REFERENCE, MAX_FILE_REFERENCE)?;
        let long_id = bounded(element, search::LONG_ID, MAX_LONG_ID)?;
        let link = bounded(element, document_library::LINK_ID, MAX_LINK)?;
        let server_id = bounded(element, air_sync::SERVER_ID, MAX_ID)?;
        match (file, long_id, link, server_id) {
            (Some(file), None, None, None) => Ok(Self::FileReference(file)),
            (None, Some(long_id), None, None) => Ok(Self::LongId(long_id)),
            (None, None, Some(link), None) => Ok(Self::Link(link)),
            (None, None, None, Some(server_id)) => {
                let collection_id = bounded(element, air_sync::COLLECTION_ID, MAX_ID)?;
                let collection_id = collection_id.ok_or(Error::Missing {
                    parent: element.tag,
                    element: air_sync::COLLECTION_ID,
                })?;
                Ok(Self::Item { collection_id, server_id })
            }
            // An empty reference is one that names no attachment (MS-ASAIRS 2.2.2.24).
            (None, None, None, None) if element.child(b::FILE_REFERENCE).is_some() => {
                Ok(Self::FileReference(String::new()))
            }
            (None, None, None, None) => {
                Err(Error::Missing { parent: element.tag, element: air_sync::SERVER_ID })
            }
            _ => Err(Error::Conflict(air_sync::SERVER_ID, b::FILE_REFERENCE)),
        }
    }

    /// Pushes the ids; a class, where given, stands between those of the item and the rest.
    pub(super) fn push(&self, class: Option<&str>, children: &mut Vec<Element>) {
        match self {
            Self::Item { collection_id, server_id } => {
                children.put(air_sync::COLLECTION_ID, collection_id.as_str());
                children.put(air_sync::SERVER_ID, server_id.as_str());
            }
            Self::LongId(long_id) => children.put(search::LONG_ID, long_id.as_str()),
            Self::FileReference(_) | Self::Link(_) | Self::Unknown => {}
        }
        children.put_some(air_sync::CLASS, class);
        match self {
            Self::FileReference(file) => children.put(b::FILE_REFERENCE, file.as_str()),
            Self::Link(link) => children.put(document_library::LINK_ID, link.as_str()),
            Self::Item { .. } | Self::LongId(_) | Self::Unknown => {}
        }
    }
}

/// One thing to fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// Where from.
    pub store: Store,
    /// Which.
    pub target: FetchTarget,
    /// Which bytes of it; none for all. Attachments and documents only.
    pub range: Option<Range>,
    /// How the body is wanted.
    pub content: ContentOptions,
    /// Which elements are wanted; empty for all.
    pub schema: Vec<Tag>,
    /// Whether the rights protection is to be taken off (14.1 on).
    pub remove_rights: bool,
}

impl Fetch {
    /// A thing of the mailbox, whole.
    pub fn new(target: FetchTarget) -> Self {
        Self {
            store: Store::Mailbox,
            target,
            range: None,
            content: ContentOptions::default(),
            schema: Vec::new(),
            remove_rights: false,
        }
    }

    pub(super) fn from_element(element: &Element) -> Result<Self> {
        let store = Store::from_text(element.required_text(i::STORE)?);
        let target = match FetchTarget::from_element(element) {
            // How the ids of a store that nobody knows look is not known either.
            Err(_) if matches!(store, Store::Unknown(_)) => FetchTarget::Unknown,
            target => target?,
        };
        let mut fetch = Self { store, ..Self::new(target) };
        fetch.remove_rights = element.child(rm::REMOVE_RIGHTS_MANAGEMENT_PROTECTION).is_some();
        if let Some(options) = element.child(i::OPTIONS) {
            fetch.range = options.child(i::RANGE).map(Range::from_element).transpose()?;
            fetch.content = ContentOptions::from_options(options)?;
            let schema = options.child(i::SCHEMA).map(Element::children).unwrap_or_default();
            if schema.len() > MAX_SCHEMA {
                return Err(Error::TooMany { element: i::SCHEMA, limit: MAX_SCHEMA });
            }
            fetch.schema = schema.iter().map(|element| element.tag).collect();
        }
        Ok(fetch)
    }

    pub(super) fn to_element(&self) -> Element {
        let mut children = Vec::new();
        children.put(i::STORE, self.store.as_str());
        self.target.push(None, &mut children);
        let mut options = Vec::new();
        options.put_parent(i::SCHEMA, self.schema.iter().map(|tag| Element::empty(*tag)).collect());
        options.put_some(i::RANGE, self.range.map(|range| range.to_string()));
        self.content.put(&mut options);
        children.put_parent(i::OPTIONS, options);
        children.put_mark(rm::REMOVE_RIGHTS_MANAGEMENT_PROTECTION, self.remove_rights);
        Element::parent(i::FETCH, children)
    }
}
