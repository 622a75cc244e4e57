//! Passwords for one device each: a phone shows one in the place of the directory's, and a lost
//! phone takes nothing else with it.
//!
//! It opens the door only. Where the mail system behind it wants the user's own password, a phone
//! without that gets nowhere: there none can be made.

use super::Own;
use super::opening::{Opening, Unopened};
use super::secret::{device_password, hash, read_device_password};
use crate::config::DevicePasswords;
use crate::front::Front;
use dme_directory::{Admission, Login, Refusal};
use dme_mailbox::Credentials;
use dme_model::{DeviceId, Secret, UserId};
use dme_store::DevicePassword;

/// A password that was just made; shown once.
pub struct MadePassword {
    /// Its number.
    pub number: i64,
    /// What to type.
    pub password: Secret,
}

/// Why a user cannot have a password for a device.
#[derive(Debug, thiserror::Error)]
pub enum NoDevicePasswords {
    /// The realm does not let them.
    #[error("passwords for single devices are switched off here")]
    Off,
    /// A phone would get nowhere with one.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// None can be made.
    #[error("no password could be made")]
    Unmade,
    /// There are enough.
    #[error("you have {0} device passwords, which is as many as allowed: take one back first")]
    TooMany(u32),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

impl Own {
    /// The passwords a user has, without what they say.
    ///
    /// # Errors
    /// The store's.
    pub async fn passwords(&self, user: &UserId) -> dme_store::Result<Vec<DevicePassword>> {
        self.store.device_passwords(user).await
    }

    /// Takes one back. The phone that has it is refused at its next request; who calls this ends
    /// its wait.
    ///
    /// # Errors
    /// Where there is none of this number, or the store's.
    pub async fn revoke_password(&self, user: &UserId, number: i64) -> dme_store::Result<()> {
        self.store.revoke_device_password(user, number).await
    }

    /// Whether a phone could do without the user's own password, as the user's mailboxes open.
    ///
    /// # Errors
    /// Why not.
    pub fn may_have_passwords(
        &self,
        user: &UserId,
        opening: &Result<Opening, Unopened>,
    ) -> Result<(), NoDevicePasswords> {
        if self.device_passwords_of(user) == DevicePasswords::Off {
            return Err(NoDevicePasswords::Off);
        }
        Ok(opening.as_ref().map_err(Unopened::clone)?.without_password()?)
    }

    async fn make(&self, user: &UserId, label: &str) -> Result<MadePassword, NoDevicePasswords> {
        let (password, now) = (device_password(), (self.clock)());
        let Some(meant) = read_device_password(&password) else {
            return Err(NoDevicePasswords::Unmade);
        };
        let (hash, limit) = (hash(meant.expose()), self.per_user);
        match self.store.put_device_password(user, &hash, label, limit, now).await? {
            Some(number) => Ok(MadePassword { number, password }),
            None => Err(NoDevicePasswords::TooMany(limit)),
        }
    }
}

impl Front {
    /// Makes a password for one device of a user.
    ///
    /// # Errors
    /// Why there can be none.
    pub async fn make_device_password(
        &self,
        user: &UserId,
        label: &str,
    ) -> Result<MadePassword, NoDevicePasswords> {
        self.may_have_device_passwords(user).await?;
        let made = self.own.make(user, label).await?;
        tracing::info!(%user, number = made.number, "a password for a device was made");
        Ok(made)
    }

    /// Whether a phone could do without the user's own password; connectors are asked only where the
    /// realm lets it.
    ///
    /// # Errors
    /// Why not.
    pub async fn may_have_device_passwords(&self, user: &UserId) -> Result<(), NoDevicePasswords> {
        match self.own.device_passwords_of(user) {
            DevicePasswords::Off => Err(NoDevicePasswords::Off),
            DevicePasswords::Allowed | DevicePasswords::Required => {
                self.own.may_have_passwords(user, &self.opening(user).await)
            }
        }
    }

    /// Whether a login may in at the phones' listener, and what it opens mailboxes with. Where the
    /// realm has passwords for devices, what looks like one is never sent to the directory.
    pub(crate) async fn admit_phone(
        &self,
        login: &Login,
        password: &Secret,
        device: Option<&DeviceId>,
    ) -> (Admission, Credentials) {
        let realms = self.gate.realms();
        let realm = match realms.resolve(login) {
            // A login may be another name of somebody, in a domain that is no realm's own.
            Ok(user) => self.own.for_devices_in(realms.realm_of(&user)).passwords,
            Err(_) => DevicePasswords::Off,
        };
        let shown = match realm {
            DevicePasswords::Off => None,
            DevicePasswords::Allowed | DevicePasswords::Required => read_device_password(password),
        };
        match shown {
            Some(shown) => {
                let now = (self.clock)();
                let hash = hash(shown.expose());
                let owner = self.store.device_password_owner(&hash, device, now);
                let admission = self.gate.admit_shown(login, &shown, device, owner).await;
                (admission, Credentials::None)
            }
            // Nobody learns whether it is right.
            None if realm == DevicePasswords::Required => {
                (Admission::Refused(Refusal::WrongPassword), Credentials::None)
            }
            None => {
                let admission = self.gate.admit(login, password, device).await;
                (admission, Credentials::Password(password.clone()))
            }
        }
    }
}
