//! What a phone writes of an event.

use super::cover::Repeated;
use super::read::read;
use super::{Context, cover, exceptions, instance, write};
use crate::attachment::{self, NewAttachment};
use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::ghosting::{Writing, keep_text, patch, whole_text};
use crate::recurrence::keep_first_day;
use crate::server_id::{FileReference, ServerId};
use crate::version::ProtocolVersion;
use dme_model::{Event, EventField, EventPatch, Exception, Fields as _, InstanceChange, LocalTime};
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_wbxml::{Element, Tag};
use dme_zone::Zone;
use std::collections::BTreeSet;

/// What a phone writes of an event.
///
/// Left out of a change, an element is deleted until 14.1 unless it is ghosted; exceptions, notes and
/// whatever an event cannot be without stay, as does from 16.0 on everything. Who organises a
/// meeting and what the user answered is not changed so, nor is the attendees' list of a meeting
/// that is another's emptied by leaving it out. From 16.0 on a new rule or time of a series ends its
/// exceptions (MS-ASCAL 2.2.2.22).
///
/// # Errors
/// Where an element does not hold what it must, or holds too much.
pub fn patch_from_elements(
    data: &[Element],
    version: ProtocolVersion,
    writing: Writing<'_, Event>,
    context: &Context<'_>,
) -> Result<EventPatch> {
    let present = writing.present();
    let (mut value, mut fields) = read(data, version, context, present)?;
    whole_text(&mut value.text, &mut value.native);
    for exception in &mut value.exceptions {
        if let InstanceChange::Changed(patch) = &mut exception.change {
            whole_text(&mut patch.value.text, &mut patch.value.native);
        }
    }
    value.attachments.clear();
    let Writing::Change { ghosting, .. } = writing else {
        return Ok(EventPatch::whole(new(value, version, context)));
    };
    fields.retain(|field| is_changeable(*field, version));
    if version < ProtocolVersion::V16_0 {
        let others = present.is_some_and(|present| !present.own);
        let left_out = DELETABLE.into_iter().filter(|(tag, field)| {
            ghosting.deletes(*tag)
                && !data.iter().any(|element| element.tag == *tag)
                && !(others && *field == EventField::Attendees)
        });
        fields.extend(left_out.map(|(_, field)| field));
    }
    let mut told = None;
    if let Some(present) = present {
        let covered = cover::told(present, context.now);
        let elements = write::of_covered(&covered, None, version, context);
        let (mut event, _) = read(&elements, version, context, Some(present))?;
        event.own = present.own;
        // The list is the server's: a phone adds to it and takes off.
        event.attachments.clone_from(&present.attachments);
        value.attachments.clone_from(&present.attachments);
        keep_text((&mut value.text, &mut value.native), (&event.text, event.native));
        let rule = present.recurrence.as_ref();
        keep_first_day(&mut value.recurrence, &mut event.recurrence, rule);
        told = Some((event, covered));
    }
    let mut patch = patch(fields, &value, told.as_ref().map(|(told, _)| told));
    if let Some((present, (told, covered))) = present.zip(told) {
        let named = patch.fields.contains(&EventField::Exceptions);
        let written = patch.value.exceptions.iter().chain(&told.exceptions).filter(|_| named);
        let repeated = Repeated::of((present, &told), written, version, context)?;
        cover::undo(&mut patch, present, &told, &repeated);
        keep_exceptions(&mut patch, (present, &told), &covered, &repeated, (version, context))?;
    }
    if patch.fields.iter().all(|field| *field == EventField::Stamp) {
        patch.fields.clear();
    }
    Ok(patch)
}

/// A new event: whole, without what only the server says.
fn new(event: Event, version: ProtocolVersion, context: &Context<'_>) -> Event {
    let organizer = event
        .organizer
        .filter(|organizer| version < ProtocolVersion::V16_0 && !organizer.email.is_empty());
    Event {
        organizer,
        replied: None,
        online_link: None,
        online_external_link: None,
        detach: vec![],
        stamp: if event.stamp.as_millis() == 0 { context.now } else { event.stamp },
        ..event
    }
}

/// What is deleted until 14.1 when a change leaves it out.
const DELETABLE: [(Tag, EventField); 6] = [
    (page::SUBJECT, EventField::Title),
    (page::LOCATION, EventField::Place),
    (page::REMINDER, EventField::Reminder),
    (page::CATEGORIES, EventField::Categories),
    (page::ATTENDEES, EventField::Attendees),
    (page::RECURRENCE, EventField::Recurrence),
];

