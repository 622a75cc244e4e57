//! What differs from the rule in single instances of a series (`Exceptions`, MS-ASCAL 2.2.2.21).
//!
//! What an exception does not name is as in the series. It is known by when it would have begun:
//! `ExceptionStartTime` until 14.1, `airsyncbase:InstanceId` from 16.0 on.

use super::meeting::{Standing, busy_code};
use super::time::{self, Round, Times, Told};
use super::{Context, attendees, instance, place, read};
use crate::body::text_element;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::line::one_line;
use crate::sensitivity::privacy_code;
use crate::server_id::ServerId;
use crate::version::ProtocolVersion;
use crate::{attachment, categories, date};
use dme_model::{Event, EventField, EventPatch, Exception, Fields as _, InstanceChange, LocalTime};
use dme_wbxml::Element;
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_zone::Zone;

/// The most exceptions told (MS-ASCAL 2.2.2.21); of more, the latest.
const MAX_TOLD: usize = 256;

/// The most exceptions read.
const MAX_READ: usize = 1_000;

/// `Exceptions`; none where there are none.
pub(super) fn element(
    series: &Event,
    id: Option<&ServerId>,
    version: ProtocolVersion,
    home: &Zone,
) -> Option<Element> {
    let telling = Telling::of(series, id, version, home);
    let told: Vec<_> = told(series).iter().map(|exception| one(exception, &telling)).collect();
    (!told.is_empty()).then(|| Element::parent(page::EXCEPTIONS, told))
}

/// A series whose exceptions are told, and what is the same for each of them.
struct Telling<'a> {
    series: &'a Event,
    /// Makes the references of attachments.
    id: Option<&'a ServerId>,
    clock: Zone,
    standing: Standing,
    version: ProtocolVersion,
    home: &'a Zone,
}

impl<'a> Telling<'a> {
    fn of(
        series: &'a Event,
        id: Option<&'a ServerId>,
        version: ProtocolVersion,
        home: &'a Zone,
    ) -> Self {
        let clock = time::clock(series.zone.as_ref(), home);
        Self { series, id, clock, standing: Standing::of(series), version, home }
    }
}

/// Those of a series that are told.
pub(super) fn told(series: &Event) -> &[Exception] {
    let skipped = series.exceptions.len().saturating_sub(MAX_TOLD);
    series.exceptions.get(skipped..).unwrap_or_default()
}

