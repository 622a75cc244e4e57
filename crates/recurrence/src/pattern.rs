//! A rule's days, step by step. A step is a day, a week, a month or a year, by the frequency; steps
//! are numbered, so that any of them can be looked at alone.

use dme_model::{Frequency, LocalTime, NthDay, Recurrence, Weekday, civil};

/// 9999-12-31.
pub(super) const LAST_DAY: i64 = 2_932_896;

/// 0000-01-01.
const FIRST_DAY: i64 = -719_528;

/// A rule with all that its start fills in.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    frequency: Frequency,
    interval: i64,
    /// The number of the start's step.
    first: i64,
    /// The weekday on which weeks begin, Sunday as 0.
    week_start: i64,
    /// A bit a month, from bit 1; all where any will do.
    months: u16,
    /// Whether the rule names months.
    names_months: bool,
    month_days: MonthDays,
    /// Days of the year, from its end where negative; empty for any.
    year_days: Vec<i64>,
    /// Weeks of the year, from its end where negative; empty for any.
    weeks: Vec<i64>,
    weekdays: Weekdays,
    /// Which of a step's days; empty for all.
    positions: Vec<i16>,
}

/// Days of the month.
#[derive(Clone, Debug)]
enum MonthDays {
    Any,
    /// A bit a day, from bit 1: from the begin of the month, and from its end.
    These {
        from_start: u32,
        from_end: u32,
    },
}

/// Days of the week.
#[derive(Clone, Debug)]
enum Weekdays {
    Any,
    These {
        /// A bit a weekday, Sunday as bit 0: each of them.
        each: u8,
        /// The n-th such weekday only.
        nth: Vec<(i64, i64)>,
    },
}

/// A day and its place.
struct Day {
    /// From 1970-01-01.
    number: i64,
    month: i64,
    day: i64,
    month_length: i64,
    /// Sunday as 0.
    weekday: i64,
    /// Days before it in the year.
    before_in_year: i64,
    year_length: i64,
}

impl Day {
    fn new(number: i64) -> Self {
        let (year, month, day) = civil::date(number);
        let new_year = civil::days(year, 1, 1).unwrap_or(number);
        Self {
            number,
            month,
            day,
            month_length: civil::month_length(year, month).unwrap_or(31),
            weekday: weekday_of(number),
            before_in_year: number - new_year,
            year_length: 365 + i64::from(civil::is_leap(year)),
        }
    }

    fn named_weekday(&self) -> Vec<NthDay> {
        let same = Weekday::ALL.into_iter().filter(|day| number_of(*day) == self.weekday);
        same.map(|day| NthDay { day, nth: None }).collect()
    }
}

impl Pattern {
    pub(super) fn new(start: LocalTime, rule: &Recurrence) -> Self {
        let of_start = Day::new(start.as_days());
        let frequency = rule.frequency;
        let mut by_day = rule.by_day.clone();
        let mut by_month_day = rule.by_month_day.clone();
        let mut months = bits(rule.by_month.iter().copied());
        let names_months = !rule.by_month.is_empty();
        let names_days = !rule.by_year_day.is_empty();
        let names_weeks = !rule.by_week_number.is_empty();
        // What a rule does not say its start says.
        match frequency {
            Frequency::Weekly if by_day.is_empty() => by_day = of_start.named_weekday(),
            Frequency::Yearly if names_days => {}
            Frequency::Yearly if names_weeks && by_day.is_empty() && by_month_day.is_empty() => {
                by_day = of_start.named_weekday();
            }
            Frequency::Monthly | Frequency::Yearly
                if by_day.is_empty() && by_month_day.is_empty() =>
            {
                by_month_day = i8::try_from(of_start.day).into_iter().collect();
                if frequency == Frequency::Yearly && !names_months {
                    months = 1 << of_start.month;
                }
            }
            _ => {}
        }
        if months == 0 && !names_months {
            months = u16::MAX;
        }
        let mut pattern = Self {
            frequency,
            interval: rule.interval.max(1).into(),
            first: 0,
            week_start: number_of(rule.first_day.unwrap_or(Weekday::Monday)),
            months,
            names_months,
            month_days: MonthDays::new(&by_month_day),
            year_days: sorted(rule.by_year_day.iter().map(|day| i64::from(*day))),
            weeks: sorted(rule.by_week_number.iter().map(|week| i64::from(*week))),
            weekdays: Weekdays::new(&by_day, frequency),
            positions: sorted(rule.by_set_position.iter().copied().filter(|n| *n != 0)),
        };
        pattern.first = pattern.step_of(start.as_days());
        pattern
    }

