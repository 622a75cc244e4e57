//! `VALARM` (RFC 5545 §3.6.6): one of them is the reminder that a phone is shown.
//!
//! That one is the first which shows or sounds and has a time. Setting a reminder touches no other;
//! who wants none wants none of those that show or sound. Alarms that do something else, such as
//! sending a mail, are never touched.

use super::clock::{When, Zones};
use super::line::Line;
use super::object::Component;
use super::{text, value};
use dme_model::Timestamp;

/// When an alarm goes off.
enum Trigger {
    /// So many seconds after the start, or the end.
    Start(i64),
    End(i64),
    At(Timestamp),
}

fn is_shown(alarm: &Component) -> bool {
    let action = alarm.value("ACTION").unwrap_or("DISPLAY");
    let acts = ["DISPLAY", "AUDIO"].iter().any(|one| action.eq_ignore_ascii_case(one));
    // Programs of Apple keep "no alarm" as one in 1976.
    let none = alarm.value("TRIGGER").is_some_and(|trigger| trigger.starts_with("1976"));
    alarm.is("VALARM") && acts && !none && trigger(alarm).is_some()
}

fn trigger(alarm: &Component) -> Option<Trigger> {
    let line = alarm.line("TRIGGER")?;
    if let Some(seconds) = value::duration(line.value()) {
        let end = line.parameter_is("RELATED", "END");
        return Some(if end { Trigger::End(seconds) } else { Trigger::Start(seconds) });
    }
    let when = Zones::default().when(line)?;
    (!when.date).then(|| Trigger::At(when.utc()))
}

/// When the reminder of a component goes off, given its begin and end.
fn time(component: &Component, start: &When, end: &When) -> Option<Timestamp> {
    let after = |when: &When, seconds: i64| {
        Timestamp::from_seconds(when.utc().as_seconds().saturating_add(seconds))
    };
    Some(match trigger(component.components().find(|one| is_shown(one))?)? {
        Trigger::Start(seconds) => after(start, seconds),
        Trigger::End(seconds) => after(end, seconds),
        Trigger::At(at) => at,
    })
}

/// How many minutes before the start a phone is to remind; one that comes later reminds at the
/// start.
pub(crate) fn minutes_before(event: &Component, start: &When, end: &When) -> Option<u32> {
    let at = time(event, start, end)?;
    let seconds = start.utc().as_seconds().saturating_sub(at.as_seconds()).max(0);
    u32::try_from(seconds / 60).ok()
}

/// Sets or takes away the reminder before the start.
pub(crate) fn set_minutes(event: &mut Component, minutes: Option<u32>, title: &str) {
    let trigger = minutes
        .map(|minutes| Line::new("TRIGGER", value::format_duration(-60 * i64::from(minutes))));
    set(event, trigger, title);
}

/// When to remind of a task. An alarm told from its start or end is shown where that is known.
pub(crate) fn moment(
    task: &Component,
    start: Option<&When>,
    due: Option<&When>,
) -> Option<Timestamp> {
    let known = start.or(due);
    match (known, trigger(task.components().find(|one| is_shown(one))?)?) {
        (_, Trigger::At(at)) => Some(at),
        (Some(known), _) => time(task, start.unwrap_or(known), due.unwrap_or(known)),
        (None, _) => None,
    }
}

/// Sets or takes away the reminder at a time.
pub(crate) fn set_moment(task: &mut Component, at: Option<Timestamp>, title: &str) {
    let trigger = at.map(|at| Line::new("TRIGGER", value::utc(at)).with("VALUE", "DATE-TIME"));
    set(task, trigger, title);
}

fn set(component: &mut Component, trigger: Option<Line>, title: &str) {
    let Some(trigger) = trigger else {
        component.retain_components(|one| !is_shown(one));
        return;
    };
    if let Some(alarm) = component.components_mut().find(|one| is_shown(one)) {
        alarm.replace(trigger);
        // When it was put off or seen, it was the old one.
        alarm.remove("ACKNOWLEDGED");
        return;
    }
    let mut alarm = Component::new("VALARM");
    alarm.push(Line::new("ACTION", "DISPLAY"));
    alarm.push(Line::new("DESCRIPTION", text::escape(if title.is_empty() { "-" } else { title })));
    alarm.push(trigger);
    component.push_component(alarm);
}
