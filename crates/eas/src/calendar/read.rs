//! An event as it is read, whichever side wrote it.

use super::meeting::{read_busy, read_meeting_status, read_response_type};
use super::time::{self, Round, Times, Told};
use super::{Context, attendees, exceptions, place};
use crate::attachment;
use crate::body::{read_native, read_text};
use crate::categories;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::line::one_line;
use crate::recurrence::{self, OF_EVENTS};
use crate::sensitivity::read_privacy;
use crate::server_id::FileReference;
use crate::version::ProtocolVersion;
use dme_model::{
    Address, Attachment, AttachmentKind, Attendee, Event, EventField, LocalTime, NewAttachment,
    PartId, Participation,
};
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_wbxml::{Element, Tag};
use std::collections::BTreeSet;

/// The longest `UID` and `ClientUid` read (MS-ASCAL 2.2.2.46, 2.2.2.13: 300 characters).
const MAX_UID: usize = 1_024;

/// The media type of a file of which none is told.
const SOME_FILE: &str = "application/octet-stream";

/// Reads an event as the server told it.
///
/// # Errors
/// Where an element does not hold what it must, or holds too much.
pub fn from_elements(
    data: &[Element],
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Result<Event> {
    read(data, version, context, None).map(|(event, _)| event)
}

/// Reads an event that has been `present`, and which fields are named. Of what is not told the event
/// read has the present times, and of all else the default.
pub(super) fn read(
    data: &[Element],
    version: ProtocolVersion,
    context: &Context<'_>,
    present: Option<&Event>,
) -> Result<(Event, BTreeSet<EventField>)> {
    let mut event = Event { own: true, ..Event::default() };
    let mut fields = BTreeSet::new();
    let mut told = Told::default();
    let known = present.map(|present| present.attendees.as_slice()).unwrap_or_default();
    for element in data {
        if !told.take(element)? {
            fields.extend(read_field(element, &mut event, known)?);
        }
    }
    drop_organizer(&mut event, present);
    let present = present.map(|present| Times::of(present, context.home));
    let times = told.resolve(present.as_ref(), version, context)?;
    times.put(&mut event);
    if told.is_something() {
        fields.insert(EventField::Time);
    }
    for element in data {
        if element.tag == page::RECURRENCE {
            event.recurrence = read_recurrence(element, &times, version)?;
            fields.insert(EventField::Recurrence);
        }
    }
    for element in data.iter().filter(|element| element.tag == page::EXCEPTIONS) {
        event.exceptions = exceptions::read(element, &event, &times, version, context)?;
        fields.insert(EventField::Exceptions);
    }
    if event.native.is_none() {
        event.native = event.text.as_ref().map(|text| text.kind);
    }
    if event.own {
        event.participation = Participation::Accepted;
    }
    Ok((event, fields))
}

/// Some phones name the organiser among those who are asked.
pub(super) fn drop_organizer(event: &mut Event, present: Option<&Event>) {
    let known = present.and_then(|present| present.organizer.as_ref());
    if let Some(organizer) = known.or(event.organizer.as_ref()) {
        let is_asked = |one: &Attendee| !one.address.email.eq_ignore_ascii_case(&organizer.email);
        event.attendees.retain(is_asked);
    }
}

fn read_recurrence(
    element: &Element,
    times: &Times,
    version: ProtocolVersion,
) -> Result<Option<dme_model::Recurrence>> {
    recurrence::read(&OF_EVENTS, element, |last| {
        let last = last.moment_value()?;
        if times.all_day {
            return Ok(time::day(last, &times.clock, version, Round::Down));
        }
        let (of_utc, local) =
            (LocalTime::from_seconds(last.as_seconds()), times.clock.to_local(last));
        // A day alone, the last one with an instance, is written as its midnight in UTC.
        let is_begin = recurrence::last_begin(local, times.start) == local;
        let is_day = !is_begin && of_utc == LocalTime::from_days(of_utc.as_days());
        let end_of_day = of_utc.plus_seconds(86_399);
        Ok(if is_day { recurrence::last_begin(end_of_day, times.start) } else { local })
    })
}

/// Reads an element that stands for itself, in an event or an exception; none where it is none of
/// these. Of attendees what is not told is as `known`.
pub(super) fn read_field(
    element: &Element,
    event: &mut Event,
    known: &[Attendee],
) -> Result<Option<EventField>> {
    Ok(Some(match element.tag {
        page::SUBJECT => {
            event.title = one_line(element.text_value()?);
            EventField::Title
        }
        page::LOCATION | base::LOCATION => {
            event.place = place::read(element)?;
            EventField::Place
        }
        page::BUSY_STATUS => {
            event.busy = read_busy(element)?;
            EventField::Busy
        }
        page::SENSITIVITY => {
            event.privacy = read_privacy(element)?;
            EventField::Privacy
        }
        page::CATEGORIES => {
            event.categories = categories::read(element, page::CATEGORY)?;
            EventField::Categories
        }
        page::REMINDER => {
            event.reminder = read_reminder(element)?;
            EventField::Reminder
        }
        page::ORGANIZER_NAME | page::ORGANIZER_EMAIL => {
            read_organizer(element, event)?;
            EventField::Organizer
        }
        page::ATTENDEES => {
            event.attendees = attendees::read(element, known)?;
            EventField::Attendees
        }
        page::MEETING_STATUS => {
            (event.own, event.status) = read_meeting_status(element)?;
            EventField::Status
        }
        page::RESPONSE_TYPE => {
            event.participation = read_response_type(element)?;
            EventField::Participation
        }
        page::APPOINTMENT_REPLY_TIME => {
            event.replied = time::moment(element)?;
            EventField::Participation
        }
        page::RESPONSE_REQUESTED => {
            event.response_requested = element.boolean_value()?;
            EventField::ResponseRequested
        }
        page::DISALLOW_NEW_TIME_PROPOSAL => {
            event.no_proposals = element.boolean_value()?;
            EventField::NoProposals
        }
        page::ONLINE_MEETING_CONF_LINK => {
            event.online_link = read_some(element)?;
            EventField::OnlineLink
        }
        page::ONLINE_MEETING_EXTERNAL_LINK => {
            event.online_external_link = read_some(element)?;
            EventField::OnlineExternalLink
        }
        page::DT_STAMP => {
            event.stamp = time::moment(element)?.unwrap_or_default();
            EventField::Stamp
        }
        page::UID | page::CLIENT_UID => {
            event.uid = read_uid(element)?;
            EventField::Uid
        }
        base::BODY => {
            event.text = read_text(element)?;
            EventField::Text
        }
        base::NATIVE_BODY_TYPE => {
            event.native = read_native(element)?;
            return Ok(None);
        }
        base::ATTACHMENTS => {
            read_attachments(element, event)?;
            EventField::Attachments
        }
        _ => return Ok(None),
    }))
}

/// Minutes; none where it is empty.
fn read_reminder(element: &Element) -> Result<Option<u32>> {
    match element.text_value()?.trim() {
        "" => Ok(None),
        _ => element.number_value("minutes before the begin").map(Some),
    }
}

/// Name and address come one by one.
fn read_organizer(element: &Element, event: &mut Event) -> Result<()> {
    let text = one_line(element.text_value()?.trim());
    let organizer =
        event.organizer.get_or_insert_with(|| Address { name: None, email: String::new() });
    match element.tag {
        page::ORGANIZER_EMAIL => organizer.email = text,
        _ => organizer.name = Some(text),
    }
    // A name that is the address says no more.
    organizer.name = organizer.name.take().filter(|name| !name.is_empty());
    Ok(())
}

fn read_uid(element: &Element) -> Result<String> {
    let uid = one_line(element.text_value()?.trim());
    match uid.len() <= MAX_UID {
        true => Ok(uid),
        false => Err(Error::Value { element: element.tag, expected: "at most 1,024 bytes" }),
    }
}

fn read_some(element: &Element) -> Result<Option<String>> {
    let text = one_line(element.text_value()?.trim());
    Ok((!text.is_empty()).then_some(text))
}

/// What the server lists, and what a phone attaches and takes off.
fn read_attachments(element: &Element, event: &mut Event) -> Result<()> {
    let listed = element.each(base::ATTACHMENT).map(read_attachment);
    event.attachments = listed.collect::<Result<_>>()?;
    let (attach, detach) = attachment::read_changes(element)?;
    event.attach.extend(attach.into_iter().map(|file| NewAttachment {
        name: one_line(&file.display_name),
        media_type: file.content_type.unwrap_or_else(|| SOME_FILE.to_owned()).to_ascii_lowercase(),
        content_id: file.content_id,
        data: file.content,
    }));
    for reference in detach {
        let reference: FileReference = reference.parse().map_err(|_| Error::Value {
            element: base::FILE_REFERENCE,
            expected: "a reference that the server gave",
        })?;
        event.detach.push(reference.part);
    }
    Ok(())
}

fn read_attachment(element: &Element) -> Result<Attachment> {
    let text = |tag: Tag| element.text_of(tag).map(|text| text.map(str::to_owned));
    let reference = element.required_text(base::FILE_REFERENCE)?;
    let part = reference.parse().map(|reference: FileReference| reference.part);
    Ok(Attachment {
        // Another server's references are its own affair.
        part: part.unwrap_or_else(|_| PartId::new(reference)),
        name: text(base::DISPLAY_NAME)?.unwrap_or_default(),
        media_type: text(base::CONTENT_TYPE)?.unwrap_or_else(|| SOME_FILE.to_owned()),
        size: element.number_of(base::ESTIMATED_DATA_SIZE)?.unwrap_or(0),
        kind: match element.number_of(base::METHOD)? {
            Some(5u8) => AttachmentKind::Message,
            _ => AttachmentKind::File,
        },
        content_id: text(base::CONTENT_ID)?,
        content_location: text(base::CONTENT_LOCATION)?,
        inline: element.boolean_of(base::IS_INLINE)?.unwrap_or(false),
    })
}
