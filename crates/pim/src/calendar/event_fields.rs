//! The neutral event's fields → a `VEVENT`, field by field: what did not change is not touched.

use super::clock::{self, Clock, When, Zones};
use super::event::{self, BUSY_STATUS, NO_PROPOSALS, REPLIED, Times};
use super::line::Line;
use super::object::Component;
use super::people::{self, Owner};
use super::rule::{self, Rule};
use super::value::{self, DAY};
use super::{alarm, attachment, description, fields, online, place, text};
use crate::recurrence;
use dme_model::{
    BusyStatus, Event, EventField, EventStatus, LocalTime, Privacy, Recurrence, RecurrenceEnd,
};
use std::collections::BTreeSet;

/// Writes the fields that differ between what was shown and what is wanted; says which.
pub(crate) fn write(
    component: &mut Component,
    shown: &Event,
    new: &Event,
    wanted: &BTreeSet<EventField>,
    owner: Owner<'_>,
    zones: &Zones,
) -> BTreeSet<EventField> {
    // A text may differ in its form and yet be the same, and files to attach are never shown.
    let always = [EventField::Text, EventField::Attachments];
    let changed = fields::write(component, (shown, new), wanted, &always, |component, field| {
        write_field(component, shown, new, field, owner, zones);
    });
    // What the time shows to others follows from these where nothing says it; it was not meant to
    // change with them.
    let follows = [EventField::Status, EventField::Participation];
    if follows.iter().any(|field| changed.contains(field)) {
        set_busy(component, new.busy, owner);
    }
    changed
}

fn write_field(
    component: &mut Component,
    shown: &Event,
    new: &Event,
    field: EventField,
    owner: Owner<'_>,
    zones: &Zones,
) {
    match field {
        // An event keeps its name; its stamp is the moment of writing.
        EventField::Uid | EventField::Stamp => {}
        // What makes a series is written by it.
        EventField::Exceptions => {}
        EventField::Title => set_title(component, &new.title),
        EventField::Time => set_times(component, shown, new, zones),
        EventField::Recurrence => set_recurrence(component, shown, new),
        EventField::Place => place::set(component, new.place.as_ref()),
        EventField::Busy => set_busy(component, new.busy, owner),
        EventField::Privacy => set_privacy(component, new.privacy),
        EventField::Categories => set_categories(component, &new.categories),
        EventField::Reminder => alarm::set_minutes(component, new.reminder, &new.title),
        EventField::Organizer => match &new.organizer {
            // Nobody takes a meeting away from who made it.
            Some(who) if component.line("ORGANIZER").is_none() => {
                component.push(people::line("ORGANIZER", who));
            }
            _ => {}
        },
        EventField::Attendees => {
            people::set_attendees(component, &new.attendees);
            if component.line("ATTENDEE").is_none() && owner.organises(component) {
                component.remove("ORGANIZER");
            }
        }
        EventField::Status => component.set(
            "STATUS",
            match new.status {
                EventStatus::Confirmed => component.line("STATUS").is_some().then_some("CONFIRMED"),
                EventStatus::Tentative => Some("TENTATIVE"),
                EventStatus::Cancelled => Some("CANCELLED"),
            },
        ),
        EventField::Participation => set_participation(component, new, owner),
        EventField::ResponseRequested => set_rsvp(component, new.response_requested, owner),
        EventField::NoProposals => {
            component.set(NO_PROPOSALS, new.no_proposals.then_some("TRUE"));
        }
        EventField::OnlineLink => online::set_inside(component, new.online_link.as_deref()),
        EventField::OnlineExternalLink => {
            online::set_outside(component, new.online_external_link.as_deref());
        }
        EventField::Text => description::set(component, new.text.as_ref()),
        EventField::Attachments => attachment::change(component, &new.detach, &new.attach),
    }
}

pub(crate) fn set_title(component: &mut Component, title: &str) {
    let title = text::escape(&text::one_line(title));
    component.set("SUMMARY", (!title.is_empty()).then_some(title.as_str()));
}

pub(crate) fn set_privacy(component: &mut Component, privacy: Privacy) {
    component.set(
        "CLASS",
        match privacy {
            Privacy::Normal => component.line("CLASS").is_some().then_some("PUBLIC"),
            // Who does not know the word takes it for private (RFC 5545 §3.8.1.3).
            Privacy::Personal => Some("PERSONAL"),
            Privacy::Private => Some("PRIVATE"),
            Privacy::Confidential => Some("CONFIDENTIAL"),
        },
    );
}

pub(crate) fn set_categories(component: &mut Component, categories: &[String]) {
    let list: Vec<String> = categories
        .iter()
        .map(|one| text::escape(&text::one_line(one)))
        .filter(|one| !one.is_empty())
        .collect();
    component.set("CATEGORIES", (!list.is_empty()).then_some(list.join(",").as_str()));
}

fn set_busy(component: &mut Component, busy: BusyStatus, owner: Owner<'_>) {
    let free = busy == BusyStatus::Free;
    if component.value_is("TRANSP", "TRANSPARENT") != free {
        component.set("TRANSP", Some(if free { "TRANSPARENT" } else { "OPAQUE" }));
    }
    let word = match busy {
        BusyStatus::Free => "FREE",
        BusyStatus::Tentative => "TENTATIVE",
        BusyStatus::Busy => "BUSY",
        BusyStatus::OutOfOffice => "OOF",
        BusyStatus::WorkingElsewhere => "WORKINGELSEWHERE",
    };
    let told = event::busy(component, event::participation(component, owner)) == busy;
    if !told || component.line(BUSY_STATUS).is_some() {
        component.set(BUSY_STATUS, Some(word));
    }
}