    pub(super) fn interval(&self) -> i64 {
        self.interval
    }

    pub(super) fn first(&self) -> i64 {
        self.first
    }

    /// After so many steps without an instance none follows: 400 years are a whole number of each.
    pub(super) fn longest_gap(&self) -> u32 {
        match self.frequency {
            Frequency::Daily => 146_097,
            Frequency::Weekly => 20_871,
            Frequency::Monthly => 4_800,
            Frequency::Yearly => 400,
        }
    }

    /// The number of a day's step.
    pub(super) fn step_of(&self, day: i64) -> i64 {
        match self.frequency {
            Frequency::Daily => day,
            // Day 0 is a Thursday.
            Frequency::Weekly => day.saturating_add(4 - self.week_start).div_euclid(7),
            Frequency::Monthly => {
                let (year, month, _) = civil::date(day);
                year * 12 + month - 1
            }
            Frequency::Yearly => civil::date(day).0,
        }
    }

    /// The last step up to this one that the interval hits.
    pub(super) fn aligned(&self, step: i64) -> i64 {
        step - (step - self.first).rem_euclid(self.interval)
    }

    /// Whether dates can be reckoned with there.
    pub(super) fn is_in_range(&self, day: i64) -> bool {
        (FIRST_DAY..=LAST_DAY).contains(&day)
    }

    /// The same for a step.
    pub(super) fn is_step_in_range(&self, step: i64) -> bool {
        step <= self.step_of(LAST_DAY)
    }

    /// The days of a step, ascending.
    pub(super) fn days(&self, step: i64) -> Vec<i64> {
        let mut days = vec![];
        match self.frequency {
            Frequency::Daily => self.filter(step, 1, &mut days),
            Frequency::Weekly => self.filter(step * 7 - 4 + self.week_start, 7, &mut days),
            Frequency::Monthly => {
                self.filter_month(step.div_euclid(12), step.rem_euclid(12) + 1, &mut days);
            }
            Frequency::Yearly => {
                (1..=12).for_each(|month| self.filter_month(step, month, &mut days));
            }
        }
        self.choose(days)
    }

    fn filter_month(&self, year: i64, month: i64, days: &mut Vec<i64>) {
        let first = civil::days(year, month, 1).zip(civil::month_length(year, month));
        if let Some((first, length)) = first.filter(|_| has_bit(self.months.into(), month)) {
            self.filter(first, length, days);
        }
    }

    fn filter(&self, first: i64, length: i64, days: &mut Vec<i64>) {
        days.extend((first..first + length).filter(|number| {
            let day = Day::new(*number);
            has_bit(self.months.into(), day.month)
                && self.month_days.has(&day)
                && self.has_year_day(&day)
                && self.has_week(&day)
                && self.has_weekday(&day)
        }));
    }

    fn has_year_day(&self, day: &Day) -> bool {
        let (from_start, from_end) = (day.before_in_year + 1, day.before_in_year - day.year_length);
        self.year_days.is_empty()
            || self.year_days.iter().any(|one| *one == from_start || *one == from_end)
    }

