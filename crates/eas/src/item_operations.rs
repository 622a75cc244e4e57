//! ItemOperations: fetch an item, a search result or an attachment, whole or in part; empty a
//! folder; move a conversation (MS-ASCMD 2.2.1.10).

mod fetch;
mod response;

#[cfg(test)]
mod tests;

pub use fetch::{Fetch, FetchTarget, Store};
pub use response::{FetchContent, FetchResponse, Operation as OperationResponse, Response};

use crate::body::to_bytes;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use bytes::Bytes;
use dme_wbxml::Element;
use dme_wbxml::pages::air_sync;
use dme_wbxml::pages::item_operations as i;

/// Operations in one request.
const MAX_OPERATIONS: usize = 100;
/// The longest conversation id, in bytes; ours have 16.
const MAX_CONVERSATION_ID: usize = 64;

statuses! {
    /// How the command went, and each operation (MS-ASCMD 2.2.3.177.8).
    pub enum Status {
        /// Done.
        Success = 1,
        /// The request broke the protocol.
        ProtocolError = 2,
        /// The server failed.
        ServerError = 3,
        /// The document's address is none.
        BadLink = 4,
        /// The document may not be read.
        AccessDenied = 5,
        /// There is no such thing, or it may not be seen.
        NotFound = 6,
        /// The document's server is not reachable.
        ConnectionFailed = 7,
        /// The range is not within the thing, or too large.
        InvalidRange = 8,
        /// The store is not known.
        UnknownStore = 9,
        /// The file is empty.
        EmptyFile = 10,
        /// What is asked for is too large.
        TooLarge = 11,
        /// The file could not be read.
        ReadFailed = 12,
        /// The item could not be put in the form asked for.
        ConversionFailed = 14,
        /// The attachment's id is not one, or not any more.
        InvalidAttachment = 15,
        /// The thing may not be touched.
        ResourceAccessDenied = 16,
        /// Part of it was done.
        Partial = 17,
        /// A login is needed.
        CredentialsRequired = 18,
    }
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Fetch something.
    Fetch(Fetch),
    /// Delete all items of a folder for good.
    EmptyFolder {
        /// Which.
        collection_id: String,
        /// And the folders in it.
        delete_subfolders: bool,
    },
    /// Move a conversation (14.0 on).
    Move {
        /// Which.
        conversation_id: Bytes,
        /// Where to.
        destination: String,
        /// And all that will come to it.
        always: bool,
    },
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// What to do, in this order; at most 100.
    pub operations: Vec<Operation>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not an ItemOperations element, or an operation lacks a part.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(i::ITEM_OPERATIONS)?;
        if element.children().len() > MAX_OPERATIONS {
            return Err(Error::TooMany { element: i::ITEM_OPERATIONS, limit: MAX_OPERATIONS });
        }
        let operations = element.children().iter().map(Operation::from_element);
        let operations: Vec<Operation> =
            operations.filter_map(Result::transpose).collect::<Result<_>>()?;
        if operations.is_empty() {
            return Err(Error::Missing { parent: i::ITEM_OPERATIONS, element: i::FETCH });
        }
        Ok(Self { operations })
    }

    /// The element.
    pub fn to_element(&self) -> Element {
        let operations = self.operations.iter().map(Operation::to_element);
        Element::parent(i::ITEM_OPERATIONS, operations.collect())
    }
}

impl Operation {
    /// None for elements not known here.
    fn from_element(element: &Element) -> Result<Option<Self>> {
        Ok(Some(match element.tag {
            i::FETCH => Self::Fetch(Fetch::from_element(element)?),
            i::EMPTY_FOLDER_CONTENTS => {
                let options = element.child(i::OPTIONS);
                Self::EmptyFolder {
                    collection_id: element.required_text(air_sync::COLLECTION_ID)?.to_owned(),
                    delete_subfolders: options
                        .is_some_and(|options| options.child(i::DELETE_SUB_FOLDERS).is_some()),
                }
            }
            i::MOVE => {
                let options = element.child(i::OPTIONS);
                Self::Move {
                    conversation_id: conversation_id(element)?,
                    destination: element.required_text(i::DST_FLD_ID)?.to_owned(),
                    always: options.is_some_and(|options| options.child(i::MOVE_ALWAYS).is_some()),
                }
            }
            _ => return Ok(None),
        }))
    }

    fn to_element(&self) -> Element {
        let mut children = Vec::new();
        match self {
            Self::Fetch(fetch) => fetch.to_element(),
            Self::EmptyFolder { collection_id, delete_subfolders } => {
                children.put(air_sync::COLLECTION_ID, collection_id.as_str());
                let mut options = Vec::new();
                options.put_mark(i::DELETE_SUB_FOLDERS, *delete_subfolders);
                children.put_parent(i::OPTIONS, options);
                Element::parent(i::EMPTY_FOLDER_CONTENTS, children)
            }
            Self::Move { conversation_id, destination, always } => {
                children.push(Element::opaque(i::CONVERSATION_ID, conversation_id.clone()));
                children.put(i::DST_FLD_ID, destination.as_str());
                let mut options = Vec::new();
                options.put_mark(i::MOVE_ALWAYS, *always);
                children.put_parent(i::OPTIONS, options);
                Element::parent(i::MOVE, children)
            }
        }
    }
}

fn conversation_id(parent: &Element) -> Result<Bytes> {
    let bytes = to_bytes(parent.required(i::CONVERSATION_ID)?);
    if bytes.is_empty() || bytes.len() > MAX_CONVERSATION_ID {
        return Err(Error::Value { element: i::CONVERSATION_ID, expected: "1 to 64 bytes" });
    }
    Ok(bytes)
}
