//! The user's answer to an invitation: `REPLY` and `COUNTER` (RFC 5546 §3.2.3, §3.2.7).
//!
//! The answer is kept in the event with a digest of what was said, in a property `X-DME-ANSWER` for
//! the whole and one for each instance. The same said again changes nothing, unless something else was
//! said by other means since; the mail about it is
//! made again only for the act that was the first to say it, under the name it had: also where the
//! event with the answer was lost in between, and the answer is said to the event made anew.

use super::by_server::reaches;
use super::invitation::INTENDED;
use super::message::{Message, digest};
use super::words::{Said, Words, span};
use crate::Error;
use crate::calendar::{
    ANSWER, Applied, Kind, Writing,
    apply::{add_zones, main_mut, tzids},
    change_event::sequence,
    clock::{Zones, text as time_text},
    event::{self, BUSY_STATUS},
    event_fields::set_participation,
    exceptions::Editing,
    kind,
    line::Line,
    object::{Component, Object},
    people::{self, Owner},
    text,
    value::{self, DateTime},
};
use dme_mime::plain_of;
use dme_model::{
    Address, Answer, BodyKind, Event, EventField, EventPatch, LocalTime, Notice, Participation,
    Proposal, Timestamp,
};

/// What an event keeps of an answer.
struct Known {
    /// What was said.
    print: String,
    /// By which act.
    act: String,
    /// When.
    at: Timestamp,
    /// Tells the answer that it took the place of; empty where there was none.
    after: String,
}

/// Carries an answer out.
pub(crate) fn respond(bytes: &[u8], answer: &Answer, writing: &Writing) -> Result<Applied, Error> {
    let mut object = Object::parse(bytes)?;
    let calendar = &mut object.calendar;
    if kind(calendar)? != Kind::Event {
        return Err(Error::Misfit("only events are answered"));
    }
    let zones = Zones::of(calendar);
    let zones_before = tzids(calendar);
    let mut editing = Editing::of(calendar, Owner(&writing.owner), &zones)?;
    if editing.event.own {
        return Err(Error::Misfit("the user is not asked to it"));
    }
    let uid = editing.event.uid.clone();
    let at = answer.instance.map_or(Ok(None), |at| editing.instance(at))?;
    let id = at.map(|at| time_text(&editing.beat.id(at)));
    let invitation = match at {
        Some(at) => editing.override_or_new(at),
        None => main_mut(editing.calendar, "VEVENT").cloned(),
    };
    let invitation = invitation.ok_or(Error::Unconvertible("there is no event in it"))?;
    let print = print(answer, &invitation, id.as_deref());
    let act = digest(&["act", &writing.key]);
    let main = main_mut(editing.calendar, "VEVENT");
    let before = main.and_then(|main| known(main, id.as_deref()));
    // Another program that answers does not know of what is kept here.
    let stands = event::participation(&invitation, Owner(&writing.owner)) == answer.participation;
    let repeated = stands && before.as_ref().is_some_and(|before| before.print == print);
    let now = match before {
        Some(before) if repeated => before,
        before => {
            let after = before.map(|before| digest(&[&before.print, &value::utc(before.at)]));
            let after = after.unwrap_or_default();
            Known { print, act: act.clone(), at: writing.now, after }
        }
    };
    if !repeated {
        set(&mut editing, at, answer.participation, writing);
        if let Some(main) = main_mut(editing.calendar, "VEVENT") {
            now.keep(main, id.as_deref());
        }
        add_zones(calendar, &zones_before);
    }
    // A calendar's server tells the answer, where it reaches the organiser; but it knows no proposals
    // (RFC 6638 §3.2.2), and need not pass on what is written with it.
    let organizer = invitation.line("ORGANIZER");
    let by_server = writing.schedules && organizer.is_some_and(reaches);
    let more = answer.proposal.is_some() || comment(answer).is_some();
    // Nobody is to hear of it (RFC 6638 §7.1).
    let kept = organizer.is_some_and(|line| line.parameter_is("SCHEDULE-AGENT", "NONE"));
    let told = answer.send && now.act == act && !kept && (!by_server || more);
    let by_server = by_server && answer.send && !repeated;
    let notice = told.then(|| now.notice(calendar, &invitation, answer, writing, &zones)).flatten();
    let object = if repeated { bytes.to_vec() } else { object.to_bytes() };
    let notices = notice.into_iter().collect();
    Ok(Applied { object, uid, notices, by_server, attached: Vec::new() })
}

