//! Ping: tell me when one of these folders changes (MS-ASCMD 2.2.1.13).
//!
//! A Ping without a body asks what the last one asked; one without folders or interval takes those
//! of the last.

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use crate::sync::ItemClass;
use dme_wbxml::{Element, pages::ping as page};
use std::time::Duration;

/// The most folders read in one request; what a server really watches is its own, lower limit.
const MAX_FOLDERS: usize = 10_000;

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// How long to wait for a change, whole seconds.
    pub heartbeat: Option<Duration>,
    /// What to watch.
    pub folders: Option<Vec<Folder>>,
}

/// A folder to be watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Its server id.
    pub id: String,
    /// Its class; none for one that is not known here.
    pub class: Option<ItemClass>,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// The time is over and nothing has changed (1).
    Expired,
    /// These folders have changed (2).
    Changed(Vec<String>),
    /// The interval is out of range; this one is the nearest that is not (5).
    HeartbeatOutOfRange(Duration),
    /// More folders than can be watched; so many can (6).
    TooManyFolders(u32),
    /// Anything else, see [`Status`].
    Failed(Status),
}

statuses! {
    /// How a Ping went (MS-ASCMD 2.2.3.177.11).
    pub enum Status {
        /// The time is over and nothing has changed.
        Expired = 1,
        /// Folders have changed.
        Changed = 2,
        /// Nothing is known of an earlier Ping: send folders and interval.
        MissingParameters = 3,
        /// The request is not well formed.
        ProtocolError = 4,
        /// The interval is out of range.
        HeartbeatOutOfRange = 5,
        /// More folders than can be watched.
        TooManyFolders = 6,
        /// The list of folders has changed: FolderSync.
        FolderSyncRequired = 7,
        /// The server failed.
        ServerError = 8,
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where an element does not hold what it must: answer [`Status::ProtocolError`].
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::PING)?;
        let folders = root.child(page::FOLDERS).map(|folders| {
            if folders.children().len() > MAX_FOLDERS {
                return Err(Error::TooMany { element: page::FOLDER, limit: MAX_FOLDERS });
            }
            folders.each(page::FOLDER).map(Folder::from_element).collect()
        });
        // Any number is an interval, if one out of range, which has a status of its own.
        let heartbeat = root.number_of::<i64>(page::HEARTBEAT_INTERVAL)?;
        let seconds = heartbeat.map(|seconds| u64::try_from(seconds).unwrap_or(0));
        Ok(Self { heartbeat: seconds.map(Duration::from_secs), folders: folders.transpose()? })
    }

    /// Writes the request.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_some_number(
            page::HEARTBEAT_INTERVAL,
            self.heartbeat.as_ref().map(Duration::as_secs),
        );
        if let Some(folders) = &self.folders {
            let folders = folders.iter().map(Folder::to_element).collect();
            children.push(Element::parent(page::FOLDERS, folders));
        }
        Element::parent(page::PING, children)
    }
}

impl Folder {
    fn from_element(element: &Element) -> Result<Self> {
        Ok(Self {
            id: element.required_text(page::ID)?.to_owned(),
            class: element.text_of(page::CLASS)?.and_then(ItemClass::from_name),
        })
    }

    fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put(page::ID, &*self.id);
        children.put_some(page::CLASS, self.class.map(ItemClass::name));
        Element::parent(page::FOLDER, children)
    }
}

