//! What the organiser says: `REQUEST`, `PUBLISH`, `CANCEL` (RFC 5546 §3.2.1, §3.2.2, §3.2.5).

use super::{Arrival, Outcome, SENDER};
use crate::Error;
use crate::calendar::{
    ANSWER,
    apply::main_mut,
    change_event::sequence,
    clock::Zones,
    event,
    exceptions::Editing,
    line::Line,
    object::{Component, Node},
    people, text, value,
};
use crate::itip::organise::is_over;
use dme_model::{Occasion, Participation};
use std::collections::BTreeSet;

impl Arrival<'_> {
    pub(super) fn create(&self, calendar: &mut Component, occasion: Occasion) -> Outcome {
        // Without an organiser there is nobody to answer; the user's own meetings are in the
        // calendar or were deleted from it.
        if self.main.line("ORGANIZER").is_none() || self.owner().organises(&self.main) {
            return Outcome::NotConcerned;
        }
        // The invitations of years must not fill the calendar when a mailbox is read anew. One that
        // the user answers is kept with the answer, which is for the organiser to hear.
        if occasion == Occasion::Arrival && is_over(self.last_end, self.writing.now) {
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

    /// The event as it is known, where it is another's and the sender has a say over it; else what
    /// comes of the message.
    pub(super) fn theirs<'c>(
        &self,
        calendar: &'c mut Component,
    ) -> Result<&'c mut Component, Outcome> {
        let known = main_mut(calendar, "VEVENT").ok_or(Outcome::NotConcerned)?;
        if self.owner().organises(known) {
            return Err(Outcome::NotConcerned);
        }
        if !self.may_change(known) {
            return Err(Outcome::Refused);
        }
        Ok(known)
    }

    pub(super) fn update(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let known = match self.theirs(calendar) {
            Ok(known) => known.clone(),
            Err(outcome) => return Ok(outcome),
        };
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
            event.remove(ANSWER);
        }
    }

    pub(super) fn cancel(&self, calendar: &mut Component) -> Result<Outcome, Error> {
        let known = match self.theirs(calendar) {
            Ok(known) => known.clone(),
            Err(outcome) => return Ok(outcome),
        };
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
}

fn is_event(node: &Node) -> bool {
    node.component().is_some_and(|one| one.is("VEVENT"))
}

/// Whether both are the series, or the same instance told in the same way.
fn same_instance(one: &Component, other: &Component) -> bool {
    one.value("RECURRENCE-ID") == other.value("RECURRENCE-ID")
}