/// Tells an answer from every other one to this form of the invitation.
fn print(answer: &Answer, invitation: &Component, id: Option<&str>) -> String {
    let proposal = answer.proposal.map(proposed).unwrap_or_default();
    digest(&[
        people::partstat(answer.participation),
        id.unwrap_or_default(),
        &comment(answer).unwrap_or_default(),
        &proposal,
        &sequence(invitation).to_string(),
    ])
}

fn proposed(proposal: Proposal) -> String {
    format!("{}/{}", value::utc(proposal.start), value::utc(proposal.end))
}

fn comment(answer: &Answer) -> Option<String> {
    let comment = answer.comment.as_ref()?;
    let plain = match comment.kind {
        BodyKind::Html => plain_of(&comment.text),
        BodyKind::Plain | BodyKind::Mime => comment.text.clone(),
    };
    let plain = plain.trim().to_owned();
    (!plain.is_empty()).then_some(plain)
}

fn known(event: &Component, id: Option<&str>) -> Option<Known> {
    let line = event.all(ANSWER).find(|line| line.parameter("X-INSTANCE") == id)?;
    Some(Known {
        print: line.value().to_owned(),
        act: line.parameter("X-ACT")?.to_owned(),
        at: DateTime::parse(line.parameter("X-AT")?)?.local.as_utc(),
        after: line.parameter("X-AFTER").unwrap_or_default().to_owned(),
    })
}

/// Writes the answer into the event. One to the series is one to each instance that was not
/// answered by itself.
fn set(
    editing: &mut Editing<'_, '_>,
    at: Option<LocalTime>,
    participation: Participation,
    writing: &Writing,
) {
    let replied = Some(writing.now);
    if let Some(at) = at {
        let value = Event { participation, replied, ..Event::default() };
        editing.change(at, &EventPatch::of([EventField::Participation], value));
        if let Some(component) = editing.overriding(at) {
            answered(component, participation, writing);
        }
        return;
    }
    let uid = editing.main().and_then(|main| main.value("UID").map(str::to_owned));
    let owner = Owner(&writing.owner);
    for component in editing.calendar.components_mut() {
        let same = component.is("VEVENT") && component.value("UID") == uid.as_deref();
        let instance = component.line("RECURRENCE-ID").is_some();
        let open = event::participation(component, owner) == Participation::NeedsAction;
        if (uid.is_none() && component.is("VEVENT")) || (same && (!instance || open)) {
            answered(component, participation, writing);
        }
    }
}

fn answered(event: &mut Component, participation: Participation, writing: &Writing) {
    let owner = Owner(&writing.owner);
    if owner.line(event).is_none()
        && let Some(email) = writing.owner.first()
    {
        // Asked as one of a list, by an address that is not the user's alone.
        let who = Address { name: writing.name.clone(), email: email.clone() };
        event.push(people::line("ATTENDEE", &who));
    }
    let value = Event { participation, replied: Some(writing.now), ..Event::default() };
    set_participation(event, &value, owner);
    event.set("LAST-MODIFIED", Some(&value::utc(writing.now)));
    if event.line(BUSY_STATUS).is_some() {
        // Exchange's sign that it was not answered, and what it is to become.
        let intended = event.value(INTENDED).unwrap_or("BUSY").to_owned();
        let status = match participation {
            Participation::Accepted => intended.as_str(),
            Participation::Tentative | Participation::NeedsAction => "TENTATIVE",
            Participation::Declined => "FREE",
        };
        event.set(BUSY_STATUS, Some(status));
        if intended.eq_ignore_ascii_case("FREE") {
            // That time is free, `TRANSP` says.
            let comes = participation == Participation::Accepted;
            event.set("TRANSP", Some(if comes { "TRANSPARENT" } else { "OPAQUE" }));
        }
    }
}

