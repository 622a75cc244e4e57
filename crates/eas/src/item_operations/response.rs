//! What ItemOperations came to; inline, or multipart (MS-ASCMD 2.2.1.10.1).

use super::fetch::FetchTarget;
use super::{Status, conversation_id};
use crate::body::to_bytes;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::range::Range;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dme_wbxml::pages::air_sync;
use dme_wbxml::pages::air_sync_base as b;
use dme_wbxml::pages::item_operations as i;
use dme_wbxml::{Content, Element};

/// What was fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchContent {
    /// An item's elements, as in a Sync.
    Item(Vec<Element>),
    /// A file, or a part of it.
    File {
        /// Its media type.
        content_type: Option<String>,
        /// Which bytes these are; none for all.
        range: Option<Range>,
        /// The size of the whole, where only a part was asked for.
        total: Option<u64>,
        /// The bytes.
        data: Bytes,
    },
}

/// What one fetch came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchResponse {
    /// How it went.
    pub status: Status,
    /// What was asked for; none where the request was not understood.
    pub target: Option<FetchTarget>,
    /// An item's class, `Email`.
    pub class: Option<String>,
    /// What was fetched.
    pub content: Option<FetchContent>,
}

impl FetchResponse {
    /// One that did not go well.
    pub fn failed(status: Status, target: FetchTarget) -> Self {
        Self { status, target: Some(target), class: None, content: None }
    }
}

/// What one operation came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// A move.
    Move {
        /// How it went.
        status: Status,
        /// Of which conversation.
        conversation_id: Bytes,
    },
    /// A folder emptied.
    EmptyFolder {
        /// How it went.
        status: Status,
        /// Which folder.
        collection_id: String,
    },
    /// A fetch.
    Fetch(FetchResponse),
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How the command went.
    pub status: Status,
    /// One for each operation of the request.
    pub operations: Vec<Operation>,
}

/// Where contents go: into the element, or behind it as parts.
enum Delivery {
    Inline,
    Multipart(Vec<Bytes>),
}

impl Response {
    /// An answer of a status alone.
    pub fn status(status: Status) -> Self {
        Self { status, operations: Vec::new() }
    }

    /// The element with all contents in it, files in base64.
    pub fn into_element(self) -> Element {
        self.write(&mut Delivery::Inline)
    }

    /// The element, and beside it the contents it refers to, the first of which is part 1. What is
    /// sent is [`crate::multipart::join`] of the encoded element and these.
    pub fn into_parts(self) -> (Element, Vec<Bytes>) {
        let mut delivery = Delivery::Multipart(Vec::new());
        let element = self.write(&mut delivery);
        match delivery {
            Delivery::Multipart(parts) => (element, parts),
            Delivery::Inline => (element, Vec::new()),
        }
    }

    fn write(self, delivery: &mut Delivery) -> Element {
        let mut moves = Vec::new();
        let mut emptied = Vec::new();
        let mut fetched = Vec::new();
        for operation in self.operations {
            let mut children = Vec::new();
            match operation {
                Operation::Move { status, conversation_id } => {
                    children.put_number(i::STATUS, status.code());
                    children.push(Element::opaque(i::CONVERSATION_ID, conversation_id));
                    moves.push(Element::parent(i::MOVE, children));
                }
                Operation::EmptyFolder { status, collection_id } => {
                    children.put_number(i::STATUS, status.code());
                    children.put(air_sync::COLLECTION_ID, collection_id);
                    emptied.push(Element::parent(i::EMPTY_FOLDER_CONTENTS, children));
                }
                Operation::Fetch(fetch) => fetched.push(fetch.write(delivery)),
            }
        }
        let mut children = Vec::new();
        children.put_number(i::STATUS, self.status.code());
        // The schema wants them in this order, whatever the request's was.
        moves.extend(emptied);
        moves.extend(fetched);
        children.put_parent(i::RESPONSE, moves);
        Element::parent(i::ITEM_OPERATIONS, children)
    }

    /// Reads an answer that has all in the element.
    ///
    /// # Errors
    /// Where it is not an ItemOperations element, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        Self::from_parts(element, &[])
    }

    /// Reads an answer of several parts; `parts` are those after the element.
    ///
    /// # Errors
    /// Where it is not an ItemOperations element, a value is not of its type, or a part is missing.
    pub fn from_parts(element: &Element, parts: &[Bytes]) -> Result<Self> {
        let element = element.expect_tag(i::ITEM_OPERATIONS)?;
        let list = element.child(i::RESPONSE).map(Element::children).unwrap_or_default();
        let operations = list.iter().map(|one| Operation::from_element(one, parts));
        let operations = operations.filter_map(Result::transpose).collect::<Result<_>>()?;
        Ok(Self { status: Status::read(element, i::STATUS)?, operations })
    }
}

