//! When a series takes place: the instances of a rule (RFC 5545 §3.3.10).
//!
//! The start of a series is its first instance, whatever the rule says of it (RFC 8984 §4.3.3), and
//! counts as one. All else is by the rule: a month without the 31st is left out, as is a year
//! without the 29th of February. Instances are clock readings; what the clocks of a zone make of
//! them is the zone's business.
//!
//! No rule runs away: an iterator ends after [`MAX_INSTANCES`], with the year 9999, and once so
//! many steps were without an instance that none can follow (dates repeat every 400 years).

mod pattern;
mod series;

pub use series::{Series, is_by_rule};

use dme_model::{LocalTime, Recurrence, RecurrenceEnd};
use pattern::Pattern;

/// After so many instances an iterator ends: more than a day each for fifty years.
pub const MAX_INSTANCES: usize = 20_000;

/// After so many steps, with instances or without, an iterator ends.
const MAX_STEPS: u32 = 200_000;

/// The instances of a series, ascending.
pub fn instances(start: LocalTime, rule: &Recurrence) -> Instances {
    Instances::new(start, rule)
}

/// Those that begin at a time or after it.
pub fn instances_from(
    start: LocalTime,
    rule: &Recurrence,
    from: LocalTime,
) -> impl Iterator<Item = LocalTime> + use<> {
    Instances::new(start, rule).since(from)
}

/// What a rule says by itself: the start is among these only where the rule has it. So a rule is meant
/// that takes instances out of a series.
pub(crate) fn by_rule(start: LocalTime, rule: &Recurrence) -> Instances {
    Instances { at_start: false, start_is_by_rule: true, ..Instances::new(start, rule) }
}

/// The last instance. None of a series that goes on for ever, or for more than [`MAX_INSTANCES`]
/// where these are counted.
pub fn last(start: LocalTime, rule: &Recurrence) -> Option<LocalTime> {
    match rule.end {
        RecurrenceEnd::Never => None,
        RecurrenceEnd::Count(_) => {
            let mut all = Instances::new(start, rule);
            let last = all.by_ref().last();
            if all.ran_away { None } else { last }
        }
        RecurrenceEnd::Until(until) => Some(last_until(start, rule, until)),
    }
}

/// Whether an instance begins then.
pub fn is_instance(start: LocalTime, rule: &Recurrence, at: LocalTime) -> bool {
    if at <= start || second_of_day(at) != second_of_day(start) {
        return at == start;
    }
    let pattern = Pattern::new(start, rule);
    let (day, step) = (at.as_days(), pattern.step_of(at.as_days()));
    let is_by_rule = pattern.is_in_range(start.as_days())
        && pattern.is_in_range(day)
        && step == pattern.aligned(step)
        && pattern.days(step).contains(&day);
    is_by_rule
        && match rule.end {
            RecurrenceEnd::Never => true,
            RecurrenceEnd::Until(until) => at <= until,
            RecurrenceEnd::Count(_) => {
                Instances::new(start, rule).find(|one| *one >= at) == Some(at)
            }
        }
}

/// Looked for from the end backwards.
fn last_until(start: LocalTime, rule: &Recurrence, until: LocalTime) -> LocalTime {
    let pattern = Pattern::new(start, rule);
    let end = until.as_days().min(pattern::LAST_DAY);
    if end < start.as_days() || !pattern.is_in_range(start.as_days()) {
        return start;
    }
    let mut step = pattern.aligned(pattern.step_of(end));
    for _ in 0..=pattern.longest_gap() {
        let times = pattern.days(step).into_iter().rev().map(|day| at(day, start));
        if let Some(last) = times.into_iter().find(|time| *time <= until) {
            return last.max(start);
        }
        step = step.saturating_sub(pattern.interval());
        if step < pattern.first() {
            break;
        }
    }
    start
}

