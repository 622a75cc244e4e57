//! What users do for themselves: passwords and certificates for their devices, links to add one, terms
//! to accept.
//! What of it may be done, the settings of the realm and `[my]` say.

mod away;
mod certificates;
mod invitations;
mod opening;
mod passwords;
pub(crate) mod secret;
mod terms;

pub(crate) use certificates::CertificateRefusal;
pub use certificates::{MadeCertificate, NoCertificate, ShownCertificate};
pub use invitations::Given;
pub use opening::{Opening, Unopened};
pub use passwords::{MadePassword, NoDevicePasswords};
pub use secret::file_password;

use crate::config::{
    CertificatesConfig, DeviceCertificates, DevicePasswords, MyConfig, ServerConfig,
};
use crate::front::Clock;
use dme_link::Authority;
use dme_model::{Realm, UserId};
use dme_store::Store;
use std::collections::BTreeMap;

/// The directory of the authority of phones' certificates, in the server's.
const AUTHORITY: &str = "device-authority";

/// The services of the users' own page.
pub struct Own {
    store: Store,
    /// Of each realm.
    for_devices: BTreeMap<Realm, ForDevices>,
    certificates: CertificatesConfig,
    /// Signs phones' certificates; none where no realm has any.
    authority: Option<Authority>,
    /// How many a user may have.
    per_user: u32,
    /// The settings of the page.
    pub config: MyConfig,
    clock: Clock,
}

/// What a realm says of what single devices are let in by.
#[derive(Clone, Copy, Default)]
struct ForDevices {
    passwords: DevicePasswords,
    certificates: DeviceCertificates,
}

impl Own {
    /// With these settings.
    ///
    /// # Errors
    /// When the authority of phones' certificates cannot be used.
    pub fn new(store: Store, config: &ServerConfig, clock: Clock) -> dme_link::Result<Self> {
        let for_devices = config.realms.iter().map(|realm| {
            let passwords = realm.device_passwords;
            let said = ForDevices { passwords, certificates: realm.device_certificates };
            (Realm::named(realm.name.as_str()), said)
        });
        let certificates = config.certificates.clone();
        let authority = match (&certificates.authority, &certificates.key) {
            _ if !config.has_device_certificates() => None,
            (Some(certificate), Some(key)) => Some(Authority::read(certificate, key)?),
            _ => Some(Authority::open_as(&config.directory.join(AUTHORITY), "DME devices")?),
        };
        Ok(Self {
            store,
            for_devices: for_devices.collect(),
            certificates,
            authority,
            per_user: config.devices.per_user,
            config: config.my.clone(),
            clock,
        })
    }

    /// Who signs phones' certificates; none where no realm has any.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// What the realm of a user says of passwords for single devices.
    pub fn device_passwords_of(&self, user: &UserId) -> DevicePasswords {
        self.for_devices_in(user.realm()).passwords
    }

    /// What the realm of a user says of certificates for single devices.
    pub fn device_certificates_of(&self, user: &UserId) -> DeviceCertificates {
        self.for_devices_in(user.realm()).certificates
    }

    fn for_devices_in(&self, realm: Option<Realm>) -> ForDevices {
        realm.and_then(|realm| self.for_devices.get(&realm)).copied().unwrap_or_default()
    }
}
