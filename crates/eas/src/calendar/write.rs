//! An event as the server tells it.

use super::meeting::{Standing, busy_code};
use super::{Context, attendees, cover, exceptions, place, time};
use crate::body::{put_native, text_element};
use crate::fields::Children;
use crate::line::one_line;
use crate::recurrence::{self, OF_EVENTS};
use crate::sensitivity::privacy_code;
use crate::server_id::ServerId;
use crate::version::ProtocolVersion;
use crate::{attachment, categories, date};
use dme_model::{Event, LocalTime};
use dme_wbxml::Element;
use dme_wbxml::pages::{air_sync_base, calendar as page};

/// The elements of an event for this version, in the order of MS-ASCAL 2.2.2. `id` makes the
/// references of its attachments.
pub fn to_elements(
    event: &Event,
    id: &ServerId,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Vec<Element> {
    of_event(event, Some(id), version, context)
}

/// Without an `id` attachments are left out, those of exceptions too.
pub(super) fn of_event(
    event: &Event,
    id: Option<&ServerId>,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Vec<Element> {
    of_covered(&cover::told(event, context.now), id, version, context)
}

/// The same of an event as [`cover::told`] has it.
pub(super) fn of_covered(
    event: &Event,
    id: Option<&ServerId>,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Vec<Element> {
    let Context { home, now } = *context;
    let clock = time::clock(event.zone.as_ref(), home);
    let moment = |time| date::format_compact(time::to_wire(time, event.all_day, &clock, version));
    let mut children = Vec::with_capacity(24);
    if !event.all_day || version < ProtocolVersion::V16_0 {
        children
            .put(page::TIMEZONE, time::blob(event.start, event.recurrence.is_some(), &clock, now));
    }
    children.put_boolean(page::ALL_DAY_EVENT, event.all_day);
    children.extend(event.text.as_ref().map(text_element));
    children.put_number(page::BUSY_STATUS, busy_code(event.busy, version));
    if let Some(organizer) = &event.organizer {
        let name = organizer.name.as_ref().unwrap_or(&organizer.email);
        children.put(page::ORGANIZER_NAME, one_line(name));
        children.put(page::ORGANIZER_EMAIL, one_line(&organizer.email));
    }
    children.put(page::DT_STAMP, date::format_compact(event.stamp));
    children.put(page::END_TIME, moment(event.end));
    children.extend(event.place.as_ref().map(|place| place::element(place, version)));
    children.put_some_number(page::REMINDER, event.reminder);
    children.put_number(page::SENSITIVITY, privacy_code(event.privacy));
    children.put(page::SUBJECT, one_line(&event.title));
    children.put(page::START_TIME, moment(event.start));
    if !event.uid.is_empty() {
        children.put(page::UID, &*event.uid);
    }
    children.put_number(page::MEETING_STATUS, Standing::of(event).meeting_status());
    if !event.attendees.is_empty() {
        children.push(attendees::element(&event.attendees, version));
    }
    categories::put(&mut children, page::CATEGORIES, page::CATEGORY, &event.categories);
    let rule = event.recurrence.as_ref().and_then(|rule| {
        let until = |last: LocalTime| moment(recurrence::last_begin(last, event.start));
        recurrence::children(&OF_EVENTS, rule, event.start, version, until)
    });
    if let Some(rule) = rule {
        children.push(Element::parent(page::RECURRENCE, rule));
        children.extend(exceptions::element(event, id, version, home));
    }
    put_answers(&mut children, event, version);
    put_native(&mut children, event.native);
    if version >= ProtocolVersion::V14_1 {
        put_online(&mut children, event);
    }
    if let Some(id) = id
        && version >= ProtocolVersion::V16_0
    {
        let files = event.attachments.iter().map(|file| attachment::element(file, id));
        children.put_parent(air_sync_base::ATTACHMENTS, files.collect());
    }
    children
}

/// What of answers 14.0 and later know.
fn put_answers(children: &mut Vec<Element>, event: &Event, version: ProtocolVersion) {
    if version < ProtocolVersion::V14_0 {
        return;
    }
    let standing = Standing::of(event);
    if standing.is_meeting() || event.response_requested {
        children.put_boolean(page::RESPONSE_REQUESTED, event.response_requested);
    }
    children.put_some(page::APPOINTMENT_REPLY_TIME, event.replied.map(date::format_compact));
    children.put_number(page::RESPONSE_TYPE, standing.response_type());
    if standing.is_meeting() || event.no_proposals {
        children.put_boolean(page::DISALLOW_NEW_TIME_PROPOSAL, event.no_proposals);
    }
}

pub(super) fn put_online(children: &mut Vec<Element>, event: &Event) {
    children.put_some(page::ONLINE_MEETING_CONF_LINK, event.online_link.as_deref());
    children.put_some(page::ONLINE_MEETING_EXTERNAL_LINK, event.online_external_link.as_deref());
}
