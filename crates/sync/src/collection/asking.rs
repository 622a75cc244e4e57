//! When the mail system is asked what changed: at each request, but not between the windows in
//! which a long list is handed out. Some servers look at every item to answer, which for a list in
//! fifty windows is fifty times the work of one.
//!
//! What changes between the windows is not lost: the token stays where it is, and before the last
//! window, or when the last answer is [`FRESH`] old, it is asked for. An item that is gone by then
//! is found so when it is read, and left out.

use super::work::Work;
use super::{CollectionOptions, CollectionRequest};
use dme_model::{Class, Timestamp};
use std::time::Duration;

/// For how long what is there may be handed out without asking what became of it.
const FRESH: Duration = Duration::from_secs(5 * 60);

impl Work<'_> {
    /// Whether the question can wait: the last answer is fresh, and of what it named more is left
    /// than the phone takes now. What the phone did is judged by what is there now.
    pub fn can_wait(&self, request: &CollectionRequest, options: &CollectionOptions) -> bool {
        let now = self.session.now;
        request.commands.is_empty()
            && self.generation.asked.is_some_and(|asked| is_fresh(asked, now))
            && self.generation.outstanding() > request.window.room()
            && self.generation.filter == options.filter.of(self.class, now)
    }

    /// Notes for the next request whether it may wait. With mail it may not: new mail goes before
    /// old, and to ask for it costs no more in a large folder than in a small one (rule S1).
    pub fn note_asked(&mut self) {
        if self.asked {
            let waits = self.class != Class::Mail && self.generation.outstanding() > 0;
            self.generation.asked = waits.then_some(self.session.now);
        }
    }
}

/// A clock that was set back makes nothing fresh.
fn is_fresh(asked: Timestamp, now: Timestamp) -> bool {
    asked <= now && now < asked.plus(FRESH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_for_five_minutes() {
        let asked = Timestamp::from_seconds(1_800_000_000);
        for (later, fresh) in [(-1, false), (0, true), (299, true), (300, false), (86_400, false)] {
            let now = Timestamp::from_seconds(1_800_000_000 + later);
            assert_eq!(is_fresh(asked, now), fresh, "{later} s");
        }
    }
}
