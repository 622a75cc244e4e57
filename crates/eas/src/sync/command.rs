//! What either side did to items (MS-ASCMD 2.2.3.32 `Commands`, 2.2.3.156 `Responses`).
//!
//! The items' own elements are left as they are: each class has a module that reads and writes
//! them, for mail it is [`crate::email`].

use super::{ItemClass, Status, options::read_class};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use dme_wbxml::pages::{air_sync as page, air_sync_base, email2};
use dme_wbxml::{Element, Tag};

/// What the phone did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientCommand {
    /// A new item.
    Add {
        /// The phone's name for it until it has a server id, at most 64 characters.
        client_id: String,
        /// Its class, where it is not the collection's (text messages).
        class: Option<ItemClass>,
        /// Send it too (drafts, 16.0 on).
        send: bool,
        /// Its content.
        data: Vec<Element>,
    },
    /// An item changed.
    Change {
        /// Its server id.
        server_id: String,
        /// Which instance of a series (16.0 on).
        instance_id: Option<String>,
        /// Its class, where it is not the collection's.
        class: Option<ItemClass>,
        /// Send it too (drafts, 16.0 on).
        send: bool,
        /// What of its content changed.
        data: Vec<Element>,
    },
    /// An item deleted.
    Delete {
        /// Its server id.
        server_id: String,
        /// Which instance of a series (16.0 on).
        instance_id: Option<String>,
    },
    /// Not a change: an item's whole content is wanted.
    Fetch {
        /// Its server id.
        server_id: String,
    },
}

/// What happened on the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerCommand {
    /// An item the phone does not have.
    Add {
        /// Its server id.
        server_id: String,
        /// Its class, where it is not the collection's.
        class: Option<ItemClass>,
        /// Its content.
        data: Vec<Element>,
    },
    /// An item changed.
    Change {
        /// Its server id.
        server_id: String,
        /// Its class, where it is not the collection's.
        class: Option<ItemClass>,
        /// What of its content changed.
        data: Vec<Element>,
    },
    /// An item is gone.
    Delete {
        /// Its server id.
        server_id: String,
    },
    /// An item is there but no longer within the phone's filter.
    SoftDelete {
        /// Its server id.
        server_id: String,
    },
}

/// What became of what the phone did. Changes and deletions that went well are not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ItemResponse {
    /// Of a new item: always told.
    Add {
        /// The phone's name for it.
        client_id: String,
        /// Its server id, where it was added.
        server_id: Option<String>,
        /// Its class, where it is not the collection's.
        class: Option<ItemClass>,
        /// How it went.
        status: Status,
        /// What the phone must know of it, such as its attachments' references (16.0 on).
        data: Vec<Element>,
    },
    /// Of a change.
    Change {
        /// The item's server id.
        server_id: String,
        /// Which instance of a series (16.0 on).
        instance_id: Option<String>,
        /// Its class, where it is not the collection's.
        class: Option<ItemClass>,
        /// How it went.
        status: Status,
        /// What the phone must know of it (16.0 on).
        data: Vec<Element>,
    },
    /// Of a deletion.
    Delete {
        /// The item's server id.
        server_id: String,
        /// Which instance of a series (16.0 on).
        instance_id: Option<String>,
        /// How it went.
        status: Status,
    },
    /// Of a fetch: always told.
    Fetch {
        /// The item's server id.
        server_id: String,
        /// How it went.
        status: Status,
        /// The content.
        data: Vec<Element>,
    },
}

impl ClientCommand {
    /// Reads one; none for what is no command.
    pub(super) fn from_element(element: &Element) -> Result<Option<Self>> {
        Ok(Some(match element.tag {
            page::ADD => Self::Add {
                client_id: required_id(element, page::CLIENT_ID)?,
                class: read_class(element, page::CLASS)?,
                send: read_send(element)?,
                data: read_data(element),
            },
            page::CHANGE => Self::Change {
                server_id: required_id(element, page::SERVER_ID)?,
                instance_id: read_instance(element)?,
                class: read_class(element, page::CLASS)?,
                send: read_send(element)?,
                data: read_data(element),
            },
            page::DELETE => Self::Delete {
                server_id: required_id(element, page::SERVER_ID)?,
                instance_id: read_instance(element)?,
            },
            page::FETCH => Self::Fetch { server_id: required_id(element, page::SERVER_ID)? },
            _ => return Ok(None),
        }))
    }

    pub(super) fn to_element(&self) -> Element {
        let mut children = vec![];
        let tag = match self {
            Self::Add { client_id, class, send, data } => {
                children.put_some(page::CLASS, class.map(ItemClass::name));
                children.put(page::CLIENT_ID, &**client_id);
                children.put_mark(email2::SEND, *send);
                children.push(Element::parent(page::APPLICATION_DATA, data.clone()));
                page::ADD
            }
            Self::Change { server_id, instance_id, class, send, data } => {
                children.put(page::SERVER_ID, &**server_id);
                children.put_some(air_sync_base::INSTANCE_ID, instance_id.as_deref());
                children.put_some(page::CLASS, class.map(ItemClass::name));
                children.put_mark(email2::SEND, *send);
                children.push(Element::parent(page::APPLICATION_DATA, data.clone()));
                page::CHANGE
            }
            Self::Delete { server_id, instance_id } => {
                children.put(page::SERVER_ID, &**server_id);
                children.put_some(air_sync_base::INSTANCE_ID, instance_id.as_deref());
                page::DELETE
            }
            Self::Fetch { server_id } => {
                children.put(page::SERVER_ID, &**server_id);
                page::FETCH
            }
        };
        Element::parent(tag, children)
    }
}