impl Operation {
    fn from_element(element: &Element, parts: &[Bytes]) -> Result<Option<Self>> {
        let status = Status::read(element, i::STATUS);
        Ok(Some(match element.tag {
            i::MOVE => Self::Move { status: status?, conversation_id: conversation_id(element)? },
            i::EMPTY_FOLDER_CONTENTS => Self::EmptyFolder {
                status: status?,
                collection_id: element.required_text(air_sync::COLLECTION_ID)?.to_owned(),
            },
            i::FETCH => Self::Fetch(FetchResponse {
                status: status?,
                target: FetchTarget::from_element(element).ok(),
                class: element.text_of(air_sync::CLASS)?.map(str::to_owned),
                content: match element.child(i::PROPERTIES) {
                    Some(properties) => Some(FetchContent::from_element(properties, parts)?),
                    None => None,
                },
            }),
            _ => return Ok(None),
        }))
    }
}

impl FetchResponse {
    fn write(self, delivery: &mut Delivery) -> Element {
        let mut children = Vec::new();
        children.put_number(i::STATUS, self.status.code());
        if let Some(target) = &self.target {
            target.push(self.class.as_deref(), &mut children);
        }
        if let Some(content) = self.content {
            children.push(Element::parent(i::PROPERTIES, content.write(delivery)));
        }
        Element::parent(i::FETCH, children)
    }
}

impl FetchContent {
    fn write(self, delivery: &mut Delivery) -> Vec<Element> {
        match self {
            Self::Item(mut elements) => {
                if let Delivery::Multipart(parts) = delivery {
                    let bodies = elements.iter_mut().filter(|element| has_data(element));
                    bodies.for_each(|body| move_data_out(body, parts));
                }
                elements
            }
            Self::File { content_type, range, total, data } => {
                let mut children = Vec::new();
                children.put_some(b::CONTENT_TYPE, content_type);
                children.put_some(i::RANGE, range.map(|range| range.to_string()));
                children.put_some_number(i::TOTAL, total);
                match delivery {
                    Delivery::Inline => children.put(i::DATA, STANDARD.encode(&data)),
                    Delivery::Multipart(parts) => children.push(part_element(data, parts)),
                }
                children
            }
        }
    }

    fn from_element(properties: &Element, parts: &[Bytes]) -> Result<Self> {
        let data = match (properties.child(i::DATA), properties.number_of(i::PART)?) {
            (Some(data), _) => Some(file_data(data)?),
            (None, Some(part)) => Some(part_of(parts, part)?),
            (None, None) => None,
        };
        let Some(data) = data else {
            let mut elements = properties.children().to_vec();
            for body in elements.iter_mut().filter(|element| has_data(element)) {
                move_data_in(body, parts)?;
            }
            return Ok(Self::Item(elements));
        };
        Ok(Self::File {
            content_type: properties.text_of(b::CONTENT_TYPE)?.map(str::to_owned),
            range: properties.child(i::RANGE).map(Range::from_element).transpose()?,
            total: properties.number_of(i::TOTAL)?,
            data,
        })
    }
}

/// `<Part>n</Part>` for data that becomes part n; part 0 is the element itself.
fn part_element(data: Bytes, parts: &mut Vec<Bytes>) -> Element {
    parts.push(data);
    Element::text(i::PART, parts.len().to_string())
}

/// What of an item has `Data` that can be a part (MS-ASAIRS 2.2.2.33): its body and body part.
fn has_data(element: &Element) -> bool {
    matches!(element.tag, b::BODY | b::BODY_PART)
}

fn move_data_out(body: &mut Element, parts: &mut Vec<Bytes>) {
    let Content::Children(children) = &mut body.content else { return };
    for child in children.iter_mut().filter(|child| child.tag == b::DATA) {
        *child = part_element(to_bytes(child), parts);
    }
}

fn move_data_in(body: &mut Element, parts: &[Bytes]) -> Result<()> {
    let Content::Children(children) = &mut body.content else { return Ok(()) };
    for child in children.iter_mut().filter(|child| child.tag == i::PART) {
        let number = child.text_value()?.parse().map_err(|_| missing_part())?;
        *child = Element::opaque(b::DATA, part_of(parts, number)?);
    }
    Ok(())
}

fn part_of(parts: &[Bytes], number: usize) -> Result<Bytes> {
    let part = number.checked_sub(1).and_then(|index| parts.get(index));
    part.cloned().ok_or(missing_part())
}

fn missing_part() -> Error {
    Error::Value { element: i::PART, expected: "the number of a part that is there" }
}

fn file_data(element: &Element) -> Result<Bytes> {
    let wrong = Error::Value { element: i::DATA, expected: "base64" };
    STANDARD.decode(element.text_value()?.trim()).map(Bytes::from).map_err(|_| wrong)
}
