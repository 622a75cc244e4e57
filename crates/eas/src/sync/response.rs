//! The answer.

use super::{ItemClass, ItemResponse, Limit, ServerCommand, Status, options::read_class};
use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::version::ProtocolVersion;
use dme_wbxml::{Element, pages::air_sync as page};

/// What the server answers. Where nothing changed in any collection, nothing is answered at all:
/// the HTTP body is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    /// What is wrong with the whole request; none where it went well.
    pub status: Option<Status>,
    /// The nearest allowed value, with status 14 or 15.
    pub limit: Option<Limit>,
    /// The collections.
    pub collections: Vec<CollectionResponse>,
}

/// A collection in an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollectionResponse {
    /// Its class; given in 12.1 only.
    pub class: Option<ItemClass>,
    /// The key to ask with next time.
    pub sync_key: String,
    /// Its server id.
    pub collection_id: String,
    /// How it went.
    pub status: Status,
    /// Whether more changes wait than fit in.
    pub more_available: bool,
    /// What happened on the server.
    pub commands: Vec<ServerCommand>,
    /// What became of what the phone did.
    pub responses: Vec<ItemResponse>,
}

impl Response {
    /// An answer that says only what went wrong with the whole.
    pub fn failed(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// An answer that refuses a wait or a number of collections and says what is allowed.
    pub fn limited(status: Status, limit: Limit) -> Self {
        Self { status: Some(status), limit: Some(limit), collections: vec![] }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where a required element is missing or does not hold what it must.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::SYNC)?;
        let collections = root.child(page::COLLECTIONS).map(|list| {
            list.each(page::COLLECTION).map(CollectionResponse::from_element).collect()
        });
        Ok(Self {
            status: root.number_of(page::STATUS)?.map(Status::from_code),
            limit: root.number_of(page::LIMIT)?.map(Limit),
            collections: collections.transpose()?.unwrap_or_default(),
        })
    }

    /// Writes the answer for this version. Takes it over, since it may be large.
    pub fn into_element(self, version: ProtocolVersion) -> Element {
        let mut children = vec![];
        children.put_some_number(page::STATUS, self.status.map(Status::code));
        children.put_some_number(page::LIMIT, self.limit.map(|limit| limit.0));
        let collections =
            self.collections.into_iter().map(|collection| collection.into_element(version));
        children.put_parent(page::COLLECTIONS, collections.collect());
        Element::parent(page::SYNC, children)
    }
}

impl CollectionResponse {
    /// A collection in which nothing happened.
    pub fn new(collection_id: impl Into<String>, sync_key: impl Into<String>) -> Self {
        Self {
            class: None,
            sync_key: sync_key.into(),
            collection_id: collection_id.into(),
            status: Status::Success,
            more_available: false,
            commands: vec![],
            responses: vec![],
        }
    }

    /// A collection that failed.
    pub fn failed(
        collection_id: impl Into<String>,
        sync_key: impl Into<String>,
        status: Status,
    ) -> Self {
        Self { status, ..Self::new(collection_id, sync_key) }
    }

    fn from_element(element: &Element) -> Result<Self> {
        let list = |tag| element.child(tag).map(Element::children).unwrap_or_default().iter();
        let commands = list(page::COMMANDS).map(ServerCommand::from_element);
        let responses = list(page::RESPONSES).map(ItemResponse::from_element);
        Ok(Self {
            class: read_class(element, page::CLASS)?,
            // A server may leave the key out where the collection failed.
            sync_key: element.text_of(page::SYNC_KEY)?.unwrap_or("0").to_owned(),
            collection_id: element.required_text(page::COLLECTION_ID)?.to_owned(),
            status: Status::read(element, page::STATUS)?,
            more_available: element.child(page::MORE_AVAILABLE).is_some(),
            commands: commands.filter_map(Result::transpose).collect::<Result<_>>()?,
            responses: responses.filter_map(Result::transpose).collect::<Result<_>>()?,
        })
    }

    /// Writes the collection: `Class` (12.1), `SyncKey`, `CollectionId`, `Status`,
    /// `MoreAvailable`, `Commands`, `Responses`.
    pub fn into_element(self, version: ProtocolVersion) -> Element {
        let mut children = vec![];
        if version == ProtocolVersion::V12_1 {
            children.put_some(page::CLASS, self.class.map(ItemClass::name));
        }
        children.put(page::SYNC_KEY, self.sync_key);
        children.put(page::COLLECTION_ID, self.collection_id);
        children.put_number(page::STATUS, self.status.code());
        children.put_mark(page::MORE_AVAILABLE, self.more_available);
        let commands = self.commands.into_iter().map(ServerCommand::into_element).collect();
        children.put_parent(page::COMMANDS, commands);
        let responses = self.responses.into_iter().map(ItemResponse::into_element).collect();
        children.put_parent(page::RESPONSES, responses);
        Element::parent(page::COLLECTION, children)
    }
}