impl ServerCommand {
    /// Reads one; none for what is no command.
    pub(super) fn from_element(element: &Element) -> Result<Option<Self>> {
        let server_id = || required_id(element, page::SERVER_ID);
        Ok(Some(match element.tag {
            page::ADD => Self::Add {
                server_id: server_id()?,
                class: read_class(element, page::CLASS)?,
                data: read_data(element),
            },
            page::CHANGE => Self::Change {
                server_id: server_id()?,
                class: read_class(element, page::CLASS)?,
                data: read_data(element),
            },
            page::DELETE => Self::Delete { server_id: server_id()? },
            page::SOFT_DELETE => Self::SoftDelete { server_id: server_id()? },
            _ => return Ok(None),
        }))
    }

    /// Writes it as an element of `Commands`: `Class`, `ServerId`, `ApplicationData`.
    pub fn into_element(self) -> Element {
        let (tag, server_id, class, data) = match self {
            Self::Add { server_id, class, data } => (page::ADD, server_id, class, Some(data)),
            Self::Change { server_id, class, data } => (page::CHANGE, server_id, class, Some(data)),
            Self::Delete { server_id } => (page::DELETE, server_id, None, None),
            Self::SoftDelete { server_id } => (page::SOFT_DELETE, server_id, None, None),
        };
        let mut children = vec![];
        children.put_some(page::CLASS, class.map(ItemClass::name));
        children.put(page::SERVER_ID, server_id);
        if let Some(data) = data {
            children.push(Element::parent(page::APPLICATION_DATA, data));
        }
        Element::parent(tag, children)
    }
}

impl ItemResponse {
    /// Reads one; none for what is no response.
    pub(super) fn from_element(element: &Element) -> Result<Option<Self>> {
        Ok(Some(match element.tag {
            page::ADD => Self::Add {
                client_id: required_id(element, page::CLIENT_ID)?,
                server_id: element.text_of(page::SERVER_ID)?.map(str::to_owned),
                class: read_class(element, page::CLASS)?,
                status: Status::read(element, page::STATUS)?,
                data: read_data(element),
            },
            page::CHANGE => Self::Change {
                server_id: required_id(element, page::SERVER_ID)?,
                instance_id: read_instance(element)?,
                class: read_class(element, page::CLASS)?,
                status: Status::read(element, page::STATUS)?,
                data: read_data(element),
            },
            page::DELETE => Self::Delete {
                server_id: required_id(element, page::SERVER_ID)?,
                instance_id: read_instance(element)?,
                status: Status::read(element, page::STATUS)?,
            },
            page::FETCH => Self::Fetch {
                server_id: required_id(element, page::SERVER_ID)?,
                status: Status::read(element, page::STATUS)?,
                data: read_data(element),
            },
            _ => return Ok(None),
        }))
    }

    /// Writes it as an element of `Responses`.
    pub fn into_element(self) -> Element {
        let mut children = vec![];
        let (tag, status, data) = match self {
            Self::Add { client_id, server_id, class, status, data } => {
                children.put_some(page::CLASS, class.map(ItemClass::name));
                children.put(page::CLIENT_ID, client_id);
                children.put_some(page::SERVER_ID, server_id);
                (page::ADD, status, data)
            }
            Self::Change { server_id, instance_id, class, status, data } => {
                children.put_some(page::CLASS, class.map(ItemClass::name));
                children.put(page::SERVER_ID, server_id);
                children.put_some(air_sync_base::INSTANCE_ID, instance_id);
                (page::CHANGE, status, data)
            }
            Self::Delete { server_id, instance_id, status } => {
                children.put(page::SERVER_ID, server_id);
                children.put_some(air_sync_base::INSTANCE_ID, instance_id);
                (page::DELETE, status, vec![])
            }
            Self::Fetch { server_id, status, data } => {
                children.put(page::SERVER_ID, server_id);
                (page::FETCH, status, data)
            }
        };
        children.put_number(page::STATUS, status.code());
        children.put_parent(page::APPLICATION_DATA, data);
        Element::parent(tag, children)
    }
}

fn required_id(element: &Element, tag: Tag) -> Result<String> {
    let id = element.required_text(tag)?;
    if id.is_empty() || id.len() > 256 {
        return Err(Error::Value { element: tag, expected: "an id of 1 to 256 bytes" });
    }
    Ok(id.to_owned())
}

fn read_instance(element: &Element) -> Result<Option<String>> {
    Ok(element.text_of(air_sync_base::INSTANCE_ID)?.map(str::to_owned))
}

/// `Send` stands beside the content; some phones put it in.
fn read_send(element: &Element) -> Result<bool> {
    let beside = element.boolean_of(email2::SEND)?;
    let within = element.child(page::APPLICATION_DATA).map(|data| data.boolean_of(email2::SEND));
    Ok(beside.or(within.transpose()?.flatten()).unwrap_or(false))
}

fn read_data(element: &Element) -> Vec<Element> {
    element.child(page::APPLICATION_DATA).map(|data| data.children().to_vec()).unwrap_or_default()
}
