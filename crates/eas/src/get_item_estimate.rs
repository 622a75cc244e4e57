//! GetItemEstimate: how many changes a Sync would bring (MS-ASCMD 2.2.1.9).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use crate::sync::{FilterType, ItemClass, Options};
use crate::version::ProtocolVersion;
use dme_wbxml::{Element, pages::air_sync, pages::get_item_estimate as page};

/// The most collections taken in one request.
const MAX_COLLECTIONS: usize = 10_000;

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The collections, at least one.
    pub collections: Vec<Collection>,
}

/// A collection in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collection {
    /// The key the phone would sync with.
    pub sync_key: String,
    /// Its server id.
    pub collection_id: String,
    /// Whether all mails of a conversation count if one passes the filter (14.0 on).
    pub conversation_mode: Option<bool>,
    /// How items are wanted; in 12.1 only class and filter.
    pub options: Vec<Options>,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// What is wrong with the whole request, where it was refused as one.
    pub status: Option<Status>,
    /// The estimates.
    pub estimates: Vec<Estimate>,
}

/// The estimate of one collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// How it went.
    pub status: Status,
    /// The collection's server id.
    pub collection_id: String,
    /// How many changes there are, where it went well.
    pub count: Option<u64>,
}

statuses! {
    /// How a GetItemEstimate went (MS-ASCMD 2.2.3.177.7).
    pub enum Status {
        /// All went well.
        Success = 1,
        /// The collection is not there, or the request is not well formed.
        InvalidCollection = 2,
        /// The collection was never synced.
        NotPrimed = 3,
        /// The sync key is not one of the last given.
        InvalidSyncKey = 4,
    }
}

impl Request {
    /// Reads a request in the form of any version.
    ///
    /// # Errors
    /// Where a required element is missing, a value is wrong, or there are no or too many
    /// collections: answer [`Status::InvalidCollection`].
    pub fn from_element(element: &Element) -> Result<Self> {
        let list = element.expect_tag(page::GET_ITEM_ESTIMATE)?.required(page::COLLECTIONS)?;
        list.required(page::COLLECTION)?;
        if list.children().len() > MAX_COLLECTIONS {
            return Err(Error::TooMany { element: page::COLLECTION, limit: MAX_COLLECTIONS });
        }
        let collections = list.each(page::COLLECTION).map(Collection::from_element);
        Ok(Self { collections: collections.collect::<Result<_>>()? })
    }

    /// Writes the request for this version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let collections =
            self.collections.iter().map(|collection| collection.to_element(version)).collect();
        let list = Element::parent(page::COLLECTIONS, collections);
        Element::parent(page::GET_ITEM_ESTIMATE, vec![list])
    }
}

impl Collection {
    fn from_element(element: &Element) -> Result<Self> {
        let options = element.each(air_sync::OPTIONS).map(Options::from_element);
        let mut options: Vec<Options> = options.collect::<Result<_>>()?;
        // 12.1 has no Options: class and filter stand in the collection itself.
        let class = element.text_of(page::CLASS)?.and_then(ItemClass::from_name);
        let filter = FilterType::read(element)?;
        if options.is_empty() && (class.is_some() || filter.is_some()) {
            options.push(Options { class, filter, ..Options::default() });
        }
        Ok(Self {
            sync_key: element.required_text(air_sync::SYNC_KEY)?.to_owned(),
            collection_id: element.required_text(page::COLLECTION_ID)?.to_owned(),
            conversation_mode: element.boolean_of(air_sync::CONVERSATION_MODE)?,
            options,
        })
    }

    fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = vec![];
        if version == ProtocolVersion::V12_1 {
            let options = self.options.first();
            let class = options.and_then(|options| options.class);
            let filter = options.and_then(|options| options.filter);
            children.put_some(page::CLASS, class.map(ItemClass::name));
            children.put(page::COLLECTION_ID, &*self.collection_id);
            children.put_some_number(air_sync::FILTER_TYPE, filter.map(FilterType::code));
            children.put(air_sync::SYNC_KEY, &*self.sync_key);
        } else {
            children.put(air_sync::SYNC_KEY, &*self.sync_key);
            children.put(page::COLLECTION_ID, &*self.collection_id);
            children.put_some_boolean(air_sync::CONVERSATION_MODE, self.conversation_mode);
            children.extend(self.options.iter().map(Options::to_element));
        }
        Element::parent(page::COLLECTION, children)
    }
}

