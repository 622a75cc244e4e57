//! The numbers of an event: how its time shows, whether it is a meeting, what was answered.

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::version::ProtocolVersion;
use dme_model::{
    AttendeeKind, BusyStatus, Event, EventField, EventPatch, EventStatus, Participation,
};
use dme_wbxml::Element;

/// `MeetingStatus` (MS-ASCAL 2.2.2.28), as bits.
mod bit {
    pub const MEETING: u8 = 1;
    pub const RECEIVED: u8 = 2;
    pub const CANCELLED: u8 = 4;
}

/// `BusyStatus` (MS-ASCAL 2.2.2.9). Before 16.0 there is no word for working elsewhere: such time
/// shows as free, since the user is at work.
pub(crate) fn busy_code(busy: BusyStatus, version: ProtocolVersion) -> u8 {
    match busy {
        BusyStatus::Free => 0,
        BusyStatus::Tentative => 1,
        BusyStatus::Busy => 2,
        BusyStatus::OutOfOffice => 3,
        BusyStatus::WorkingElsewhere if version >= ProtocolVersion::V16_0 => 4,
        BusyStatus::WorkingElsewhere => 0,
    }
}

/// Empty means busy.
pub(super) fn read_busy(element: &Element) -> Result<BusyStatus> {
    match element.text_value()?.trim() {
        "0" => Ok(BusyStatus::Free),
        "1" => Ok(BusyStatus::Tentative),
        "" | "2" => Ok(BusyStatus::Busy),
        "3" => Ok(BusyStatus::OutOfOffice),
        "4" => Ok(BusyStatus::WorkingElsewhere),
        _ => Err(Error::Value { element: element.tag, expected: "0 to 4" }),
    }
}

/// What of an event tells how it is a meeting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    asks: bool,
    own: bool,
    status: EventStatus,
    participation: Participation,
}

impl Standing {
    /// Of an event, or a series.
    pub fn of(event: &Event) -> Self {
        Self {
            asks: !event.attendees.is_empty(),
            own: event.own,
            status: event.status,
            participation: event.participation,
        }
    }

    /// Of an instance that differs by this from what stands.
    #[must_use]
    pub fn with(self, patch: &EventPatch) -> Self {
        let (named, of) = (|field| patch.fields.contains(&field), Self::of(&patch.value));
        Self {
            asks: if named(EventField::Attendees) { of.asks } else { self.asks },
            own: if named(EventField::Organizer) { of.own } else { self.own },
            status: if named(EventField::Status) { of.status } else { self.status },
            participation: match named(EventField::Participation) {
                true => of.participation,
                false => self.participation,
            },
        }
    }

    /// Whether others are asked, or the user was.
    pub fn is_meeting(self) -> bool {
        self.asks || !self.own
    }

    /// `MeetingStatus`.
    pub fn meeting_status(self) -> u8 {
        let cancelled = self.status == EventStatus::Cancelled;
        let mut status = 0;
        if self.is_meeting() || cancelled {
            status |= bit::MEETING;
        }
        if !self.own {
            status |= bit::RECEIVED;
        }
        if cancelled {
            status |= bit::CANCELLED;
        }
        status
    }

    /// `ResponseType` (MS-ASCAL 2.2.2.40).
    pub fn response_type(self) -> u8 {
        match (self.is_meeting(), self.own) {
            (false, _) => 0,
            (true, true) => 1,
            // The same codes, MS-ASCAL has them twice.
            (true, false) => attendee_status(self.participation),
        }
    }
}

/// Whether the event is the user's own, and whether it takes place. 9, 11, 13 and 15 mean what 1, 3,
/// 5 and 7 do.
pub(super) fn read_meeting_status(element: &Element) -> Result<(bool, EventStatus)> {
    let code: u8 = element.number_value("0 to 15")?;
    let cancelled = code & bit::CANCELLED != 0;
    let status = if cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed };
    Ok((code & bit::RECEIVED == 0, status))
}

pub(super) fn read_response_type(element: &Element) -> Result<Participation> {
    match element.text_value()?.trim() {
        // The organiser's own counts as accepted.
        "1" | "3" => Ok(Participation::Accepted),
        "2" => Ok(Participation::Tentative),
        "4" => Ok(Participation::Declined),
        "" | "0" | "5" => Ok(Participation::NeedsAction),
        _ => Err(Error::Value { element: element.tag, expected: "0 to 5" }),
    }
}

/// `AttendeeStatus` (MS-ASCAL 2.2.2.5).
pub(super) fn attendee_status(participation: Participation) -> u8 {
    match participation {
        Participation::Tentative => 2,
        Participation::Accepted => 3,
        Participation::Declined => 4,
        Participation::NeedsAction => 5,
    }
}

pub(super) fn read_attendee_status(element: &Element) -> Result<Participation> {
    match element.text_value()?.trim() {
        "2" => Ok(Participation::Tentative),
        "3" => Ok(Participation::Accepted),
        "4" => Ok(Participation::Declined),
        "" | "0" | "5" => Ok(Participation::NeedsAction),
        _ => Err(Error::Value { element: element.tag, expected: "0, or 2 to 5" }),
    }
}

/// `AttendeeType` (MS-ASCAL 2.2.2.6).
pub(super) fn attendee_type(kind: AttendeeKind) -> u8 {
    match kind {
        AttendeeKind::Required => 1,
        AttendeeKind::Optional => 2,
        AttendeeKind::Resource => 3,
    }
}

pub(super) fn read_attendee_type(element: &Element) -> Result<AttendeeKind> {
    match element.text_value()?.trim() {
        "" | "1" => Ok(AttendeeKind::Required),
        "2" => Ok(AttendeeKind::Optional),
        "3" => Ok(AttendeeKind::Resource),
        _ => Err(Error::Value { element: element.tag, expected: "1 to 3" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::{Address, Attendee};

    #[test]
    fn an_instance_stands_as_the_series_with_its_changes_does() {
        let guest = Attendee {
            address: Address { name: None, email: "bob@x.example".into() },
            kind: AttendeeKind::Required,
            participation: Participation::NeedsAction,
            proposal: None,
        };
        let plain = Event::default();
        let other = Event {
            own: !plain.own,
            attendees: vec![guest],
            status: EventStatus::Cancelled,
            participation: Participation::Declined,
            ..Event::default()
        };
        let fields = [
            EventField::Organizer,
            EventField::Attendees,
            EventField::Status,
            EventField::Participation,
            EventField::Title,
        ];
        for (series, value) in [(&plain, &other), (&other, &plain)] {
            for chosen in 0..1 << fields.len() {
                let named = fields.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0);
                let patch = EventPatch::of(named.map(|(_, field)| *field), value.clone());
                let mut whole = series.clone();
                patch.apply(&mut whole);
                assert_eq!(Standing::of(series).with(&patch), Standing::of(&whole), "{patch:?}");
            }
        }
    }
}
