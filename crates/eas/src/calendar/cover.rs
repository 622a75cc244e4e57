//! A series that ActiveSync has no words for: told as one that has all its instances, without those
//! that are none of them, and with each that is otherwise than the series says. It is the series' own
//! rule where that can be told (a rule takes instances out, or from some on they are otherwise), else
//! a weekly one (the 1st and 15th of each month, two rules, added dates).
//!
//! Each instance on the phone is thus one of the original, and what is changed or deleted of it finds
//! its way there. The other way round what was only told for this is taken back out of what a phone
//! writes: the original stays what it is until the phone says another rule. That is in [`undo`].
//!
//! A phone takes 256 exceptions, so that a series for which that is too few is told some months ahead
//! and no further. What is told then ends with a month, so that it stays the same until the next.

mod undo;

pub(super) use undo::{Repeated, undo};

use crate::recurrence::{Fidelity, fidelity, lacks_instances};
use dme_model::{
    Event, EventField, Exception, Frequency, InstanceChange, Irregular, LocalTime, NthDay,
    Recurrence, RecurrenceEnd, Timestamp, Weekday, civil,
};
use dme_recurrence::{Series, instances_from, last};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The most exceptions that are told for this, those that there are included.
const MOST: usize = 250;
/// Of so many that there are, all are told; of more, those of the time that is covered.
const MOST_OWN: usize = 125;
/// How many months ahead, beginning with the most; as many as `MOST` lets.
const MONTHS: [i64; 6] = [24, 18, 12, 9, 6, 3];
/// How many days back instances are told exactly, where it cannot be from the start on.
const BACK: i64 = 31;
/// A series of more instances is not told whole.
const MOST_INSTANCES: usize = 500;
/// What is told of each of many instances: so much text, and so many people or files.
const LONGEST_TEXT: usize = 2_048;
const MOST_PEOPLE: usize = 20;

/// The event as a phone can be told it: the event itself, or with a rule and exceptions that show its
/// instances, where need be those of some months.
pub(super) fn told(event: &Event, now: Timestamp) -> Cow<'_, Event> {
    match Cover::of(event).and_then(|cover| cover.told(now)) {
        Some((rule, exceptions)) => {
            Cow::Owned(Event { recurrence: Some(rule), exceptions, ..event.clone() })
        }
        None => Cow::Borrowed(event),
    }
}

/// What differs in the instances that are otherwise from one on, as far as it is told of each.
fn light(irregular: &Irregular) -> Irregular {
    let mut onward = irregular.onward.clone();
    for dme_model::Onward { patch, .. } in &mut onward {
        let value = &patch.value;
        let is_long = value.text.as_ref().is_some_and(|text| text.text.len() > LONGEST_TEXT);
        for (field, is_heavy) in [
            (EventField::Text, is_long),
            (EventField::Attendees, value.attendees.len() > MOST_PEOPLE),
            (EventField::Attachments, value.attachments.len() > MOST_PEOPLE),
        ] {
            if is_heavy {
                patch.fields.remove(&field);
            }
        }
    }
    Irregular { onward, ..Irregular::default() }
}

/// Which series of those that a phone knows has all instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Base {
    /// The series' own rule.
    Own,
    /// Each week, on the days of the week on which there are some.
    Weekly,
}

/// A series that is told otherwise than it is.
struct Cover<'a> {
    event: &'a Event,
    rule: &'a Recurrence,
    base: Base,
    series: Series<'a>,
    /// What is told of instances that are otherwise from one on.
    onward: Irregular,
}

/// A rule, and what differs from it.
type Told = (Recurrence, Vec<Exception>);

impl<'a> Cover<'a> {
    /// None where the event is told as it is.
    fn of(event: &'a Event) -> Option<Self> {
        let rule = event.recurrence.as_ref()?;
        let irregular = &event.irregular;
        let lacks = lacks_instances(rule, event.start);
        if irregular.is_empty() && !lacks {
            return None;
        }
        let is_more = !irregular.rules.is_empty() || !irregular.added.is_empty();
        let is_said = !lacks && fidelity(rule, event.start) != Fidelity::None;
        let base = if is_more || !is_said { Base::Weekly } else { Base::Own };
        let series = Series::of(event)?;
        Some(Self { event, rule, base, series, onward: light(irregular) })
    }

    fn told(&self, now: Timestamp) -> Option<Told> {
        if let Some(whole) = self.whole() {
            return Some(whole);
        }
        let start = self.event.start;
        let now = LocalTime::from_seconds(now.as_seconds()).max(start);
        let since = now.plus_seconds(-BACK * 86_400);
        let latest = month_end(now, MONTHS[0])?;
        let all: BTreeSet<LocalTime> =
            self.series.instances().take_while(|at| *at < latest).collect();
        let otherwise = self.otherwise_until();
        let is_cut = |horizon: LocalTime| otherwise.is_none_or(|until: LocalTime| until >= horizon);
        MONTHS.into_iter().find_map(|months| {
            let horizon = month_end(now, months)?;
            let rule = self.rule_until(horizon, is_cut(horizon), &all)?;
            let exceptions = |from| self.exceptions(&rule, from, Some(horizon), &all);
            let exceptions = exceptions(start).or_else(|| exceptions(since))?;
            Some((rule, exceptions))
        })
    }

