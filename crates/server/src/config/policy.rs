//! What phones must be set to, where no other level of policy says otherwise.

use super::never;
use super::problems::Problems;
use dme_model::{ByteSize, OutOfRange, Span, within};
use serde::Deserialize;

/// Whether phones must take the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMode {
    /// There is none.
    #[default]
    Off,
    /// It is given to phones that ask.
    Optional,
    /// A phone that has not taken it gets nothing.
    Required,
}

/// What phones must be set to (MS-ASPROV 2.2.2.28).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// Whether phones must take it.
    pub mode: PolicyMode,
    /// A code to unlock the phone is needed.
    pub password: bool,
    /// Its least length, 1 to 16.
    pub password_length: u8,
    /// It must hold letters and digits.
    pub alphanumeric: bool,
    /// Simple codes such as 1234 are allowed.
    pub simple_password: bool,
    /// Wrong codes until the phone wipes itself, 4 to 16, or `"never"`.
    #[serde(deserialize_with = "never::number")]
    pub failed_attempts: Option<u8>,
    /// Idle time until the phone locks itself, at most 9998 s, or `"never"`.
    #[serde(deserialize_with = "never::span")]
    pub lock_after: Option<Span>,
    /// The phone's storage must be encrypted.
    pub encryption: bool,
    /// The camera may be used.
    pub camera: bool,
    /// Attachments may be fetched.
    pub attachments: bool,
    /// The largest attachment to be fetched, or `"unlimited"`.
    #[serde(deserialize_with = "never::size")]
    pub attachment_size: Option<ByteSize>,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            mode: PolicyMode::Off,
            password: true,
            password_length: 6,
            alphanumeric: false,
            simple_password: false,
            failed_attempts: Some(10),
            lock_after: Some(Span::seconds(300)),
            encryption: true,
            camera: true,
            attachments: true,
            attachment_size: None,
        }
    }
}

/// As far as the protocol can carry it (MS-ASPROV 2.2.2).
pub(super) fn check(policy: &PolicyConfig, found: &mut Problems) {
    found.see(within("policy.password_length", policy.password_length, 1..=16));
    let or_never = |result: Result<(), OutOfRange>, found: &mut Problems, never: &str| {
        if let Err(error) = result {
            found.say(format!("{error}, or \"{never}\""));
        }
    };
    if let Some(attempts) = policy.failed_attempts {
        or_never(within("policy.failed_attempts", attempts, 4..=16), found, "never");
    }
    if let Some(after) = policy.lock_after {
        let allowed = Span::seconds(1)..=Span::seconds(9998);
        or_never(within("policy.lock_after", after, allowed), found, "never");
    }
    if let Some(size) = policy.attachment_size {
        let allowed = ByteSize(1)..=ByteSize(u64::from(u32::MAX));
        or_never(within("policy.attachment_size", size, allowed), found, "unlimited");
    }
}
