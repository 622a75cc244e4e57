//! What makes a series of an event: its rule, `EXDATE`s, and overriding components with a
//! `RECURRENCE-ID` (RFC 5545 §3.8.4.4, §3.8.5).

use super::beat::Beat;
use super::clock::{Clock, When, Zones};
use super::dates;
use super::event::{self, Reading, Times};
use super::irregular;
use super::object::Component;
use super::rule::Rule;
use super::summary::LastEnd;
use super::value::DAY;
use crate::{Error, recurrence};
use dme_model::{
    Event, EventField, EventPatch, Exception, InstanceChange, Irregular, LocalTime, Recurrence,
};
use std::collections::BTreeMap;

/// How many exceptions of a series are shown, the newest of them. Older ones stay in the object
/// untouched.
pub const MAX_EXCEPTIONS: usize = 1000;

/// The components of one event in a calendar: the one of the series, and those that override it.
pub(crate) struct Series<'a> {
    pub(crate) main: &'a Component,
    pub(crate) overrides: Vec<&'a Component>,
}

impl<'a> Series<'a> {
    /// Those of the first component of this kind. Where only overrides are there (the user is
    /// asked to some instances alone), the first of them stands for itself.
    pub(crate) fn find(calendar: &'a Component, kind: &'a str) -> Option<Self> {
        let all = || calendar.components().filter(move |one| one.is(kind));
        let main =
            all().find(|one| one.line("RECURRENCE-ID").is_none()).or_else(|| all().next())?;
        let uid = main.value("UID");
        let overrides = all()
            .filter(|one| !std::ptr::eq(*one, main))
            .filter(|one| one.value("UID") == uid && one.line("RECURRENCE-ID").is_some())
            .collect();
        Some(Self { main, overrides })
    }
}

/// An event as it is read.
pub(crate) struct Read {
    pub(crate) event: Event,
    /// When it is over, as [`last_end`] has it: the event tells that by a user's clock.
    pub(crate) last_end: Option<LastEnd>,
    /// How it counts its instances.
    pub(crate) beat: Beat,
}

/// Reads an event with all that makes a series of it.
///
/// # Errors
/// [`Error::Unconvertible`] where there is no begin.
pub(crate) fn read(series: &Series<'_>, reading: &Reading<'_>) -> Result<Read, Error> {
    let mut event = event::read(series.main, reading)?;
    let times = Times::of(series.main, reading.zones)?;
    let (rule, missing) = rule(series.main, &times, reading.zones);
    let last_end = end(series, &times, rule.as_ref(), reading.zones);
    let mut beat = Beat::of(&times);
    if let Some(rule) = rule {
        event.irregular = irregular::rules(series.main, &beat);
        let dates = irregular::dates(series, &rule, &event.irregular, &beat, reading);
        beat = beat.with(dates.odd);
        event.recurrence = Some(rule);
        event.irregular.added = dates.added;
        event.irregular.onward = irregular::onward(series, &event, &beat, reading);
        event.exceptions = exceptions(series, &event, &beat, missing, reading);
        if is_part(series.main, &times) {
            let time = |at: LocalTime| at.as_seconds().rem_euclid(DAY);
            let start = time(event.start);
            event.exceptions.retain(|one| time(one.original) == start);
            event.irregular.onward.retain(|one| time(one.from) == start);
        }
    }
    Ok(Read { event, last_end, beat })
}

/// Whether there are more instances than the rules that are told have: at other times of their days,
/// or by a rule that cannot be told.
pub(crate) fn is_part(main: &Component, times: &Times) -> bool {
    matches!(event::rule(main, &times.start), Some(Rule::Part(_)))
        || irregular::is_part(main, &Beat::of(times))
}

/// When the last instance is over; none where nobody can tell.
///
/// # Errors
/// As [`read`].
pub(crate) fn last_end(series: &Series<'_>, zones: &Zones) -> Result<Option<LastEnd>, Error> {
    let times = Times::of(series.main, zones)?;
    let (rule, _) = rule(series.main, &times, zones);
    Ok(end(series, &times, rule.as_ref(), zones))
}

fn end(
    series: &Series<'_>,
    times: &Times,
    rule: Option<&Recurrence>,
    zones: &Zones,
) -> Option<LastEnd> {
    let clock = &times.start.clock;
    let length = times.end.as_seconds() - times.start.local.as_seconds();
    let last_start = last_start(series.main, times, rule)?;
    let mut last = last_start.plus_seconds(length);
    for line in series.main.all("RDATE") {
        let dates = zones.list(line);
        let starts = dates.iter().map(|date| date.on(clock).plus_seconds(length));
        last = starts.fold(last, LocalTime::max);
    }
    for component in &series.overrides {
        let Ok(times) = Times::of(component, zones) else { continue };
        let mut end = times.end().on(clock);
        if irregular::is_onward(component)
            && let Some(from) = component.line("RECURRENCE-ID").and_then(|id| zones.when(id))
        {
            // The last instance is moved as this one is.
            let later = last_start.as_seconds().saturating_sub(from.on(clock).as_seconds());
            end = end.plus_seconds(later.max(0));
        }
        last = last.max(end);
    }
    Some(LastEnd::of(clock, last))
}