    /// All of a series that ends, where that is not too much.
    fn whole(&self) -> Option<Told> {
        let mut rules = [self.rule].into_iter().chain(&self.event.irregular.rules);
        if rules.any(|rule| rule.end == RecurrenceEnd::Never) {
            return None;
        }
        let all = self.series.instances().take(MOST_INSTANCES + 1);
        let all: BTreeSet<LocalTime> = all.collect();
        if all.len() > MOST_INSTANCES {
            return None;
        }
        let rule = match self.base {
            Base::Own => self.rule.clone(),
            Base::Weekly => weekly(all.iter(), *all.last().filter(|_| all.len() > 1)?),
        };
        let exceptions = self.exceptions(&rule, self.event.start, None, &all)?;
        Some((rule, exceptions))
    }

    /// The rule that is told up to a time; none where too few instances are before that.
    fn rule_until(
        &self,
        horizon: LocalTime,
        is_cut: bool,
        all: &BTreeSet<LocalTime>,
    ) -> Option<Recurrence> {
        let days = all.range(..horizon);
        let last = days.clone().next_back().copied();
        Some(match self.base {
            Base::Own if !is_cut => self.rule.clone(),
            Base::Own => {
                let end = RecurrenceEnd::Until(last.unwrap_or(self.event.start));
                Recurrence { end, ..self.rule.clone() }
            }
            Base::Weekly => {
                let several = days.clone().nth(1).is_some();
                weekly(days, last.filter(|_| several)?)
            }
        })
    }

    /// After this a phone must be told no more than the rule; none where it always must.
    fn otherwise_until(&self) -> Option<LocalTime> {
        let start = self.event.start;
        let end = last(start, self.rule);
        if !self.event.irregular.onward.is_empty() {
            return end;
        }
        let excluded = self.event.irregular.excluded.iter();
        let latest = excluded.map(|rule| last(start, rule)).collect::<Option<Vec<_>>>();
        match latest.and_then(|all| all.into_iter().max()) {
            Some(latest) => Some(end.map_or(latest, |end| end.min(latest))),
            None => end,
        }
    }

    /// What differs from the rule that is told; none where that is too much.
    fn exceptions(
        &self,
        rule: &Recurrence,
        from: LocalTime,
        horizon: Option<LocalTime>,
        all: &BTreeSet<LocalTime>,
    ) -> Option<Vec<Exception>> {
        let own = &self.event.exceptions;
        let are_all_told = own.len() <= MOST_OWN;
        let own = own.iter().filter(|one| are_all_told || one.original >= from);
        let own: Vec<&Exception> = own.take(MOST + 1).collect();
        let known: BTreeSet<LocalTime> = own.iter().map(|one| one.original).collect();
        let told = instances_from(self.event.start, rule, from);
        let told = told.take_while(|at| horizon.is_none_or(|horizon| *at < horizon));
        let others = told.filter(|at| !known.contains(at)).filter_map(|original| {
            let change = match all.contains(&original) {
                false => InstanceChange::Deleted,
                true => InstanceChange::Changed(Box::new(self.onward.change_at(original)?)),
            };
            Some(Exception { original, change })
        });
        let room = (MOST + 1).saturating_sub(own.len());
        let others: Vec<Exception> = others.take(room).collect();
        if own.len() + others.len() > MOST {
            return None;
        }
        let mut exceptions: Vec<Exception> = own.into_iter().cloned().chain(others).collect();
        exceptions.sort_by_key(|exception| exception.original);
        Some(exceptions)
    }
}

/// Weekly on each day of the week that these are on.
fn weekly<'a>(all: impl Iterator<Item = &'a LocalTime>, last: LocalTime) -> Recurrence {
    Recurrence {
        by_day: named(&all.map(|at| weekday(*at)).collect()),
        end: RecurrenceEnd::Until(last),
        ..Recurrence::every(Frequency::Weekly)
    }
}

/// The end of the month so many months later, exclusive.
fn month_end(at: LocalTime, months: i64) -> Option<LocalTime> {
    let (year, month, _) = civil::date(at.as_days());
    let month = month + months;
    let day = civil::days(year + month.div_euclid(12), month.rem_euclid(12) + 1, 1)?;
    Some(LocalTime::from_days(day))
}

/// The day of the week, Sunday 0.
fn weekday(at: LocalTime) -> usize {
    // The first day of 1970 was a Thursday.
    usize::try_from((at.as_days() + 4).rem_euclid(7)).unwrap_or_default()
}

/// On these days of the week, from Sunday on.
fn named(days: &BTreeSet<usize>) -> Vec<NthDay> {
    let named = days.iter().filter_map(|day| Weekday::ALL.get(*day).copied());
    named.map(|day| NthDay { day, nth: None }).collect()
}
