//! The meeting in an invitation, cancellation or answer (RFC 5546, RFC 6047).

use crate::structure::{Message, Node};
use crate::{
    charset,
    layout::{Layout, is_calendar},
    text,
};
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry,
    ICalendarMethod, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarTransparency, ICalendarValue,
};
use dme_model::{Address, Invitation, InvitationMethod, Timestamp};
use std::str::FromStr;

/// How much calendar data is read, in bytes; larger data is a file like any other.
const MAX_CALENDAR: usize = 512 << 10;

/// The invitation and the part it stands in. None where no calendar data with a method of meetings
/// is found.
pub(crate) fn find(message: &Message) -> Option<(usize, Invitation)> {
    let (index, data) = data(message)?;
    read(&data.calendar, &data.method).map(|invitation| (index, invitation))
}

/// What a message says of a meeting, as text: its first calendar data.
pub(crate) fn calendar(message: &Message) -> Option<String> {
    let (_, node) = part(message)?;
    Some(text_of(message, node))
}

/// What a calendar's own server may tell as well, as text, and whether its sender is named as the
/// organiser, or answers.
pub(crate) fn scheduling(message: &Message, from: &str) -> Option<(String, bool)> {
    let (_, Data { text, calendar, method }) = data(message)?;
    let own = match method {
        ICalendarMethod::Reply if !has_text(message) => true,
        ICalendarMethod::Request | ICalendarMethod::Cancel => {
            let events = calendar.components.iter();
            let mut events =
                events.filter(|one| one.component_type == ICalendarComponentType::VEvent);
            events.all(|event| {
                let organizer = event.property(&ICalendarProperty::Organizer).and_then(address);
                organizer.is_some_and(|who| who.email.eq_ignore_ascii_case(from))
            })
        }
        _ => return None,
    };
    Some((text, own))
}

/// Calendar data with a method of meetings.
struct Data {
    text: String,
    calendar: ICalendar,
    method: ICalendarMethod,
}

/// The calendar data of a message and the part it stands in.
fn data(message: &Message) -> Option<(usize, Data)> {
    let (index, node) = part(message)?;
    let text = text_of(message, node);
    let calendar = ICalendar::parse(&text).ok()?;
    let method = method(&calendar, node.parameter("method"))?;
    Some((index, Data { text, calendar, method }))
}

/// Whether anything is written beside the calendar data.
fn has_text(message: &Message) -> bool {
    let text = text::as_plain(message, &Layout::of(message));
    String::from_utf8_lossy(&text).chars().any(char::is_alphanumeric)
}

fn part(message: &Message) -> Option<(usize, &Node)> {
    let mut parts = message.nodes.iter().enumerate();
    parts.find(|(_, node)| is_calendar(node)).filter(|(_, node)| node.body.len() <= MAX_CALENDAR)
}

/// Calendar data is UTF-8 unless it says otherwise (RFC 5545 §3.1.4).
fn text_of(message: &Message, node: &Node) -> String {
    charset::decode(&node.content(&message.raw), node.parameter("charset")).into_owned()
}

fn method(calendar: &ICalendar, parameter: Option<&str>) -> Option<ICalendarMethod> {
    let root = calendar.components.first()?;
    let named = root.property(&ICalendarProperty::Method).and_then(|entry| entry.values.first());
    match (named, parameter) {
        (Some(ICalendarValue::Method(method)), _) => Some(method.clone()),
        (_, Some(parameter)) => match parameter.to_ascii_uppercase().as_str() {
            "REQUEST" => Some(ICalendarMethod::Request),
            "CANCEL" => Some(ICalendarMethod::Cancel),
            "REPLY" => Some(ICalendarMethod::Reply),
            "COUNTER" => Some(ICalendarMethod::Counter),
            _ => None,
        },
        _ => None,
    }
}

