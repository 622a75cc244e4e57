//! A user's change of an event, and whom it concerns.

use super::apply::main_mut;
use super::beat::Beat;
use super::clock::Zones;
use super::event_fields as fields;
use super::exceptions::Editing;
use super::line::Line;
use super::object::Component;
use super::people::{self, Owner};
use super::series::{self, Series};
use super::summary::LastEnd;
use super::{Writing, value};
use crate::Error;
use crate::itip::by_server::unreached;
use crate::itip::organise::{Invited, Told, invited, is_of_instances, is_over};
use dme_model::{
    Address, Event, EventField, EventPatch, EventStatus, Fields, InstanceChange, LocalTime, Notice,
    Participation, Timestamp,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What was done.
#[derive(Default)]
pub(crate) struct Change {
    /// Something was.
    pub(crate) any: bool,
    /// Whom it concerns.
    told: Told,
    /// Where it is of single instances: when they are over, as they were and as they are, the last of
    /// them.
    end: Option<Timestamp>,
}

impl Change {
    /// One that concerns nobody else.
    pub(crate) fn quiet(any: bool) -> Self {
        Self { any, ..Self::default() }
    }

    /// One of which the calendar's server, where there is one, tells those who are gone as far as it
    /// reaches them. `unreached` are those it did not reach before.
    fn telling(any: bool, mut told: Told, unreached: &BTreeSet<String>, writing: &Writing) -> Self {
        told.cancel.retain(|email| !writing.schedules || unreached.contains(email));
        Self { any, told, end: None }
    }

    /// Whether the calendar's server is to tell somebody of it.
    pub(crate) fn is_told_by_server(&self, writing: &Writing) -> bool {
        writing.schedules && self.any && !self.told.request.is_empty()
    }
}

pub(crate) fn create(
    calendar: &mut Component,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<Change, Error> {
    if !patch.fields.contains(&EventField::Time) {
        return Err(Error::Misfit("an event needs a time"));
    }
    let owner = Owner(&writing.owner);
    let mut new = Event::default();
    patch.apply(&mut new);
    if needs_zone(&new) {
        new.zone = Some(writing.zone.clone());
    }
    let Some(event) = main_mut(calendar, "VEVENT") else { return Ok(Change::default()) };
    event.push(Line::new("SEQUENCE", "0"));
    // So that the time is written whatever it is.
    let shown = Event { start: new.start.plus_seconds(-1), ..Event::default() };
    fields::write(event, &shown, &new, &patch.fields, owner, zones);
    name_organizer(event, writing);
    if !new.exceptions.is_empty() {
        Editing::of(calendar, owner, zones)?.set(&[], &new.exceptions);
    }
    let after = invited(calendar.components(), owner);
    let told = Told::of_change(&Invited::new(), &after, &patch.fields, new.status);
    Ok(Change { any: true, told, end: None })
}

/// Whether the event has no zone though others are asked, who have other clocks.
fn needs_zone(event: &Event) -> bool {
    event.zone.is_none() && !event.all_day && !event.attendees.is_empty()
}

/// The patch of an event of the user's own, with the user's zone where it asks others to a time that
/// has none, or tells them a new one. What only repeats the time and the guests there are tells
/// nobody anything.
fn zoned<'a>(patch: &'a EventPatch, shown: &Event, writing: &Writing) -> Cow<'a, EventPatch> {
    let mut new = shown.clone();
    patch.apply(&mut new);
    let told = [EventField::Attendees, EventField::Time];
    let told = told.iter().any(|field| !shown.same(&new, *field));
    if !told || !shown.own || !needs_zone(&new) {
        return Cow::Borrowed(patch);
    }
    new.zone = Some(writing.zone.clone());
    let mut patch = patch.clone();
    patch.set(EventField::Time, &new);
    Cow::Owned(patch)
}

/// Who asks others is named (RFC 5545 §3.8.4.3).
fn name_organizer(event: &mut Component, writing: &Writing) {
    if event.line("ATTENDEE").is_none() || event.line("ORGANIZER").is_some() {
        return;
    }
    if let Some(email) = writing.owner.first() {
        let who = Address { name: writing.name.clone(), email: email.clone() };
        event.push(people::line("ORGANIZER", &who));
    }
}

