//! What a calendar's own server tells others (RFC 6638 §3.2), so that a mail of the user that says
//! the same is not sent as well.
//!
//! In doubt the mail goes out: to be told twice is better than not at all.

use crate::calendar::{
    Writing,
    clock::Zones,
    exceptions::Editing,
    line::Line,
    object::{Component, Object},
    people::{self, Owner},
};
use dme_model::Participation;

/// Whether the server tells these people what the message says. `existing` is the event it is about,
/// where the calendar has one.
pub(crate) fn tells(
    existing: Option<&[u8]>,
    message: &[u8],
    to: &[String],
    writing: &Writing,
) -> bool {
    if !writing.schedules || to.is_empty() {
        return false;
    }
    let Ok(message) = Object::parse(message) else { return false };
    let Ok(existing) = existing.map(Object::parse).transpose() else { return false };
    let mut existing = existing.map(|object| object.calendar);
    let events: Vec<&Component> =
        message.calendar.components().filter(|one| one.is("VEVENT")).collect();
    if events.is_empty() {
        return false;
    }
    let owner = Owner(&writing.owner);
    let method = message.calendar.value("METHOD").unwrap_or_default().to_ascii_uppercase();
    match method.as_str() {
        "REQUEST" | "CANCEL" => organised(existing.as_ref(), &events, to, owner),
        "REPLY" => {
            let zones = Zones::of(&message.calendar);
            answered(existing.as_mut(), &events, &zones, to, owner)
        }
        _ => false,
    }
}

/// What the organiser says: the server tells it to those who are asked, as it learns of the change
/// in the calendar itself, before the mail or after it.
fn organised(
    existing: Option<&Component>,
    events: &[&Component],
    to: &[String],
    owner: Owner<'_>,
) -> bool {
    let own = |event: &&Component| {
        event.line("ORGANIZER").is_some_and(|line| owner.is(&people::email(line)))
    };
    let asked = |email: &String| {
        events.iter().any(|event| event.all("ATTENDEE").any(|line| is(line, email)))
    };
    let there = existing.into_iter().flat_map(|calendar| calendar.components());
    let mut there = there.filter(|one| one.is("VEVENT"));
    events.iter().all(own)
        && to.iter().all(asked)
        && there.all(|event| {
            own(&event)
                && event
                    .all("ATTENDEE")
                    .all(|line| is_by_server(line) || !to.iter().any(|email| is(line, email)))
        })
}

/// What the user answers: the server tells it where the calendar says the same. Of what was declined
/// nothing is left there.
fn answered(
    existing: Option<&mut Component>,
    events: &[&Component],
    zones: &Zones,
    to: &[String],
    owner: Owner<'_>,
) -> bool {
    let organises = |email: &String| {
        events.iter().all(|event| event.line("ORGANIZER").is_some_and(|line| is(line, email)))
    };
    let answer = |event: &Component| owner.line(event).map(people::participation);
    if !to.iter().all(organises) {
        return false;
    }
    let Some(calendar) = existing else {
        return events.iter().all(|event| answer(event) == Some(Participation::Declined));
    };
    let known_zones = Zones::of(calendar);
    let Ok(editing) = Editing::of(calendar, owner, &known_zones) else { return false };
    events.iter().all(|event| {
        let id = event.line("RECURRENCE-ID").and_then(|line| zones.when(line));
        let there = match id {
            None => editing.main().cloned(),
            Some(id) => editing.override_or_new(editing.beat.original(&id)),
        };
        there.is_some_and(|there| {
            there.line("ORGANIZER").is_some_and(is_by_server)
                && answer(event).is_some_and(|said| answer(&there) == Some(said))
        })
    })
}

fn is(line: &Line, email: &str) -> bool {
    people::email(line).eq_ignore_ascii_case(email)
}

/// Whether the server tells the person of this line (RFC 6638 §7.1).
fn is_by_server(line: &Line) -> bool {
    line.parameter("SCHEDULE-AGENT").is_none_or(|agent| agent.eq_ignore_ascii_case("SERVER"))
}
