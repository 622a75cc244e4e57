//! FolderUpdate: a folder renamed or moved (MS-ASCMD 2.2.1.6).

use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::status::statuses;
use dme_wbxml::{Element, pages::folder_hierarchy as page};

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The folder list's last key.
    pub sync_key: String,
    /// The server id of the folder.
    pub server_id: String,
    /// The server id of the folder it shall lie in; `0` for the top.
    pub parent_id: String,
    /// The name it shall have.
    pub display_name: String,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// The folder list's new key, where it went well.
    pub sync_key: Option<String>,
}

statuses! {
    /// How a FolderUpdate went (MS-ASCMD 2.2.3.177.6).
    pub enum Status {
        /// All went well.
        Success = 1,
        /// The name is taken, or the folder is one of the system's, as the inbox is.
        AlreadyExists = 2,
        /// The folder is the recipient information cache, which cannot be changed.
        SpecialFolder = 3,
        /// The folder is not there: FolderSync, then ask again.
        NotFound = 4,
        /// The parent is not there: FolderSync, then ask again.
        ParentNotFound = 5,
        /// The server failed.
        ServerError = 6,
        /// The sync key is not the last one given: FolderSync with `0`.
        InvalidSyncKey = 9,
        /// The request is not well formed.
        ProtocolError = 10,
        /// The server failed for a reason it does not know.
        UnknownError = 11,
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where a required element is missing: answer [`Status::ProtocolError`].
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_UPDATE)?;
        Ok(Self {
            sync_key: root.required_text(page::SYNC_KEY)?.to_owned(),
            server_id: root.required_text(page::SERVER_ID)?.to_owned(),
            parent_id: root.required_text(page::PARENT_ID)?.to_owned(),
            display_name: root.required_text(page::DISPLAY_NAME)?.to_owned(),
        })
    }

    /// Writes the request.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put(page::SYNC_KEY, &*self.sync_key);
        children.put(page::SERVER_ID, &*self.server_id);
        children.put(page::PARENT_ID, &*self.parent_id);
        children.put(page::DISPLAY_NAME, &*self.display_name);
        Element::parent(page::FOLDER_UPDATE, children)
    }
}

impl Response {
    /// An answer that says only what went wrong.
    pub fn failed(status: Status) -> Self {
        Self { status, sync_key: None }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where there is no status.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_UPDATE)?;
        Ok(Self {
            status: Status::read(root, page::STATUS)?,
            sync_key: root.text_of(page::SYNC_KEY)?.map(str::to_owned),
        })
    }

    /// Writes the answer: `Status`, `SyncKey`.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_number(page::STATUS, self.status.code());
        children.put_some(page::SYNC_KEY, self.sync_key.as_deref());
        Element::parent(page::FOLDER_UPDATE, children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let request = Request {
            sync_key: "3".into(),
            server_id: "7".into(),
            parent_id: "0".into(),
            display_name: "Receipts".into(),
        };
        let element = request.to_element();
        let tags: Vec<_> = element.children().iter().map(|child| child.tag).collect();
        assert_eq!(tags, [page::SYNC_KEY, page::SERVER_ID, page::PARENT_ID, page::DISPLAY_NAME]);
        assert_eq!(Request::from_element(&element), Ok(request));
    }

    #[test]
    fn a_request_lacking_any_element_is_refused() {
        let whole = Request {
            sync_key: "3".into(),
            server_id: "7".into(),
            parent_id: "0".into(),
            display_name: "Receipts".into(),
        };
        let whole = whole.to_element();
        for missing in whole.children() {
            let rest = whole.children().iter().filter(|child| *child != missing).cloned();
            let element = Element::parent(page::FOLDER_UPDATE, rest.collect());
            assert_eq!(
                Request::from_element(&element),
                Err(Error::Missing { parent: page::FOLDER_UPDATE, element: missing.tag })
            );
        }
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        for response in [
            Response { status: Status::Success, sync_key: Some("4".into()) },
            Response::failed(Status::NotFound),
            Response::failed(crate::CommonStatus::InvalidPolicyKey.into()),
        ] {
            assert_eq!(Response::from_element(&response.to_element()), Ok(response));
        }
    }
}
