//! `VTODO` (RFC 5545 §3.6.2) ↔ the neutral task.

use super::clock::{self, Clock, When, Zones};
use super::description::{self, Description};
use super::event_fields::{rule_text, set_categories, set_privacy, set_title, tzid};
use super::object::Component;
use super::{alarm, event, fields, text, value};
use dme_model::{BodyView, Importance, LocalTime, Regeneration, Task, TaskField, Timestamp};
use std::collections::BTreeSet;

/// What iCalendar has no place for; EAS does (MS-ASTASK 2.2.2).
const REGENERATE: &str = "X-DME-REGENERATE";
const DEAD: &str = "X-DME-DEAD-OCCURRENCE";
const ORDINAL: &str = "X-DME-ORDINAL";
const SUB_ORDINAL: &str = "X-DME-SUB-ORDINAL";

/// Start and due of a task, each on its own clock.
struct Times {
    start: Option<When>,
    due: Option<When>,
}

impl Times {
    fn of(task: &Component, zones: &Zones) -> Self {
        let start = task.line("DTSTART").and_then(|line| zones.when(line));
        let due = task.line("DUE").and_then(|line| zones.when(line));
        let due = due.or_else(|| {
            let seconds = value::duration(task.value("DURATION")?)?;
            let start = start.clone()?;
            Some(When { local: start.local.plus_seconds(seconds), ..start })
        });
        Self { start, due }
    }

    /// The clock on which both are told.
    fn clock(&self) -> Clock {
        let timed = [&self.due, &self.start].into_iter().flatten().find(|when| !when.date);
        timed.map_or(Clock::Floating, |when| when.clock.clone())
    }
}

pub(crate) fn read(task: &Component, view: &BodyView, zones: &Zones) -> Task {
    let times = Times::of(task, zones);
    let clock = times.clock();
    let description = Description::of(task);
    let moment = |name| task.line(name).and_then(|line| zones.when(line)).map(|when| when.utc());
    let days = [&times.start, &times.due].into_iter().flatten().all(|when| when.date);
    let complete = is_complete(task);
    Task {
        uid: task.value("UID").map(text::unescape).unwrap_or_default(),
        title: event::title(task),
        start: times.start.as_ref().map(|when| when.on(&clock)),
        due: times.due.as_ref().map(|when| when.on(&clock)),
        zone: clock.zone_id(),
        whole_days: days && (times.start.is_some() || times.due.is_some()),
        complete,
        completed: moment("COMPLETED").filter(|_| complete),
        recurrence: times
            .start
            .as_ref()
            .or(times.due.as_ref())
            .and_then(|start| event::recurrence(task, start)),
        regeneration: Regeneration {
            regenerate: task.value_is(REGENERATE, "TRUE"),
            dead: task.value_is(DEAD, "TRUE"),
        },
        importance: match task.value("PRIORITY").and_then(|number| number.parse().ok()) {
            Some(1..=4) => Importance::High,
            Some(6..=9) => Importance::Low,
            _ => Importance::Normal,
        },
        privacy: event::privacy(task),
        categories: event::categories(task),
        reminder: alarm::moment(task, times.start.as_ref(), times.due.as_ref()),
        ordinal: moment(ORDINAL),
        sub_ordinal: task.value(SUB_ORDINAL).map(text::unescape),
        native: description.written().native(),
        text: description.written().view(view),
    }
}

pub(crate) fn is_complete(task: &Component) -> bool {
    match task.value("STATUS") {
        Some(status) if !status.is_empty() => status.eq_ignore_ascii_case("COMPLETED"),
        _ => task.line("COMPLETED").is_some() || task.value("PERCENT-COMPLETE") == Some("100"),
    }
}

