//! What users see and do of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one sees of one's own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Own {
    /// Who it is.
    pub user: String,
    /// The devices, the one that came last first.
    pub devices: Vec<OwnDevice>,
    /// The passwords made for devices; what they say is not kept.
    pub passwords: Vec<DevicePassword>,
    /// Why there can be no passwords for devices; nothing where there can.
    pub no_passwords: Option<String>,
    /// A device shows one of these, and never the directory's password.
    pub passwords_required: bool,
    /// The certificates made for devices.
    pub certificates: Vec<DeviceCertificate>,
    /// Why there can be no certificates for devices; nothing where there can.
    pub no_certificates: Option<String>,
    /// A device shows one of these, or gets nothing.
    pub certificates_required: bool,
    /// A device that shows one asks for no password.
    pub certificates_suffice: bool,
    /// The mail system opens the mailbox only with the password: out of office asks for it.
    pub mail_needs_password: bool,
    /// A whole device may be erased, and not the account alone.
    pub device_wipe: bool,
    /// The terms that are to be accepted.
    pub terms: Option<Terms>,
}

/// One of one's devices.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OwnDevice {
    /// Its id.
    pub device: String,
    /// What its owner calls it, else what it calls itself.
    pub label: String,
    /// Its model, as it says.
    pub model: String,
    /// Its system, as it says.
    pub os: Option<String>,
    /// When it first came, seconds since the epoch.
    pub first_seen: i64,
    /// When it last came, seconds since the epoch.
    pub last_seen: i64,
    /// `allowed`, `quarantined` or `blocked`.
    pub admission: String,
    /// `none`, `requested`, `sent` or `acknowledged`, and of what.
    pub wipe: String,
}

/// A password for one device, without the password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DevicePassword {
    /// Its number.
    pub number: i64,
    /// What its owner calls it.
    pub label: String,
    /// When it was made, seconds since the epoch.
    pub made: i64,
    /// The device that it is bound to; none where it was never used.
    pub device: Option<String>,
}

/// A certificate for one device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceCertificate {
    /// Its number.
    pub number: i64,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// What its owner calls it.
    pub label: String,
    /// When it was made, seconds since the epoch.
    pub made: i64,
    /// When it ends, seconds since the epoch.
    pub ends: i64,
    /// `good`, `ends_soon` or `ended`.
    pub state: String,
    /// The device that it is bound to; none where it was never used.
    pub device: Option<String>,
}

/// A certificate that was just made.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct MadeCertificate {
    /// Its number.
    pub number: i64,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// The user name to type.
    pub user: String,
    /// When it ends, seconds since the epoch.
    pub ends: i64,
    /// The certificate and its key: PKCS #12, as base64; given this once.
    pub file: String,
    /// The password of the file; shown this once.
    pub password: String,
}

/// A password that was just made.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct MadePassword {
    /// Its number.
    pub number: i64,
    /// The user name to type.
    pub user: String,
    /// The password to type; shown this once.
    pub password: String,
}

/// What something of one's own is called.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// At most 60 characters.
    pub label: String,
}

/// What is to become of a lost device.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lost {
    /// The whole device is erased, where that may be; else the account on it.
    pub whole: bool,
}

/// A lost device: it is shut out, and this becomes of what it holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceLost {
    /// As it is now.
    pub device: Option<super::Device>,
    /// When it is erased: at its `next_contact`; when a `second_person`, an administrator, has
    /// confirmed it, as one's devices of the last hour were too many; `not`, as it speaks a protocol
    /// that has no words for it; `no_login`: not before it can sign in again.
    pub erasure: String,
    /// The same in words, where it is not at its next contact.
    pub warning: Option<String>,
}

/// Leave to add a device, to be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// What the device is called; at most 60 characters.
    pub label: String,
    /// It is given a password of its own.
    #[serde(default)]
    pub with_password: bool,
    /// It is given a certificate of its own.
    #[serde(default)]
    pub with_certificate: bool,
}

/// Leave to add a device.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Opened on the device, without signing in there; shown this once.
    pub link: String,
    /// The link as a QR code: SVG.
    pub qr: String,
    /// Until when it holds, seconds since the epoch.
    pub expires: i64,
}

/// Terms of use.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Counts the versions from 1.
    pub version: i64,
    /// Plain text. Empty where nothing is to be accepted any more.
    pub text: String,
    /// When it was published, seconds since the epoch.
    pub published: i64,
    /// By whom.
    pub publisher: String,
}

/// Terms to be published.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTerms {
    /// Plain text; empty where nothing is to be accepted any more.
    pub text: String,
}

/// That somebody accepted a version of the terms.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Who.
    pub user: String,
    /// Which.
    pub version: i64,
    /// When, seconds since the epoch.
    pub accepted: i64,
    /// From which address.
    pub client: String,
}

/// What the mailbox answers while its user is away.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Away {
    /// `off`, `on` or `within`.
    pub state: String,
    /// The first day, `2026-12-24`, where it is within days.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// What colleagues are told; nothing where they are told nothing.
    pub colleagues: String,
    /// What others are told; nothing where they are told nothing.
    pub others: String,
}

/// What the mailbox is to answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAway {
    /// `off`, `on` or `within`.
    pub state: String,
    /// The first day, `2026-12-24`, where it is within days.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// What colleagues are told; nothing where they are to be told nothing.
    #[serde(default)]
    pub colleagues: String,
    /// What others are told; nothing where they are to be told nothing.
    #[serde(default)]
    pub others: String,
    /// One's own password, where the mail system needs it; it is not kept.
    pub password: Option<String>,
}

/// A password that the mail system needs.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// One's own; it is not kept.
    pub password: String,
}
