//! FolderSync: the list of folders and what changed in it (MS-ASCMD 2.2.1.5).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use dme_wbxml::{Element, pages::folder_hierarchy as page};

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The key of the last answer, `0` at first.
    pub sync_key: String,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// The key to ask with next time; none where it did not go well.
    pub sync_key: Option<String>,
    /// What changed since the key asked with.
    pub changes: Changes,
}

/// What changed in the list of folders.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Folders that are new to the phone.
    pub added: Vec<Folder>,
    /// Folders with another name, parent or type.
    pub updated: Vec<Folder>,
    /// Server ids of folders that are gone.
    pub deleted: Vec<String>,
}

/// One folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// The server's id of it, at most 64 characters.
    pub server_id: String,
    /// The server id of the folder it lies in; `0` at the top.
    pub parent_id: String,
    /// Its name, at most 256 characters.
    pub display_name: String,
    /// What it is for.
    pub kind: FolderType,
}

statuses! {
    /// How a FolderSync went (MS-ASCMD 2.2.3.177.5).
    pub enum Status {
        /// All went well.
        Success = 1,
        /// The server failed.
        ServerError = 6,
        /// The sync key is not the last one given: begin anew with `0`.
        InvalidSyncKey = 9,
        /// The request is not well formed.
        ProtocolError = 10,
        /// The server failed for a reason it does not know.
        UnknownError = 11,
        /// The server answered with something unforeseen.
        CodeUnknown = 12,
    }
}

macro_rules! folder_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What a folder is for (MS-ASCMD 2.2.3.186.3).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum FolderType {
            $($(#[$doc])* $name,)*
        }

        impl FolderType {
            /// The number on the wire.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The type with this number; numbers the documents do not give count as unknown.
            pub const fn from_code(code: u8) -> Self {
                match code { $($code => Self::$name,)* _ => Self::Unknown }
            }
        }
    };
}

folder_types! {
    /// Made by the user, for anything.
    UserGeneric = 1,
    /// Where mail arrives.
    Inbox = 2,
    /// Unsent mail.
    Drafts = 3,
    /// Deleted items.
    Deleted = 4,
    /// Sent mail.
    Sent = 5,
    /// Mail on its way out.
    Outbox = 6,
    /// The main task list.
    Tasks = 7,
    /// The main calendar.
    Calendar = 8,
    /// The main address book.
    Contacts = 9,
    /// The main notes.
    Notes = 10,
    /// The main journal.
    Journal = 11,
    /// Made by the user, for mail.
    UserMail = 12,
    /// Made by the user, for events.
    UserCalendar = 13,
    /// Made by the user, for people.
    UserContacts = 14,
    /// Made by the user, for tasks.
    UserTasks = 15,
    /// Made by the user, for a journal.
    UserJournal = 16,
    /// Made by the user, for notes.
    UserNotes = 17,
    /// For something else.
    Unknown = 18,
    /// The people often written to.
    RecipientInformation = 19,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where the root is another or has no sync key: answer [`Status::ProtocolError`].
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_SYNC)?;
        Ok(Self { sync_key: root.required_text(page::SYNC_KEY)?.to_owned() })
    }

    /// Writes the request.
    pub fn to_element(&self) -> Element {
        let key = Element::text(page::SYNC_KEY, &*self.sync_key);
        Element::parent(page::FOLDER_SYNC, vec![key])
    }
}

impl Response {
    /// An answer that says only what went wrong.
    pub fn failed(status: Status) -> Self {
        Self { status, sync_key: None, changes: Changes::default() }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where a required element is missing or does not hold what it must.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::FOLDER_SYNC)?;
        let mut changes = Changes::default();
        for change in root.child(page::CHANGES).map(Element::children).unwrap_or_default() {
            match change.tag {
                page::ADD => changes.added.push(Folder::from_element(change)?),
                page::UPDATE => changes.updated.push(Folder::from_element(change)?),
                page::DELETE => {
                    changes.deleted.push(change.required_text(page::SERVER_ID)?.to_owned());
                }
                _ => {}
            }
        }
        Ok(Self {
            status: Status::read(root, page::STATUS)?,
            sync_key: root.text_of(page::SYNC_KEY)?.map(str::to_owned),
            changes,
        })
    }

    /// Writes the answer: `Status`, `SyncKey`, `Changes` with `Count` first.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_number(page::STATUS, self.status.code());
        if let Some(key) = &self.sync_key {
            children.put(page::SYNC_KEY, &**key);
            children.push(self.changes.to_element());
        }
        Element::parent(page::FOLDER_SYNC, children)
    }
}

