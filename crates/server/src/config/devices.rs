//! What becomes of devices.

use super::problems::Problems;
use dme_model::within;
use serde::Deserialize;

/// What becomes of devices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DevicesConfig {
    /// What becomes of a device seen for the first time.
    pub unknown: UnknownDevice,
    /// Devices a user may have.
    pub per_user: u32,
    /// The words of the mail a quarantined phone gets, after the standard ones.
    pub quarantine_note: String,
    /// Who is told by mail of each quarantined device, once; in its owner's name.
    pub administrators: Vec<String>,
    /// Orders to wipe that administrators give in an hour; further ones must be confirmed by another.
    pub wipes_per_hour: u32,
}

impl Default for DevicesConfig {
    fn default() -> Self {
        Self {
            unknown: UnknownDevice::Allow,
            per_user: 20,
            quarantine_note: String::new(),
            administrators: Vec::new(),
            wipes_per_hour: 10,
        }
    }
}

/// What becomes of a device that is seen for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownDevice {
    /// It may synchronise.
    #[default]
    Allow,
    /// It gets one mail that explains, and nothing else until an administrator decides.
    Quarantine,
    /// It is refused.
    Refuse,
}

pub(super) fn check(devices: &DevicesConfig, found: &mut Problems) {
    found.see(within("devices.per_user", devices.per_user, 1..=1_000_000));
    found.see(within("devices.wipes_per_hour", devices.wipes_per_hour, 0..=1_000_000));
    if devices.administrators.iter().any(|one| !one.contains('@') || one.contains(['<', '>', '\n']))
    {
        found.say("devices.administrators: mail addresses, such as \"admin@example.org\"");
    }
}