pub(crate) fn set_participation(component: &mut Component, new: &Event, owner: Owner<'_>) {
    let partstat = people::partstat(new.participation);
    let own =
        component.lines_mut().find(|line| line.is("ATTENDEE") && owner.is(&people::email(line)));
    if let Some(line) = own
        && people::participation(line) != new.participation
    {
        line.set_parameter("PARTSTAT", Some(partstat));
    }
    component.set(REPLIED, new.replied.map(value::utc).as_deref());
}

fn set_rsvp(component: &mut Component, wanted: bool, owner: Owner<'_>) {
    let organises = owner.organises(component);
    for line in component.lines_mut().filter(|line| line.is("ATTENDEE")) {
        let asked = organises || owner.is(&people::email(line));
        if asked && line.parameter_is("RSVP", "TRUE") != wanted {
            line.set_parameter("RSVP", Some(if wanted { "TRUE" } else { "FALSE" }));
        }
    }
}

/// Begin and end. Each keeps its own zone and its name for that, unless the event's zone changed.
fn set_times(component: &mut Component, shown: &Event, new: &Event, zones: &Zones) {
    let old = Times::of(component, zones).ok();
    let clock = if new.all_day { Clock::Floating } else { Clock::of(new.zone.as_ref()) };
    let same_clock = (&shown.zone, shown.all_day) == (&new.zone, new.all_day);
    if component.line("X-MICROSOFT-CDO-ALLDAYEVENT").is_some() {
        let flag = if new.all_day { "TRUE" } else { "FALSE" };
        component.set("X-MICROSOFT-CDO-ALLDAYEVENT", Some(flag));
    }
    let put = |component: &mut Component, name: &str, local: LocalTime| {
        let line = component.line(name).cloned();
        let before = line.as_ref().and_then(|line| zones.when(line));
        let mut when = When { local, clock: clock.clone(), date: new.all_day };
        if let Some(before) = before.filter(|before| same_clock && !before.date && !when.date) {
            when = When { local: when.on(&before.clock), clock: before.clock, date: false };
        }
        let tzid = tzid(&when.clock, line.as_ref(), zones);
        component.replace(clock::line(name, line.as_ref(), &when, tzid.as_deref()));
    };
    if old.is_none() || !same_clock || shown.start != new.start {
        put(component, "DTSTART", new.start);
    }
    let told = component.line("DTEND").and_then(|line| zones.when(line));
    let still = Times::of(component, zones).is_ok_and(|times| {
        // An end before the start is read as another than it says.
        let as_told = told.is_none_or(|end| end.on(&times.start.clock) == times.end);
        as_told && times.end == new.end && times.all_day == new.all_day
    });
    if old.is_some() && still && same_clock {
        return;
    }
    if old.is_some() && component.line("DTEND").is_none() && component.line("DURATION").is_some() {
        let seconds = if new.all_day {
            (new.end.as_days() - new.start.as_days()) * DAY
        } else {
            clock.to_utc(new.end).as_seconds() - clock.to_utc(new.start).as_seconds()
        };
        component.set("DURATION", Some(&value::format_duration(seconds.max(0))));
    } else {
        put(component, "DTEND", new.end);
    }
}

/// Under what name a line's zone is known: the one it has, the one the object has, its own.
pub(crate) fn tzid(clock: &Clock, old: Option<&Line>, zones: &Zones) -> Option<String> {
    let Clock::Zone(zone) = clock else { return None };
    let named = old.filter(|line| zones.when(line).is_some_and(|when| when.clock == *clock));
    let named = named.and_then(|line| line.parameter("TZID"));
    let name = named.or_else(|| zones.tzid(zone)).map(str::to_owned);
    Some(name.unwrap_or_else(|| zone.tzid()))
}

/// The rule. One that is told anew takes the place of all rules there were; the dates added to it
/// stay. Where it only ends otherwise, the other rules stay too, and end with it.
fn set_recurrence(component: &mut Component, shown: &Event, new: &Event) {
    if component.line("RECURRENCE-ID").is_some() {
        // An instance does not become a series.
        return;
    }
    let Some(rule) = &new.recurrence else {
        for name in ["RRULE", "EXRULE", "RDATE", "EXDATE"] {
            component.remove(name);
        }
        return;
    };
    let clock = Clock::of(new.zone.as_ref().filter(|_| !new.all_day));
    let text = rule_text(rule, new.all_day, &clock);
    let known = shown.recurrence.as_ref();
    let only_ends =
        known.is_some_and(|known| Recurrence { end: known.end, ..rule.clone() } == *known);
    if !only_ends || component.line("RRULE").is_none() {
        component.remove("EXRULE");
        component.set("RRULE", Some(&text));
        return;
    }
    let mut lines = component.lines_mut().filter(|line| line.is("RRULE"));
    if let Some(line) = lines.next() {
        line.set_value(text);
    }
    let RecurrenceEnd::Until(last) = rule.end else { return };
    for line in lines {
        let local = |at: LocalTime| clock.to_local(at.as_utc());
        let Some(Rule::Neutral(other)) = rule::parse(line.value(), new.start, local) else {
            continue;
        };
        if recurrence::last(new.start, &other).is_none_or(|end| end > last) {
            let ended = Recurrence { end: RecurrenceEnd::Until(last), ..other };
            line.set_value(rule_text(&ended, new.all_day, &clock));
        }
    }
}

/// The text of a rule whose end is told as the start is (RFC 5545 §3.3.10).
pub(crate) fn rule_text(rule: &Recurrence, date: bool, clock: &Clock) -> String {
    rule::format(rule, |last| match clock {
        _ if date => value::date(last),
        Clock::Floating => value::date_time(last),
        Clock::Zone(_) => value::utc(clock.to_utc(last)),
    })
}
