//! The policy phones are told to apply: from the configuration to what the protocol carries.

use crate::config::{PolicyConfig, PolicyMode};
use aws_lc_rs::digest;
use dme_eas::provision::Policy;

/// The policy and its revision, which changes with any of its settings.
#[derive(Clone, Debug)]
pub struct CurrentPolicy {
    /// Whether phones must take it.
    pub mode: PolicyMode,
    /// What it says.
    pub policy: Policy,
    /// Names what it says; never negative as a signed number.
    pub revision: u64,
}

impl CurrentPolicy {
    /// From the configuration, whose check keeps the values within the protocol's bounds.
    pub fn new(config: &PolicyConfig) -> Self {
        let policy = Policy {
            password_enabled: config.password,
            alphanumeric_password: config.alphanumeric,
            simple_password: config.simple_password,
            min_password_length: config.password.then_some(config.password_length),
            max_failed_attempts: config.failed_attempts,
            max_inactivity: config
                .lock_after
                .map(|after| u32::try_from(after.0.as_secs()).unwrap_or(u32::MAX)),
            device_encryption: config.encryption,
            camera: config.camera,
            attachments: config.attachments,
            max_attachment_size: config
                .attachment_size
                .map(|size| u32::try_from(size.0).unwrap_or(u32::MAX)),
            ..Policy::default()
        };
        let described = digest::digest(&digest::SHA256, format!("{policy:?}").as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&described.as_ref()[..8]);
        let revision = u64::from_be_bytes(first) >> 1;
        Self { mode: config.mode, policy, revision }
    }
}
