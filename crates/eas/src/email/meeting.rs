//! The meeting in an invitation or cancellation mail (MS-ASEMAIL 2.2.2.48).

use super::recurrence;
use crate::address;
use crate::calendar::Context;
use crate::calendar::meeting::busy_code;
use crate::calendar::time;
use crate::date;
use crate::fields::Children;
use crate::sensitivity::privacy_code;
use crate::version::ProtocolVersion;
use base64::{Engine, engine::general_purpose::STANDARD};
use dme_model::{Invitation, InvitationMethod, LocalTime, Timestamp};
use dme_wbxml::Element;
use dme_wbxml::pages::{air_sync_base, calendar, email as page, email2};
use dme_zone::Zone;

/// What every global object id begins with (MS-ASEMAIL 2.2.2.37, `CLASSID`).
const CLASS_ID: [u8; 16] = [
    0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08,
];

/// The marker of an id that is an iCalendar `UID` rather than Outlook's own.
const VCAL_UID: &[u8] = b"vCal-Uid\x01\x00\x00\x00";

/// On what clock a meeting is, and how its times are told to phones of a version: as those of the
/// event in the calendar are.
pub(super) struct Telling {
    clock: Zone,
    /// Its times are what that clock shows, taken for UTC.
    shown: bool,
    all_day: bool,
    pub(super) version: ProtocolVersion,
}

impl Telling {
    fn new(invitation: &Invitation, version: ProtocolVersion, home: &Zone) -> Self {
        let zone = invitation.zone.as_ref().filter(|_| !invitation.all_day);
        let clock = time::clock(zone, home);
        Self { clock, shown: zone.is_none(), all_day: invitation.all_day, version }
    }

    /// What the meeting's clock shows at one of its times.
    pub(super) fn local(&self, at: Timestamp) -> LocalTime {
        match self.shown {
            true => LocalTime::from_seconds(at.as_seconds()),
            false => self.clock.to_local(at),
        }
    }

    /// The moment that is told for a reading of the meeting's clock.
    pub(super) fn moment(&self, local: LocalTime) -> Timestamp {
        time::to_wire(local, self.all_day, &self.clock, self.version)
    }

    fn date(&self, at: Timestamp) -> String {
        date::format(self.moment(self.local(at)))
    }

    /// `TimeZone` (MS-ASEMAIL 2.2.2.78), which every meeting must have; that of days that are told as
    /// midnights in UTC is UTC.
    fn zone(&self, start: LocalTime, recurs: bool, now: Timestamp) -> String {
        let utc = Zone::utc();
        let days_alone = self.all_day && self.version >= ProtocolVersion::V16_0;
        time::blob(start, recurs, if days_alone { &utc } else { &self.clock }, now)
    }
}

