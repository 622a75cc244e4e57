//! The request.

use super::{ClientCommand, ItemClass, Options, options::read_class};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::ghosting::Ghosting;
use crate::version::ProtocolVersion;
use dme_wbxml::{Element, Tag, pages::air_sync as page};
use std::time::Duration;

/// The most collections read in one request; what a server really takes is its own, lower limit.
const MAX_COLLECTIONS: usize = 10_000;

/// The most commands read in one collection.
const MAX_COMMANDS: usize = 20_000;

/// The most elements named as supported; no class has as many.
const MAX_SUPPORTED: usize = 128;

/// The most `Options` read in one collection; there are two classes in one at the most.
const MAX_OPTIONS: usize = 8;

/// The key with which a collection begins.
const INITIAL_KEY: &str = "0";

/// What the phone asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// The collections. In a partial request only those that differ from the last.
    pub collections: Vec<Collection>,
    /// How long to wait for a change where there is none.
    pub wait: Option<Wait>,
    /// So many changes at the most in all collections together.
    pub window_size: Option<u32>,
    /// Collections that are left out are wanted as last time.
    pub partial: bool,
}

/// How long a Sync waits for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// `Wait`, in minutes; 1 to 59 are allowed.
    Minutes(u32),
    /// `HeartbeatInterval`, in seconds; 60 to 3540 are allowed (14.0 on).
    Seconds(u32),
}

/// The nearest allowed value, in the unit of the question (`Limit`, MS-ASCMD 2.2.3.94).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit(pub u32);

/// A collection in a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collection {
    /// Its class; given in 12.1 only.
    pub class: Option<ItemClass>,
    /// The key of the last answer, `0` at first.
    pub sync_key: String,
    /// Its server id.
    pub collection_id: String,
    /// Elements the phone keeps and deletes with the item; those not named it leaves alone when
    /// it changes an item. None where nothing is said.
    pub supported: Option<Vec<Tag>>,
    /// Whether what is deleted goes to Deleted Items; none means so.
    pub deletes_as_moves: Option<bool>,
    /// Whether the server's changes are wanted, see [`Collection::wants_changes`].
    pub get_changes: Option<bool>,
    /// So many changes at the most, 1 to 512; 0 means 512.
    pub window_size: Option<u32>,
    /// Whether all mails of a conversation are wanted if one passes the filter (14.0 on).
    pub conversation_mode: Option<bool>,
    /// How items are wanted, one for each class; none means as said last.
    pub options: Vec<Options>,
    /// What the phone did.
    pub commands: Vec<ClientCommand>,
}

impl Wait {
    /// The time to wait.
    ///
    /// # Errors
    /// The nearest allowed value where it is out of range or longer than `longest`, the most a
    /// server allows: answer status 14 with it.
    pub fn duration(self, longest: Duration) -> Result<Duration, Limit> {
        let longest = u32::try_from(longest.as_secs()).unwrap_or(u32::MAX);
        let (value, unit, allowed) = match self {
            Self::Minutes(minutes) => (minutes, 60, 1..=59.min(longest / 60).max(1)),
            Self::Seconds(seconds) => (seconds, 1, 60..=3540.min(longest).max(60)),
        };
        if allowed.contains(&value) {
            Ok(Duration::from_secs(u64::from(value) * unit))
        } else {
            Err(Limit(value.clamp(*allowed.start(), *allowed.end())))
        }
    }
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where a required element is missing, a value is wrong or there is too much of something:
    /// answer status 4.
    pub fn from_element(element: &Element) -> Result<Self> {
        let root = element.expect_tag(page::SYNC)?;
        let wait = match (
            root.span_of(page::WAIT)?.map(Wait::Minutes),
            root.span_of(page::HEARTBEAT_INTERVAL)?.map(Wait::Seconds),
        ) {
            (Some(_), Some(_)) => {
                return Err(Error::Conflict(page::WAIT, page::HEARTBEAT_INTERVAL));
            }
            (minutes, seconds) => minutes.or(seconds),
        };
        let collections = match root.child(page::COLLECTIONS) {
            Some(list) => {
                if list.children().len() > MAX_COLLECTIONS {
                    let element = page::COLLECTION;
                    return Err(Error::TooMany { element, limit: MAX_COLLECTIONS });
                }
                list.each(page::COLLECTION).map(Collection::from_element).collect::<Result<_>>()?
            }
            None => vec![],
        };
        Ok(Self {
            collections,
            wait,
            window_size: root.number_of(page::WINDOW_SIZE)?,
            partial: root.boolean_of(page::PARTIAL)?.unwrap_or(false),
        })
    }

    /// Writes the request for this version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = vec![];
        let collections =
            self.collections.iter().map(|collection| collection.to_element(version)).collect();
        children.put_parent(page::COLLECTIONS, collections);
        match self.wait {
            Some(Wait::Minutes(minutes)) => children.put_number(page::WAIT, minutes),
            Some(Wait::Seconds(seconds)) => {
                children.put_number(page::HEARTBEAT_INTERVAL, seconds);
            }
            None => {}
        }
        children.put_some_number(page::WINDOW_SIZE, self.window_size);
        children.put_mark(page::PARTIAL, self.partial);
        Element::parent(page::SYNC, children)
    }
}

