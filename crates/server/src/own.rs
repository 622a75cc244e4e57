//! What users do for themselves: passwords for their devices, links to add one, terms to accept.
//! What of it may be done, the settings of the realm and `[my]` say.

mod away;
mod invitations;
mod passwords;
pub(crate) mod secret;
mod terms;

pub use passwords::{MadePassword, NoDevicePasswords};

use crate::config::{DevicePasswords, MyConfig};
use crate::front::Clock;
use dme_model::{Realm, UserId};
use dme_store::Store;
use std::collections::BTreeMap;

/// The services of the users' own page.
pub struct Own {
    store: Store,
    /// Of each realm.
    device_passwords: BTreeMap<Realm, DevicePasswords>,
    /// How many a user may have.
    per_user: u32,
    /// The settings of the page.
    pub config: MyConfig,
    clock: Clock,
}

impl Own {
    /// With these settings; `per_user` is how many devices a user may have.
    pub fn new(
        store: Store,
        device_passwords: BTreeMap<Realm, DevicePasswords>,
        per_user: u32,
        config: MyConfig,
        clock: Clock,
    ) -> Self {
        Self { store, device_passwords, per_user, config, clock }
    }

    /// What the realm of a user says of passwords for single devices.
    pub fn device_passwords_of(&self, user: &UserId) -> DevicePasswords {
        let realm = user.realm();
        realm.and_then(|realm| self.device_passwords.get(&realm)).copied().unwrap_or_default()
    }
}