    /// Whether the day is in one of the weeks, which it may share with the year before or after.
    fn has_week(&self, day: &Day) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        let number = day.number;
        let into_week = (day.weekday - self.week_start).rem_euclid(7);
        // The week belongs to the year in which most of its days are.
        let (year, _, _) = civil::date(number - into_week + 3);
        let (Some(this), Some(next)) = (self.first_week(year), self.first_week(year + 1)) else {
            return false;
        };
        let (week, weeks) = ((number - this).div_euclid(7) + 1, (next - this).div_euclid(7));
        self.weeks.iter().any(|one| *one == week || *one == week - weeks - 1)
    }

    /// The day on which the first week of a year begins: that with the fourth of January.
    fn first_week(&self, year: i64) -> Option<i64> {
        let fourth = civil::days(year, 1, 4)?;
        Some(fourth - (weekday_of(fourth) - self.week_start).rem_euclid(7))
    }

    fn has_weekday(&self, day: &Day) -> bool {
        let Weekdays::These { each, nth } = &self.weekdays else { return true };
        let of_year = self.frequency == Frequency::Yearly && !self.names_months;
        let (before, length) = match of_year {
            true => (day.before_in_year, day.year_length),
            false => (day.day - 1, day.month_length),
        };
        let (from_start, from_end) = (before / 7 + 1, -((length - 1 - before) / 7 + 1));
        has_bit((*each).into(), day.weekday)
            || nth.iter().any(|(weekday, nth)| {
                *weekday == day.weekday && (*nth == from_start || *nth == from_end)
            })
    }

    /// Of a step's days those at the positions asked for.
    fn choose(&self, days: Vec<i64>) -> Vec<i64> {
        if self.positions.is_empty() {
            return days;
        }
        let place = |position: &i16| match usize::from(position.unsigned_abs()) {
            place if *position > 0 => place.checked_sub(1),
            place => days.len().checked_sub(place),
        };
        let chosen = self.positions.iter().filter_map(|position| days.get(place(position)?));
        sorted(chosen.copied())
    }
}

impl MonthDays {
    fn new(days: &[i8]) -> Self {
        let of_sign = |sign: i8| {
            let days = days.iter().filter(|day| day.signum() == sign).map(|day| day.unsigned_abs());
            days.filter(|day| *day <= 31).fold(0, |bits, day| bits | 1 << day)
        };
        match days {
            [] => Self::Any,
            _ => Self::These { from_start: of_sign(1), from_end: of_sign(-1) },
        }
    }

    fn has(&self, day: &Day) -> bool {
        match self {
            Self::Any => true,
            Self::These { from_start, from_end } => {
                has_bit(*from_start, day.day) || has_bit(*from_end, day.month_length - day.day + 1)
            }
        }
    }
}

impl Weekdays {
    /// Only months and years have an n-th weekday; in shorter steps the number means nothing.
    fn new(days: &[NthDay], frequency: Frequency) -> Self {
        let has_nth = matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        let is_nth = |day: &&NthDay| has_nth && day.nth.is_some();
        let each = days.iter().filter(|day| !is_nth(day));
        let nth = days.iter().filter(is_nth);
        match days {
            [] => Self::Any,
            _ => Self::These {
                each: each.fold(0, |bits, day| bits | 1 << number_of(day.day)),
                nth: sorted(nth.map(|day| (number_of(day.day), day.nth.unwrap_or(0).into()))),
            },
        }
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn bits(months: impl Iterator<Item = u8>) -> u16 {
    months.filter(|month| *month <= 12).fold(0, |bits, month| bits | 1 << month)
}

fn has_bit(bits: u32, place: i64) -> bool {
    u32::try_from(place).ok().and_then(|place| bits.checked_shr(place)).unwrap_or(0) & 1 == 1
}

/// Sunday as 0; day 0 is a Thursday.
fn weekday_of(day: i64) -> i64 {
    day.saturating_add(4).rem_euclid(7)
}

fn number_of(day: Weekday) -> i64 {
    Weekday::ALL.iter().position(|one| *one == day).and_then(|n| i64::try_from(n).ok()).unwrap_or(0)
}
