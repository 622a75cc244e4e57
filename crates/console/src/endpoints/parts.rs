//! What the questions and answers of several areas are made of.

use crate::principal::Principal;
use crate::{Refusal, api};
use dme_server::books::Author;
use dme_server::policies::Push;
use dme_sync::DeviceKey;

/// A value that is written as one word.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().map(str::to_owned).unwrap_or_default()
}

/// A device as it is named.
pub(super) fn name(key: &DeviceKey) -> api::DeviceName {
    api::DeviceName { user: key.user.to_string(), device: key.device.to_string() }
}

/// A number as a path has it.
pub(super) fn numbered(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::lacks("no-number", text))
}

/// Who changes rules, having read this revision of them.
pub(super) fn author(principal: &Principal, read: u64) -> Author {
    Author { read, name: principal.name.clone() }
}

/// When devices take what is changed.
pub(super) fn push(now: bool) -> Push {
    if now { Push::Now } else { Push::NextContact }
}