impl Response {
    /// Its status.
    pub fn status(&self) -> Status {
        match self {
            Self::Expired => Status::Expired,
            Self::Changed(_) => Status::Changed,
            Self::HeartbeatOutOfRange(_) => Status::HeartbeatOutOfRange,
            Self::TooManyFolders(_) => Status::TooManyFolders,
            Self::Failed(status) => *status,
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where the status, or what belongs to it, is missing.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::PING)?;
        Ok(match Status::read(root, page::STATUS)? {
            Status::Expired => Self::Expired,
            Status::Changed => {
                let folders = root.required(page::FOLDERS)?.each(page::FOLDER);
                let ids = folders.map(|folder| folder.text_value().map(str::to_owned));
                Self::Changed(ids.collect::<Result<_>>()?)
            }
            Status::HeartbeatOutOfRange => {
                let seconds = root.required_number::<u32>(page::HEARTBEAT_INTERVAL)?;
                Self::HeartbeatOutOfRange(Duration::from_secs(seconds.into()))
            }
            Status::TooManyFolders => {
                Self::TooManyFolders(root.required_number(page::MAX_FOLDERS)?)
            }
            status => Self::Failed(status),
        })
    }

    /// Writes the answer: `Status`, then `Folders`, `HeartbeatInterval` or `MaxFolders`.
    pub fn to_element(&self) -> Element {
        let mut children = vec![];
        children.put_number(page::STATUS, self.status().code());
        match self {
            Self::Changed(ids) => {
                let folders = ids.iter().map(|id| Element::text(page::FOLDER, &**id)).collect();
                children.push(Element::parent(page::FOLDERS, folders));
            }
            Self::HeartbeatOutOfRange(nearest) => {
                children.put_number(page::HEARTBEAT_INTERVAL, nearest.as_secs());
            }
            Self::TooManyFolders(limit) => children.put_number(page::MAX_FOLDERS, *limit),
            Self::Expired | Self::Failed(_) => {}
        }
        Element::parent(page::PING, children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let folder = |id: &str, class| Folder { id: id.into(), class };
        for request in [
            Request {
                heartbeat: Some(Duration::from_secs(900)),
                folders: Some(vec![
                    folder("1", Some(ItemClass::Email)),
                    folder("2", Some(ItemClass::Calendar)),
                ]),
            },
            Request { heartbeat: Some(Duration::from_secs(60)), folders: None },
            Request::default(),
        ] {
            assert_eq!(Request::from_element(&request.to_element()), Ok(request));
        }
    }

    #[test]
    fn a_folder_of_an_unknown_class_is_watched_all_the_same() {
        let mut children = vec![];
        children.put(page::ID, "9");
        children.put(page::CLASS, "Journal");
        let folders = Element::parent(page::FOLDERS, vec![Element::parent(page::FOLDER, children)]);
        let request = Request::from_element(&Element::parent(page::PING, vec![folders])).unwrap();
        assert_eq!(request.folders, Some(vec![Folder { id: "9".into(), class: None }]));
    }

    #[test]
    fn an_interval_that_is_no_number_is_refused() {
        for text in ["", "soon", "1.5"] {
            let interval = Element::text(page::HEARTBEAT_INTERVAL, text);
            let element = Element::parent(page::PING, vec![interval]);
            assert!(matches!(Request::from_element(&element), Err(Error::Value { .. })), "{text}");
        }
    }

    #[test]
    fn an_interval_below_or_above_all_that_is_allowed_is_still_one() {
        for (text, seconds) in [("-100", 0), ("99999999999", 99_999_999_999)] {
            let interval = Element::text(page::HEARTBEAT_INTERVAL, text);
            let element = Element::parent(page::PING, vec![interval]);
            let heartbeat = Request::from_element(&element).unwrap().heartbeat;
            assert_eq!(heartbeat, Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        for (response, code) in [
            (Response::Expired, "1"),
            (Response::Changed(vec!["1".into(), "4".into()]), "2"),
            (Response::HeartbeatOutOfRange(Duration::from_secs(3540)), "5"),
            (Response::TooManyFolders(300), "6"),
            (Response::Failed(Status::FolderSyncRequired), "7"),
            (Response::Failed(crate::CommonStatus::ServerErrorRetryLater.into()), "111"),
        ] {
            let element = response.to_element();
            assert_eq!(element.children()[0], Element::text(page::STATUS, code));
            assert_eq!(Response::from_element(&element), Ok(response));
        }
    }
}
