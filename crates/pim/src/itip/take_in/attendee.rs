//! What attendees say: `REPLY`, `COUNTER`, `REFRESH` (RFC 5546 §3.2.3, §3.2.6, §3.2.7).

use super::{ANSWERED, Arrival, Outcome};
use crate::Error;
use crate::calendar::{
    apply::main_mut, change_event::sequence, clock::When, clock::Zones, event, exceptions::Editing,
    line::Line, object::Component, people, value,
};
use crate::itip::organise::{Told, is_over};
use dme_model::{Notice, Participation, Proposal, Timestamp};

/// A question that is older is not answered any more, in seconds: three days.
const FRESH: i64 = 3 * 86_400;

/// As many mails one question has as its answer.
const MAX_INSTANCES: usize = 20;

impl Arrival<'_> {
    /// An answer, or a proposal, of one who is asked.
    pub(super) fn note_answer(
        &self,
        calendar: &mut Component,
        counter: bool,
    ) -> Result<Outcome, Error> {
        let owner = self.owner();
        let organises = main_mut(calendar, "VEVENT")
            .is_some_and(|main| main.line("ORGANIZER").is_some() && owner.organises(main));
        if !organises {
            return Ok(Outcome::NotConcerned);
        }
        let spoken_for = self.spoken_for(calendar);
        let zones = Zones::of(calendar);
        let mut outcome = Outcome::Known;
        for event in &self.events {
            let said = event.all("ATTENDEE").find(|line| {
                let who = people::email(line);
                spoken_for.iter().any(|known| known.eq_ignore_ascii_case(&who))
            });
            let Some(said) = said else { return Ok(Outcome::Refused) };
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

    /// The attendees whom the mail's sender answers for, as the user's own event says: in a mail
    /// anybody can claim to send for another.
    fn spoken_for(&self, calendar: &Component) -> Vec<String> {
        let asked = calendar.components().flat_map(|one| one.all("ATTENDEE"));
        asked.filter(|line| self.speaks_for(line)).map(people::email).collect()
    }

    /// Whether an attendee's line in the user's own event is of the mail's sender.
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
        let new = people::participation(said);
        let proposal = if counter { self.proposal(message) } else { None };
        // Of two in one second, which stamps cannot tell apart, the one that comes later counts.
        let known = before.is_some_and(|before| match before == stamp {
            true => people::participation(line) == new && people::proposal(line) == proposal,
            false => before > stamp,
        });
        if outdated || known {
            return Some(false);
        }
        if new != Participation::NeedsAction {
            line.set_parameter("PARTSTAT", Some(people::partstat(new)));
        }
        people::set_proposal(line, proposal);
        line.set_parameter(ANSWERED, Some(&value::utc(stamp)));
        event.set("LAST-MODIFIED", Some(&value::utc(self.writing.now)));
        Some(true)
    }

    fn proposal(&self, message: &Component) -> Option<Proposal> {
        let times = event::Times::of(message, &self.known_zones).ok()?;
        Some(Proposal { start: times.start.utc(), end: times.end().utc() })
    }

    /// Whether the message was written lately.
    fn is_fresh(&self) -> bool {
        let stamp = self.main.line("DTSTAMP").and_then(|line| self.known_zones.when(line));
        let age =
            |stamp: Timestamp| self.writing.now.as_seconds().saturating_sub(stamp.as_seconds());
        stamp.is_some_and(|stamp| (-FRESH..FRESH).contains(&age(stamp.utc())))
    }

    /// Sends the meeting to an attendee who has lost it: to each question once, and to none that is
    /// older than those who send remember what they sent.
    pub(super) fn refresh(
        &self,
        calendar: &mut Component,
    ) -> Result<(Outcome, Vec<Notice>), Error> {
        let owner = self.owner();
        let zones = Zones::of(calendar);
        let editing = Editing::of(calendar, owner, &zones)?;
        if !editing.main().is_some_and(|main| owner.organises(main)) {
            return Ok((Outcome::NotConcerned, Vec::new()));
        }
        let asked = |one: &&Component| one.all("ATTENDEE").any(|line| self.speaks_for(line));
        let named: Vec<&Component> = editing.components().filter(asked).collect();
        if named.is_empty() {
            return Ok((Outcome::Refused, Vec::new()));
        }
        let last_end = editing.last_end.map(|end| end.on(&self.writing.zone));
        let over = is_over(last_end, self.writing.now);
        if over || !self.is_fresh() {
            return Ok((Outcome::Known, Vec::new()));
        }
        // Who is asked to the series gets all of it, another the instances they are asked to.
        let id = |one: &Component| one.line("RECURRENCE-ID").and_then(|line| zones.when(line));
        let ids: Option<Vec<When>> = named.iter().map(|one| id(one)).collect();
        let beat = &editing.beat;
        let instances = ids.map_or(vec![None], |ids| {
            ids.iter().take(MAX_INSTANCES).map(|id| Some(beat.original(id))).collect()
        });
        let told = Told { request: vec![self.from.to_ascii_lowercase()], ..Told::default() };
        let told = told.by_mail(calendar, self.writing);
        let mut notices = Vec::new();
        for instance in instances {
            let told = Told { instance, ..told.clone() };
            notices.extend(told.notices(calendar, owner, &zones, self.writing));
        }
        let outcome = if notices.is_empty() { Outcome::Known } else { Outcome::Asked };
        Ok((outcome, notices))
    }
}
