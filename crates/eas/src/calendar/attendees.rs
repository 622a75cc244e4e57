//! Who is asked to a meeting (`Attendees`, MS-ASCAL 2.2.2.4).

use super::meeting::{attendee_status, attendee_type, read_attendee_status, read_attendee_type};
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::line::one_line;
use crate::version::ProtocolVersion;
use dme_model::{Address, Attendee, Proposal};
use dme_wbxml::Element;
use dme_wbxml::pages::{calendar as page, meeting_response};

/// The most attendees read.
const MAX_ATTENDEES: usize = 5_000;

/// `Attendees`: of each `Email`, `Name`, `AttendeeStatus`, `AttendeeType` and from 16.1 on the time
/// proposed instead.
pub(super) fn element(attendees: &[Attendee], version: ProtocolVersion) -> Element {
    let each = attendees.iter().map(|attendee| {
        let Address { name, email } = &attendee.address;
        let mut children = vec![];
        children.put(page::EMAIL, one_line(email));
        // The name must be there.
        children.put(page::NAME, one_line(name.as_ref().unwrap_or(email)));
        children.put_number(page::ATTENDEE_STATUS, attendee_status(attendee.participation));
        children.put_number(page::ATTENDEE_TYPE, attendee_type(attendee.kind));
        if let Some(Proposal { start, end }) = attendee.proposal
            && version >= ProtocolVersion::V16_1
        {
            children.put(meeting_response::PROPOSED_START_TIME, date::format_compact(start));
            children.put(meeting_response::PROPOSED_END_TIME, date::format_compact(end));
        }
        Element::parent(page::ATTENDEE, children)
    });
    Element::parent(page::ATTENDEES, each.collect())
}

/// Reads them. What of one is left out is as it is with the attendee `known` by the same address:
/// from 16.0 on phones do not say what others answered.
///
/// # Errors
/// Where one has no address, a value is not what it must be, or there are too many.
pub(super) fn read(element: &Element, known: &[Attendee]) -> Result<Vec<Attendee>> {
    if element.children().len() > MAX_ATTENDEES {
        return Err(Error::TooMany { element: page::ATTENDEE, limit: MAX_ATTENDEES });
    }
    element.each(page::ATTENDEE).map(|one| read_one(one, known)).collect()
}

fn read_one(element: &Element, known: &[Attendee]) -> Result<Attendee> {
    let email = one_line(element.required_text(page::EMAIL)?.trim());
    if email.is_empty() {
        return Err(Error::Value { element: page::EMAIL, expected: "a mail address" });
    }
    let known = known.iter().find(|known| known.address.email.eq_ignore_ascii_case(&email));
    let name = element.text_of(page::NAME)?.map(|name| one_line(name.trim()));
    let name = name.filter(|name| !name.is_empty() && *name != email);
    let status = element.child(page::ATTENDEE_STATUS).map(read_attendee_status).transpose()?;
    let kind = element.child(page::ATTENDEE_TYPE).map(read_attendee_type).transpose()?;
    let moment = |tag| element.child(tag).map(Fields::moment_value).transpose();
    let start = moment(meeting_response::PROPOSED_START_TIME)?;
    let end = moment(meeting_response::PROPOSED_END_TIME)?;
    let proposal = start.zip(end).map(|(start, end)| Proposal { start, end });
    Ok(Attendee {
        address: Address { name, email },
        kind: kind.or(known.map(|known| known.kind)).unwrap_or_default(),
        participation: status.or(known.map(|known| known.participation)).unwrap_or_default(),
        proposal: proposal.or(known.and_then(|known| known.proposal)),
    })
}
