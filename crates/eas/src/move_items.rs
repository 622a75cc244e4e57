//! MoveItems: items put into other folders (MS-ASCMD 2.2.1.12).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use dme_wbxml::{Element, pages::move_items as page};

/// The most moves taken in one request.
const MAX_MOVES: usize = 10_000;

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The moves, at least one.
    pub moves: Vec<Move>,
}

/// One item to be moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// The item's server id.
    pub source: String,
    /// The server id of the folder it lies in.
    pub source_folder: String,
    /// The server id of the folder it shall lie in.
    pub destination_folder: String,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// What became of the whole request, where it was refused as one.
    pub status: Option<Status>,
    /// What became of each item.
    pub moved: Vec<Moved>,
}

/// What became of one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// The server id it had.
    pub source: String,
    /// How it went.
    pub status: Status,
    /// The server id it has now, where it was moved.
    pub destination: Option<String>,
}

statuses! {
    /// How a move went (MS-ASCMD 2.2.3.177.10). Note that 3 is success.
    pub enum Status {
        /// The item or the folder it should be in is not there.
        InvalidSource = 1,
        /// The folder to move to is not there.
        InvalidDestination = 2,
        /// Moved.
        Success = 3,
        /// It lies there already.
        SameFolder = 4,
        /// The move failed in the mail system, or the item lies in several places.
        Failed = 5,
        /// Source or destination is locked for the moment: try again.
        Locked = 7,
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where an id is missing, or there is no move or too many.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::MOVE_ITEMS)?;
        root.required(page::MOVE)?;
        if root.each(page::MOVE).count() > MAX_MOVES {
            return Err(Error::TooMany { element: page::MOVE, limit: MAX_MOVES });
        }
        let moves = root.each(page::MOVE).map(|one| {
            Ok(Move {
                source: one.required_text(page::SRC_MSG_ID)?.to_owned(),
                source_folder: one.required_text(page::SRC_FLD_ID)?.to_owned(),
                destination_folder: one.required_text(page::DST_FLD_ID)?.to_owned(),
            })
        });
        Ok(Self { moves: moves.collect::<Result<_>>()? })
    }

    /// Writes the request.
    pub fn to_element(&self) -> Element {
        let moves = self.moves.iter().map(|one| {
            let mut children = vec![];
            children.put(page::SRC_MSG_ID, &*one.source);
            children.put(page::SRC_FLD_ID, &*one.source_folder);
            children.put(page::DST_FLD_ID, &*one.destination_folder);
            Element::parent(page::MOVE, children)
        });
        Element::parent(page::MOVE_ITEMS, moves.collect())
    }
}

impl Response {
    /// An answer that refuses the request as a whole.
    pub fn failed(status: Status) -> Self {
        Self { status: Some(status), moved: vec![] }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where an id or status is missing.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::MOVE_ITEMS)?;
        let status = root.number_of(page::STATUS)?.map(Status::from_code);
        let moved = root.each(page::RESPONSE).map(|one| {
            Ok(Moved {
                source: one.required_text(page::SRC_MSG_ID)?.to_owned(),
                status: Status::read(one, page::STATUS)?,
                destination: one.text_of(page::DST_MSG_ID)?.map(str::to_owned),
            })
        });
        Ok(Self { status, moved: moved.collect::<Result<_>>()? })
    }

    /// Writes the answer: for each item `SrcMsgId`, `Status`, `DstMsgId`.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_some_number(page::STATUS, self.status.map(Status::code));
        for one in &self.moved {
            let mut response = vec![];
            response.put(page::SRC_MSG_ID, &*one.source);
            response.put_number(page::STATUS, one.status.code());
            response.put_some(page::DST_MSG_ID, one.destination.as_deref());
            children.push(Element::parent(page::RESPONSE, response));
        }
        Element::parent(page::MOVE_ITEMS, children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let one = |n: u8| Move {
            source: format!("1:{n}"),
            source_folder: "1".into(),
            destination_folder: "4".into(),
        };
        let request = Request { moves: vec![one(7), one(8)] };
        let element = request.to_element();
        let tags: Vec<_> = element.children()[0].children().iter().map(|child| child.tag).collect();
        assert_eq!(tags, [page::SRC_MSG_ID, page::SRC_FLD_ID, page::DST_FLD_ID]);
        assert_eq!(Request::from_element(&element), Ok(request));
    }

    #[test]
    fn a_request_without_moves_or_with_absurdly_many_is_refused() {
        let element = Element::empty(page::MOVE_ITEMS);
        assert!(matches!(Request::from_element(&element), Err(Error::Missing { .. })));
        let moves = vec![Element::empty(page::MOVE); MAX_MOVES + 1];
        let element = Element::parent(page::MOVE_ITEMS, moves);
        assert!(matches!(Request::from_element(&element), Err(Error::TooMany { .. })));
    }

    #[test]
    fn an_answer_says_of_each_item_what_became_of_it() {
        let moved = |status, destination: Option<&str>| Moved {
            source: "1:7".into(),
            status,
            destination: destination.map(str::to_owned),
        };
        let response = Response {
            status: None,
            moved: vec![
                moved(Status::Success, Some("4:1")),
                moved(Status::InvalidSource, None),
                moved(Status::SameFolder, None),
            ],
        };
        let element = response.to_element();
        assert_eq!(element.children()[0].child_text(page::STATUS), Some("3"));
        assert_eq!(Response::from_element(&element), Ok(response));
        let refused = Response::failed(crate::CommonStatus::DeviceNotProvisioned.into());
        assert_eq!(Response::from_element(&refused.to_element()), Ok(refused));
    }
}
