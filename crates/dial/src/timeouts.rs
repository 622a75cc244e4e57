//! How long a server is waited for.

use dme_model::{OutOfRange, Span, within};
use serde::{Deserialize, Serialize};

/// How long to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutConfig {
    /// For TCP and TLS, and for the greeting where the protocol has one. After this time of silence it
    /// is tried whether the server can be reached at all ([`crate::Doubt`]).
    pub connect: Span,
    /// For the next bytes of an answer.
    pub silence: Span,
}

impl Default for TimeoutConfig {
    fn default() -> Self {
        Self { connect: Span::seconds(10), silence: Span::seconds(60) }
    }
}

impl TimeoutConfig {
    /// Whether they make sense: 10 ms to one hour. `at` is the table of the configuration they
    /// stand in.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self, at: &str) -> Result<(), OutOfRange> {
        let allowed = Span::millis(10)..=Span::seconds(3_600);
        within(&format!("{at}.timeouts.connect"), self.connect, allowed.clone())?;
        within(&format!("{at}.timeouts.silence"), self.silence, allowed)
    }
}