impl Response {
    /// An answer that refuses the request as a whole.
    pub fn failed(status: Status) -> Self {
        Self { status: Some(status), estimates: vec![] }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where a status or id is missing or a number is none.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::GET_ITEM_ESTIMATE)?;
        let estimates = root.each(page::RESPONSE).map(|response| {
            let collection = response.child(page::COLLECTION);
            Ok(Estimate {
                status: Status::read(response, page::STATUS)?,
                collection_id: match collection {
                    Some(collection) => collection.required_text(page::COLLECTION_ID)?.to_owned(),
                    None => String::new(),
                },
                count: match collection {
                    Some(collection) => collection.number_of(page::ESTIMATE)?,
                    None => None,
                },
            })
        });
        Ok(Self {
            status: root.number_of(page::STATUS)?.map(Status::from_code),
            estimates: estimates.collect::<Result<_>>()?,
        })
    }

    /// Writes the answer: for each collection `Status`, `CollectionId`, `Estimate`.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_some_number(page::STATUS, self.status.map(Status::code));
        for estimate in &self.estimates {
            let mut collection = vec![];
            if !estimate.collection_id.is_empty() {
                collection.put(page::COLLECTION_ID, &*estimate.collection_id);
                collection.put_some_number(page::ESTIMATE, estimate.count);
            }
            let mut response = vec![];
            response.put_number(page::STATUS, estimate.status.code());
            response.put_parent(page::COLLECTION, collection);
            children.push(Element::parent(page::RESPONSE, response));
        }
        Element::parent(page::GET_ITEM_ESTIMATE, children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let options = Options {
            class: Some(ItemClass::Email),
            filter: Some(FilterType::OneWeek),
            ..Options::default()
        };
        Request {
            collections: vec![Collection {
                sync_key: "7".into(),
                collection_id: "1".into(),
                conversation_mode: None,
                options: vec![options],
            }],
        }
    }

    #[test]
    fn a_request_is_read_as_it_is_written_in_every_version() {
        for version in ProtocolVersion::ALL {
            let element = request().to_element(version);
            assert_eq!(Request::from_element(&element), Ok(request()), "{version}");
        }
        let mut with_mode = request();
        with_mode.collections[0].conversation_mode = Some(true);
        let element = with_mode.to_element(ProtocolVersion::V14_0);
        assert_eq!(Request::from_element(&element), Ok(with_mode));
    }

    #[test]
    fn in_12_1_class_and_filter_stand_in_the_collection() {
        let element = request().to_element(ProtocolVersion::V12_1);
        let collection = element.child(page::COLLECTIONS).unwrap().child(page::COLLECTION).unwrap();
        let tags: Vec<_> = collection.children().iter().map(|child| child.tag).collect();
        let order = [page::CLASS, page::COLLECTION_ID, air_sync::FILTER_TYPE, air_sync::SYNC_KEY];
        assert_eq!(tags, order);
    }

    #[test]
    fn a_request_without_a_collection_key_or_id_is_refused() {
        let root = |children| Element::parent(page::GET_ITEM_ESTIMATE, children);
        let list = |collection| root(vec![Element::parent(page::COLLECTIONS, collection)]);
        let lone = |child| list(vec![Element::parent(page::COLLECTION, vec![child])]);
        for element in [
            root(vec![]),
            list(vec![]),
            lone(Element::text(air_sync::SYNC_KEY, "1")),
            lone(Element::text(page::COLLECTION_ID, "1")),
        ] {
            assert!(matches!(Request::from_element(&element), Err(Error::Missing { .. })));
        }
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let estimate =
            |status, id: &str, count| Estimate { status, collection_id: id.into(), count };
        let response = Response {
            status: None,
            estimates: vec![
                estimate(Status::Success, "1", Some(0)),
                estimate(Status::InvalidSyncKey, "2", None),
                estimate(Status::InvalidCollection, "", None),
            ],
        };
        assert_eq!(Response::from_element(&response.to_element()), Ok(response));
        let refused = Response::failed(Status::InvalidCollection);
        assert_eq!(Response::from_element(&refused.to_element()), Ok(refused));
    }
}
