//! What users may do for themselves, and what their phones show.

use super::problems::{DAY, Problems};
use super::{RealmConfig, ServerConfig};
use dme_model::Span;
use serde::Deserialize;
use std::path::PathBuf;

/// What a realm says of passwords for one device each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DevicePasswords {
    /// There are none.
    #[default]
    Off,
    /// Phones may show one, or the directory's.
    Allowed,
    /// Phones must show one; the directory's lets no phone in.
    Required,
}

impl DevicePasswords {
    /// Whether the directory's password lets no phone in.
    pub const fn are_required(self) -> bool {
        matches!(self, Self::Required)
    }
}

/// What a realm says of certificates for one device each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceCertificates {
    /// There are none.
    #[default]
    Off,
    /// Phones may show one in the place of a password.
    Allowed,
    /// Phones must show one, in the place of a password, which lets no phone in.
    Required,
    /// Phones must show one and a password besides.
    WithPassword,
}

impl DeviceCertificates {
    /// Whether no phone is let in without one.
    pub const fn are_required(self) -> bool {
        matches!(self, Self::Required | Self::WithPassword)
    }

    /// Whether one lets a phone in without a password.
    pub const fn suffice(self) -> bool {
        matches!(self, Self::Allowed | Self::Required)
    }
}

/// The certificates that are made for phones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificatesConfig {
    /// PEM file of the authority that signs them; where absent the server makes one of its own.
    pub authority: Option<PathBuf>,
    /// PEM file of that authority's private key.
    pub key: Option<PathBuf>,
    /// How long one holds.
    pub life: Span,
    /// How long before its end its user is told.
    pub notice: Span,
}

impl Default for CertificatesConfig {
    fn default() -> Self {
        Self {
            authority: None,
            key: None,
            life: Span::seconds(365 * 86_400),
            notice: Span::seconds(30 * 86_400),
        }
    }
}

/// The page on which users see to their own devices: `/my` on the phones' listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MyConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// What the account is called on phones that are set up from it.
    pub account_name: String,
    /// How long a link to add a device holds.
    pub link_life: Span,
    /// Days of mail that a phone is set up to keep, as iOS counts them: 0 for all of it.
    pub days_of_mail: u32,
    /// Whether users may have a whole device erased, and not their account alone.
    pub device_wipe: bool,
    /// Whether a new device waits until its user has accepted the terms of use.
    pub terms_before_mail: bool,
}

impl Default for MyConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            account_name: "Mail".to_owned(),
            link_life: Span::seconds(10 * 60),
            days_of_mail: 7,
            device_wipe: false,
            terms_before_mail: false,
        }
    }
}

pub(super) fn check(config: &ServerConfig, found: &mut Problems) {
    let CertificatesConfig { authority, key, life, notice } = &config.certificates;
    if authority.is_some() != key.is_some() {
        found.say("certificates.authority and certificates.key go together");
    }
    found.span("certificates.life", *life, DAY, Span::seconds(3650 * 86_400));
    found.span("certificates.notice", *notice, Span::seconds(0), *life);
    for realm in &config.realms {
        of_realm(realm, config, found);
    }
    found.span("my.link_life", config.my.link_life, Span::seconds(60), DAY);
    if ![0, 1, 3, 7, 14, 31].contains(&config.my.days_of_mail) {
        found.say("my.days_of_mail is 0 (all), 1, 3, 7, 14 or 31, as iOS has it");
    }
}

/// Whether phones of the realm can show what it wants of them.
fn of_realm(realm: &RealmConfig, config: &ServerConfig, found: &mut Problems) {
    let (name, certificates) = (&realm.name, realm.device_certificates);
    if certificates == DeviceCertificates::Required
        && realm.device_passwords == DevicePasswords::Required
    {
        found.say(format!(
            "realms: {name} has device_passwords and device_certificates required, and each lets \
             phones in without the other; for both set device_certificates = \"with_password\""
        ));
    }
    let phones = &config.phones;
    let hidden = phones.plain_http && phones.certificate_header.is_none();
    if certificates != DeviceCertificates::Off && hidden {
        found.say(format!(
            "realms: {name} has device_certificates, and with phones.plain_http the proxy sees \
             them and nobody else; set phones.certificate_header, or let the proxy pass TLS through"
        ));
    }
    if certificates.are_required() && !config.my.enabled {
        found.say(format!(
            "realms: {name} has device_certificates required, which are made at /my; set \
             my.enabled = true"
        ));
    }
}
