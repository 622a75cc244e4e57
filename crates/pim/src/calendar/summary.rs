//! What filters and indexes need of an object.

use super::clock::{Clock, Zones};
use super::object::Object;
use super::series::{self, Series};
use super::{Kind, kind, task, text};
use crate::Error;
use dme_model::{LocalTime, Timestamp, ZoneId};

/// When the last instance of an event is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastEnd {
    /// At this moment.
    At(Timestamp),
    /// When the user's clock shows this: of whole days and of times without a zone.
    Floating(LocalTime),
}

impl LastEnd {
    /// Of what ends when this clock shows that.
    pub(crate) fn of(clock: &Clock, end: LocalTime) -> Self {
        match clock {
            Clock::Floating => Self::Floating(end),
            Clock::Zone(zone) => Self::At(zone.to_utc(end)),
        }
    }

    /// The moment, for a user of this clock.
    pub fn on(self, clock: &ZoneId) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Floating(local) => Clock::of(Some(clock)).to_utc(local),
        }
    }
}

/// An object in few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its `UID`; empty where it has none.
    pub uid: String,
    /// What it is.
    pub kind: Kind,
    /// Of an event, the end of the last instance; none where it goes on for ever or nobody can
    /// tell, and for tasks and notes.
    pub last_end: Option<LastEnd>,
    /// A task that is done.
    pub completed: bool,
    /// The object is a message to others (it has a `METHOD`), not a copy kept in a calendar.
    pub message: bool,
}

/// Sums an object up.
///
/// # Errors
/// Those of [`super::read`].
pub fn summary(object: &[u8]) -> Result<Summary, Error> {
    let object = Object::parse(object)?;
    let kind = kind(&object.calendar)?;
    let series = Series::find(&object.calendar, kind.component());
    let series = series.ok_or(Error::Unconvertible("there is no item in it"))?;
    let last_end = match kind {
        Kind::Event => series::last_end(&series, &Zones::of(&object.calendar))?,
        Kind::Task | Kind::Note => None,
    };
    Ok(Summary {
        uid: series.main.value("UID").map(text::unescape).unwrap_or_default(),
        kind,
        last_end,
        completed: kind == Kind::Task && task::is_complete(series.main),
        message: object.calendar.line("METHOD").is_some(),
    })
}
