//! Days that come once a year: the n-th weekday of a month.

use jiff::civil::{Date, Weekday};

/// Which of the weekdays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Week {
    /// The first on or after this day of the month. The n-th of the month is the one on or after
    /// day 7n - 6.
    From(i8),
    /// The last of the month.
    Last,
}

/// A day of every year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct YearlyDay {
    pub(crate) month: i8,
    pub(crate) weekday: Weekday,
    pub(crate) week: Week,
}

impl YearlyDay {
    /// Its date in a year; it may fall into the next month.
    pub(crate) fn date(&self, year: i16) -> Option<Date> {
        let first = match self.week {
            Week::From(day) => Date::new(year, self.month, day).ok()?,
            Week::Last => {
                let last = Date::new(year, self.month, 1).ok()?.last_of_month();
                last.checked_sub(jiff::Span::new().days(6)).ok()?
            }
        };
        let days = first.weekday().until(self.weekday);
        first.checked_add(jiff::Span::new().days(days)).ok()
    }

    /// The ways to say this date by weekday and week of its month: 1 to 4, and the last.
    pub(crate) fn by_week(date: Date) -> impl Iterator<Item = Self> {
        let nth = Some((date.day() - 1) / 7).filter(|week| *week < 4);
        let nth = nth.map(|week| Week::From(week * 7 + 1));
        let last = (date.day() + 7 > date.days_in_month()).then_some(Week::Last);
        let day = move |week| Self { month: date.month(), weekday: date.weekday(), week };
        nth.into_iter().chain(last).map(day)
    }

    /// Those, and all ways to say it as the first such weekday from some day on.
    pub(crate) fn by_any(date: Date) -> impl Iterator<Item = Self> {
        let from = (0..7).filter_map(move |days| {
            let first = date.checked_sub(jiff::Span::new().days(days)).ok()?;
            let week = Week::From(first.day());
            Some(Self { month: first.month(), weekday: date.weekday(), week })
        });
        Self::by_week(date).chain(from)
    }
}