impl Changes {
    fn to_element(&self) -> Element {
        let mut children = vec![];
        let count = self.added.len() + self.updated.len() + self.deleted.len();
        children.put(page::COUNT, count.to_string());
        for folder in &self.updated {
            children.push(Element::parent(page::UPDATE, folder.to_children()));
        }
        for id in &self.deleted {
            let id = Element::text(page::SERVER_ID, &**id);
            children.push(Element::parent(page::DELETE, vec![id]));
        }
        for folder in &self.added {
            children.push(Element::parent(page::ADD, folder.to_children()));
        }
        Element::parent(page::CHANGES, children)
    }
}

impl Folder {
    fn from_element(element: &Element) -> Result<Self> {
        let kind = element.required_number::<u8>(page::TYPE)?;
        let server_id = element.required_text(page::SERVER_ID)?;
        if server_id.is_empty() {
            return Err(Error::Value { element: page::SERVER_ID, expected: "an id" });
        }
        Ok(Self {
            server_id: server_id.to_owned(),
            parent_id: element.required_text(page::PARENT_ID)?.to_owned(),
            display_name: element.required_text(page::DISPLAY_NAME)?.to_owned(),
            kind: FolderType::from_code(kind),
        })
    }

    fn to_children(&self) -> Vec<Element> {
        vec![
            Element::text(page::SERVER_ID, &*self.server_id),
            Element::text(page::PARENT_ID, &*self.parent_id),
            Element::text(page::DISPLAY_NAME, &*self.display_name),
            Element::text(page::TYPE, self.kind.code().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, name: &str, kind: FolderType) -> Folder {
        Folder { server_id: id.into(), parent_id: "0".into(), display_name: name.into(), kind }
    }

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let request = Request { sync_key: "0".into() };
        assert_eq!(Request::from_element(&request.to_element()), Ok(request));
        assert_eq!(
            Request::from_element(&Element::empty(page::FOLDER_SYNC)),
            Err(Error::Missing { parent: page::FOLDER_SYNC, element: page::SYNC_KEY })
        );
        assert!(matches!(
            Request::from_element(&Element::empty(page::FOLDER_CREATE)),
            Err(Error::Unexpected { .. })
        ));
    }

    #[test]
    fn an_answer_has_its_elements_in_the_order_phones_expect() {
        let response = Response {
            status: Status::Success,
            sync_key: Some("1".into()),
            changes: Changes {
                added: vec![folder("5", "Grüße", FolderType::UserMail)],
                updated: vec![folder("1", "Inbox", FolderType::Inbox)],
                deleted: vec!["4".into()],
            },
        };
        let element = response.to_element();
        assert_eq!(
            element.with_contents().to_string(),
            "<FolderHierarchy:FolderSync>\n  <Status>1</Status>\n  <SyncKey>1</SyncKey>\n  \
             <Changes>\n    <Count>3</Count>\n    <Update>\n      <ServerId>1</ServerId>\n      \
             <ParentId>0</ParentId>\n      <DisplayName>Inbox</DisplayName>\n      <Type>2</Type>\n    \
             </Update>\n    <Delete>\n      <ServerId>4</ServerId>\n    </Delete>\n    <Add>\n      \
             <ServerId>5</ServerId>\n      <ParentId>0</ParentId>\n      \
             <DisplayName>Grüße</DisplayName>\n      <Type>12</Type>\n    </Add>\n  </Changes>\n\
             </FolderHierarchy:FolderSync>\n"
        );
        assert_eq!(Response::from_element(&element), Ok(response));
    }

    #[test]
    fn no_change_is_an_empty_list_and_a_failure_has_none() {
        let nothing = Response {
            status: Status::Success,
            sync_key: Some("2".into()),
            changes: Changes::default(),
        };
        let element = nothing.to_element();
        let changes = element.child(page::CHANGES).unwrap();
        assert_eq!(changes.children(), [Element::text(page::COUNT, "0")]);
        assert_eq!(Response::from_element(&element), Ok(nothing));

        let failed = Response::failed(Status::InvalidSyncKey);
        assert_eq!(failed.to_element().children().len(), 1);
        assert_eq!(Response::from_element(&failed.to_element()), Ok(failed));
    }

    #[test]
    fn every_folder_type_is_read_back() {
        for code in 1..=19 {
            assert_eq!(FolderType::from_code(code).code(), code);
        }
        assert_eq!(FolderType::from_code(77), FolderType::Unknown);
    }
}