/// Writes the fields that differ between what was shown and what is wanted; says which.
pub(crate) fn write(
    task: &mut Component,
    shown: &Task,
    new: &Task,
    wanted: &BTreeSet<TaskField>,
    zones: &Zones,
) -> BTreeSet<TaskField> {
    fields::write(task, (shown, new), wanted, &[TaskField::Text], |task, field| {
        write_field(task, shown, new, field, zones);
    })
}

fn write_field(task: &mut Component, shown: &Task, new: &Task, field: TaskField, zones: &Zones) {
    match field {
        TaskField::Uid => {}
        TaskField::Title => set_title(task, &new.title),
        TaskField::Start => set_time(task, "DTSTART", shown, new, new.start, zones),
        TaskField::Due => {
            if task.line("DURATION").is_some() {
                task.remove("DURATION");
            }
            set_time(task, "DUE", shown, new, new.due, zones);
        }
        TaskField::Clock => {
            set_time(task, "DTSTART", shown, new, new.start, zones);
            if task.line("DURATION").is_none() {
                set_time(task, "DUE", shown, new, new.due, zones);
            }
        }
        TaskField::Complete => set_complete(task, new.complete, new.completed),
        TaskField::Recurrence => set_recurrence(task, shown, new),
        TaskField::Importance => task.set(
            "PRIORITY",
            match new.importance {
                Importance::High => Some("1"),
                Importance::Low => Some("9"),
                Importance::Normal => None,
            },
        ),
        TaskField::Privacy => set_privacy(task, new.privacy),
        TaskField::Categories => set_categories(task, &new.categories),
        TaskField::Reminder => alarm::set_moment(task, new.reminder, &new.title),
        TaskField::Ordinal => {
            task.set(ORDINAL, new.ordinal.map(value::utc).as_deref());
            task.set(SUB_ORDINAL, new.sub_ordinal.as_deref().map(text::escape).as_deref());
        }
        TaskField::Text => description::set(task, new.text.as_ref()),
    }
}

fn set_time(
    task: &mut Component,
    name: &str,
    shown: &Task,
    new: &Task,
    local: Option<LocalTime>,
    zones: &Zones,
) {
    let Some(local) = local else { return task.remove(name) };
    let line = task.line(name).cloned();
    let clock = Clock::of(new.zone.as_ref().filter(|_| !new.whole_days));
    let mut when = When { local, clock, date: new.whole_days };
    let before = line.as_ref().and_then(|line| zones.when(line));
    let same_clock = (&shown.zone, shown.whole_days) == (&new.zone, new.whole_days);
    if let Some(before) = before.filter(|before| same_clock && before.date == when.date) {
        when = When { local: when.on(&before.clock), ..before };
    }
    let tzid = tzid(&when.clock, line.as_ref(), zones);
    task.replace(clock::line(name, line.as_ref(), &when, tzid.as_deref()));
}

fn set_complete(task: &mut Component, complete: bool, completed: Option<Timestamp>) {
    if complete != is_complete(task) {
        if complete {
            task.set("STATUS", Some("COMPLETED"));
            task.set("PERCENT-COMPLETE", Some("100"));
        } else {
            task.set("STATUS", Some("NEEDS-ACTION"));
            task.remove("PERCENT-COMPLETE");
        }
    }
    task.set("COMPLETED", completed.filter(|_| complete).map(value::utc).as_deref());
}

fn set_recurrence(task: &mut Component, shown: &Task, new: &Task) {
    if shown.recurrence != new.recurrence {
        let clock = Clock::of(new.zone.as_ref().filter(|_| !new.whole_days));
        let rule = new.recurrence.as_ref().map(|rule| rule_text(rule, new.whole_days, &clock));
        task.set("RRULE", rule.as_deref());
        if rule.is_none() {
            ["RDATE", "EXDATE"].iter().for_each(|name| task.remove(name));
        }
    }
    let Regeneration { regenerate, dead } = new.regeneration;
    task.set(REGENERATE, regenerate.then_some("TRUE"));
    task.set(DEAD, dead.then_some("TRUE"));
}