/// By what rule the instances begin, and those that do not take place although they do by it.
fn rule(main: &Component, times: &Times, zones: &Zones) -> (Option<Recurrence>, Vec<LocalTime>) {
    match dates::cover(main, times, zones) {
        Some((rule, missing)) => (Some(rule), missing),
        None => (event::recurrence(main, &times.start), Vec::new()),
    }
}

fn exceptions(
    series: &Series<'_>,
    event: &Event,
    beat: &Beat,
    missing: Vec<LocalTime>,
    reading: &Reading<'_>,
) -> Vec<Exception> {
    let mut changes = BTreeMap::new();
    for original in missing.into_iter().chain(excluded(series.main, beat, reading)) {
        changes.insert(original, InstanceChange::Deleted);
    }
    for component in &series.overrides {
        let Some((original, patch)) = overridden(component, event, beat, reading) else { continue };
        changes.insert(original, InstanceChange::Changed(Box::new(patch)));
    }
    for original in beat.odd() {
        changes.entry(original).or_insert_with(|| {
            let as_it_is = unchanged(event, original, beat);
            InstanceChange::Changed(Box::new(difference(&instance(event, original), as_it_is)))
        });
    }
    let skipped = changes.len().saturating_sub(MAX_EXCEPTIONS);
    let all = changes.into_iter().map(|(original, change)| Exception { original, change });
    all.skip(skipped).collect()
}

/// Which instance a component overrides, and what differs in it; none where it cannot be read.
pub(crate) fn overridden(
    component: &Component,
    event: &Event,
    beat: &Beat,
    reading: &Reading<'_>,
) -> Option<(LocalTime, EventPatch)> {
    let original = original(component, beat, reading)?;
    let mut changed = event::read(component, reading).ok()?;
    rebase(&mut changed, event, beat);
    Some((original, difference(&instance(event, original), changed)))
}

/// The instances that do not take place.
pub(crate) fn excluded(main: &Component, beat: &Beat, reading: &Reading<'_>) -> Vec<LocalTime> {
    let lines = main.all("EXDATE").flat_map(|line| reading.zones.list(line));
    lines.map(|id| beat.original(&id)).collect()
}

/// Which instance a component overrides.
pub(crate) fn original(
    component: &Component,
    beat: &Beat,
    reading: &Reading<'_>,
) -> Option<LocalTime> {
    Some(beat.original(&reading.zones.when(component.line("RECURRENCE-ID")?)?))
}

/// Puts an instance's times on the series' clock.
pub(crate) fn rebase(changed: &mut Event, series: &Event, beat: &Beat) {
    if changed.all_day || changed.zone == series.zone {
        return;
    }
    let own = Clock::of(changed.zone.as_ref());
    for local in [&mut changed.start, &mut changed.end] {
        *local = When { local: *local, clock: own.clone(), date: false }.on(&beat.start.clock);
    }
    changed.zone = beat.start.clock.zone_id();
}

/// The instance as the rule alone has it.
pub(crate) fn instance(series: &Event, original: LocalTime) -> Event {
    let length = series.end.as_seconds() - series.start.as_seconds();
    Event {
        start: original,
        end: original.plus_seconds(length),
        recurrence: None,
        exceptions: Vec::new(),
        irregular: Irregular::default(),
        last_end: None,
        attach: Vec::new(),
        detach: Vec::new(),
        ..series.clone()
    }
}

/// When one instance ends by the series' clock; none where it does not take place.
pub(crate) fn end_of(series: &Event, original: LocalTime, beat: &Beat) -> Option<LocalTime> {
    let exception = series.exceptions.iter().find(|one| one.original == original);
    match exception.map(|one| &one.change) {
        Some(InstanceChange::Deleted) => None,
        Some(InstanceChange::Changed(patch)) => {
            let mut instance = instance(series, original);
            patch.apply(&mut instance);
            Some(instance.end)
        }
        None => Some(unchanged(series, original, beat).end),
    }
}

/// The instance as it is where nothing is said of it alone.
pub(crate) fn unchanged(series: &Event, original: LocalTime, beat: &Beat) -> Event {
    let mut instance = instance(series, original);
    if let Some(onward) = series.irregular.change_at(original) {
        onward.apply(&mut instance);
    }
    if beat.is_odd(original) {
        let length = instance.end.as_seconds() - instance.start.as_seconds();
        instance.start = beat.begin(original);
        instance.end = instance.start.plus_seconds(length);
    }
    instance
}

/// What of an instance differs, without what belongs to the series alone or differs always.
pub(crate) fn difference(base: &Event, changed: Event) -> EventPatch {
    let mut patch = EventPatch::between(base, changed);
    for field in [
        EventField::Uid,
        EventField::Stamp,
        EventField::Recurrence,
        EventField::Exceptions,
        EventField::Organizer,
    ] {
        patch.fields.remove(&field);
    }
    patch
}

fn last_start(main: &Component, times: &Times, rule: Option<&Recurrence>) -> Option<LocalTime> {
    let Some(rule) = rule else {
        // A rule that is not understood may go on for ever.
        let one = main.line("RRULE").is_none() || event::rule(main, &times.start).is_none();
        return one.then_some(times.start.local);
    };
    let beat = Beat::of(times);
    if irregular::is_beyond(main, &beat) {
        return None;
    }
    let irregular = irregular::rules(main, &beat);
    recurrence::Series::new(times.start.local, rule, &irregular).last()
}
