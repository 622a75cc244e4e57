//! What arrives from others, taken into the calendar (RFC 5546 §3.2).
//!
//! - An older message than the one known changes nothing, nor does the same once more: `SEQUENCE`
//!   and then `DTSTAMP` tell (§2.1.5).
//! - Only who made a meeting changes it, or who brought it first; only who is asked answers, and
//!   for nobody else. Who that is the mail's sender says.
//! - What is the user's own in an event (alarms, categories, their answer while the time is the
//!   same) stays when the organiser changes it.

mod added;
mod attendee;
mod organiser;

use crate::Error;
use crate::calendar::{
    Writing,
    clock::Zones,
    line::Line,
    object::{Component, Object},
    people::{self, Owner},
    series::{self, Series},
    text,
};
use dme_model::{Notice, Occasion, Timestamp};

/// What a message led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A new event.
    Created,
    /// The event was changed by its organiser.
    Updated,
    /// It, or an instance, does not take place.
    Cancelled,
    /// An attendee's answer was noted.
    Answered,
    /// An attendee's proposal of another time was noted.
    Proposed,
    /// An attendee wants the meeting anew.
    Asked,
    /// Nothing: it is known already, or newer is.
    Known,
    /// Nothing: whoever sent it has no say in this.
    Refused,
    /// Nothing: it concerns no event of the user's.
    NotConcerned,
}

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenIn {
    /// What it led to.
    pub outcome: Outcome,
    /// The `UID` of the event it is about.
    pub uid: String,
    /// The event as it is to be stored; none where nothing is.
    pub object: Option<Vec<u8>>,
    /// What others must be told.
    pub notices: Vec<Notice>,
}

/// The `UID` of the event that a message is about: by it the event is found which is handed to
/// [`crate::calendar::take_in`].
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Unconvertible`] where it is about no event.
pub fn uid_of(message: &[u8]) -> Result<String, Error> {
    uid(&Object::parse(message)?.calendar)
}

fn uid(calendar: &Component) -> Result<String, Error> {
    let uid = calendar.components().find(|one| one.is("VEVENT"));
    let uid = uid.and_then(|event| event.value("UID")).map(text::unescape);
    uid.filter(|uid| !uid.is_empty()).ok_or(Error::Unconvertible("it is about no event"))
}

/// The property that tells who brought an event whose organiser did not send it.
const SENDER: &str = "X-DME-SENDER";

/// The parameter of an attendee's line: of when the answer is that is noted there.
const ANSWERED: &str = "X-DME-REPLIED";

/// A message on its way in.
struct Arrival<'a> {
    method: String,
    /// Its event, or the series.
    main: Component,
    events: Vec<Component>,
    zones: Vec<Component>,
    known_zones: Zones,
    /// When its last instance ends; none where that cannot be told or it never does.
    last_end: Option<Timestamp>,
    from: &'a str,
    writing: &'a Writing,
}

pub(crate) fn take_in(
    existing: Option<&[u8]>,
    message: &[u8],
    from: &str,
    occasion: Occasion,
    writing: &Writing,
) -> Result<TakenIn, Error> {
    let message = Object::parse(message)?.calendar;
    let uid = uid(&message)?;
    let mut arrival = Arrival::read(&message, from, writing)?;
    let existing = existing.map(Object::parse).transpose()?;
    let known = existing.is_some();
    let mut object = existing.unwrap_or_else(Object::new);
    let calendar = &mut object.calendar;
    let mut notices = Vec::new();
    let outcome = match arrival.method.as_str() {
        "REQUEST" if !known => arrival.create(calendar, occasion),
        "REQUEST" | "PUBLISH" if known => arrival.update(calendar)?,
        "ADD" if known => arrival.add(calendar)?,
        "CANCEL" if known => arrival.cancel(calendar)?,
        "REPLY" if known => arrival.note_answer(calendar, false)?,
        "COUNTER" if known => arrival.note_answer(calendar, true)?,
        "REFRESH" if known => {
            let (outcome, told) = arrival.refresh(calendar)?;
            notices = told;
            outcome
        }
        // The organiser keeps the time as it is, which the event says already.
        "DECLINECOUNTER" if known => Outcome::Known,
        _ => Outcome::NotConcerned,
    };
    let changed = matches!(
        outcome,
        Outcome::Created
            | Outcome::Updated
            | Outcome::Cancelled
            | Outcome::Answered
            | Outcome::Proposed
    );
    if changed {
        arrival.bring_zones(calendar);
    }
    Ok(TakenIn { outcome, uid, object: changed.then(|| object.to_bytes()), notices })
}

impl<'a> Arrival<'a> {
    fn read(calendar: &Component, from: &'a str, writing: &'a Writing) -> Result<Self, Error> {
        let method = calendar.value("METHOD").unwrap_or("REQUEST").to_ascii_uppercase();
        let series = Series::find(calendar, "VEVENT");
        let series = series.ok_or(Error::Unconvertible("it is about no event"))?;
        let known_zones = Zones::of(calendar);
        let last_end = match series::last_end(&series, &known_zones) {
            // What has no begin can be answered or called off, but not put into a calendar.
            Err(error) if matches!(&*method, "REQUEST" | "PUBLISH" | "ADD") => return Err(error),
            last_end => last_end.ok().flatten(),
        };
        let last_end = last_end.map(|end| end.on(&writing.zone));
        let events = std::iter::once(series.main).chain(series.overrides).cloned();
        // What only we say is not said by others.
        let events: Vec<Component> = events.map(without_ours).collect();
        let main = events.first().cloned();
        let main = main.ok_or(Error::Unconvertible("it is about no event"))?;
        let zones = calendar.components().filter(|one| one.is("VTIMEZONE")).cloned().collect();
        Ok(Self { method, main, events, zones, known_zones, last_end, from, writing })
    }

    fn owner(&self) -> Owner<'a> {
        Owner(&self.writing.owner)
    }

    /// Defines the zones that the message brought, where the calendar does not yet.
    fn bring_zones(&mut self, calendar: &mut Component) {
        for zone in self.zones.drain(..) {
            let there = calendar
                .components()
                .any(|one| one.is("VTIMEZONE") && one.value("TZID") == zone.value("TZID"));
            if !there {
                calendar.push_component_first(zone);
            }
        }
    }

    /// Whether the sender has a say over an event: its organiser, whoever speaks for them, or who
    /// brought it.
    fn may_change(&self, event: &Component) -> bool {
        let Some(line) = event.line("ORGANIZER") else { return false };
        let speaks = line.parameter("SENT-BY").map(|uri| Line::new("ORGANIZER", uri));
        let is = |email: &str| !email.is_empty() && email.eq_ignore_ascii_case(self.from);
        is(&people::email(line))
            || speaks.is_some_and(|line| is(&people::email(&line)))
            || event.value(SENDER).is_some_and(is)
    }
}

/// Without properties and parameters that only we may set.
fn without_ours(mut event: Component) -> Component {
    event.retain_lines(|line| !line.name().starts_with("X-DME-") && !line.is("METHOD"));
    for line in event.lines_mut() {
        for name in [people::PROPOSAL, ANSWERED] {
            line.set_parameter(name, None);
        }
    }
    event
}