fn is_changeable(field: EventField, version: ProtocolVersion) -> bool {
    match field {
        EventField::Uid
        | EventField::Organizer
        | EventField::Participation
        | EventField::OnlineLink
        | EventField::OnlineExternalLink => false,
        EventField::Exceptions => version < ProtocolVersion::V16_0,
        EventField::Attachments => version >= ProtocolVersion::V16_0,
        _ => true,
    }
}

/// `covered` is the event as it was written for the phone. Exceptions that were not told are not
/// changed, nor is what of one was told and repeated; those of a series that is no longer the same
/// are ended.
fn keep_exceptions(
    patch: &mut EventPatch,
    (present, told): (&Event, &Event),
    covered: &Event,
    repeated: &Repeated,
    (version, context): (ProtocolVersion, &Context<'_>),
) -> Result<()> {
    if version >= ProtocolVersion::V16_0 {
        let series = [EventField::Recurrence, EventField::Time];
        if !present.exceptions.is_empty() && series.iter().any(|f| patch.fields.contains(f)) {
            patch.set(EventField::Exceptions, &Event::default());
        }
    } else if patch.fields.contains(&EventField::Exceptions) {
        let mut written = std::mem::take(&mut patch.value.exceptions);
        for Exception { original, change } in &mut written {
            let known = changed(told, *original).zip(changed(present, *original));
            let known = known.or_else(|| {
                let (as_it_is, read) = repeated.at(*original)?;
                Some((read, as_it_is))
            });
            if let InstanceChange::Changed(written) = change
                && let Some((told, present)) = known
            {
                keep_repeated(written, told, present);
            }
        }
        let hidden = hidden((present, told), covered, &written, (version, context))?;
        written.extend(hidden);
        written.sort_by_key(|exception| exception.original);
        patch.value.exceptions = written;
    }
    Ok(())
}

/// The exceptions of which a phone could write nothing: those that it is not told of, and those in
/// which it is told nothing.
fn hidden(
    (present, told): (&Event, &Event),
    covered: &Event,
    written: &[Exception],
    (version, context): (ProtocolVersion, &Context<'_>),
) -> Result<Vec<Exception>> {
    let originals = |list: &[Exception]| -> BTreeSet<LocalTime> {
        list.iter().map(|exception| exception.original).collect()
    };
    let (said, written) = (originals(exceptions::told(covered)), originals(written));
    // It is copied for each of them, and need not be with all of them.
    let told = &instance::by_rule(told, told.start);
    let mut hidden = vec![];
    for exception in present.exceptions.iter().filter(|one| !written.contains(&one.original)) {
        let is_said = said.contains(&exception.original);
        if !is_said
            || exceptions::read_back(exception, (present, told), version, context)?.is_none()
        {
            hidden.push(exception.clone());
        }
    }
    Ok(hidden)
}

fn changed(series: &Event, original: LocalTime) -> Option<&EventPatch> {
    let exception = series.exceptions.iter().find(|exception| exception.original == original)?;
    match &exception.change {
        InstanceChange::Changed(patch) => Some(patch),
        InstanceChange::Deleted => None,
    }
}

/// Where a phone repeats what it was told of an exception, it is as it was.
fn keep_repeated(written: &mut EventPatch, told: &EventPatch, present: &EventPatch) {
    let Event { text, native, .. } = &mut written.value;
    keep_text((text, native), (&told.value.text, told.value.native));
    for field in written.fields.intersection(&told.fields) {
        if told.value.same(&written.value, *field) {
            written.value.take(*field, &present.value);
        }
    }
}

/// The phone's names for the files it attaches, in the order in which [`Event::attach`] has them.
///
/// # Errors
/// Where one lacks what it must have.
pub fn attachment_client_ids(data: &[Element]) -> Result<Vec<String>> {
    let mut ids = vec![];
    for element in data.iter().filter(|element| element.tag == base::ATTACHMENTS) {
        for added in element.each(base::ADD) {
            ids.push(added.required_text(base::CLIENT_ID)?.to_owned());
        }
    }
    Ok(ids)
}

/// What a phone of this version says to bring about a patch; `id` is the event's, where it has one.
/// What is emptied is an empty element. Until 14.1 a phone that has not named what it supports says
/// all of the event, not only what changes.
pub fn patch_to_elements(
    patch: &EventPatch,
    id: Option<&ServerId>,
    version: ProtocolVersion,
    home: &Zone,
) -> Vec<Element> {
    // A phone tells the rules that hold when the event begins.
    let context = Context { home, now: patch.value.start.as_utc() };
    let mut children = write::of_event(&patch.value, None, version, &context);
    let named = |tag| field_of(tag, version).is_some_and(|field| patch.fields.contains(&field));
    let uid = (version >= ProtocolVersion::V16_0 && patch.fields.contains(&EventField::Uid))
        .then(|| Element::text(page::CLIENT_UID, &*patch.value.uid));
    children.retain(|element| named(element.tag));
    children.extend(uid);
    if version >= ProtocolVersion::V14_0 {
        for (tag, field, value) in [
            (
                page::RESPONSE_REQUESTED,
                EventField::ResponseRequested,
                patch.value.response_requested,
            ),
            (page::DISALLOW_NEW_TIME_PROPOSAL, EventField::NoProposals, patch.value.no_proposals),
        ] {
            // Left out of what is told of an event that is no meeting.
            children.retain(|element| element.tag != tag);
            if patch.fields.contains(&field) {
                children.put_boolean(tag, value);
            }
        }
    }
    for (tag, field) in EMPTIED {
        let tag = match tag {
            page::LOCATION if version >= ProtocolVersion::V16_0 => base::LOCATION,
            tag => tag,
        };
        let is_there = children.iter().any(|element| element.tag == tag);
        if !is_there && patch.fields.contains(&field) && named(tag) {
            children.push(Element::empty(tag));
        }
    }
    if patch.fields.contains(&EventField::Attachments) && version >= ProtocolVersion::V16_0 {
        put_attachments(&mut children, &patch.value, id);
    }
    children
}

/// What a phone says by an empty element.
const EMPTIED: [(Tag, EventField); 7] = [
    (page::LOCATION, EventField::Place),
    (page::REMINDER, EventField::Reminder),
    (page::CATEGORIES, EventField::Categories),
    (page::ATTENDEES, EventField::Attendees),
    (page::RECURRENCE, EventField::Recurrence),
    (page::EXCEPTIONS, EventField::Exceptions),
    (base::BODY, EventField::Text),
];

fn put_attachments(children: &mut Vec<Element>, event: &Event, id: Option<&ServerId>) {
    let attach = event.attach.iter().enumerate().map(|(number, file)| NewAttachment {
        client_id: format!("file{number}"),
        display_name: file.name.clone(),
        content: file.data.clone(),
        content_type: Some(file.media_type.clone()),
        content_id: file.content_id.clone(),
        ..NewAttachment::default()
    });
    let detach = event.detach.iter().filter_map(|part| {
        let item = id?.clone();
        Some(FileReference { item, part: part.clone() }.to_string())
    });
    attachment::put_changes(children, &attach.collect::<Vec<_>>(), &detach.collect::<Vec<_>>());
}

/// Which field a phone of this version writes by an element.
fn field_of(tag: Tag, version: ProtocolVersion) -> Option<EventField> {
    let old = version < ProtocolVersion::V16_0;
    Some(match tag {
        page::UID if old => EventField::Uid,
        page::SUBJECT => EventField::Title,
        page::TIMEZONE | page::START_TIME | page::END_TIME | page::ALL_DAY_EVENT => {
            EventField::Time
        }
        page::RECURRENCE => EventField::Recurrence,
        page::EXCEPTIONS if old => EventField::Exceptions,
        page::LOCATION | base::LOCATION => EventField::Place,
        page::BUSY_STATUS => EventField::Busy,
        page::SENSITIVITY => EventField::Privacy,
        page::CATEGORIES => EventField::Categories,
        page::REMINDER => EventField::Reminder,
        page::ORGANIZER_NAME | page::ORGANIZER_EMAIL if old => EventField::Organizer,
        page::ATTENDEES => EventField::Attendees,
        page::MEETING_STATUS => EventField::Status,
        page::RESPONSE_REQUESTED => EventField::ResponseRequested,
        page::DISALLOW_NEW_TIME_PROPOSAL => EventField::NoProposals,
        page::DT_STAMP => EventField::Stamp,
        base::BODY => EventField::Text,
        _ => return None,
    })
}
