//! A series that ActiveSync has no words for, such as the 1st and 15th of each month: told as a
//! weekly one that has all its instances, without those that are none of them.
//!
//! Each instance on the phone is thus one of the original, and what is changed or deleted of it finds
//! its way there. The other way round what was only told for this is taken back out of what a phone
//! writes: the original rule stays what it is until the phone says another.
//!
//! A phone takes 256 exceptions, so that such a series is told some months ahead and no further. What
//! is told ends with a month, so that it stays the same until the next.

use crate::recurrence::lacks_instances;
use dme_model::{
    Event, EventField, EventPatch, Exception, Frequency, InstanceChange, LocalTime, NthDay,
    Recurrence, RecurrenceEnd, Timestamp, Weekday, civil,
};
use dme_recurrence::{instances, instances_from, is_instance};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The most exceptions that are told for this, those that there are included.
const MOST: usize = 250;
/// How many months ahead, beginning with the most; as many as `MOST` lets.
const MONTHS: [i64; 6] = [24, 18, 12, 9, 6, 3];
/// How many days back what is no instance is left out.
const BACK: i64 = 31;

/// The event as a phone can be told it: the event itself, or with a rule and exceptions that show the
/// instances of these months.
pub(super) fn told(event: &Event, now: Timestamp) -> Cow<'_, Event> {
    match cover(event, now) {
        Some((rule, exceptions)) => {
            Cow::Owned(Event { recurrence: Some(rule), exceptions, ..event.clone() })
        }
        None => Cow::Borrowed(event),
    }
}

fn cover(event: &Event, now: Timestamp) -> Option<(Recurrence, Vec<Exception>)> {
    let rule = event.recurrence.as_ref().filter(|rule| lacks_instances(rule, event.start))?;
    let now = LocalTime::from_seconds(now.as_seconds()).max(event.start);
    let since = now.plus_seconds(-BACK * 86_400);
    let latest = month_end(now, MONTHS[0])?;
    let all: BTreeSet<LocalTime> =
        instances(event.start, rule).take_while(|at| *at < latest).collect();
    MONTHS.into_iter().find_map(|months| {
        let horizon = month_end(now, months)?;
        let days = || all.range(..horizon);
        let last = days().next_back().filter(|_| days().nth(1).is_some())?;
        let weekly = Recurrence {
            by_day: named(&days().map(|at| weekday(*at)).collect()),
            end: RecurrenceEnd::Until(*last),
            ..Recurrence::every(Frequency::Weekly)
        };
        let others = instances_from(event.start, &weekly, since).filter(|at| !all.contains(at));
        let others = others.map(|original| Exception { original, change: InstanceChange::Deleted });
        let mut exceptions = event.exceptions.clone();
        exceptions.extend(others.take(MOST + 1));
        exceptions.sort_by_key(|exception| exception.original);
        exceptions.dedup_by_key(|exception| exception.original);
        (exceptions.len() <= MOST).then_some((weekly, exceptions))
    })
}

/// Takes out of a change what a phone only repeats of what it was told in the place of the original,
/// and puts the end of a series that it sets into the original rule. `told` is the event as it is
/// told now; it may have been told another month before.
pub(super) fn undo(patch: &mut EventPatch, present: &Event, told: &Event) {
    let (Some(rule), Some(weekly)) = (&present.recurrence, &told.recurrence) else { return };
    if rule == weekly {
        return;
    }
    let moved = patch.fields.contains(&EventField::Time).then_some(patch.value.start);
    let starts: Vec<LocalTime> = [present.start].into_iter().chain(moved).collect();
    if patch.fields.contains(&EventField::Recurrence)
        && let Some(written) = &patch.value.recurrence
        && let Some(start) = starts.iter().find(|start| was_told(written, **start, rule, told))
    {
        if is_told_end(written.end, *start, rule) {
            patch.fields.remove(&EventField::Recurrence);
        } else {
            patch.value.recurrence = Some(Recurrence { end: written.end, ..rule.clone() });
        }
    }
    if patch.fields.contains(&EventField::Exceptions) {
        let there = |one: &Exception| {
            one.change != InstanceChange::Deleted
                || present.exceptions.contains(one)
                || starts.iter().any(|start| is_instance(*start, rule, one.original))
        };
        patch.value.exceptions.retain(there);
        if patch.value.exceptions == present.exceptions {
            patch.fields.remove(&EventField::Exceptions);
        }
    }
}

/// Whether a rule, its end aside, may have been told in the place of this one: on all days of the week
/// that its instances had come to by the end of some month.
fn was_told(written: &Recurrence, start: LocalTime, rule: &Recurrence, told: &Event) -> bool {
    let (end, first_day) = (written.end, written.first_day);
    let by_day = written.by_day.clone();
    let weekly = Recurrence { by_day, end, first_day, ..Recurrence::every(Frequency::Weekly) };
    let Some(Recurrence { end: RecurrenceEnd::Until(last), .. }) = told.recurrence else {
        return false;
    };
    let latest = last.plus_seconds(2 * 366 * 86_400);
    let mut days = BTreeSet::new();
    let mut all = instances(start, rule).take_while(|at| *at <= latest).peekable();
    weekly == *written
        && std::iter::from_fn(|| Some((all.next()?, all.peek().copied()))).any(|(at, next)| {
            days.insert(weekday(at));
            ends_month(at, next) && named(&days) == written.by_day
        })
}

/// Whether a series was ever told to end so: with the last instance of a month.
fn is_told_end(end: RecurrenceEnd, start: LocalTime, rule: &Recurrence) -> bool {
    let RecurrenceEnd::Until(last) = end else { return false };
    let mut from = instances_from(start, rule, last);
    from.next() == Some(last) && ends_month(last, from.next())
}

fn ends_month(at: LocalTime, next: Option<LocalTime>) -> bool {
    let month = |at: LocalTime| {
        let (year, month, _) = civil::date(at.as_days());
        (year, month)
    };
    next.is_none_or(|next| month(next) != month(at))
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