fn read(calendar: &ICalendar, method: &ICalendarMethod) -> Option<Invitation> {
    let event = calendar
        .components
        .iter()
        .find(|component| component.component_type == ICalendarComponentType::VEvent)?;
    let method = match method {
        ICalendarMethod::Request => InvitationMethod::Request,
        ICalendarMethod::Cancel => InvitationMethod::Cancel,
        ICalendarMethod::Reply => answer(event)?,
        ICalendarMethod::Counter => InvitationMethod::Counter,
        _ => return None,
    };
    let zones = calendar.build_tz_resolver();
    let moment = |property: ICalendarProperty| {
        let entry = event.property(&property)?;
        let zone = zone_id(entry).map_or(Tz::UTC, |id| zone(&zones, id));
        moment(entry, zone)
    };
    let start = moment(ICalendarProperty::Dtstart)?;
    let all_day = event
        .property(&ICalendarProperty::Dtstart)
        .and_then(|entry| entry.values.first()?.as_partial_date_time())
        .is_some_and(|date| date.hour.is_none());
    let end = moment(ICalendarProperty::Dtend)
        .or_else(|| {
            let seconds = duration(event.property(&ICalendarProperty::Duration)?)?;
            Some(Timestamp::from_seconds(start.as_seconds().saturating_add(seconds)))
        })
        .unwrap_or_else(|| {
            let day = if all_day { 86_400 } else { 0 };
            Timestamp::from_seconds(start.as_seconds().saturating_add(day))
        });
    let time_zone = event
        .property(&ICalendarProperty::Dtstart)
        .and_then(zone_id)
        .and_then(|id| zone(&zones, id).name().map(|name| name.into_owned()));
    let attendees = || event.properties(&ICalendarProperty::Attendee);
    Some(Invitation {
        method,
        uid: text(event, &ICalendarProperty::Uid),
        start,
        end: end.max(start),
        all_day,
        time_zone,
        stamp: moment(ICalendarProperty::Dtstamp).unwrap_or(start),
        recurrence_id: moment(ICalendarProperty::RecurrenceId),
        recurrence: event.property(&ICalendarProperty::Rrule).and_then(|entry| {
            match entry.values.first()? {
                ICalendarValue::RecurrenceRule(rule) => Some(rule.to_string()),
                _ => None,
            }
        }),
        location: text(event, &ICalendarProperty::Location),
        organizer: event.property(&ICalendarProperty::Organizer).and_then(address),
        response_requested: method == InvitationMethod::Request
            && (attendees().next().is_none()
                || attendees().any(|entry| {
                    // Nothing said means no (RFC 5545 §3.2.17).
                    entry
                        .parameter(&ICalendarParameterName::Rsvp)
                        .is_some_and(|rsvp| rsvp.as_bool() == Some(true))
                })),
        reminder_minutes: reminder(calendar),
        busy: !has(event, &ICalendarProperty::Transp, |value| {
            matches!(value, ICalendarValue::Transparency(ICalendarTransparency::Transparent))
        }),
        private: has(event, &ICalendarProperty::Class, |value| {
            matches!(
                value,
                ICalendarValue::Classification(
                    ICalendarClassification::Private | ICalendarClassification::Confidential
                )
            )
        }),
    })
}

/// What the one attendee of an answer says.
fn answer(event: &ICalendarComponent) -> Option<InvitationMethod> {
    let attendee = event.property(&ICalendarProperty::Attendee)?;
    match attendee.parameter(&ICalendarParameterName::Partstat)? {
        ICalendarParameterValue::Partstat(status) => match status {
            ICalendarParticipationStatus::Accepted => Some(InvitationMethod::Accepted),
            ICalendarParticipationStatus::Tentative => Some(InvitationMethod::Tentative),
            ICalendarParticipationStatus::Declined => Some(InvitationMethod::Declined),
            _ => None,
        },
        _ => None,
    }
}

fn has(
    event: &ICalendarComponent,
    property: &ICalendarProperty,
    test: impl Fn(&ICalendarValue) -> bool,
) -> bool {
    event.property(property).is_some_and(|entry| entry.values.iter().any(test))
}

fn text(event: &ICalendarComponent, property: &ICalendarProperty) -> String {
    let entry = event.property(property);
    let text = entry.and_then(|entry| entry.values.first()?.as_text()).unwrap_or_default();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

fn address(entry: &ICalendarEntry) -> Option<Address> {
    let uri = entry.values.first()?.as_text()?;
    let email = match uri.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &uri[7..],
        _ => uri,
    };
    let name = entry.parameter(&ICalendarParameterName::Cn).and_then(|name| name.as_text());
    Some(Address {
        name: name.filter(|name| !name.is_empty()).map(str::to_owned),
        email: email.trim().to_owned(),
    })
}

fn zone_id(entry: &ICalendarEntry) -> Option<&str> {
    entry.parameter(&ICalendarParameterName::Tzid)?.as_text()
}

/// The zone by the calendar's own definition, an IANA or a Windows name; what nobody knows is
/// taken for UTC.
fn zone(zones: &calcard::icalendar::timezone::TzResolver<&str>, id: &str) -> Tz {
    zones.resolve(id).or_else(|| Tz::from_str(id).ok()).unwrap_or(Tz::UTC)
}

/// A time in its zone; one that the clocks skip is taken an hour later, as clocks do.
fn moment(entry: &ICalendarEntry, zone: Tz) -> Option<Timestamp> {
    let date = entry.values.first()?.as_partial_date_time()?;
    if let Some(time) = date.to_date_time_with_tz(zone) {
        return Some(Timestamp::from_seconds(time.timestamp()));
    }
    let mut later = date.clone();
    later.hour = Some(later.hour.unwrap_or(0).saturating_add(1));
    let time = later.to_date_time_with_tz(zone).or_else(|| later.to_date_time_with_tz(Tz::UTC))?;
    Some(Timestamp::from_seconds(time.timestamp()))
}

fn duration(entry: &ICalendarEntry) -> Option<i64> {
    match entry.values.first()? {
        ICalendarValue::Duration(duration) => Some(duration.as_seconds().max(0)),
        _ => None,
    }
}

/// The first alarm's minutes before the start.
fn reminder(calendar: &ICalendar) -> Option<u32> {
    calendar
        .components
        .iter()
        .filter(|component| component.component_type == ICalendarComponentType::VAlarm)
        .find_map(|alarm| match alarm.property(&ICalendarProperty::Trigger)?.values.first()? {
            ICalendarValue::Duration(duration) => {
                u32::try_from(duration.as_seconds().checked_neg()? / 60).ok()
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests;