/// An exception of a series as a phone repeats it, who reads that as `read`; none where to a phone it
/// differs in nothing.
///
/// # Errors
/// Where what we write cannot be read.
pub(super) fn read_back(
    exception: &Exception,
    (series, read): (&Event, &Event),
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Result<Option<Exception>> {
    let element = one(exception, &Telling::of(series, None, version, context.home));
    let times = Times::of(read, context.home);
    read_one(&element, &instance::by_rule(read, read.start), &times, version, context)
}

fn one(exception: &Exception, telling: &Telling<'_>) -> Element {
    let Telling { series, clock, version, .. } = telling;
    let version = *version;
    let original = time::to_wire(exception.original, series.all_day, clock, version);
    let original = date::format_compact(original);
    let mut children = vec![];
    let named = match &exception.change {
        InstanceChange::Deleted => {
            children.put_boolean(page::DELETED, true);
            None
        }
        InstanceChange::Changed(patch) => Some(&**patch),
    };
    if version < ProtocolVersion::V16_0 {
        children.put(page::EXCEPTION_START_TIME, &*original);
    }
    if let Some(patch) = named {
        put_changes(&mut children, patch, telling);
    }
    if version >= ProtocolVersion::V16_0 {
        children.put(page::UID, &*series.uid);
        children.put(base::INSTANCE_ID, original);
    }
    if let Some(patch) = named {
        put_meeting(&mut children, patch, telling);
    }
    Element::parent(page::EXCEPTION, children)
}

/// From `Subject` to `DtStamp`.
fn put_changes(children: &mut Vec<Element>, patch: &EventPatch, telling: &Telling<'_>) {
    let version = telling.version;
    let event = &patch.value;
    let named = |field| patch.fields.contains(&field);
    if named(EventField::Title) {
        children.put(page::SUBJECT, one_line(&event.title));
    }
    if named(EventField::Time) {
        let own = event.zone.as_ref().filter(|zone| telling.series.zone.as_ref() != Some(*zone));
        let own = own.map(|zone| time::clock(Some(zone), telling.home));
        let clock = own.as_ref().unwrap_or(&telling.clock);
        let moment =
            |time| date::format_compact(time::to_wire(time, event.all_day, clock, version));
        children.put(page::START_TIME, moment(event.start));
        children.put(page::END_TIME, moment(event.end));
    }
    if named(EventField::Text) {
        let body = event.text.as_ref().map(text_element);
        children.push(body.unwrap_or_else(|| Element::empty(base::BODY)));
    }
    if named(EventField::Place) {
        let place = event.place.clone().unwrap_or_default();
        children.push(place::element(&place, version));
    }
    if let Some(id) = telling.id
        && named(EventField::Attachments)
        && version >= ProtocolVersion::V16_0
    {
        let files = event.attachments.iter().map(|file| attachment::element(file, id));
        children.push(Element::parent(base::ATTACHMENTS, files.collect()));
    }
    if named(EventField::Categories) {
        match event.categories.is_empty() {
            true => children.push(Element::empty(page::CATEGORIES)),
            false => {
                categories::put(children, page::CATEGORIES, page::CATEGORY, &event.categories);
            }
        }
    }
    if named(EventField::Privacy) {
        children.put_number(page::SENSITIVITY, privacy_code(event.privacy));
    }
    if named(EventField::Busy) {
        children.put_number(page::BUSY_STATUS, busy_code(event.busy, version));
    }
    if named(EventField::Time) {
        children.put_boolean(page::ALL_DAY_EVENT, event.all_day);
    }
    if named(EventField::Reminder) {
        let minutes = event.reminder.map(|minutes| minutes.to_string());
        children.put(page::REMINDER, minutes.unwrap_or_default());
    }
    if named(EventField::Stamp) {
        children.put(page::DT_STAMP, date::format_compact(event.stamp));
    }
}

/// What concerns the meeting, from `MeetingStatus` on.
fn put_meeting(children: &mut Vec<Element>, patch: &EventPatch, telling: &Telling<'_>) {
    let version = telling.version;
    let event = &patch.value;
    let named = |field| patch.fields.contains(&field);
    let standing = telling.standing.with(patch);
    if named(EventField::Status) {
        children.put_number(page::MEETING_STATUS, standing.meeting_status());
    }
    if version < ProtocolVersion::V14_0 {
        return;
    }
    if named(EventField::Attendees) {
        children.push(attendees::element(&event.attendees, version));
    }
    if named(EventField::Participation) {
        let replied = event.replied.map(date::format_compact);
        children.put_some(page::APPOINTMENT_REPLY_TIME, replied);
        children.put_number(page::RESPONSE_TYPE, standing.response_type());
    }
    if version >= ProtocolVersion::V14_1 {
        for (field, tag, link) in [
            (EventField::OnlineLink, page::ONLINE_MEETING_CONF_LINK, &event.online_link),
            (
                EventField::OnlineExternalLink,
                page::ONLINE_MEETING_EXTERNAL_LINK,
                &event.online_external_link,
            ),
        ] {
            if named(field) {
                children.put(tag, link.as_deref().unwrap_or_default());
            }
        }
    }
}

/// Reads the exceptions of a series, ascending. One that differs in nothing is none.
///
/// # Errors
/// Where one does not say which instance it is of, a value is not what it must be, or there are too
/// many.
pub(super) fn read(
    element: &Element,
    series: &Event,
    times: &Times,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Result<Vec<Exception>> {
    if element.children().len() > MAX_READ {
        return Err(Error::TooMany { element: page::EXCEPTION, limit: MAX_READ });
    }
    let mut exceptions: Vec<Exception> = vec![];
    // Without the exceptions it had: each that is read is set against a copy.
    let series = instance::by_rule(series, series.start);
    for element in element.each(page::EXCEPTION) {
        exceptions.extend(read_one(element, &series, times, version, context)?);
    }
    exceptions.sort_by_key(|exception| exception.original);
    exceptions.dedup_by_key(|exception| exception.original);
    Ok(exceptions)
}

fn read_one(
    element: &Element,
    series: &Event,
    times: &Times,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Result<Option<Exception>> {
    let original = read_original(element, times, version)?;
    if element.boolean_of(page::DELETED)? == Some(true) {
        return Ok(Some(Exception { original, change: InstanceChange::Deleted }));
    }
    let by_rule = instance::by_rule(series, original);
    let mut value = Event { own: series.own, ..Event::default() };
    let mut told = Told::default();
    let mut fields = vec![];
    for child in element.children() {
        if !told.take(child)? {
            fields.extend(read::read_field(child, &mut value, &series.attendees)?);
        }
    }
    read::drop_organizer(&mut value, Some(series));
    if told.is_something() {
        let by_rule = Times {
            start: by_rule.start,
            end: by_rule.end,
            zone: by_rule.zone.clone(),
            all_day: by_rule.all_day,
            clock: times.clock.clone(),
        };
        told.resolve(Some(&by_rule), version, context)?.put(&mut value);
        fields.push(EventField::Time);
    }
    if value.native.is_none() {
        value.native = value.text.as_ref().map(|text| text.kind);
    }
    let differs = |field: &EventField| *field != EventField::Uid && !by_rule.same(&value, *field);
    let fields: Vec<_> = fields.into_iter().filter(differs).collect();
    if fields.iter().all(|field| *field == EventField::Stamp) {
        return Ok(None);
    }
    let patch = EventPatch::only(fields, &value);
    Ok(Some(Exception { original, change: InstanceChange::Changed(Box::new(patch)) }))
}

fn read_original(element: &Element, times: &Times, version: ProtocolVersion) -> Result<LocalTime> {
    let original = match element.child(base::INSTANCE_ID) {
        Some(original) => original,
        None => element.required(page::EXCEPTION_START_TIME)?,
    };
    let original = original.moment_value()?;
    Ok(match times.all_day {
        true => time::day(original, &times.clock, version, Round::Down),
        false => times.clock.to_local(original),
    })
}
