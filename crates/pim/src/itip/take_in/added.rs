//! What the organiser adds to a series: `ADD` (RFC 5546 §3.2.4).

use super::{Arrival, Outcome};
use crate::Error;
use crate::calendar::{
    ANSWER,
    change_event::sequence,
    clock::Zones,
    event::{self, Times},
    exceptions::Editing,
    line::Line,
    object::Component,
    people,
};
use dme_model::Participation;

/// What an added instance may say of itself otherwise than its series, beside how long it is.
const SAID: [&str; 5] = ["SUMMARY", "LOCATION", "DESCRIPTION", "X-ALT-DESC", "URL"];

impl Arrival<'_> {
    /// A further date of the series. What the message says of it otherwise than the series does,
    /// as another place, stands in an exception of that date.
    pub(super) fn add(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let known = match self.theirs(calendar) {
            Ok(known) => known,
            Err(outcome) => return Ok(outcome),
        };
        let Some(start) = self.main.line("DTSTART") else { return Ok(Outcome::NotConcerned) };
        let old = sequence(&self.main) < sequence(known);
        // Who is asked to some instances alone has no series that could get a date.
        if known.line("RECURRENCE-ID").is_some() {
            let same = |one: &Component| one.value("RECURRENCE-ID") == Some(start.value());
            if old || calendar.components().any(same) {
                return Ok(Outcome::Known);
            }
            let mut one = self.main.clone();
            one.push(named("RECURRENCE-ID", start));
            calendar.push_component(one);
            return Ok(Outcome::Updated);
        }
        if old || known.all("RDATE").any(|line| line.value() == start.value()) {
            return Ok(Outcome::Known);
        }
        known.push(named("RDATE", start));
        let Some(begin) = self.known_zones.when(start) else { return Ok(Outcome::Updated) };
        let zones = Zones::of(calendar);
        let mut editing = Editing::of(calendar, self.owner(), &zones)?;
        let at = editing.beat.original(&begin);
        if let Some(mut one) = editing.override_or_new(at)
            && self.tell_otherwise(&mut one, &zones)?
        {
            editing.put_override(at, one);
        }
        Ok(Outcome::Updated)
    }

    /// Makes an instance as its series has it what the message says of it; says whether that is
    /// anything else.
    fn tell_otherwise(&self, one: &mut Component, zones: &Zones) -> Result<bool, Error> {
        let told = |name: &&str| {
            self.main.line(name).is_some_and(|line| one.value(name) != Some(line.value()))
        };
        let others: Vec<&str> = SAID.into_iter().filter(told).collect();
        let (said, there) = (Times::of(&self.main, &self.known_zones)?, Times::of(one, zones)?);
        let length = |times: &Times| times.end.as_seconds() - times.start.local.as_seconds();
        let longer = length(&said) != length(&there);
        if others.is_empty() && !longer {
            return Ok(false);
        }
        for name in others.into_iter().chain(["SEQUENCE", "DTSTAMP"]) {
            if let Some(line) = self.main.line(name) {
                one.replace(line.clone());
            }
        }
        if longer {
            for name in ["DTSTART", "DTEND", "DURATION"] {
                one.remove(name);
                self.main.all(name).for_each(|line| one.push(line.clone()));
            }
        }
        // The user may have answered the series, of which this was no part.
        if self.main.line("ATTENDEE").is_some() {
            one.remove("ATTENDEE");
            self.main.all("ATTENDEE").for_each(|line| one.push(line.clone()));
        }
        let answer = self.owner().line(&self.main).map(people::participation);
        if answer == Some(Participation::NeedsAction) {
            one.remove(event::REPLIED);
            one.remove(ANSWER);
        }
        Ok(true)
    }
}

/// A line that says the same moment under another name.
fn named(name: &str, moment: &Line) -> Line {
    let mut line = Line::new(name, moment.value());
    for parameter in moment.parameters() {
        line.set_parameter(&parameter.name, parameter.values.first().map(String::as_str));
    }
    line
}
