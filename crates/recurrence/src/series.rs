//! The instances of a series of which one rule is not all (RFC 5545 §3.8.5): those of its rules and
//! its added dates, less those of the rules that take some out.

use crate::{by_rule, instances_from, is_instance, last};
use dme_model::{Event, Irregular, LocalTime, Recurrence, RecurrenceEnd};
use std::iter::Peekable;

/// A series, with all that says which instances it has.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    start: LocalTime,
    rule: &'a Recurrence,
    irregular: &'a Irregular,
}

type Source<'a> = Peekable<Box<dyn Iterator<Item = LocalTime> + 'a>>;

impl<'a> Series<'a> {
    /// That of an event; none where it does not repeat.
    pub fn of(event: &'a Event) -> Option<Self> {
        let rule = event.recurrence.as_ref()?;
        Some(Self { start: event.start, rule, irregular: &event.irregular })
    }

    /// One that begins then.
    pub fn new(start: LocalTime, rule: &'a Recurrence, irregular: &'a Irregular) -> Self {
        Self { start, rule, irregular }
    }

    fn rules(&self) -> impl Iterator<Item = &'a Recurrence> + use<'a> {
        std::iter::once(self.rule).chain(&self.irregular.rules)
    }

    /// Its instances, by when they begin without their exceptions, ascending.
    pub fn instances(&self) -> impl Iterator<Item = LocalTime> + use<'a> {
        self.instances_from(self.start)
    }

    /// Those at a time or after it.
    pub fn instances_from(&self, from: LocalTime) -> impl Iterator<Item = LocalTime> + use<'a> {
        let start = self.start;
        let boxed = |all: Box<dyn Iterator<Item = LocalTime> + 'a>| all.peekable();
        let rules = self.rules().map(|rule| boxed(Box::new(instances_from(start, rule, from))));
        let added = self.irregular.added.iter().copied().filter(move |at| *at >= from);
        let included = rules.chain([boxed(Box::new(added))]).collect();
        let excluded = self.irregular.excluded.iter();
        let excluded = excluded.map(|rule| boxed(Box::new(by_rule(start, rule).since(from))));
        Merged { included, excluded: excluded.collect() }
    }

    /// Whether an instance begins then.
    pub fn has(&self, at: LocalTime) -> bool {
        let irregular = self.irregular;
        let is_there = irregular.added.contains(&at)
            || self.rules().any(|rule| is_instance(self.start, rule, at));
        is_there && !irregular.excluded.iter().any(|rule| is_by_rule(self.start, rule, at))
    }

    /// After this there is no instance. None where it goes on for ever, or for longer than is gone
    /// through.
    pub fn last(&self) -> Option<LocalTime> {
        let mut latest = self.irregular.added.last().copied().unwrap_or(self.start);
        for rule in self.rules() {
            latest = latest.max(last(self.start, rule)?);
        }
        Some(latest)
    }
}

/// Whether a rule by itself has an instance then: the start is none of its own.
pub fn is_by_rule(start: LocalTime, rule: &Recurrence, at: LocalTime) -> bool {
    // Whether the start counts decides which is the last.
    match at == start || matches!(rule.end, RecurrenceEnd::Count(_)) {
        true => by_rule(start, rule).find(|one| *one >= at) == Some(at),
        false => is_instance(start, rule, at),
    }
}

/// Times of several sources in their order, each once, less those of others.
struct Merged<'a> {
    included: Vec<Source<'a>>,
    excluded: Vec<Source<'a>>,
}

impl Merged<'_> {
    fn is_excluded(&mut self, at: LocalTime) -> bool {
        self.excluded.iter_mut().any(|source| {
            while source.next_if(|one| *one < at).is_some() {}
            source.peek() == Some(&at)
        })
    }
}

impl Iterator for Merged<'_> {
    type Item = LocalTime;

    fn next(&mut self) -> Option<LocalTime> {
        loop {
            let next =
                self.included.iter_mut().filter_map(|source| source.peek().copied()).min()?;
            for source in &mut self.included {
                while source.next_if(|one| *one <= next).is_some() {}
            }
            if !self.is_excluded(next) {
                return Some(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::{Frequency, NthDay, Weekday};

    /// 1970-01-05, a Monday, at nine.
    const START: LocalTime = LocalTime::from_seconds(4 * 86_400 + 9 * 3600);

    fn day(days: i64) -> LocalTime {
        START.plus_seconds(days * 86_400)
    }

    fn every(interval: u32, end: RecurrenceEnd) -> Recurrence {
        Recurrence { interval, end, ..Recurrence::every(Frequency::Daily) }
    }

    fn days(series: &Series<'_>, from: i64, count: usize) -> Vec<i64> {
        let all = series.instances_from(day(from)).take(count);
        all.map(|at| at.as_days() - START.as_days()).collect()
    }

    #[test]
    fn instances_are_those_of_all_rules_and_dates_less_those_taken_out() {
        let rule = every(2, RecurrenceEnd::Never);
        let irregular = Irregular {
            rules: vec![every(3, RecurrenceEnd::Count(3))],
            excluded: vec![every(4, RecurrenceEnd::Never)],
            added: vec![day(5), day(8), day(11)],
            onward: vec![],
        };
        let series = Series::new(START, &rule, &irregular);
        assert_eq!(days(&series, 0, 9), [2, 3, 5, 6, 10, 11, 14, 18, 22]);
        assert_eq!(days(&series, 10, 3), [10, 11, 14]);
        let asked: Vec<i64> = (0..23).filter(|at| series.has(day(*at))).collect();
        assert_eq!(asked, [2, 3, 5, 6, 10, 11, 14, 18, 22]);
        assert_eq!(series.last(), None);
    }

    #[test]
    fn a_rule_takes_the_start_out_only_where_it_has_it() {
        let rule = every(1, RecurrenceEnd::Count(10));
        let tuesdays = |end| Recurrence {
            by_day: vec![NthDay { day: Weekday::Tuesday, nth: None }],
            end,
            ..Recurrence::every(Frequency::Weekly)
        };
        for end in [RecurrenceEnd::Never, RecurrenceEnd::Count(2)] {
            let irregular = Irregular { excluded: vec![tuesdays(end)], ..Irregular::default() };
            let series = Series::new(START, &rule, &irregular);
            assert_eq!(days(&series, 0, 20), [0, 2, 3, 4, 5, 6, 7, 9]);
            assert!(series.has(START) && !series.has(day(1)) && !series.has(day(8)));
            assert_eq!(series.last(), Some(day(9)));
        }
        let all =
            Irregular { excluded: vec![every(1, RecurrenceEnd::Never)], ..Irregular::default() };
        assert_eq!(days(&Series::new(START, &rule, &all), 0, 20), [0_i64; 0]);
        assert!(!Series::new(START, &rule, &all).has(START));
    }

    #[test]
    fn a_series_ends_with_the_last_of_its_rules_and_dates() {
        let rule = every(1, RecurrenceEnd::Count(3));
        let irregular = Irregular {
            rules: vec![every(7, RecurrenceEnd::Until(day(20)))],
            added: vec![day(12)],
            ..Irregular::default()
        };
        assert_eq!(Series::new(START, &rule, &irregular).last(), Some(day(14)));
        let irregular = Irregular { added: vec![day(12)], ..Irregular::default() };
        assert_eq!(Series::new(START, &rule, &irregular).last(), Some(day(12)));
    }
}
