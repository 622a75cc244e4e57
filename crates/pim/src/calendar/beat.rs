//! How a series counts its instances: each by when it begins by the rule, on the series' own clock and
//! at one time of day.
//!
//! A phone's series has one time of day. A date that is added at another (`RDATE`) counts as the
//! instance of its day, where that has none by anything else, and is told as one that was moved from
//! there. In the object it keeps its own name.

use super::clock::When;
use super::event::Times;
use super::value::DAY;
use dme_model::{LocalTime, Timestamp};
use std::collections::BTreeMap;

/// How a series counts its instances.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Beat {
    pub(crate) start: When,
    pub(crate) all_day: bool,
    /// Dates that are added at another time of day, by what they count as.
    odd: BTreeMap<LocalTime, LocalTime>,
}

impl Beat {
    /// By the start alone.
    pub(crate) fn of(times: &Times) -> Self {
        Self { start: times.start.clone(), all_day: times.all_day, odd: BTreeMap::new() }
    }

    /// The same with dates at other times of day, by what they count as.
    pub(crate) fn with(self, odd: BTreeMap<LocalTime, LocalTime>) -> Self {
        Self { odd, ..self }
    }

    /// As what dates at other times of day count.
    pub(crate) fn odd(&self) -> impl Iterator<Item = LocalTime> {
        self.odd.keys().copied()
    }

    /// Whether an instance is a date at another time of day.
    pub(crate) fn is_odd(&self, original: LocalTime) -> bool {
        self.odd.contains_key(&original)
    }

    /// When an instance begins that nothing was said of; what it counts as, but for a date at another
    /// time of day.
    pub(crate) fn begin(&self, original: LocalTime) -> LocalTime {
        self.odd.get(&original).copied().unwrap_or(original)
    }

    /// The begin on the series' own clock that a `RECURRENCE-ID`, `EXDATE` or `RDATE` names. Where one
    /// is a day and the other a time, the day counts.
    pub(crate) fn local(&self, id: &When) -> LocalTime {
        let local = id.on(&self.start.clock);
        if self.all_day {
            LocalTime::from_days(local.as_days())
        } else if id.date {
            self.on_day_of(local)
        } else {
            local
        }
    }

    /// Which instance it means.
    pub(crate) fn original(&self, id: &When) -> LocalTime {
        self.counted(self.local(id))
    }

    /// The same of a moment that a phone names; of whole days it is midnight UTC of the day.
    pub(crate) fn original_at(&self, at: Timestamp) -> LocalTime {
        let as_utc = LocalTime::from_seconds(at.as_seconds());
        if self.all_day {
            LocalTime::from_days(as_utc.as_days())
        } else {
            self.counted(self.start.clock.to_local(at))
        }
    }

    /// The instance as `RECURRENCE-ID` and `EXDATE` name it.
    pub(crate) fn id(&self, original: LocalTime) -> When {
        self.when(self.begin(original))
    }

    /// A time on the series' clock.
    pub(crate) fn when(&self, local: LocalTime) -> When {
        When { local, clock: self.start.clock.clone(), date: self.start.date }
    }

    /// The same day at the time of day of the series.
    pub(crate) fn on_day_of(&self, local: LocalTime) -> LocalTime {
        let time = self.start.local.as_seconds().rem_euclid(DAY);
        LocalTime::from_days(local.as_days()).plus_seconds(time)
    }

    fn counted(&self, local: LocalTime) -> LocalTime {
        let slot = self.on_day_of(local);
        if self.odd.get(&slot) == Some(&local) { slot } else { local }
    }
}
