//! The frame of every call: who asks, for how long, and how the answer is wrapped.

use dme_mailbox::{Account, CallContext};
use dme_model::{RequestId, ZoneId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The path before a call's name.
pub(crate) const PATH: &str = "/v1/";
/// The call that carries [`super::control`].
pub(crate) const CONTROL: &str = "control";

/// The head of a call's request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head<'a, Args> {
    /// Found in the logs of both ends (rule L7).
    pub request: Cow<'a, RequestId>,
    /// Milliseconds until the caller gives up.
    pub left_ms: u64,
    /// The user's clock, where it is not UTC's. An older server says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Cow<'a, ZoneId>>,
    /// For whom, in calls on a mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Cow<'a, Account>>,
    /// What is asked.
    pub args: Args,
}

/// The longest a call may be said to last; clocks cannot overflow from it.
const LONGEST: Duration = Duration::from_secs(86_400);

impl<Args> Head<'_, Args> {
    /// The context in the connector's own clock.
    pub(crate) fn context(&self) -> CallContext {
        let left = Duration::from_millis(self.left_ms).min(LONGEST);
        let context = CallContext::new(self.request.clone().into_owned(), left);
        match &self.clock {
            Some(clock) => context.on_clock(ZoneId::clone(clock)),
            None => context,
        }
    }
}

/// Milliseconds until a deadline.
pub(crate) fn left_ms(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}

/// The head of a call's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer<T, E> {
    /// It was done.
    Ok(T),
    /// It was not.
    Error(E),
}

/// One record of a streamed answer. A stream that ends without `End` or `Error` was cut.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Piece<T, E> {
    /// The next item.
    Item(T),
    /// There are no more.
    End,
    /// There would be more, but.
    Error(E),
}

/// The arguments of one call, which name the call and its answer.
pub(crate) trait Call: Serialize + Send {
    /// The last part of the path.
    const NAME: &'static str;
    /// Whether a secret stands in them, beside the account's credentials.
    const SECRET: bool = false;
    /// What is answered when it was done, or each item of it.
    type Answer;
}