/// The instances of a series, ascending: see [`instances`].
#[derive(Clone, Debug)]
pub struct Instances {
    pattern: Pattern,
    start: LocalTime,
    end: RecurrenceEnd,
    /// Whether the start is still to come.
    at_start: bool,
    /// Whether the start is an instance only where the rule has it.
    start_is_by_rule: bool,
    /// The step whose days are next.
    step: i64,
    /// The days of the step before, still to come.
    days: std::vec::IntoIter<i64>,
    given: usize,
    steps: u32,
    empty_steps: u32,
    over: bool,
    /// It is over because it was too long.
    ran_away: bool,
}

impl Instances {
    fn new(start: LocalTime, rule: &Recurrence) -> Self {
        let pattern = Pattern::new(start, rule);
        Self {
            step: pattern.first(),
            over: !pattern.is_in_range(start.as_days()),
            pattern,
            start,
            end: rule.end,
            at_start: true,
            start_is_by_rule: false,
            days: Vec::new().into_iter(),
            given: 0,
            steps: 0,
            empty_steps: 0,
            ran_away: false,
        }
    }

    /// Those that begin at a time or after it.
    fn since(mut self, from: LocalTime) -> impl Iterator<Item = LocalTime> + use<> {
        // Where instances are counted, those before must be gone through.
        if from > self.start && !matches!(self.end, RecurrenceEnd::Count(_)) {
            self.skip_start(from);
        }
        self.skip_while(move |at| *at < from)
    }

    /// Leaves out the steps before a time after the start.
    fn skip_start(&mut self, from: LocalTime) {
        self.at_start = false;
        let from = from.as_days().min(pattern::LAST_DAY);
        self.step = self.step.max(self.pattern.aligned(self.pattern.step_of(from)));
    }

    /// The next day by the rule.
    fn next_day(&mut self) -> Option<i64> {
        loop {
            if let Some(day) = self.days.next() {
                self.empty_steps = 0;
                return Some(day);
            }
            let is_too_long = self.steps >= MAX_STEPS || !self.pattern.is_step_in_range(self.step);
            if is_too_long || self.empty_steps > self.pattern.longest_gap() {
                self.ran_away |= is_too_long;
                return None;
            }
            self.days = self.pattern.days(self.step).into_iter();
            self.step = self.step.saturating_add(self.pattern.interval());
            self.steps += 1;
            self.empty_steps += 1;
        }
    }

    /// The next time by the rule; the start aside, where that is one anyway.
    fn next_time(&mut self) -> Option<LocalTime> {
        loop {
            let time = at(self.next_day()?, self.start);
            if time > self.start || (self.start_is_by_rule && time == self.start) {
                return Some(time);
            }
        }
    }
}

impl Iterator for Instances {
    type Item = LocalTime;

    fn next(&mut self) -> Option<LocalTime> {
        if std::mem::take(&mut self.at_start) {
            self.given = 1;
            return Some(self.start);
        }
        if self.over {
            return None;
        }
        let is_counted_out = match self.end {
            RecurrenceEnd::Count(count) => {
                self.given >= usize::try_from(count).unwrap_or(usize::MAX)
            }
            RecurrenceEnd::Until(_) | RecurrenceEnd::Never => false,
        };
        let is_too_long = self.given >= MAX_INSTANCES;
        let next = if is_counted_out || is_too_long { None } else { self.next_time() };
        self.ran_away |= is_too_long && !is_counted_out;
        let next = next.filter(|time| match self.end {
            RecurrenceEnd::Until(until) => *time <= until,
            RecurrenceEnd::Count(_) | RecurrenceEnd::Never => true,
        });
        self.over = next.is_none();
        self.given += 1;
        next
    }
}

/// A day at the time of day of the start.
fn at(day: i64, start: LocalTime) -> LocalTime {
    LocalTime::from_days(day).plus_seconds(second_of_day(start))
}

fn second_of_day(time: LocalTime) -> i64 {
    time.as_seconds().rem_euclid(86_400)
}
