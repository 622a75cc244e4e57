//! A series that is a list of dates (`RDATE` without a rule), as a rule with exceptions: what
//! phones can be told of it. Domino writes every series so that its own rules cannot say.

use super::beat::Beat;
use super::clock::Zones;
use super::event::Times;
use super::object::Component;
use super::rule::greatest_common_divisor;
use dme_model::{Frequency, LocalTime, Recurrence, RecurrenceEnd};
use std::collections::BTreeSet;

/// How many dates such a series may have, and how many instances may be missing between them.
const MOST: usize = 366;

/// Whether a series is dates alone.
pub(crate) fn are_all(main: &Component) -> bool {
    main.line("RRULE").is_none() && main.line("RDATE").is_some()
}

/// Every so many days, without those days that are not in the list. None where there is no such
/// list, or they are too far between. A date at another time of day counts as the instance of its day.
pub(crate) fn cover(
    main: &Component,
    times: &Times,
    zones: &Zones,
) -> Option<(Recurrence, Vec<LocalTime>)> {
    if main.line("RECURRENCE-ID").is_some() || !are_all(main) {
        return None;
    }
    let beat = Beat::of(times);
    let start = times.start.local;
    let listed = main.all("RDATE").flat_map(|line| zones.list(line)).take(MOST);
    let mut dates: BTreeSet<i64> = BTreeSet::new();
    for date in listed {
        let date = beat.local(&date);
        if date < start {
            return None;
        }
        dates.insert(date.as_days() - start.as_days());
    }
    dates.remove(&0);
    let last = *dates.last()?;
    let step = dates.iter().fold(0, |a, b| greatest_common_divisor(a, *b));
    let count = usize::try_from(last / step).ok()?.checked_add(1)?;
    if count > MOST + dates.len() {
        return None;
    }
    let steps = (step..last).step_by(usize::try_from(step).ok()?);
    let missing = steps
        .filter(|day| !dates.contains(day))
        .map(|day| start.plus_seconds(day * super::value::DAY))
        .collect();
    let rule = Recurrence {
        interval: u32::try_from(step).ok()?,
        end: RecurrenceEnd::Count(u32::try_from(count).ok()?),
        ..Recurrence::every(Frequency::Daily)
    };
    Some((rule, missing))
}
