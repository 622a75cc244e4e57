//! One line of "what works when X is down", as its test holds it true.

use std::time::Duration;

/// What phones see of a failure in what they ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sees {
    /// Every request is answered as ever.
    Nothing,
    /// What was under way may be told to come again, and is then done; what follows is answered as
    /// ever.
    OneRetry,
    /// Now and then one is told to come again.
    AtTimes,
    /// They are told when to come again (HTTP 503 with `Retry-After`, or Sync's status 16) until it
    /// is mended.
    ComeAgain,
}

/// What becomes of phones that wait for mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parked {
    /// They stay parked, and are woken through the other connector.
    WokenByTheOther,
    /// They stay parked, and are woken as ever.
    Woken,
    /// They stay parked, and are woken when it is mended.
    WokenAfterwards,
    /// They stay parked until something happens in their mailbox, and are told to come again then.
    ComeAgain,
}

/// The longest time from a failure until phones that read and that send see what the row says of
/// them, answered by whoever is left.
#[derive(Clone, Copy, Debug)]
pub enum Within {
    Seconds(u64),
    /// After the time that a setting allows, which the test sets so that it need not wait as long.
    Setting {
        /// Its name, and how long it is by default.
        name: &'static str,
        /// In the test, in seconds.
        in_test: u64,
        /// So many seconds more.
        more: u64,
    },
}

/// One failure.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What fails.
    pub what: &'static str,
    /// What reading phones see.
    pub reads: Sees,
    /// What sending phones see.
    pub sends: Sees,
    pub parked: Parked,
    /// When it is noticed.
    pub noticed: &'static str,
    /// How long it takes at the most.
    pub within: Within,
    /// What else there is to know.
    pub note: &'static str,
}

pub const TITLES: &str = "| what is down | phones that read see | phones that send see | phones that \
wait | noticed | all is so within | to know |\n|---|---|---|---|---|---|---|\n";

impl Row {
    pub fn line(&self) -> String {
        let Self { what, noticed, note, .. } = self;
        let (reads, sends) = (self.reads.words(), self.sends.words());
        let (parked, within) = (self.parked.words(), self.within.words());
        format!("| {what} | {reads} | {sends} | {parked} | {noticed} | {within} | {note} |\n")
    }
}

impl Within {
    /// In the test.
    pub const fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds(seconds) => seconds,
            Self::Setting { in_test, more, .. } => in_test + more,
        })
    }

    fn words(self) -> String {
        match self {
            Self::Seconds(seconds) => format!("{seconds} s"),
            Self::Setting { name, more, .. } => format!("{name} and {more} s"),
        }
    }
}

impl Sees {
    const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::OneRetry => "one retry at the most",
            Self::AtTimes => "\"come again\" at times",
            Self::ComeAgain => "\"come again\" until it is mended",
        }
    }
}

impl Parked {
    const fn words(self) -> &'static str {
        match self {
            Self::WokenByTheOther => "stay parked, woken through the other",
            Self::Woken => "stay parked, woken as ever",
            Self::WokenAfterwards => "stay parked, woken when it is mended",
            Self::ComeAgain => "\"come again\" when something happens",
        }
    }
}
