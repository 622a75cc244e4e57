//! The meeting as the mail that brings it shows it (MS-ASEMAIL 2.2.2.48). It is read as the event in
//! the calendar is, so that both tell the same.

use crate::calendar::{
    beat::Beat,
    clock::{Clock, Zones},
    event::{self, Reading, Times},
    event_fields::rule_text,
    object::{Component, Object},
    people::{self, Owner},
    series::Series,
};
use dme_model::{
    BodyView, BusyStatus, Invitation, InvitationMethod, LocalTime, Participation, Timestamp,
};

/// Exchange's word for how the time is to show once somebody comes (MS-OXCICAL).
pub(crate) const INTENDED: &str = "X-MICROSOFT-CDO-INTENDEDSTATUS";

/// What a mail says of a meeting: the text of its calendar data, and the `method` of the part in
/// which that stands, which counts where the data names none. None where it is not about a meeting,
/// says no time, or is of another method than `REQUEST`, `CANCEL`, `REPLY` and `COUNTER`; or of an
/// answer that is none.
pub fn read(calendar: &str, method: Option<&str>) -> Option<Invitation> {
    let calendar = Object::parse(calendar.as_bytes()).ok()?.calendar;
    let main = Series::find(&calendar, "VEVENT")?.main;
    let method = match &*calendar.value("METHOD").or(method)?.to_ascii_uppercase() {
        "REQUEST" => InvitationMethod::Request,
        "CANCEL" => InvitationMethod::Cancel,
        "REPLY" => answer(main)?,
        "COUNTER" => InvitationMethod::Counter,
        _ => return None,
    };
    let (zones, view) = (Zones::of(&calendar), BodyView::default());
    // Whose mailbox it is in is not known here, and nothing that is told of it asks.
    let reading = Reading { owner: Owner(&[]), view: &view, zones: &zones };
    let event = event::read(main, &reading).ok()?;
    let times = Times::of(main, &zones).ok()?;
    let clock = Clock::of(event.zone.as_ref());
    let moment = |local: LocalTime| clock.to_utc(local);
    let instance = main.line("RECURRENCE-ID").and_then(|line| zones.when(line));
    let rule = event::recurrence(main, &times.start);
    let start = moment(event.start);
    Some(Invitation {
        method,
        uid: event.uid,
        start,
        end: moment(event.end),
        all_day: event.all_day,
        stamp: if event.stamp == Timestamp::default() { start } else { event.stamp },
        sequence: main.value("SEQUENCE").and_then(|text| text.parse().ok()).unwrap_or_default(),
        recurrence_id: instance.map(|id| moment(Beat::of(&times).original(&id))),
        recurrence: rule.map(|rule| rule_text(&rule, event.all_day, &clock)),
        location: event.place.map(|place| place.name).unwrap_or_default(),
        organizer: event.organizer,
        response_requested: method == InvitationMethod::Request && wants_answer(main),
        no_proposals: event.no_proposals,
        reminder_minutes: event.reminder,
        busy: intended(main),
        privacy: event.privacy,
        zone: event.zone,
    })
}

/// What the one attendee of an answer says.
fn answer(event: &Component) -> Option<InvitationMethod> {
    match people::participation(event.line("ATTENDEE")?) {
        Participation::Accepted => Some(InvitationMethod::Accepted),
        Participation::Tentative => Some(InvitationMethod::Tentative),
        Participation::Declined => Some(InvitationMethod::Declined),
        Participation::NeedsAction => None,
    }
}

/// Of whom nothing is said, no answer is wanted (RFC 5545 §3.2.17); of somebody who is asked as one
/// of a list it is.
fn wants_answer(event: &Component) -> bool {
    let mut attendees = event.all("ATTENDEE").peekable();
    attendees.peek().is_none() || attendees.any(|line| line.parameter_is("RSVP", "TRUE"))
}

/// How the time shows once somebody comes (MS-ASEMAIL 2.2.2.14): as the organiser intends, else as
/// the event of whoever comes does.
fn intended(event: &Component) -> BusyStatus {
    match event.value(INTENDED).map(str::to_ascii_uppercase).as_deref() {
        Some("FREE") => BusyStatus::Free,
        Some("TENTATIVE") => BusyStatus::Tentative,
        Some("BUSY") => BusyStatus::Busy,
        Some("OOF") => BusyStatus::OutOfOffice,
        Some("WORKINGELSEWHERE") => BusyStatus::WorkingElsewhere,
        _ => event::busy(event, Participation::Accepted),
    }
}
