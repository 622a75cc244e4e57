//! Limits on what is accepted.

use super::problems::{GIB, KIB, MIB, Problems};
use dme_model::{ByteSize, within};
use serde::Deserialize;

/// Limits on what is accepted. What is beyond one is refused with the protocol's own status, or
/// HTTP 400, 413, 431, 503.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Connections of phones at once.
    pub connections: usize,
    /// TLS handshakes under way at once; beyond, the oldest is given up for the newest.
    pub handshakes: usize,
    /// Bytes of a request's head.
    pub head: ByteSize,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of a body from someone who has not logged in.
    pub body_before_login: ByteSize,
    /// Bytes of a body from someone who has.
    pub body: ByteSize,
    /// Bytes of all bodies above 64 KiB in memory at once; one user may have a quarter of it.
    pub bodies: ByteSize,
    /// Nested elements in WBXML.
    pub wbxml_depth: usize,
    /// Elements in WBXML.
    pub wbxml_elements: usize,
    /// Bytes of one string or opaque value in WBXML; a sent message is one.
    pub wbxml_text: ByteSize,
    /// Collections in one Sync or Ping.
    pub folders: usize,
    /// What a phone may do in one collection in one Sync.
    pub commands: usize,
    /// Folders of a mailbox; further ones are not shown.
    pub mailbox_folders: usize,
    /// Items in one answer, whatever the phone asks for (at most 512).
    pub window: u32,
    /// Bytes of items in one answer; more are announced as available.
    pub answer: ByteSize,
    /// Unreadable items passed over in one answer.
    pub unreadable: usize,
    /// Items of one conversation that are moved as a whole.
    pub conversation: u32,
    /// The largest attachment, and the largest whole mail by ItemOperations, given out.
    pub attachment: ByteSize,
    /// Requests of one device at once; a waiting one counts.
    pub parallel_requests: usize,
    /// Requests of one device in a minute, before it is told to slow down.
    pub requests_per_minute: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 200_000,
            handshakes: 256,
            head: ByteSize(16 << 10),
            headers: 64,
            body_before_login: ByteSize(64 << 10),
            body: ByteSize(64 << 20),
            bodies: ByteSize(512 << 20),
            wbxml_depth: 32,
            wbxml_elements: 100_000,
            wbxml_text: ByteSize(48 << 20),
            folders: 300,
            commands: 2_000,
            mailbox_folders: 5_000,
            window: 512,
            answer: ByteSize(16 << 20),
            unreadable: 20,
            conversation: 1_000,
            attachment: ByteSize(64 << 20),
            parallel_requests: 8,
            requests_per_minute: 600,
        }
    }
}

pub(super) fn check(limits: &LimitsConfig, found: &mut Problems) {
    found.see(within("limits.connections", limits.connections, 1..=100_000_000));
    found.see(within("limits.handshakes", limits.handshakes, 1..=1_000_000));
    // The HTTP library reads no less at once.
    found.size("limits.head", limits.head, 8 * KIB, 16 * MIB);
    found.see(within("limits.headers", limits.headers, 8..=10_000));
    found.size("limits.body_before_login", limits.body_before_login, 256, 16 * MIB);
    found.size("limits.body", limits.body, KIB, GIB);
    if limits.bodies < limits.body {
        found.say(format!(
            "limits.bodies is {}: at least limits.body, which is {}",
            limits.bodies, limits.body
        ));
    }
    found.see(within("limits.wbxml_depth", limits.wbxml_depth, 6..=256));
    found.see(within("limits.wbxml_elements", limits.wbxml_elements, 16..=100_000_000));
    found.size("limits.wbxml_text", limits.wbxml_text, KIB, GIB);
    found.see(within("limits.folders", limits.folders, 1..=10_000));
    found.see(within("limits.commands", limits.commands, 1..=1_000_000));
    found.see(within("limits.mailbox_folders", limits.mailbox_folders, 10..=1_000_000));
    found.see(within("limits.unreadable", limits.unreadable, 0..=512));
    found.see(within("limits.conversation", limits.conversation, 1..=1_000_000));
    found.see(within("limits.window", limits.window, 1..=512));
    found.size("limits.answer", limits.answer, KIB, GIB);
    found.size("limits.attachment", limits.attachment, KIB, GIB);
    // A phone that waits for mail sends at the same time.
    found.see(within("limits.parallel_requests", limits.parallel_requests, 2..=10_000));
    let most = 1_000_000_000;
    found.see(within("limits.requests_per_minute", limits.requests_per_minute, 10..=most));
}
