//! A `VEVENT` (RFC 5545 §3.6.1) → the neutral event, one component by itself. What makes it a
//! series is in [`super::series`].

use super::clock::{Clock, When, Zones};
use super::description::Description;
use super::object::Component;
use super::people::{self, Owner};
use super::rule::{self, Rule};
use super::value::DAY;
use super::{alarm, attachment, online, place, text, value};
use crate::Error;
use dme_model::{
    Address, BodyView, BusyStatus, Event, EventStatus, Irregular, LocalTime, Participation,
    Privacy, Recurrence, Timestamp,
};

/// What an event is read with.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) owner: Owner<'a>,
    pub(crate) view: &'a BodyView,
    pub(crate) zones: &'a Zones,
}

/// Begin and end of an event, on the clock of the begin.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Times {
    pub(crate) start: When,
    pub(crate) end: LocalTime,
    pub(crate) all_day: bool,
}

impl Times {
    /// # Errors
    /// [`Error::Unconvertible`] where there is no begin.
    pub(crate) fn of(event: &Component, zones: &Zones) -> Result<Self, Error> {
        let start = event.line("DTSTART").and_then(|line| zones.when(line));
        let start = start.ok_or(Error::Unconvertible("it has no time at which to begin"))?;
        let end = event.line("DTEND").and_then(|line| zones.when(line));
        let mut end = match end {
            Some(end) => end.on(&start.clock),
            None => after(&start, event.value("DURATION").and_then(value::duration)),
        };
        let midnight = |local: LocalTime| local.as_seconds().rem_euclid(DAY) == 0;
        // Outlook's way to write whole days in a time zone.
        let flag = event.value_is("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE");
        let all_day =
            start.date || (flag && midnight(start.local) && midnight(end) && end > start.local);
        if all_day {
            end = LocalTime::from_days(end.as_days());
        }
        let shortest = if all_day { start.local.plus_seconds(DAY) } else { start.local };
        Ok(Self { end: end.max(shortest), start, all_day })
    }

    pub(crate) fn end(&self) -> When {
        When { local: self.end, ..self.start.clone() }
    }
}

/// When a duration that began at the start is over; a day without one lasts that day. Days are
/// counted on the clock, hours by time that passes (RFC 5545 §3.3.6).
fn after(start: &When, duration: Option<i64>) -> LocalTime {
    match (duration, &start.clock) {
        (None, _) => start.local.plus_seconds(if start.date { DAY } else { 0 }),
        (Some(seconds), Clock::Zone(zone)) if seconds % DAY != 0 => {
            let begin = zone.to_utc(start.local).as_seconds();
            zone.to_local(Timestamp::from_seconds(begin.saturating_add(seconds)))
        }
        (Some(seconds), _) => start.local.plus_seconds(seconds),
    }
}

/// Reads all but what makes a series of it.
///
/// # Errors
/// [`Error::Unconvertible`] where there is no begin.
pub(crate) fn read(event: &Component, reading: &Reading<'_>) -> Result<Event, Error> {
    let times = Times::of(event, reading.zones)?;
    let description = Description::of(event);
    let own = reading.owner.organises(event);
    let participation = participation(event, reading.owner);
    let moment = |name| Some(reading.zones.when(event.line(name)?)?.utc());
    let links = online::read(event);
    Ok(Event {
        uid: event.value("UID").map(text::unescape).unwrap_or_default(),
        title: title(event),
        start: times.start.local,
        end: times.end,
        zone: if times.all_day { None } else { times.start.clock.zone_id() },
        all_day: times.all_day,
        recurrence: None,
        exceptions: Vec::new(),
        irregular: Irregular::default(),
        place: place::read(event),
        busy: busy(event, participation),
        privacy: privacy(event),
        categories: categories(event),
        reminder: alarm::minutes_before(event, &times.start, &times.end()),
        organizer: organizer(event),
        own,
        attendees: people::attendees(event),
        status: status(event),
        participation,
        replied: moment(REPLIED),
        response_requested: response_requested(event, reading.owner),
        no_proposals: event.value_is(NO_PROPOSALS, "TRUE"),
        online_link: links.inside,
        online_external_link: links.outside,
        stamp: moment("DTSTAMP").or_else(|| moment("LAST-MODIFIED")).unwrap_or_default(),
        native: description.written().native(),
        text: description.written().view(reading.view),
        attachments: attachment::list(event),
        last_end: None,
        attach: Vec::new(),
        detach: Vec::new(),
    })
}

