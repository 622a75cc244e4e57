//! A simulated phone: it keeps what a phone keeps, and does what phones do when the server wants
//! something of them.

mod exchange;
mod folders;
mod mail;
mod records;
mod sync;
mod wait;

pub use exchange::Provisioned;
pub use sync::{Keep, Round, SyncOptions};
pub use wait::Woken;

use crate::client::{Account, Client};
use crate::error::{Error, Result};
use crate::trust::Tls;
use dme_eas::email::EmailView;
use dme_eas::folder_sync::{Folder, FolderType};
use dme_eas::provision::Policy;
use dme_eas::settings::DeviceInformation;
use dme_model::Item;
use dme_zone::Zone;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A folder as the phone has it.
#[derive(Clone, Debug)]
pub struct FolderState {
    /// What FolderSync said of it.
    pub folder: Folder,
    /// The key of its last answer; `0` before the first.
    pub sync_key: String,
    /// Its mails by server id. With [`Keep::Ids`] the views are empty.
    pub items: BTreeMap<String, EmailView>,
    /// Its events, contacts, tasks or notes by server id; none with [`Keep::Ids`].
    pub records: BTreeMap<String, Item>,
}

/// What the phone noticed beside what it was asked to do; for tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// How often it had to provision because the server said so.
    pub provisioned: u32,
    /// How often a folder had to begin anew.
    pub resynced: u32,
    /// How often it was told to come back later.
    pub told_to_wait: u32,
}

/// A simulated phone. One request at a time, as its methods take it exclusively; for a Ping beside
/// other requests take [`Client::another`].
pub struct Phone {
    /// Its connection.
    pub client: Client,
    /// How it wants items.
    pub options: SyncOptions,
    /// What it says of itself.
    pub device: DeviceInformation,
    /// The longest `Retry-After` it obeys; beyond it the request fails instead.
    pub longest_pause: Duration,
    /// The clock of its user.
    pub home: Zone,
    /// What it noticed.
    pub events: Events,
    /// The policy it applied last; none where it was given none.
    pub policy: Option<Policy>,
    folder_key: String,
    folders: BTreeMap<String, FolderState>,
    messages: u64,
}

impl Phone {
    /// A phone that knows nothing yet.
    pub fn new(account: Account, tls: Tls) -> Self {
        let device = DeviceInformation {
            model: Some("Simulated".to_owned()),
            os: Some("dme-phone".to_owned()),
            friendly_name: Some(format!("simulated phone {}", account.device)),
            user_agent: Some(account.user_agent.clone()),
            ..DeviceInformation::default()
        };
        Self {
            client: Client::new(account, tls),
            options: SyncOptions::default(),
            device,
            longest_pause: Duration::from_secs(30),
            home: Zone::utc(),
            events: Events::default(),
            policy: None,
            folder_key: "0".to_owned(),
            folders: BTreeMap::new(),
            messages: 0,
        }
    }

    /// All folders it knows, by server id.
    pub fn folders(&self) -> &BTreeMap<String, FolderState> {
        &self.folders
    }

    /// A folder by its server id.
    ///
    /// # Errors
    /// [`Error::NoFolder`] where it knows none.
    pub fn folder(&self, id: &str) -> Result<&FolderState> {
        self.folders.get(id).ok_or_else(|| Error::NoFolder(id.to_owned()))
    }

    /// The server id of the folder of a kind.
    ///
    /// # Errors
    /// [`Error::NoFolder`] where it knows none.
    pub fn folder_of(&self, kind: FolderType) -> Result<String> {
        let found = self.folders.values().find(|state| state.folder.kind == kind);
        let found = found.map(|state| state.folder.server_id.clone());
        found.ok_or_else(|| Error::NoFolder(format!("{kind:?}")))
    }

    /// The server id of the inbox.
    ///
    /// # Errors
    /// [`Error::NoFolder`] before the first FolderSync.
    pub fn inbox(&self) -> Result<String> {
        self.folder_of(FolderType::Inbox)
    }

    /// The mails of a folder by server id, as far as they are on the phone.
    ///
    /// # Errors
    /// [`Error::NoFolder`] where it knows no such folder.
    pub fn items(&self, folder: &str) -> Result<&BTreeMap<String, EmailView>> {
        self.folder(folder).map(|state| &state.items)
    }

    /// A name for the next message or draft, never used before by this device.
    fn next_client_id(&mut self) -> String {
        self.messages = self.messages.wrapping_add(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{:x}-{:x}", now.as_nanos(), self.messages)
    }
}
