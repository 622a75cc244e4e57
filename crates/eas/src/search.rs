//! Search: mail in the mailbox, people in the directory (MS-ASCMD 2.2.1.16).

mod query;

#[cfg(test)]
mod tests;

pub use query::{MailboxQuery, Query};

use crate::body::ContentOptions;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::gal::{Person, PictureLimits};
use crate::range::Range;
use crate::status::statuses;
use crate::version::ProtocolVersion;
use dme_wbxml::Element;
use dme_wbxml::pages::air_sync;
use dme_wbxml::pages::search as s;

/// More results than any range can ask for.
const MAX_RESULTS: usize = 1000;

statuses! {
    /// How a search went (MS-ASCMD 2.2.3.177.13).
    pub enum Status {
        /// Done; there may be no results.
        Success = 1,
        /// The request is wrong.
        InvalidRequest = 2,
        /// The server failed.
        ServerError = 3,
        /// The document's address is none.
        BadLink = 4,
        /// The document may not be read.
        AccessDenied = 5,
        /// There is no such document.
        NotFound = 6,
        /// The document's server is not reachable.
        ConnectionFailed = 7,
        /// The query is too complex.
        TooComplex = 8,
        /// The search took too long.
        TimedOut = 10,
        /// The folder is not known: sync the hierarchy.
        FolderSyncRequired = 11,
        /// The range is beyond what can be fetched.
        EndOfRange = 12,
        /// Access is blocked.
        AccessBlocked = 13,
        /// A login is needed.
        CredentialsRequired = 14,
    }
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Where, and what for.
    pub query: Query,
    /// Which of the results; none for the first ones.
    pub range: Option<Range>,
    /// Folders below those named are searched too.
    pub deep_traversal: bool,
    /// The results of an earlier search with the same query are not to be used again.
    pub rebuild_results: bool,
    /// How bodies are wanted.
    pub content: ContentOptions,
    /// Pictures of people are wanted (14.1 on).
    pub picture: Option<PictureLimits>,
}

impl Request {
    /// A search without options.
    pub fn new(query: Query) -> Self {
        Self {
            query,
            range: None,
            deep_traversal: false,
            rebuild_results: false,
            content: ContentOptions::default(),
            picture: None,
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a Search element with a store and a query, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let store = element.expect_tag(s::SEARCH)?.required(s::STORE)?;
        let mut request = Self::new(Query::from_store(store)?);
        if let Some(options) = store.child(s::OPTIONS) {
            request.range = options.child(s::RANGE).map(Range::from_element).transpose()?;
            request.deep_traversal = options.child(s::DEEP_TRAVERSAL).is_some();
            request.rebuild_results = options.child(s::REBUILD_RESULTS).is_some();
            request.content = ContentOptions::from_options(options)?;
            let picture = options.child(s::PICTURE);
            let limits =
                picture.map(|p| PictureLimits::from_element(p, s::MAX_SIZE, s::MAX_PICTURES));
            request.picture = limits.transpose()?;
        }
        Ok(request)
    }

    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut options = Vec::new();
        options.put_mark(s::REBUILD_RESULTS, self.rebuild_results);
        options.put_mark(s::DEEP_TRAVERSAL, self.deep_traversal);
        options.put_some(s::RANGE, self.range.map(|range| range.to_string()));
        self.content.put(&mut options);
        if let Some(limits) = self.picture
            && version >= ProtocolVersion::V14_1
        {
            options.push(limits.to_element(s::PICTURE, s::MAX_SIZE, s::MAX_PICTURES));
        }
        let mut store = self.query.to_elements(version);
        store.put_parent(s::OPTIONS, options);
        Element::parent(s::SEARCH, vec![Element::parent(s::STORE, store)])
    }
}

/// One result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// An item of the mailbox.
    Item {
        /// Its class, `Email`.
        class: String,
        /// The id to fetch it by, at most 256 characters.
        long_id: String,
        /// Its folder.
        collection_id: String,
        /// Its elements, as in a Sync.
        properties: Vec<Element>,
    },
    /// A person of the directory.
    Person(Person),
}

