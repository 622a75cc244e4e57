//! What the organiser does, told to those whom it concerns: `REQUEST` and `CANCEL` (RFC 5546
//! §3.2.2, §3.2.5).
//!
//! Who is to be told follows from what the meeting was before the act. So that an act which is
//! repeated (the server died before the mails went out) tells the same people the same again, the
//! object keeps whom its last act concerned, in the property `X-DME-ACT`.

use super::by_server;
use super::message::{Message, digest};
use super::words::{Said, Words};
use crate::calendar::{
    ACT, Writing,
    clock::{Zones, text as time_text},
    event::{self, Reading},
    exceptions::Editing,
    line::Line,
    object::Component,
    people::{self, Owner},
    value::DateTime,
};
use dme_model::{
    Address, BodyKind, BodyPreference, BodyView, EventField, EventStatus, LocalTime, Notice,
    Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// Whom an act concerns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Told {
    /// Addresses to be asked, or asked anew.
    pub(crate) request: Vec<String>,
    /// Addresses for whom it does not take place.
    pub(crate) cancel: Vec<String>,
    /// The instance it is about, by the series' clock; none for all.
    pub(crate) instance: Option<LocalTime>,
    /// They hear of the meeting for the first time.
    pub(crate) first: bool,
}

/// The fields of a meeting that are not its organiser's own business.
const CONCERNING: [EventField; 11] = [
    EventField::Title,
    EventField::Time,
    EventField::Recurrence,
    EventField::Exceptions,
    EventField::Place,
    EventField::Status,
    EventField::Text,
    EventField::NoProposals,
    EventField::OnlineLink,
    EventField::OnlineExternalLink,
    EventField::Attachments,
];

/// Whether a change of a series concerns others by what becomes of single instances alone.
pub(crate) fn is_of_instances(changed: &BTreeSet<EventField>) -> bool {
    let concerns =
        |field: &EventField| *field == EventField::Attendees || CONCERNING.contains(field);
    changed.iter().filter(|field| concerns(field)).eq([&EventField::Exceptions])
}

/// Who is asked, by lower-case address.
pub(crate) type Invited = BTreeMap<String, Address>;

/// Who is asked to an event, to any of its instances: without the user and the organiser.
pub(crate) fn invited<'a>(
    components: impl Iterator<Item = &'a Component>,
    owner: Owner<'_>,
) -> Invited {
    let mut out = Invited::new();
    for component in components.filter(|one| one.is("VEVENT")) {
        let organizer = component.line("ORGANIZER").map(people::email).unwrap_or_default();
        for line in component.all("ATTENDEE") {
            let address = people::address(line);
            let email = &address.email;
            let told_otherwise = line.parameter_is("SCHEDULE-AGENT", "NONE");
            let reachable = people::is_reachable(email) && !told_otherwise;
            if reachable && !owner.is(email) && !email.eq_ignore_ascii_case(&organizer) {
                out.entry(email.to_ascii_lowercase()).or_insert(address);
            }
        }
    }
    out
}

impl Told {
    /// Whom a change concerns. Fields that are the organiser's own business concern nobody; people
    /// who come in or go out are told, whatever else changed.
    pub(crate) fn of_change(
        before: &Invited,
        after: &Invited,
        changed: &BTreeSet<EventField>,
        status: EventStatus,
    ) -> Self {
        let concerning = CONCERNING.iter().any(|field| changed.contains(field));
        let gone = before.keys().filter(|email| !after.contains_key(*email)).cloned();
        if status == EventStatus::Cancelled {
            let cancelled = changed.contains(&EventField::Status);
            let rest = after.keys().filter(|_| cancelled).cloned();
            return Self { cancel: gone.chain(rest).collect(), ..Self::default() };
        }
        let asked = after.keys().filter(|email| concerning || !before.contains_key(*email));
        let request: Vec<String> = asked.cloned().collect();
        let first = request.iter().all(|email| !before.contains_key(email));
        Self { request, cancel: gone.collect(), instance: None, first }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.request.is_empty() && self.cancel.is_empty()
    }

    /// What of it is left to mails: where the calendar's server tells others, whom it does not reach.
    /// Those who are not asked any more are gone from the calendar; `Change` keeps of them only whom
    /// the server did not reach.
    pub(crate) fn by_mail(mut self, calendar: &Component, writing: &Writing) -> Self {
        if writing.schedules {
            let unreached = by_server::unreached(calendar.components());
            self.request.retain(|email| unreached.contains(email));
        }
        self
    }

