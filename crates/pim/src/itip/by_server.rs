//! What a calendar's own server tells others (RFC 6638 §3.2), so that a mail of the user that says
//! the same is not sent as well.
//!
//! Whom the server could not reach, it says in the event: they are told by mail. In doubt the mail
//! goes out: to be told twice is better than not at all.

use crate::calendar::{
    Writing,
    clock::Zones,
    exceptions::Editing,
    line::Line,
    object::{Component, Object},
    people::{self, Owner},
};
use dme_model::Participation;
use std::collections::BTreeSet;

/// Whether a calendar's server tells others what a mail says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByServer {
    /// It does.
    Told,
    /// It does once the meeting is in the calendar, where it is not yet.
    NotYet,
    /// It does not, or that is not certain.
    Untold,
}

/// Whether the server tells these people what the message says. `existing` is the event it is about,
/// where the calendar has one.
pub(crate) fn tells(
    existing: Option<&[u8]>,
    message: &[u8],
    to: &[String],
    writing: &Writing,
) -> ByServer {
    if !writing.schedules || to.is_empty() {
        return ByServer::Untold;
    }
    let Ok(message) = Object::parse(message) else { return ByServer::Untold };
    let Ok(existing) = existing.map(Object::parse).transpose() else { return ByServer::Untold };
    let mut existing = existing.map(|object| object.calendar);
    let events: Vec<&Component> =
        message.calendar.components().filter(|one| one.is("VEVENT")).collect();
    if events.is_empty() {
        return ByServer::Untold;
    }
    let owner = Owner(&writing.owner);
    let method = message.calendar.value("METHOD").unwrap_or_default().to_ascii_uppercase();
    let told = match method.as_str() {
        "REQUEST" | "CANCEL" => organised(existing.as_ref(), &events, to, owner),
        "REPLY" => {
            let zones = Zones::of(&message.calendar);
            answered(existing.as_mut(), &events, &zones, to, owner)
        }
        _ => false,
    };
    match told {
        true if method == "REQUEST" && existing.is_none() => ByServer::NotYet,
        true => ByServer::Told,
        false => ByServer::Untold,
    }
}

/// What the organiser says: the server tells it to those who are asked, as it learns of the change
/// in the calendar itself, before the mail or after it. Of what is called off nothing may be left.
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
                    .all(|line| reaches(line) || !to.iter().any(|email| is(line, email)))
        })
}

/// What the user answers: the server tells it where the calendar says the same, but not what is
/// written with it. Of what was declined nothing is left there.
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
    let has_words = |event: &&Component| event.all("COMMENT").any(|line| !line.value().is_empty());
    if !to.iter().all(organises) || events.iter().any(has_words) {
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
            there.line("ORGANIZER").is_some_and(reaches)
                && answer(event).is_some_and(|said| answer(&there) == Some(said))
        })
    })
}

fn is(line: &Line, email: &str) -> bool {
    people::email(line).eq_ignore_ascii_case(email)
}

/// Whether the server tells the person of this line: it is the one who does (RFC 6638 §7.1), and
/// could the last time (§3.2.9).
pub(crate) fn reaches(line: &Line) -> bool {
    let by_server =
        line.parameter("SCHEDULE-AGENT").is_none_or(|agent| agent.eq_ignore_ascii_case("SERVER"));
    let codes = line.parameter("SCHEDULE-STATUS").unwrap_or_default().split(',').map(str::trim);
    by_server && codes.into_iter().all(|code| code.is_empty() || code.starts_with(['1', '2']))
}

/// The attendees who are to be told and whom the server does not tell, by lower-case address.
pub(crate) fn unreached<'a>(components: impl Iterator<Item = &'a Component>) -> BTreeSet<String> {
    let lines = components.filter(|one| one.is("VEVENT")).flat_map(|one| one.all("ATTENDEE"));
    let unreached =
        lines.filter(|line| !reaches(line) && !line.parameter_is("SCHEDULE-AGENT", "NONE"));
    unreached.map(|line| people::email(line).to_ascii_lowercase()).collect()
}
