//! Where a message says something of a meeting (RFC 5546, RFC 6047). What that is, is read by whoever
//! knows calendars.

use crate::structure::{Message, Node};
use crate::{
    Meetings, charset,
    layout::{Layout, is_calendar},
    text,
};
use calcard::icalendar::{
    ICalendar, ICalendarComponentType, ICalendarEntry, ICalendarMethod, ICalendarProperty,
    ICalendarValue,
};
use dme_model::Invitation;

/// How much calendar data is read, in bytes; larger data is a file like any other.
const MAX_CALENDAR: usize = 512 << 10;

/// The invitation and the part it stands in. None where there is no calendar data that says anything
/// of a meeting.
pub(crate) fn find(message: &Message, meetings: Meetings) -> Option<(usize, Invitation)> {
    let (index, node) = part(message)?;
    let invitation = meetings(&text_of(message, node), node.parameter("method"))?;
    Some((index, invitation))
}

/// What a message says of a meeting, as text: its first calendar data.
pub(crate) fn calendar(message: &Message) -> Option<String> {
    let (_, node) = part(message)?;
    Some(text_of(message, node))
}

/// What a calendar's own server may tell as well, as text, and whether its sender is named as the
/// organiser, or answers.
pub(crate) fn scheduling(message: &Message, from: &str) -> Option<(String, bool)> {
    let Data { text, calendar, method } = data(message)?;
    let own = match method {
        ICalendarMethod::Reply if !has_text(message) => true,
        ICalendarMethod::Request | ICalendarMethod::Cancel => {
            let events = calendar.components.iter();
            let mut events =
                events.filter(|one| one.component_type == ICalendarComponentType::VEvent);
            events.all(|event| {
                let organizer = event.property(&ICalendarProperty::Organizer).and_then(address);
                organizer.is_some_and(|who| who.eq_ignore_ascii_case(from))
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

/// The calendar data of a message.
fn data(message: &Message) -> Option<Data> {
    let (_, node) = part(message)?;
    let text = text_of(message, node);
    let calendar = ICalendar::parse(&text).ok()?;
    let method = method(&calendar, node.parameter("method"))?;
    Some(Data { text, calendar, method })
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

/// The address in a person's line.
fn address(entry: &ICalendarEntry) -> Option<&str> {
    let uri = entry.values.first()?.as_text()?;
    let email = match uri.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &uri[7..],
        _ => uri,
    };
    Some(email.trim())
}

#[cfg(test)]
mod tests;
