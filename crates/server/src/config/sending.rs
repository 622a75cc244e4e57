//! What becomes of messages that cannot be sent now.

use super::problems::{GIB, MIB, Problems};
use dme_model::{ByteSize, within};
use serde::Deserialize;

/// What becomes of messages while the connector of their sender's mail is away.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendingConfig {
    /// Whether the server keeps them.
    pub while_away: WhileAway,
    /// How many it keeps for one user.
    pub kept_messages: usize,
    /// How many bytes of them.
    pub kept_size: ByteSize,
}

/// What a phone that sends is told while the connector is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhileAway {
    /// To come again; it keeps the message itself.
    Refuse,
    /// That the message is sent; the server keeps it, and sends it when the connector is back.
    Keep,
}

impl Default for SendingConfig {
    fn default() -> Self {
        Self { while_away: WhileAway::Refuse, kept_messages: 100, kept_size: ByteSize(64 << 20) }
    }
}

pub(super) fn check(sending: &SendingConfig, found: &mut Problems) {
    found.see(within("sending.kept_messages", sending.kept_messages, 1..=100_000));
    found.size("sending.kept_size", sending.kept_size, MIB, 10 * GIB);
}