impl Collection {
    /// A request for what changed, with everything else as it was.
    pub fn new(collection_id: impl Into<String>, sync_key: impl Into<String>) -> Self {
        Self {
            class: None,
            sync_key: sync_key.into(),
            collection_id: collection_id.into(),
            supported: None,
            deletes_as_moves: None,
            get_changes: None,
            window_size: None,
            conversation_mode: None,
            options: vec![],
            commands: vec![],
        }
    }

    /// Whether it begins anew.
    pub fn is_initial(&self) -> bool {
        self.sync_key == INITIAL_KEY
    }

    /// Whether the server's changes are wanted: unless the phone says no, or begins and so gets
    /// only a key (MS-ASCMD 2.2.3.84).
    pub fn wants_changes(&self) -> bool {
        !self.is_initial() && self.get_changes.unwrap_or(true)
    }

    /// What becomes of elements that the phone's changes leave out; none where this request does not
    /// say, since only the one that begins the collection does.
    pub fn ghosting(&self) -> Option<Ghosting> {
        self.is_initial().then(|| Ghosting::of(self.supported.as_deref()))
    }

    /// The options for one class: its own, else those for no class in particular.
    pub fn options_for(&self, class: ItemClass) -> Option<&Options> {
        let find = |wanted| self.options.iter().find(|options| options.class == wanted);
        find(Some(class)).or_else(|| find(None))
    }

    fn from_element(element: &Element) -> Result<Self> {
        if element.each(page::OPTIONS).count() > MAX_OPTIONS {
            return Err(Error::TooMany { element: page::OPTIONS, limit: MAX_OPTIONS });
        }
        let options = element.each(page::OPTIONS).map(Options::from_element);
        let options: Vec<Options> = options.collect::<Result<_>>()?;
        let mut classes = options.iter().enumerate().map(|(at, one)| (at, one.class));
        if classes.any(|(at, class)| options.iter().take(at).any(|one| one.class == class)) {
            // MS-ASCMD 2.2.3.27.6: what would hold for the class is not said.
            return Err(Error::Conflict(page::OPTIONS, page::CLASS));
        }
        let commands = element.child(page::COMMANDS).map(Element::children).unwrap_or_default();
        if commands.len() > MAX_COMMANDS {
            return Err(Error::TooMany { element: page::COMMANDS, limit: MAX_COMMANDS });
        }
        let commands = commands.iter().map(ClientCommand::from_element);
        let sync_key = element.required_text(page::SYNC_KEY)?;
        let get_changes = element.boolean_of(page::GET_CHANGES)?;
        if sync_key == INITIAL_KEY && get_changes == Some(true) {
            // With the first key there are none to get, and to ask for them is status 4
            // (MS-ASCMD 2.2.3.84).
            return Err(Error::Conflict(page::SYNC_KEY, page::GET_CHANGES));
        }
        Ok(Self {
            class: read_class(element, page::CLASS)?,
            sync_key: sync_key.to_owned(),
            collection_id: element.required_text(page::COLLECTION_ID)?.to_owned(),
            supported: element.child(page::SUPPORTED).map(read_supported).transpose()?,
            deletes_as_moves: element.boolean_of(page::DELETES_AS_MOVES)?,
            get_changes,
            window_size: element.number_of(page::WINDOW_SIZE)?,
            conversation_mode: element.boolean_of(page::CONVERSATION_MODE)?,
            options,
            commands: commands.filter_map(Result::transpose).collect::<Result<_>>()?,
        })
    }

    fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = vec![];
        if version == ProtocolVersion::V12_1 {
            children.put_some(page::CLASS, self.class.map(ItemClass::name));
        }
        children.put(page::SYNC_KEY, &*self.sync_key);
        children.put(page::COLLECTION_ID, &*self.collection_id);
        if let Some(supported) = &self.supported {
            let supported = supported.iter().copied().map(Element::empty).collect();
            children.push(Element::parent(page::SUPPORTED, supported));
        }
        children.put_some_boolean(page::DELETES_AS_MOVES, self.deletes_as_moves);
        children.put_some_boolean(page::GET_CHANGES, self.get_changes);
        children.put_some_number(page::WINDOW_SIZE, self.window_size);
        if version >= ProtocolVersion::V14_0 {
            children.put_some_boolean(page::CONVERSATION_MODE, self.conversation_mode);
        }
        children.extend(self.options.iter().map(Options::to_element));
        let commands = self.commands.iter().map(ClientCommand::to_element).collect();
        children.put_parent(page::COMMANDS, commands);
        Element::parent(page::COLLECTION, children)
    }
}

/// The tags within `Supported`.
fn read_supported(list: &Element) -> Result<Vec<Tag>> {
    if list.children().len() > MAX_SUPPORTED {
        return Err(Error::TooMany { element: page::SUPPORTED, limit: MAX_SUPPORTED });
    }
    Ok(list.children().iter().map(|child| child.tag).collect())
}
