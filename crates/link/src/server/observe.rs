//! Whoever counts the calls made over links.

use super::call::Failed;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// A call over a link that is over; of one answered by a stream, that its answer has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSeen<'a> {
    /// The connector's name.
    pub connector: &'a str,
    /// Which call, `mailbox/fetch`.
    pub call: &'static str,
    /// What came of it: `ok`, or one of a fixed set of names for what went wrong.
    pub outcome: &'static str,
    /// How long it took, waiting for a place among it.
    pub took: Duration,
}

/// Is told of every call; must not take long.
pub type CallObserver = Arc<dyn Fn(CallSeen<'_>) + Send + Sync>;

/// The name of what came of a call.
pub(super) fn outcome(failed: Option<&Failed>) -> &'static str {
    match failed {
        None => "ok",
        Some(Failed::Unavailable(_)) => "link.unavailable",
        Some(Failed::Busy(_)) => "link.busy",
        Some(Failed::Timeout) => "link.timeout",
        Some(Failed::Unsupported) => "link.unsupported",
        Some(Failed::Protocol(_)) => "link.protocol",
        Some(Failed::Said(value)) => said(value),
    }
}

fn said(value: &serde_json::Value) -> &'static str {
    if let Ok(error) = dme_mailbox::Error::deserialize(value) {
        return error.name();
    }
    match dme_directory::Error::deserialize(value) {
        Ok(error) => error.name(),
        Err(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_mailbox::{Error, ErrorKind};

    #[test]
    fn an_outcome_has_one_of_few_names() {
        let mailbox = Error::new(ErrorKind::Auth, "login of ann");
        let directory = dme_directory::Error::Unavailable("ldaps://x".into());
        for (failed, expected) in [
            (Failed::Timeout, "link.timeout"),
            (Failed::Said(serde_json::to_value(mailbox).unwrap()), "mailbox.auth"),
            (Failed::Said(serde_json::to_value(directory).unwrap()), "directory.unavailable"),
            (Failed::Said("something of a newer release".into()), "unknown"),
        ] {
            assert_eq!(outcome(Some(&failed)), expected);
        }
        assert_eq!(outcome(None), "ok");
    }
}