/// `MeetingRequest`. Until 14.1 the event is named by `GlobalObjId`, from 16.0 on by its `UID`.
pub(super) fn element(
    invitation: &Invitation,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> Element {
    let telling = Telling::new(invitation, version, context.home);
    let start = telling.local(invitation.start);
    let recurrence = recurrence::element(invitation, start, &telling);
    let zone = telling.zone(start, recurrence.is_some(), context.now);
    let mut children = vec![];
    children.put_boolean(page::ALL_DAY_EVENT, invitation.all_day);
    children.put(page::START_TIME, telling.date(invitation.start));
    children.put(page::DT_STAMP, date::format(invitation.stamp));
    children.put(page::END_TIME, telling.date(invitation.end));
    children.put(page::INSTANCE_TYPE, instance_type(invitation, recurrence.is_some()));
    if !invitation.location.is_empty() {
        if version >= ProtocolVersion::V16_0 {
            let name = Element::text(air_sync_base::DISPLAY_NAME, &*invitation.location);
            children.push(Element::parent(air_sync_base::LOCATION, vec![name]));
        } else {
            children.put(page::LOCATION, &*invitation.location);
        }
    }
    children.put_some(page::ORGANIZER, invitation.organizer.as_ref().map(address::format));
    let instance = invitation.recurrence_id.map(|at| telling.date(at));
    children.put_some(page::RECURRENCE_ID, instance);
    // In seconds, and at most what 16 bits hold.
    let reminder = invitation.reminder_minutes.map(|minutes| minutes.saturating_mul(60));
    children.put_some_number(page::REMINDER, reminder.map(|seconds| seconds.min(65_535)));
    children.put_boolean(page::RESPONSE_REQUESTED, invitation.response_requested);
    if let Some(recurrence) = recurrence {
        children.push(Element::parent(page::RECURRENCES, vec![recurrence]));
    }
    children.put_number(page::SENSITIVITY, privacy_code(invitation.privacy));
    children.put_number(page::BUSY_STATUS, busy_code(invitation.busy, version));
    children.put(page::TIME_ZONE, zone);
    if version < ProtocolVersion::V16_0 {
        children.put(page::GLOBAL_OBJ_ID, STANDARD.encode(global_object_id(invitation)));
    }
    if version >= ProtocolVersion::V14_0 {
        children.put_boolean(page::DISALLOW_NEW_TIME_PROPOSAL, invitation.no_proposals);
    }
    if version >= ProtocolVersion::V14_1 {
        children.put(email2::MEETING_MESSAGE_TYPE, message_type(invitation));
    }
    if version >= ProtocolVersion::V16_0 {
        children.put(calendar::UID, &*invitation.uid);
    }
    Element::parent(page::MEETING_REQUEST, children)
}

/// `MeetingMessageType` (MS-ASEMAIL 2.2.2.47): the first request, or one that follows. Organisers
/// count anew where the time changes (RFC 5546 §2.1.4), which is what a full update is. Whether what
/// follows without that says anything new, the mail alone does not tell.
fn message_type(invitation: &Invitation) -> &'static str {
    match (invitation.method, invitation.sequence) {
        (InvitationMethod::Request, 0) => "1",
        (InvitationMethod::Request, _) => "2",
        _ => "0",
    }
}

/// `InstanceType` (MS-ASEMAIL 2.2.2.40): one event, a series, or one changed instance of it.
fn instance_type(invitation: &Invitation, recurs: bool) -> &'static str {
    match (invitation.recurrence_id, recurs) {
        (Some(_), _) => "3",
        (None, true) => "1",
        (None, false) => "0",
    }
}

/// `GlobalObjId` (MS-ASEMAIL 2.2.2.37). A `UID` that Outlook made is such an id in hexadecimal; any
/// other is wrapped.
fn global_object_id(invitation: &Invitation) -> Vec<u8> {
    let date = invitation.recurrence_id.map(instance_date).unwrap_or_default();
    let outlook = from_hex(&invitation.uid).filter(|id| id.starts_with(&CLASS_ID));
    if let Some(mut id) = outlook
        && let Some(place) = id.get_mut(16..20)
    {
        place.copy_from_slice(&date);
        return id;
    }
    let uid = invitation.uid.as_bytes();
    let length = u32::try_from(VCAL_UID.len() + uid.len() + 1).unwrap_or(u32::MAX);
    let mut id = CLASS_ID.to_vec();
    id.extend(date);
    id.extend([0; 16]);
    id.extend(length.to_le_bytes());
    id.extend(VCAL_UID);
    id.extend(uid);
    id.push(0);
    id
}

/// Year (high byte first), month and day of an instance.
fn instance_date(moment: Timestamp) -> [u8; 4] {
    let Ok(moment) = jiff::Timestamp::from_millisecond(moment.as_millis()) else {
        return [0; 4];
    };
    let date = jiff::tz::TimeZone::UTC.to_datetime(moment).date();
    let [high, low] = date.year().to_be_bytes();
    [high, low, date.month().unsigned_abs(), date.day().unsigned_abs()]
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 2_048 {
        return None;
    }
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
