//! How an event or task repeats: JSCalendar's `RecurrenceRule` (RFC 8984 §4.3.3), as far as a
//! phone can be told.

use crate::LocalTime;
use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Weekday {
    /// From Sunday to Saturday.
    pub const ALL: [Self; 7] = [
        Self::Sunday,
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
    ];
}

/// The step of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A weekday of a rule (`NDay`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NthDay {
    /// Which weekday.
    pub day: Weekday,
    /// The n-th of them in the month (or year), from the end where negative; none means each.
    pub nth: Option<i8>,
}

/// When a rule ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecurrenceEnd {
    /// Never.
    #[default]
    Never,
    /// The last instance begins at or before this, by the item's own clock.
    Until(LocalTime),
    /// After so many instances, the first among them.
    Count(u32),
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Recurrence {
    /// The step.
    pub frequency: Frequency,
    /// Each so many steps; at least 1.
    pub interval: u32,
    /// On these weekdays; empty means that of the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_day: Vec<NthDay>,
    /// On these days of the month, from the end where negative.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_month_day: Vec<i8>,
    /// In these months, 1 to 12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_month: Vec<u8>,
    /// On these days of the year, 1 to 366, from the end where negative.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_year_day: Vec<i16>,
    /// In these weeks of the year, 1 to 53, from the end where negative: the first is that with
    /// four days in the year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_week_number: Vec<i8>,
    /// Of the days of a step only the n-th, from the end where negative.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_set_position: Vec<i16>,
    /// The day on which a week begins, where the rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_day: Option<Weekday>,
    /// When it ends.
    #[serde(default)]
    pub end: RecurrenceEnd,
}

impl Recurrence {
    /// Each step, for ever.
    pub fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_year_day: Vec::new(),
            by_week_number: Vec::new(),
            by_set_position: Vec::new(),
            first_day: None,
            end: RecurrenceEnd::Never,
        }
    }

    /// Whether it counts days or weeks of the year.
    pub fn counts_by_year(&self) -> bool {
        !(self.by_year_day.is_empty() && self.by_week_number.is_empty())
    }
}
