//! How long things may take.

use super::problems::{DAY, HOUR, Problems};
use dme_model::Span;
use serde::Deserialize;

/// Times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimesConfig {
    /// For the PROXY header and the TLS handshake.
    pub handshake: Span,
    /// For a request's head, and the longest a connection idles between requests.
    pub head: Span,
    /// For a request's body; also the longest a phone may take nothing of its answer.
    pub body: Span,
    /// For answering a request, from the end of its body on; after a wait anew.
    pub request: Span,
    /// For all calls to a connector that one request needs; after a wait anew.
    pub call: Span,
    /// The shortest wait a phone may ask for (Ping, Sync).
    pub shortest_wait: Span,
    /// The longest wait a phone may ask for.
    pub longest_wait: Span,
    /// How long a mailbox stays watched after its last phone left.
    pub watch_linger: Span,
    /// How long running requests may take at shutdown.
    pub shutdown: Span,
}

impl Default for TimesConfig {
    fn default() -> Self {
        Self {
            handshake: Span::seconds(10),
            head: Span::seconds(120),
            body: Span::seconds(120),
            request: Span::seconds(120),
            call: Span::seconds(60),
            shortest_wait: Span::seconds(60),
            longest_wait: Span::seconds(59 * 60),
            watch_linger: Span::seconds(120),
            shutdown: Span::seconds(20),
        }
    }
}

pub(super) fn check(times: &TimesConfig, found: &mut Problems) {
    let least = Span::millis(100);
    let wait = Span::seconds(59 * 60);
    found.span("times.handshake", times.handshake, least, HOUR);
    found.span("times.head", times.head, least, HOUR);
    found.span("times.body", times.body, least, HOUR);
    found.span("times.request", times.request, least, HOUR);
    found.span("times.call", times.call, least, HOUR);
    found.span("times.shortest_wait", times.shortest_wait, Span::seconds(1), wait);
    found.span("times.longest_wait", times.longest_wait, Span::seconds(1), wait);
    if times.shortest_wait > times.longest_wait {
        found.say("times.shortest_wait is longer than times.longest_wait");
    }
    found.span("times.watch_linger", times.watch_linger, Span::seconds(0), DAY);
    found.span("times.shutdown", times.shutdown, Span::seconds(0), HOUR);
}
