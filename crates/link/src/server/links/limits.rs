//! What links may have to do, and how long they are waited for.

use std::time::Duration;

/// The limits of links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinksConfig {
    /// Calls a connector answers at once (rule R6).
    pub parallel: usize,
    /// Fetches a connector serves at once, beside the calls.
    pub parallel_fetches: usize,
    /// Calls, and as many fetches, that a connector answers at once for one user; at most half of
    /// what it answers at all.
    pub per_user: usize,
    /// Calls and fetches that may wait for a place; beyond, callers get `Busy`.
    pub queued: usize,
    /// Calls, and as many fetches, that may wait for others of the same user.
    pub queued_per_user: usize,
    /// Questions to the directory at once; as many as `queued` may wait.
    pub directory: usize,
    /// Watches on a connector.
    pub watches: usize,
    /// Questions whose mailbox it is that a connector answers at once, beside the calls; never more
    /// than calls.
    pub questions: usize,
    /// Such questions that may wait for a place.
    pub queued_questions: usize,
    /// How long a connector may think about such a question, once it was asked.
    pub question_limit: Duration,
    /// What callers are told to wait when a connector is exhausted.
    pub busy_after: Duration,
    /// The deadline of a directory's answer, whose callers give none.
    pub directory_limit: Duration,
    /// How long the connection for content may take to come: after the first, where the connector
    /// makes both at once, or after it was asked for.
    pub pairing_limit: Duration,
    /// A connection for content on which nothing was asked in the time of so many keepalives is let
    /// go: they have then cost some twice of what it costs to make it anew.
    pub content_keepalives: u32,
}

impl Default for LinksConfig {
    fn default() -> Self {
        Self {
            parallel: 25,
            parallel_fetches: 25,
            per_user: 8,
            queued: 250,
            queued_per_user: 64,
            directory: 32,
            watches: 100_000,
            questions: 16,
            queued_questions: 10_000,
            question_limit: Duration::from_secs(10),
            busy_after: Duration::from_secs(2),
            directory_limit: Duration::from_secs(15),
            pairing_limit: Duration::from_secs(20),
            content_keepalives: 20,
        }
    }
}

/// What one connector may have to do, where that differs from the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkLimits {
    /// Calls at once.
    pub parallel: usize,
    /// Calls and fetches that may wait.
    pub queued: usize,
}