    /// Keeps it in the event. `instance` is on the series' clock.
    pub(crate) fn record(&self, event: &mut Component, writing: &Writing) {
        let mut line = Line::new(ACT, act_name(writing));
        let mut put = |name: &str, values: &[String]| {
            line.set_parameter(name, (!values.is_empty()).then(|| values.join(" ")).as_deref());
        };
        put("X-REQUEST", &self.request);
        put("X-CANCEL", &self.cancel);
        let instance = self.instance.map(crate::calendar::value::date_time);
        line.set_parameter("X-INSTANCE", instance.as_deref());
        line.set_parameter("X-FIRST", self.first.then_some("TRUE"));
        event.replace(line);
    }

    /// What the event keeps of this act, if it was the last one.
    pub(crate) fn recorded(event: &Component, writing: &Writing) -> Option<Self> {
        let line = event.line(ACT).filter(|line| line.value() == act_name(writing))?;
        let list = |name| {
            let words = line.parameter(name).unwrap_or_default().split(' ');
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        Some(Self {
            request: list("X-REQUEST"),
            cancel: list("X-CANCEL"),
            instance: line
                .parameter("X-INSTANCE")
                .and_then(|text| Some(DateTime::parse(text)?.local)),
            first: line.parameter_is("X-FIRST", "TRUE"),
        })
    }

    /// The mails.
    pub(crate) fn notices(
        &self,
        calendar: &mut Component,
        owner: Owner<'_>,
        zones: &Zones,
        writing: &Writing,
    ) -> Vec<Notice> {
        let view = BodyView {
            preferences: vec![BodyPreference {
                kind: BodyKind::Plain,
                truncation: None,
                all_or_none: false,
                preview: None,
            }],
            ..BodyView::default()
        };
        let Ok(editing) = Editing::of(calendar, owner, zones) else { return Vec::new() };
        let reading = Reading { owner, view: &view, zones };
        let Some(main) = editing.main().cloned() else { return Vec::new() };
        let subject = match self.instance {
            Some(at) => editing.override_or_new(at),
            None => Some(main.clone()),
        };
        let Some(subject) = subject else { return Vec::new() };
        let at = subject.line("DTSTAMP").and_then(|line| zones.when(line));
        let at = at.map_or(writing.now, |when| when.utc());
        let Ok(mut shown) = event::read(&subject, &reading) else { return Vec::new() };
        if self.instance.is_none() {
            shown.recurrence = editing.event.recurrence.clone();
        }
        let id = self.instance.map(|at| time_text(&editing.beat.id(at)));
        let all: Vec<Component> = editing.components().cloned().collect();
        let known = invited(all.iter(), owner);
        let people = |emails: &[String]| -> Vec<Address> {
            let named = |email: &String| {
                let unnamed = || Address { name: None, email: email.clone() };
                known.get(email).cloned().unwrap_or_else(unnamed)
            };
            emails.iter().map(named).collect()
        };
        let act = digest(&[&act_name(writing), id.as_deref().unwrap_or_default()]);
        let mut out = Vec::new();
        if !self.request.is_empty() {
            let said = if self.first { Said::Invited } else { Said::Updated };
            let message = Message {
                method: "REQUEST",
                components: if self.instance.is_some() { vec![subject.clone()] } else { all },
                to: people(&self.request),
                words: Words::of(said, &shown, None),
                at,
                act: act.clone(),
            };
            out.extend(message.notice(calendar, writing));
        }
        if !self.cancel.is_empty() {
            let message = Message {
                method: "CANCEL",
                components: vec![cancelled(subject, &self.cancel)],
                to: people(&self.cancel),
                words: Words::of(Said::Cancelled, &shown, None),
                at,
                act,
            };
            out.extend(message.notice(calendar, writing));
        }
        out
    }
}

/// The act by a name that tells nothing of the user.
fn act_name(writing: &Writing) -> String {
    digest(&["act", &writing.key])
}

/// The event as it does not take place for these.
fn cancelled(mut event: Component, emails: &[String]) -> Component {
    event.set("STATUS", Some("CANCELLED"));
    for name in ["RRULE", "RDATE", "EXDATE"] {
        if event.line("RECURRENCE-ID").is_some() {
            event.remove(name);
        }
    }
    event.retain_lines(|line| {
        !line.is("ATTENDEE") || emails.contains(&people::email(line).to_ascii_lowercase())
    });
    for email in emails {
        let there =
            event.all("ATTENDEE").any(|line| people::email(line).eq_ignore_ascii_case(email));
        if !there {
            event.push(Line::new("ATTENDEE", people::uri(email)));
        }
    }
    event
}

/// Whether a meeting is over, so that nobody needs to hear of it any more.
pub(crate) fn is_over(last_end: Option<Timestamp>, now: Timestamp) -> bool {
    last_end.is_some_and(|end| end < now)
}
