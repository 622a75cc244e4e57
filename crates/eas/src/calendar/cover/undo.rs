//! What a phone only repeats of what it was told in the place of the original is taken out of what it
//! writes.

use super::{Base, Cover, named, weekday};
use crate::calendar::{Context, exceptions, instance};
use crate::error::Result;
use crate::ghosting::keep_text;
use crate::version::ProtocolVersion;
use dme_model::{
    Event, EventField, EventPatch, Exception, Fields as _, Frequency, InstanceChange, LocalTime,
    Recurrence, RecurrenceEnd, civil,
};
use dme_recurrence::{Series, instances};
use std::collections::{BTreeMap, BTreeSet};

/// What is told of instances that are otherwise because all are from one on, as a phone repeats it.
#[derive(Default)]
pub(in crate::calendar) struct Repeated {
    /// As it is, and as it is read.
    by_original: BTreeMap<LocalTime, (InstanceChange, Option<InstanceChange>)>,
}

impl Repeated {
    /// Of these instances, whenever they were told. `told` is the event as it is read.
    ///
    /// # Errors
    /// Where what we write cannot be read.
    pub(in crate::calendar) fn of<'a>(
        (present, told): (&Event, &Event),
        originals: impl Iterator<Item = &'a Exception>,
        version: ProtocolVersion,
        context: &Context<'_>,
    ) -> Result<Self> {
        if present.irregular.onward.is_empty() {
            return Ok(Self::default());
        }
        // It is copied for each of them, and need not be with all of them.
        let told = &instance::by_rule(told, told.start);
        let onward = super::light(&present.irregular);
        let own: BTreeSet<LocalTime> = present.exceptions.iter().map(|one| one.original).collect();
        let originals: BTreeSet<LocalTime> = originals.map(|one| one.original).collect();
        let mut by_original = BTreeMap::new();
        for original in originals.into_iter().filter(|original| !own.contains(original)) {
            let Some(patch) = onward.change_at(original) else { continue };
            let made = InstanceChange::Changed(Box::new(patch));
            let exception = Exception { original, change: made.clone() };
            let read = exceptions::read_back(&exception, (present, told), version, context)?;
            by_original.insert(original, (made, read.map(|read| read.change)));
        }
        Ok(Self { by_original })
    }

    /// What is told of an instance, as it is and as it is read.
    pub(in crate::calendar) fn at(
        &self,
        original: LocalTime,
    ) -> Option<(&EventPatch, &EventPatch)> {
        match self.by_original.get(&original)? {
            (InstanceChange::Changed(made), Some(InstanceChange::Changed(read))) => {
                Some((made, read))
            }
            _ => None,
        }
    }

    /// Whether a phone repeats what it was told of an instance.
    fn is(&self, exception: &Exception) -> bool {
        let Some((_, told)) = self.at(exception.original) else { return false };
        let InstanceChange::Changed(written) = &exception.change else { return false };
        let mut value = written.value.clone();
        keep_text((&mut value.text, &mut value.native), (&told.value.text, told.value.native));
        written.fields == told.fields
            && told.fields.iter().all(|field| told.value.same(&value, *field))
    }
}