pub(crate) fn change(
    calendar: &mut Component,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<Change, Error> {
    let owner = Owner(&writing.owner);
    let invited_before = invited(calendar.components(), owner);
    let unreached = unreached(calendar.components());
    let before = Editing::of(calendar, owner, zones)?;
    let (shown, was, several_a_day) = (before.event, before.beat, before.is_part);
    let patch = &*zoned(patch, &shown, writing);
    let mut new = shown.clone();
    patch.apply(&mut new);
    let Some(main) = main_mut(calendar, "VEVENT") else { return Ok(Change::default()) };
    let mut changed = fields::write(main, &shown, &new, &patch.fields, owner, zones);
    name_organizer(main, writing);
    let has = |name| main.line(name).is_some();
    let series = !has("RECURRENCE-ID") && (has("RRULE") || has("RDATE"));
    let moved = [EventField::Time, EventField::Recurrence].iter().any(|one| changed.contains(one));
    if moved && !series {
        drop_overrides(calendar);
    } else if moved && (!several_a_day || changed.contains(&EventField::Recurrence)) {
        // Of several times a day nobody can tell which exceptions move with the one that is told.
        Editing::of(calendar, owner, zones)?.realign(&was);
    }
    if series && patch.fields.contains(&EventField::Exceptions) {
        let mut editing = Editing::of(calendar, owner, zones)?;
        let now = std::mem::take(&mut editing.event.exceptions);
        if moved && new.exceptions.is_empty() {
            // All of them end.
            editing.narrow_all();
        }
        if editing.set(&now, &new.exceptions) {
            changed.insert(EventField::Exceptions);
        }
    }
    if let Some(main) = main_mut(calendar, "VEVENT") {
        stamp(main, &changed, writing);
    }
    let after = invited(calendar.components(), owner);
    let told = Told::of_change(&invited_before, &after, &changed, new.status);
    let end = if is_of_instances(&changed) {
        let now = Editing::of(calendar, owner, zones)?;
        instances_end((&shown, &was), (&now.event, &now.beat), writing)
    } else {
        None
    };
    Ok(Change { end, ..Change::telling(!changed.is_empty(), told, &unreached, writing) })
}

/// When the instances are over that differ between a series and what became of it, in either of the
/// two, the last of them.
fn instances_end(
    (before, was): (&Event, &Beat),
    (after, is): (&Event, &Beat),
    writing: &Writing,
) -> Option<Timestamp> {
    fn known(event: &Event) -> BTreeMap<LocalTime, &InstanceChange> {
        event.exceptions.iter().map(|one| (one.original, &one.change)).collect()
    }
    let (earlier, later) = (known(before), known(after));
    let originals: BTreeSet<LocalTime> = earlier.keys().chain(later.keys()).copied().collect();
    let differ = originals.into_iter().filter(|at| earlier.get(at) != later.get(at));
    let ends = differ.flat_map(|at| {
        let end = |event, beat: &Beat| {
            Some(LastEnd::of(&beat.start.clock, series::end_of(event, at, beat)?))
        };
        [end(before, was), end(after, is)]
    });
    ends.flatten().map(|end| end.on(&writing.zone)).max()
}

fn drop_overrides(calendar: &mut Component) {
    let main = Series::find(calendar, "VEVENT").map(|series| series.main);
    let Some(main) = main.filter(|main| main.line("RECURRENCE-ID").is_none()) else { return };
    let uid = main.value("UID").map(str::to_owned);
    calendar.retain_components(|one| {
        !one.is("VEVENT")
            || one.line("RECURRENCE-ID").is_none()
            || one.value("UID") != uid.as_deref()
    });
}

pub(crate) fn change_instance(
    calendar: &mut Component,
    original: Timestamp,
    patch: &EventPatch,
    writing: &Writing,
    zones: &Zones,
) -> Result<Change, Error> {
    let owner = Owner(&writing.owner);
    let mut editing = Editing::of(calendar, owner, zones)?;
    let Some(at) = editing.instance(original)? else {
        return change(calendar, patch, writing, zones);
    };
    let one = editing.override_or_new(at);
    let (before, unreached) = (invited(one.iter(), owner), unreached(one.iter()));
    let was = editing.shown(at);
    let patch = zoned(patch, &was, writing);
    let changed = editing.change(at, &patch);
    let end = editing.shown(at).end.max(was.end);
    let end = LastEnd::of(&editing.beat.start.clock, end).on(&writing.zone);
    let mut told = Told::default();
    if let Some(component) = editing.overriding(at) {
        stamp(component, &changed, writing);
        let after = invited(std::iter::once(&*component), owner);
        let status = super::event::status(component);
        told = Told::of_change(&before, &after, &changed, status);
        told.instance = Some(at);
    }
    let change = Change::telling(!changed.is_empty(), told, &unreached, writing);
    Ok(Change { end: Some(end), ..change })
}

pub(crate) fn drop_instance(
    calendar: &mut Component,
    original: Timestamp,
    writing: &Writing,
    zones: &Zones,
) -> Result<Change, Error> {
    let owner = Owner(&writing.owner);
    let mut editing = Editing::of(calendar, owner, zones)?;
    let at = editing.instance(original)?;
    let at = at.ok_or(Error::Misfit("an event without instances is deleted as a whole"))?;
    let one = editing.override_or_new(at);
    let (before, unreached) = (invited(one.iter(), owner), unreached(one.iter()));
    let end = LastEnd::of(&editing.beat.start.clock, editing.shown(at).end).on(&writing.zone);
    if !editing.exclude(at) {
        return Ok(Change::default());
    }
    if let Some(main) = main_mut(calendar, "VEVENT") {
        stamp(main, &BTreeSet::from([EventField::Exceptions]), writing);
    }
    let cancel = before.into_keys().collect();
    let told = Told { cancel, instance: Some(at), ..Told::default() };
    Ok(Change { end: Some(end), ..Change::telling(true, told, &unreached, writing) })
}

/// The event is about to be deleted: what others organise, and what concerns nobody else, goes
/// without a word. A calendar's server tells by itself whom it reaches, when it is deleted: for the
/// others nothing is written, as the server would tell of that.
pub(crate) fn cancel(
    calendar: &mut Component,
    writing: &Writing,
    zones: &Zones,
) -> Result<Change, Error> {
    let owner = Owner(&writing.owner);
    let asked = invited(calendar.components(), owner);
    let own = main_mut(calendar, "VEVENT").is_some_and(|main| owner.organises(main));
    if asked.is_empty() || !own {
        return Ok(Change::default());
    }
    let fields = BTreeSet::from([EventField::Status]);
    let value = Event { status: EventStatus::Cancelled, ..Event::default() };
    let change = change(calendar, &EventPatch::of(fields, value), writing, zones)?;
    Ok(Change { any: change.any && !writing.schedules, ..change })
}

/// Marks a changed event as changed now. What others organise keeps their stamp: by it their next
/// update is told from an older one (RFC 5546 §2.1.5). A change for which people must decide anew
/// whether they come is counted (RFC 5545 §3.8.7.4), and where the time is another their answers
/// and proposals are of the old one.
fn stamp(event: &mut Component, changed: &BTreeSet<EventField>, writing: &Writing) {
    if changed.is_empty() {
        return;
    }
    let now = value::utc(writing.now);
    event.set("LAST-MODIFIED", Some(&now));
    let owner = Owner(&writing.owner);
    if !owner.organises(event) {
        return;
    }
    event.set("DTSTAMP", Some(&now));
    let changed = |fields: &[EventField]| fields.iter().any(|field| changed.contains(field));
    let moved = changed(&[EventField::Time, EventField::Recurrence]);
    let counted = event.line("SEQUENCE").is_some() || event.line("ATTENDEE").is_some();
    if counted && (moved || changed(&[EventField::Exceptions, EventField::Status])) {
        let sequence = sequence(event).saturating_add(1);
        event.set("SEQUENCE", Some(&sequence.to_string()));
    }
    if !moved {
        return;
    }
    let organizer = event.line("ORGANIZER").map(people::email).unwrap_or_default();
    for line in event.lines_mut().filter(|line| line.is("ATTENDEE")) {
        if people::email(line).eq_ignore_ascii_case(&organizer) {
            continue;
        }
        people::set_proposal(line, None);
        if people::participation(line) != Participation::NeedsAction {
            line.set_parameter("PARTSTAT", Some("NEEDS-ACTION"));
        }
    }
}

/// How often the event was changed in a way that matters.
pub(crate) fn sequence(event: &Component) -> u32 {
    event.value("SEQUENCE").and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The mails about a change of a meeting that the user organises and that is not over: of single
/// instances of a series, unless all of these are. What they tell is kept in the event, for when the
/// act is repeated.
pub(crate) fn tell(calendar: &mut Component, change: &Change, writing: &Writing) -> Vec<Notice> {
    if change.told.is_empty() {
        return Vec::new();
    }
    let owner = Owner(&writing.owner);
    let zones = Zones::of(calendar);
    let Some(series) = Series::find(calendar, "VEVENT") else { return Vec::new() };
    let Ok(last_end) = series::last_end(&series, &zones) else { return Vec::new() };
    let own = series.main.line("RECURRENCE-ID").is_none() && owner.organises(series.main);
    let end = change.end.or_else(|| last_end.map(|end| end.on(&writing.zone)));
    if is_over(end, writing.now) || !own {
        return Vec::new();
    }
    if let Some(main) = main_mut(calendar, "VEVENT") {
        change.told.record(main, writing);
    }
    change.told.clone().by_mail(calendar, writing).notices(calendar, owner, &zones, writing)
}

/// The mails of an act that was carried out already; none where it was not.
pub(crate) fn told_already(calendar: &mut Component, writing: &Writing) -> Option<Vec<Notice>> {
    let owner = Owner(&writing.owner);
    let told = Told::recorded(main_mut(calendar, "VEVENT")?, writing)?;
    let zones = Zones::of(calendar);
    Some(told.by_mail(calendar, writing).notices(calendar, owner, &zones, writing))
}