/// When the user answered: a property of ours.
pub(crate) const REPLIED: &str = "X-DME-REPLIED";
/// Exchange's word for a meeting for which no other times are to be proposed.
pub(crate) const NO_PROPOSALS: &str = "X-MICROSOFT-DISALLOW-COUNTER";
/// Exchange's word for how an event's time shows to others (MS-OXCICAL).
pub(crate) const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

pub(crate) fn title(component: &Component) -> String {
    let title = component.line("SUMMARY").map(|line| text::unescape(line.value()));
    text::one_line(&title.unwrap_or_default())
}

fn organizer(event: &Component) -> Option<Address> {
    event.line("ORGANIZER").map(people::address).filter(|who| !who.email.is_empty())
}

/// What the user said; who organises comes.
pub(crate) fn participation(event: &Component, owner: Owner<'_>) -> Participation {
    if owner.organises(event) {
        return Participation::Accepted;
    }
    owner.line(event).map(people::participation).unwrap_or_default()
}

fn response_requested(event: &Component, owner: Owner<'_>) -> bool {
    let asked = |line: &super::line::Line| line.parameter_is("RSVP", "TRUE");
    if owner.organises(event) {
        event.all("ATTENDEE").any(asked)
    } else {
        owner.line(event).is_some_and(asked)
    }
}

pub(crate) fn status(event: &Component) -> EventStatus {
    match event.value("STATUS").map(str::to_ascii_uppercase).as_deref() {
        Some("TENTATIVE") => EventStatus::Tentative,
        Some("CANCELLED") => EventStatus::Cancelled,
        _ => EventStatus::Confirmed,
    }
}

/// `TRANSP` says whether the time is free; Exchange's word tells more where it agrees. An
/// invitation that was not accepted makes its time perhaps busy.
pub(crate) fn busy(event: &Component, participation: Participation) -> BusyStatus {
    if event.value_is("TRANSP", "TRANSPARENT") {
        return BusyStatus::Free;
    }
    match event.value(BUSY_STATUS).map(str::to_ascii_uppercase).as_deref() {
        Some("TENTATIVE") => BusyStatus::Tentative,
        Some("OOF") => BusyStatus::OutOfOffice,
        Some("WORKINGELSEWHERE") => BusyStatus::WorkingElsewhere,
        Some("BUSY") => BusyStatus::Busy,
        _ if status(event) == EventStatus::Tentative => BusyStatus::Tentative,
        _ => match participation {
            Participation::NeedsAction | Participation::Tentative => BusyStatus::Tentative,
            Participation::Accepted | Participation::Declined => BusyStatus::Busy,
        },
    }
}

pub(crate) fn privacy(component: &Component) -> Privacy {
    match component.value("CLASS").map(str::to_ascii_uppercase).as_deref() {
        None | Some("PUBLIC" | "") => Privacy::Normal,
        Some("CONFIDENTIAL") => Privacy::Confidential,
        Some("PERSONAL") => Privacy::Personal,
        // What nobody knows is to be taken for private (RFC 5545 §3.8.1.3).
        Some(_) => Privacy::Private,
    }
}

/// How many categories are shown; no phone takes more (MS-ASCAL 2.2.2.11).
const MAX_CATEGORIES: usize = 300;

pub(crate) fn categories(component: &Component) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in component.all("CATEGORIES").flat_map(|line| text::list(line.value())) {
        let name = text::one_line(&name);
        if !name.is_empty() && !out.contains(&name) && out.len() < MAX_CATEGORIES {
            out.push(name);
        }
    }
    out
}

/// The rule of a component. Of several the first is told.
pub(crate) fn recurrence(component: &Component, start: &When) -> Option<Recurrence> {
    match rule(component, start)? {
        Rule::Neutral(rule) | Rule::Part(rule) => Some(rule),
        Rule::Beyond => None,
    }
}

pub(crate) fn rule(component: &Component, start: &When) -> Option<Rule> {
    // An instance is no series, whatever is written in it.
    if component.line("RECURRENCE-ID").is_some() {
        return None;
    }
    let local = |at: LocalTime| start.clock.to_local(at.as_utc());
    rule::parse(component.value("RRULE")?, start.local, local)
}
