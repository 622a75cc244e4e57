//! What arrives from others, taken into the calendar (RFC 5546 §3.2).
//!
//! - An older message than the one known changes nothing, nor does the same once more: `SEQUENCE`
//!   and then `DTSTAMP` tell (§2.1.5).
//! - Only who made a meeting changes it, or who brought it first; only who is asked answers, and
//!   for nobody else. Who that is the mail's sender says.
//! - What is the user's own in an event (alarms, categories, their answer while the time is the
//!   same) stays when the organiser changes it.

use super::organise::{Told, is_over};
use crate::Error;
use crate::calendar::{
    Writing,
    apply::main_mut,
    change_event::sequence,
    clock::Zones,
    event,
    exceptions::Editing,
    line::Line,
    object::{Component, Node, Object},
    people::{self, Owner},
    series::Series,
    text, value,
};
use dme_model::{Notice, Participation};
use std::collections::BTreeSet;

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
/// [`take_in`].
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Unconvertible`] where it is about no event.
pub fn uid_of(message: &[u8]) -> Result<String, Error> {
    let object = Object::parse(message)?;
    let uid = object.calendar.components().find(|one| one.is("VEVENT"));
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
    from: &'a str,
    writing: &'a Writing,
}

pub(crate) fn take_in(
    existing: Option<&[u8]>,
    message: &[u8],
    from: &str,
    writing: &Writing,
) -> Result<TakenIn, Error> {
    let uid = uid_of(message)?;
    let mut arrival = Arrival::read(message, from, writing)?;
    let existing = existing.map(Object::parse).transpose()?;
    let known = existing.is_some();
    let mut object = existing.unwrap_or_else(Object::new);
    let calendar = &mut object.calendar;
    let mut notices = Vec::new();
    let outcome = match arrival.method.as_str() {
        "REQUEST" if !known => arrival.create(calendar),
        "REQUEST" | "PUBLISH" if known => arrival.update(calendar)?,
        "ADD" if known => arrival.add(calendar),
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
    fn read(message: &[u8], from: &'a str, writing: &'a Writing) -> Result<Self, Error> {
        let object = Object::parse(message)?;
        let calendar = object.calendar;
        let method = calendar.value("METHOD").unwrap_or("REQUEST").to_ascii_uppercase();
        let series = Series::find(&calendar, "VEVENT");
        let series = series.ok_or(Error::Unconvertible("it is about no event"))?;
        let events = std::iter::once(series.main).chain(series.overrides).cloned();
        // What only we say is not said by others.
        let events: Vec<Component> = events.map(without_ours).collect();
        let main = events.first().cloned();
        let main = main.ok_or(Error::Unconvertible("it is about no event"))?;
        let known_zones = Zones::of(&calendar);
        let zones = calendar.components().filter(|one| one.is("VTIMEZONE")).cloned().collect();
        Ok(Self { method, main, events, zones, known_zones, from, writing })
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
                let place =
                    calendar.nodes.iter().position(|node| matches!(node, Node::Component(_)));
                let place = place.unwrap_or(calendar.nodes.len());
                calendar.nodes.insert(place, Node::Component(zone));
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

    fn create(&self, calendar: &mut Component) -> Outcome {
        // Without an organiser there is nobody to answer; the user's own meetings are in the
        // calendar or were deleted from it.
        if self.main.line("ORGANIZER").is_none() || self.owner().organises(&self.main) {
            return Outcome::NotConcerned;
        }
        for mut event in self.events.iter().cloned() {
            if !self.may_change(&event) {
                event.push(Line::new(SENDER, text::one_line(self.from)));
            }
            calendar.push_component(event);
        }
        Outcome::Created
    }

    /// Whether the message is newer than what is known of this event or instance.
    fn is_newer(&self, than: &Component, message: &Component) -> bool {
        let stamp = |event: &Component, zones: &Zones| {
            event.line("DTSTAMP").and_then(|line| zones.when(line)).map(|when| when.utc())
        };
        let key = |event| (sequence(event), stamp(event, &self.known_zones));
        key(message) > key(than)
    }

    fn update(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let Some(known) = main_mut(calendar, "VEVENT").cloned() else {
            return Ok(Outcome::NotConcerned);
        };
        if self.owner().organises(&known) {
            return Ok(Outcome::NotConcerned);
        }
        if !self.may_change(&known) {
            return Ok(Outcome::Refused);
        }
        if self.main.line("RECURRENCE-ID").is_some() {
            return self.update_instances(calendar);
        }
        let known_series = known.line("RECURRENCE-ID").is_none();
        if known_series && !self.is_newer(&known, &self.main) {
            return Ok(Outcome::Known);
        }
        let counted_up = sequence(&self.main) > sequence(&known);
        let old: Vec<Component> =
            calendar.components().filter(|one| one.is("VEVENT")).cloned().collect();
        let place = calendar.nodes.iter().position(is_event).unwrap_or(calendar.nodes.len());
        calendar.nodes.retain(|node| !is_event(node));
        let mut new = Vec::new();
        for event in &self.events {
            let same = old.iter().find(|one| same_instance(one, event));
            let mut event = event.clone();
            if let Some(same) = same {
                self.keep_own(&mut event, same);
            }
            new.push(event);
        }
        for one in old.iter().filter(|one| one.line("RECURRENCE-ID").is_some()) {
            // The organiser tells of instances one by one: what the new series does not speak of
            // stands, unless it is a new one.
            let told = new.iter().any(|event| same_instance(event, one));
            if !told && !counted_up {
                new.push(one.clone());
            }
        }
        for (offset, event) in new.into_iter().enumerate() {
            calendar.nodes.insert(place + offset, Node::Component(event));
        }
        Ok(Outcome::Updated)
    }

    fn update_instances(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let zones = Zones::of(calendar);
        let mut changed = false;
        for event in &self.events {
            let mut editing = Editing::of(calendar, self.owner(), &zones)?;
            let id = event.line("RECURRENCE-ID").and_then(|line| self.known_zones.when(line));
            let Some(id) = id else { continue };
            let at = editing.beat.original(&id);
            let known = editing.override_or_new(at);
            let series = editing.main().map(sequence).unwrap_or_default();
            let newer = match &known {
                Some(known) => self.is_newer(known, event) && sequence(event) >= series,
                None => true,
            };
            if !newer {
                continue;
            }
            let mut event = event.clone();
            if let Some(known) = &known {
                self.keep_own(&mut event, known);
            }
            editing.put_override(at, event);
            changed = true;
        }
        Ok(if changed { Outcome::Updated } else { Outcome::Known })
    }

    /// Takes over what is the user's own from the event as it was.
    fn keep_own(&self, event: &mut Component, known: &Component) {
        let named: BTreeSet<String> = event.lines().map(|line| line.name().to_owned()).collect();
        let kept = |line: &&Line| {
            let own = line.is("CATEGORIES") || line.name().starts_with("X-");
            own && !named.contains(line.name())
        };
        let lines: Vec<Line> = known.lines().filter(kept).cloned().collect();
        lines.into_iter().for_each(|line| event.push(line));
        event.retain_components(|one| !one.is("VALARM"));
        for alarm in known.components().filter(|one| one.is("VALARM")) {
            event.push_component(alarm.clone());
        }
        if let Some(line) = known.line("TRANSP") {
            event.replace(line.clone());
        }
        let owner = self.owner();
        let answer = event::participation(known, owner);
        let same_time = ["DTSTART", "DTEND", "DURATION", "RRULE"]
            .iter()
            .all(|name| event.value(name) == known.value(name));
        let own =
            event.lines_mut().find(|line| line.is("ATTENDEE") && owner.is(&people::email(line)));
        match own {
            // Who was asked anew without another time has answered already.
            Some(line) if same_time => {
                if people::participation(line) == Participation::NeedsAction
                    && answer != Participation::NeedsAction
                {
                    line.set_parameter("PARTSTAT", Some(people::partstat(answer)));
                }
            }
            Some(_) | None => {}
        }
        if !same_time && event::participation(event, owner) == Participation::NeedsAction {
            event.remove(event::REPLIED);
            event.remove("X-DME-ANSWER");
        }
    }

    fn add(&self, calendar: &mut Component) -> Outcome {
        let Some(known) = main_mut(calendar, "VEVENT") else { return Outcome::NotConcerned };
        if self.owner().organises(known) {
            return Outcome::NotConcerned;
        }
        if !self.may_change(known) {
            return Outcome::Refused;
        }
        let Some(start) = self.main.line("DTSTART") else { return Outcome::NotConcerned };
        let there = known.all("RDATE").any(|line| line.value() == start.value());
        if there || sequence(&self.main) < sequence(known) {
            return Outcome::Known;
        }
        let mut date = Line::new("RDATE", start.value());
        for parameter in start.parameters() {
            date.set_parameter(&parameter.name, parameter.values.first().map(String::as_str));
        }
        known.push(date);
        Outcome::Updated
    }

    fn cancel(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let Some(known) = main_mut(calendar, "VEVENT").cloned() else {
            return Ok(Outcome::NotConcerned);
        };
        if self.owner().organises(&known) {
            return Ok(Outcome::NotConcerned);
        }
        if !self.may_change(&known) {
            return Ok(Outcome::Refused);
        }
        if sequence(&self.main) < sequence(&known) {
            return Ok(Outcome::Known);
        }
        let zones = Zones::of(calendar);
        let mut changed = false;
        for event in &self.events {
            let id = event.line("RECURRENCE-ID").and_then(|line| self.known_zones.when(line));
            let target = match id {
                None => main_mut(calendar, "VEVENT").cloned(),
                Some(id) => {
                    let mut editing = Editing::of(calendar, self.owner(), &zones)?;
                    let at = editing.beat.original(&id);
                    if editing.is_excluded(at) {
                        continue;
                    }
                    let Some(mut one) = editing.override_or_new(at) else { continue };
                    if self.mark_cancelled(&mut one, event) {
                        editing.put_override(at, one);
                        changed = true;
                    }
                    continue;
                }
            };
            let Some(mut target) = target else { continue };
            if self.mark_cancelled(&mut target, event) {
                if let Some(main) = main_mut(calendar, "VEVENT") {
                    *main = target;
                }
                changed = true;
            }
        }
        Ok(if changed { Outcome::Cancelled } else { Outcome::Known })
    }

    fn mark_cancelled(&self, known: &mut Component, message: &Component) -> bool {
        if known.value_is("STATUS", "CANCELLED") {
            return false;
        }
        known.set("STATUS", Some("CANCELLED"));
        for name in ["SEQUENCE", "DTSTAMP"] {
            if let Some(line) = message.line(name) {
                known.replace(line.clone());
            }
        }
        known.set("LAST-MODIFIED", Some(&value::utc(self.writing.now)));
        true
    }

    /// An answer, or a proposal, of one who is asked.
    fn note_answer(&self, calendar: &mut Component, counter: bool) -> Result<Outcome, Error> {
        let owner = self.owner();
        let organises = main_mut(calendar, "VEVENT")
            .is_some_and(|main| main.line("ORGANIZER").is_some() && owner.organises(main));
        if !organises {
            return Ok(Outcome::NotConcerned);
        }
        let zones = Zones::of(calendar);
        let mut outcome = Outcome::Known;
        for event in &self.events {
            let Some(said) = event.all("ATTENDEE").find(|line| self.speaks_for(line)) else {
                return Ok(Outcome::Refused);
            };
            let id = event.line("RECURRENCE-ID").and_then(|line| self.known_zones.when(line));
            let noted = match id {
                None => match main_mut(calendar, "VEVENT") {
                    Some(main) => self.note(main, event, said, counter),
                    None => None,
                },
                Some(id) => {
                    let mut editing = Editing::of(calendar, owner, &zones)?;
                    let at = editing.beat.original(&id);
                    let there = !editing.is_excluded(at) && editing.has(at);
                    let mut one = editing.override_or_new(at).filter(|_| there);
                    let noted = one.as_mut().and_then(|one| self.note(one, event, said, counter));
                    if let (Some(true), Some(one)) = (noted, one) {
                        editing.put_override(at, one);
                    }
                    noted
                }
            };
            match noted {
                Some(true) if counter => outcome = Outcome::Proposed,
                Some(true) => outcome = Outcome::Answered,
                Some(false) => {}
                None => return Ok(Outcome::Refused),
            }
        }
        Ok(outcome)
    }

    /// Whether an attendee's line is of the mail's sender.
    fn speaks_for(&self, line: &Line) -> bool {
        let speaks = line.parameter("SENT-BY").map(|uri| Line::new("ATTENDEE", uri));
        people::email(line).eq_ignore_ascii_case(self.from)
            || speaks.is_some_and(|one| people::email(&one).eq_ignore_ascii_case(self.from))
    }

    /// Notes what an attendee says; whether that is new. None where they are not asked.
    fn note(
        &self,
        event: &mut Component,
        message: &Component,
        said: &Line,
        counter: bool,
    ) -> Option<bool> {
        let who = people::email(said);
        let outdated = sequence(message) < sequence(event);
        let line = event
            .lines_mut()
            .find(|line| line.is("ATTENDEE") && people::email(line).eq_ignore_ascii_case(&who))?;
        let stamp = message.line("DTSTAMP").and_then(|line| self.known_zones.when(line));
        let stamp = stamp.map_or(self.writing.now, |when| when.utc());
        let before = line
            .parameter(ANSWERED)
            .and_then(|text| Some(value::DateTime::parse(text)?.local.as_utc()));
        if outdated || before.is_some_and(|before| before >= stamp) {
            return Some(false);
        }
        let new = people::participation(said);
        let proposal = if counter { self.proposal(message) } else { None };
        if new != Participation::NeedsAction {
            line.set_parameter("PARTSTAT", Some(people::partstat(new)));
        }
        people::set_proposal(line, proposal);
        line.set_parameter(ANSWERED, Some(&value::utc(stamp)));
        event.set("LAST-MODIFIED", Some(&value::utc(self.writing.now)));
        Some(true)
    }

    fn proposal(&self, message: &Component) -> Option<dme_model::Proposal> {
        let times = event::Times::of(message, &self.known_zones).ok()?;
        Some(dme_model::Proposal { start: times.start.utc(), end: times.end().utc() })
    }

    /// Sends the meeting to an attendee who has lost it.
    fn refresh(&self, calendar: &mut Component) -> Result<(Outcome, Vec<Notice>), Error> {
        let owner = self.owner();
        let zones = Zones::of(calendar);
        let editing = Editing::of(calendar, owner, &zones)?;
        if !editing.main().is_some_and(|main| owner.organises(main)) {
            return Ok((Outcome::NotConcerned, Vec::new()));
        }
        let asked = editing.components().flat_map(|one| one.all("ATTENDEE").collect::<Vec<_>>());
        let asked = asked.into_iter().any(|line| self.speaks_for(line));
        if !asked {
            return Ok((Outcome::Refused, Vec::new()));
        }
        if self.writing.schedules || is_over(editing.event.last_end, self.writing.now) {
            return Ok((Outcome::Known, Vec::new()));
        }
        let request = vec![self.from.to_ascii_lowercase()];
        let told = Told { request, ..Told::default() };
        Ok((Outcome::Asked, told.notices(calendar, owner, &zones, self.writing)))
    }
}

fn is_event(node: &Node) -> bool {
    matches!(node, Node::Component(one) if one.is("VEVENT"))
}

/// Whether both are the series, or the same instance told in the same way.
fn same_instance(one: &Component, other: &Component) -> bool {
    one.value("RECURRENCE-ID") == other.value("RECURRENCE-ID")
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