impl Found {
    fn into_element(self) -> Element {
        let mut children = Vec::new();
        let properties = match self {
            Self::Item { class, long_id, collection_id, properties } => {
                children.put(air_sync::CLASS, class);
                children.put(s::LONG_ID, long_id);
                children.put(air_sync::COLLECTION_ID, collection_id);
                properties
            }
            Self::Person(person) => person.to_elements(),
        };
        children.push(Element::parent(s::PROPERTIES, properties));
        Element::parent(s::RESULT, children)
    }

    /// None for the empty result that stands where there are none.
    fn from_element(element: &Element) -> Result<Option<Self>> {
        let Some(properties) = element.child(s::PROPERTIES) else { return Ok(None) };
        Ok(Some(match element.text_of(s::LONG_ID)? {
            Some(long_id) => Self::Item {
                class: element.text_of(air_sync::CLASS)?.unwrap_or_default().to_owned(),
                long_id: long_id.to_owned(),
                collection_id: element.required_text(air_sync::COLLECTION_ID)?.to_owned(),
                properties: properties.children().to_vec(),
            },
            None => Self::Person(Person::from_element(properties)?),
        }))
    }
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How the command went: `Success` or `ServerError`, or one common to all commands.
    pub status: Status,
    /// How the search went, and what it found; none where the command failed.
    pub store: Option<StoreAnswer>,
}

/// What the store answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreAnswer {
    /// How the search went.
    pub status: Status,
    /// The results within the range.
    pub results: Vec<Found>,
    /// Which these are; none where there are none.
    pub range: Option<Range>,
    /// How many there are in all.
    pub total: u32,
}

impl Response {
    /// The command failed.
    pub fn failed(status: Status) -> Self {
        Self { status, store: None }
    }

    /// The search failed.
    pub fn store_failed(status: Status) -> Self {
        let store = StoreAnswer { status, results: Vec::new(), range: None, total: 0 };
        Self { status: Status::Success, store: Some(store) }
    }

    /// The results from the one of number `first` on, of `total` in all.
    pub fn results(results: Vec<Found>, first: u32, total: u32) -> Self {
        let count = u32::try_from(results.len()).unwrap_or(u32::MAX);
        let last = first.saturating_add(count.saturating_sub(1));
        let range = (count > 0).then(|| Range::new(first, last)).flatten();
        let store = StoreAnswer { status: Status::Success, results, range, total };
        Self { status: Status::Success, store: Some(store) }
    }

    /// The element.
    pub fn into_element(self) -> Element {
        let mut children = Vec::new();
        children.put_number(s::STATUS, self.status.code());
        if let Some(store) = self.store {
            let mut within = Vec::new();
            within.put_number(s::STATUS, store.status.code());
            if store.status == Status::Success {
                // No results are told by an empty one (MS-ASCMD 2.2.3.155.2).
                within.put_mark(s::RESULT, store.results.is_empty());
                within.extend(store.results.into_iter().map(Found::into_element));
                within.put_some(s::RANGE, store.range.map(|range| range.to_string()));
                within.put_number(s::TOTAL, store.total);
            }
            let store = Element::parent(s::STORE, within);
            children.push(Element::parent(s::RESPONSE, vec![store]));
        }
        Element::parent(s::SEARCH, children)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a Search element with a status, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(s::SEARCH)?;
        let store = element.child(s::RESPONSE).and_then(|response| response.child(s::STORE));
        let store = match store {
            Some(store) => {
                if store.each(s::RESULT).count() > MAX_RESULTS {
                    return Err(Error::TooMany { element: s::RESULT, limit: MAX_RESULTS });
                }
                let results = store.each(s::RESULT).map(Found::from_element);
                Some(StoreAnswer {
                    status: Status::read(store, s::STATUS)?,
                    results: results.filter_map(Result::transpose).collect::<Result<_>>()?,
                    range: store.child(s::RANGE).map(Range::from_element).transpose()?,
                    total: store.number_of(s::TOTAL)?.unwrap_or_default(),
                })
            }
            None => None,
        };
        Ok(Self { status: Status::read(element, s::STATUS)?, store })
    }
}
