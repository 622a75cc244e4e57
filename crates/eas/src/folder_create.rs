//! FolderCreate: a new folder (MS-ASCMD 2.2.1.3).

use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::folder_sync::FolderType;
use crate::status::statuses;
use dme_wbxml::{Element, pages::folder_hierarchy as page};

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The folder list's last key.
    pub sync_key: String,
    /// The server id of the folder to make it in; `0` for the top.
    pub parent_id: String,
    /// The name.
    pub display_name: String,
    /// What it is for; only the types made by users may be asked for.
    pub kind: FolderType,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// The folder list's new key and the new folder's server id, where it went well.
    pub created: Option<Created>,
}

/// The new folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Created {
    /// The folder list's new key.
    pub sync_key: String,
    /// The new folder's server id.
    pub server_id: String,
}

statuses! {
    /// How a FolderCreate went (MS-ASCMD 2.2.3.177.3).
    pub enum Status {
        /// All went well.
        Success = 1,
        /// The name is taken.
        AlreadyExists = 2,
        /// The parent is a folder of the system that can hold none.
        SpecialParent = 3,
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
        /// The server answered with something unforeseen.
        CodeUnknown = 12,
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where a required element is missing or wrong: answer [`Status::ProtocolError`].
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_CREATE)?;
        Ok(Self {
            sync_key: root.required_text(page::SYNC_KEY)?.to_owned(),
            parent_id: root.required_text(page::PARENT_ID)?.to_owned(),
            display_name: root.required_text(page::DISPLAY_NAME)?.to_owned(),
            kind: FolderType::from_code(root.required_number(page::TYPE)?),
        })
    }

    /// Writes the request.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put(page::SYNC_KEY, &*self.sync_key);
        children.put(page::PARENT_ID, &*self.parent_id);
        children.put(page::DISPLAY_NAME, &*self.display_name);
        children.put_number(page::TYPE, self.kind.code());
        Element::parent(page::FOLDER_CREATE, children)
    }
}

impl Response {
    /// An answer that says only what went wrong.
    pub fn failed(status: Status) -> Self {
        Self { status, created: None }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where there is no status, or only one of key and id.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_CREATE)?;
        let status = Status::read(root, page::STATUS)?;
        let created = match status {
            Status::Success => Some(Created {
                sync_key: root.required_text(page::SYNC_KEY)?.to_owned(),
                server_id: root.required_text(page::SERVER_ID)?.to_owned(),
            }),
            _ => None,
        };
        Ok(Self { status, created })
    }

    /// Writes the answer: `Status`, `SyncKey`, `ServerId`.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_number(page::STATUS, self.status.code());
        if let Some(created) = &self.created {
            children.put(page::SYNC_KEY, &*created.sync_key);
            children.put(page::SERVER_ID, &*created.server_id);
        }
        Element::parent(page::FOLDER_CREATE, children)
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
            parent_id: "0".into(),
            display_name: "收据".into(),
            kind: FolderType::UserMail,
        };
        let element = request.to_element();
        let tags: Vec<_> = element.children().iter().map(|child| child.tag).collect();
        assert_eq!(tags, [page::SYNC_KEY, page::PARENT_ID, page::DISPLAY_NAME, page::TYPE]);
        assert_eq!(Request::from_element(&element), Ok(request));
    }

    #[test]
    fn a_request_without_a_type_or_with_a_type_that_is_none_is_refused() {
        let mut children = vec![];
        children.put(page::SYNC_KEY, "1");
        children.put(page::PARENT_ID, "0");
        children.put(page::DISPLAY_NAME, "a");
        let element = Element::parent(page::FOLDER_CREATE, children.clone());
        assert_eq!(
            Request::from_element(&element),
            Err(Error::Missing { parent: page::FOLDER_CREATE, element: page::TYPE })
        );
        children.put(page::TYPE, "mail");
        let element = Element::parent(page::FOLDER_CREATE, children);
        assert!(matches!(Request::from_element(&element), Err(Error::Value { .. })));
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let created = Created { sync_key: "4".into(), server_id: "12".into() };
        for response in [
            Response { status: Status::Success, created: Some(created) },
            Response::failed(Status::AlreadyExists),
            Response::failed(crate::CommonStatus::DeviceNotProvisioned.into()),
            Response::failed(Status::Unknown(99)),
        ] {
            assert_eq!(Response::from_element(&response.to_element()), Ok(response));
        }
    }
}