impl Known {
    fn keep(&self, event: &mut Component, id: Option<&str>) {
        event.retain_lines(|line| !line.is(ANSWER) || line.parameter("X-INSTANCE") != id);
        let mut line = Line::new(ANSWER, self.print.as_str());
        line.set_parameter("X-INSTANCE", id);
        line.set_parameter("X-AFTER", Some(self.after.as_str()).filter(|after| !after.is_empty()));
        event.push(line.with("X-ACT", self.act.as_str()).with("X-AT", value::utc(self.at)));
    }

    /// The mail to the organiser.
    fn notice(
        &self,
        calendar: &Component,
        invitation: &Component,
        answer: &Answer,
        writing: &Writing,
        zones: &Zones,
    ) -> Option<Notice> {
        let view = dme_model::BodyView::default();
        let reading = event::Reading { owner: Owner(&writing.owner), view: &view, zones };
        let shown = event::read(invitation, &reading).ok()?;
        let organizer = shown.organizer.clone().filter(|who| people::is_reachable(&who.email))?;
        let comment = comment(answer);
        let mut said = reply(invitation, answer, comment.as_deref(), writing);
        said.replace(Line::new("DTSTAMP", value::utc(self.at)));
        let rather = answer.proposal.map(|proposal| {
            let clock = crate::calendar::clock::Clock::of(shown.zone.as_ref());
            let on = |at| if shown.zone.is_some() { clock.to_local(at) } else { utc(at) };
            span(on(proposal.start), on(proposal.end))
        });
        let words = match &rather {
            Some(rather) => Said::Proposed(rather),
            None => Said::Answered(answer.participation),
        };
        let message = Message {
            method: if rather.is_some() { "COUNTER" } else { "REPLY" },
            components: vec![said],
            to: vec![organizer],
            words: Words::of(words, &shown, comment.as_deref()),
            at: self.at,
            // Without the time: a repeat that finds no trace of the first must have its name.
            act: digest(&[&self.print, &self.act, &self.after]),
        };
        message.notice(calendar, writing)
    }
}

fn utc(at: Timestamp) -> LocalTime {
    LocalTime::from_seconds(at.as_seconds())
}

/// The component that says what the user answers: of the invitation what names it, and the user
/// alone.
fn reply(
    invitation: &Component,
    answer: &Answer,
    comment: Option<&str>,
    writing: &Writing,
) -> Component {
    let owner = Owner(&writing.owner);
    let mut out = Component::new("VEVENT");
    let mut names = vec!["UID", "RECURRENCE-ID", "SEQUENCE", "ORGANIZER", "SUMMARY", "LOCATION"];
    match answer.proposal {
        None => names.extend(["DTSTART", "DTEND", "DURATION"]),
        Some(proposal) => {
            out.push(Line::new("DTSTART", value::utc(proposal.start)));
            out.push(Line::new("DTEND", value::utc(proposal.end)));
        }
    }
    for name in names {
        if let Some(line) = invitation.line(name) {
            out.push(line.clone());
        }
    }
    let mut attendee = match (owner.line(invitation), writing.owner.first()) {
        (Some(line), _) => line.clone(),
        (None, Some(email)) => {
            let who = Address { name: writing.name.clone(), email: email.clone() };
            people::line("ATTENDEE", &who)
        }
        (None, None) => return out,
    };
    attendee.set_parameter("PARTSTAT", Some(people::partstat(answer.participation)));
    attendee.set_parameter("RSVP", None);
    out.push(attendee);
    if let Some(comment) = comment {
        out.push(Line::new("COMMENT", text::escape(comment)));
    }
    out.push(Line::new("REQUEST-STATUS", "2.0;Success"));
    out
}