/// Takes out of a change what a phone only repeats of what it was told in the place of the original,
/// and puts the end of a series that it sets into the original rule. `told` is the event as it is
/// told now; it may have been told another month before.
pub(in crate::calendar) fn undo(
    patch: &mut EventPatch,
    present: &Event,
    told: &Event,
    repeated: &Repeated,
) {
    if present.irregular.is_empty() && present.recurrence == told.recurrence {
        return;
    }
    let moved = patch.fields.contains(&EventField::Time).then_some(patch.value.start);
    let moved = moved.filter(|start| *start != present.start).map(|start| begun(present, start));
    let all: Vec<&Event> = [present].into_iter().chain(&moved).collect();
    if patch.fields.contains(&EventField::Recurrence)
        && let Some(cover) = Cover::of(present)
        && let Some(written) = &patch.value.recurrence
        && let Some(now) = &told.recurrence
        && let Some(series) = all.iter().find(|series| cover.was_told(written, series, now))
    {
        let end = cover.end(written, series.start);
        if cover.is_told_end(end, series, now) {
            patch.fields.remove(&EventField::Recurrence);
        } else {
            patch.value.recurrence = Some(Recurrence { end, ..cover.rule.clone() });
        }
    }
    if patch.fields.contains(&EventField::Exceptions) {
        let is_own = |one: &Exception| match one.change {
            InstanceChange::Deleted => {
                let has = |event: &&Event| Series::of(event).is_some_and(|it| it.has(one.original));
                present.exceptions.contains(one) || all.iter().any(has)
            }
            InstanceChange::Changed(_) => !repeated.is(one),
        };
        patch.value.exceptions.retain(is_own);
        let told = told.exceptions.iter().filter(|one| is_own(one));
        let is_repeated = patch.value.exceptions.iter().eq(told);
        if is_repeated || patch.value.exceptions == present.exceptions {
            patch.fields.remove(&EventField::Exceptions);
        }
    }
}

/// The series with another start, as far as that says which instances it has.
fn begun(event: &Event, start: LocalTime) -> Event {
    let later = start.as_seconds().saturating_sub(event.start.as_seconds());
    Event {
        start,
        recurrence: event.recurrence.clone(),
        irregular: event.irregular.begun_later(later),
        ..Event::default()
    }
}

impl Cover<'_> {
    /// Whether a rule, its end aside, may have been told in the place of that of a series; `now` is
    /// the one that is told now.
    fn was_told(&self, written: &Recurrence, series: &Event, now: &Recurrence) -> bool {
        match self.base {
            Base::Own => *written == Recurrence { end: written.end, ..now.clone() },
            Base::Weekly => may_be_weekly(written, series, now),
        }
    }

    /// The end of the series that a phone sets by a rule.
    fn end(&self, written: &Recurrence, start: LocalTime) -> RecurrenceEnd {
        match (self.base, written.end) {
            // It counts what is none as well.
            (Base::Weekly, RecurrenceEnd::Count(count)) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
                let last = instances(start, written).nth(count);
                last.map_or(written.end, RecurrenceEnd::Until)
            }
            (_, end) => end,
        }
    }

    /// Whether a series was ever told to end so: with the last instance of a month. Its own rule is,
    /// where all that differs from it can be told, always told to its own end.
    fn is_told_end(&self, end: RecurrenceEnd, series: &Event, now: &Recurrence) -> bool {
        if self.base == Base::Own && self.whole().is_some() {
            return end == now.end;
        }
        let (RecurrenceEnd::Until(last), Some(all)) = (end, Series::of(series)) else {
            return false;
        };
        let mut from = all.instances_from(last);
        from.next() == Some(last) && ends_month(last, from.next())
    }
}

/// Whether a rule is weekly on all days of the week that a series had come to by the end of some month.
fn may_be_weekly(written: &Recurrence, series: &Event, now: &Recurrence) -> bool {
    let (end, first_day) = (written.end, written.first_day);
    let by_day = written.by_day.clone();
    let weekly = Recurrence { by_day, end, first_day, ..Recurrence::every(Frequency::Weekly) };
    let (RecurrenceEnd::Until(last), Some(all)) = (now.end, Series::of(series)) else {
        return false;
    };
    let latest = last.plus_seconds(2 * 366 * 86_400);
    let mut days = BTreeSet::new();
    let mut all = all.instances().take_while(|at| *at <= latest).peekable();
    weekly == *written
        && std::iter::from_fn(|| Some((all.next()?, all.peek().copied()))).any(|(at, next)| {
            days.insert(weekday(at));
            ends_month(at, next) && named(&days) == written.by_day
        })
}

fn ends_month(at: LocalTime, next: Option<LocalTime>) -> bool {
    let month = |at: LocalTime| {
        let (year, month, _) = civil::date(at.as_days());
        (year, month)
    };
    next.is_none_or(|next| month(next) != month(at))
}
