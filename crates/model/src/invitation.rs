//! The meeting that a mail is about, in neutral form.

use crate::{Address, BusyStatus, Privacy, Timestamp, ZoneId};
use serde::{Deserialize, Serialize};

/// What an invitation mail asks (RFC 5546 `METHOD`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvitationMethod {
    /// Come, please.
    #[default]
    Request,
    /// It does not take place.
    Cancel,
    /// Someone comes.
    Accepted,
    /// Someone may come.
    Tentative,
    /// Someone does not come.
    Declined,
    /// Someone would rather come at another time.
    Counter,
}

/// The meeting in an invitation, cancellation or answer mail, as far as the mail's own view shows
/// it (MS-ASEMAIL 2.2.2.48).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Invitation {
    /// What is asked.
    pub method: InvitationMethod,
    /// The event's UID.
    pub uid: String,
    /// Begin. Without a zone what the user's clock shows then, taken for UTC.
    pub start: Timestamp,
    /// End, told as the begin is.
    pub end: Timestamp,
    /// Whole days rather than hours; they have no zone.
    pub all_day: bool,
    /// The zone on whose clock it is, as of the event itself; none where the user's own counts.
    pub zone: Option<ZoneId>,
    /// When the organiser made it (`DTSTAMP`).
    pub stamp: Timestamp,
    /// How often the organiser had planned it anew (`SEQUENCE`, RFC 5545 §3.8.7.4).
    pub sequence: u32,
    /// Which instance of a series, where the mail is about one; told as the begin is.
    pub recurrence_id: Option<Timestamp>,
    /// The series' rule as RFC 5545 `RRULE` text, where it recurs.
    pub recurrence: Option<String>,
    /// Where.
    pub location: String,
    /// Who asks.
    pub organizer: Option<Address>,
    /// Whether an answer is wanted.
    pub response_requested: bool,
    /// Whether the organiser wants no other times proposed.
    pub no_proposals: bool,
    /// Minutes before the start at which to remind.
    pub reminder_minutes: Option<u32>,
    /// How the time is to show to others once the user comes.
    pub busy: BusyStatus,
    /// Who may see it.
    pub privacy: Privacy,
}

/// The same as it is written down. `time_zone`, `busy` and `private` are all that releases know which
/// do not know the fields after them: to them no zone is UTC, busy is yes or no, and so is private.
#[derive(Serialize, Deserialize)]
struct Form {
    method: InvitationMethod,
    uid: String,
    start: Timestamp,
    end: Timestamp,
    all_day: bool,
    time_zone: Option<ZoneId>,
    stamp: Timestamp,
    recurrence_id: Option<Timestamp>,
    recurrence: Option<String>,
    location: String,
    organizer: Option<Address>,
    response_requested: bool,
    reminder_minutes: Option<u32>,
    busy: bool,
    private: bool,
    #[serde(default)]
    floating: bool,
    #[serde(default)]
    sequence: u32,
    #[serde(default)]
    no_proposals: bool,
    #[serde(default)]
    shows_as: Option<BusyStatus>,
    #[serde(default)]
    privacy: Option<Privacy>,
}

impl From<Form> for Invitation {
    fn from(form: Form) -> Self {
        let floating = form.floating || form.all_day;
        let busy = if form.busy { BusyStatus::Busy } else { BusyStatus::Free };
        let privacy = if form.private { Privacy::Private } else { Privacy::Normal };
        Self {
            method: form.method,
            uid: form.uid,
            start: form.start,
            end: form.end,
            all_day: form.all_day,
            zone: (!floating).then(|| form.time_zone.unwrap_or_else(ZoneId::utc)),
            stamp: form.stamp,
            sequence: form.sequence,
            recurrence_id: form.recurrence_id,
            recurrence: form.recurrence,
            location: form.location,
            organizer: form.organizer,
            response_requested: form.response_requested,
            no_proposals: form.no_proposals,
            reminder_minutes: form.reminder_minutes,
            busy: form.shows_as.unwrap_or(busy),
            privacy: form.privacy.unwrap_or(privacy),
        }
    }
}

impl From<Invitation> for Form {
    fn from(it: Invitation) -> Self {
        Self {
            method: it.method,
            uid: it.uid,
            start: it.start,
            end: it.end,
            all_day: it.all_day,
            floating: it.zone.is_none(),
            time_zone: it.zone.filter(|zone| *zone != ZoneId::utc()),
            stamp: it.stamp,
            sequence: it.sequence,
            recurrence_id: it.recurrence_id,
            recurrence: it.recurrence,
            location: it.location,
            organizer: it.organizer,
            response_requested: it.response_requested,
            no_proposals: it.no_proposals,
            reminder_minutes: it.reminder_minutes,
            busy: it.busy != BusyStatus::Free,
            shows_as: Some(it.busy),
            private: matches!(it.privacy, Privacy::Private | Privacy::Confidential),
            privacy: Some(it.privacy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation() -> Invitation {
        Invitation { uid: "u".into(), zone: Some("Europe/Berlin".into()), ..Invitation::default() }
    }

    #[test]
    fn an_invitation_survives_its_form() {
        for it in [
            invitation(),
            Invitation { zone: Some(ZoneId::utc()), ..invitation() },
            Invitation { zone: None, sequence: 3, no_proposals: true, ..invitation() },
            Invitation { zone: None, all_day: true, ..invitation() },
            Invitation {
                busy: BusyStatus::OutOfOffice,
                privacy: Privacy::Confidential,
                ..invitation()
            },
        ] {
            let text = serde_json::to_string(&it).expect("JSON");
            assert_eq!(serde_json::from_str::<Invitation>(&text).expect("an invitation"), it);
        }
    }

    #[test]
    fn an_older_connector_is_understood() {
        let read = |all_day: bool, zone: &str| {
            let text = format!(
                r#"{{"method": "request", "uid": "u", "start": 0, "end": 1000,
                "all_day": {all_day}, "time_zone": {zone}, "stamp": 0, "recurrence_id": null,
                "recurrence": null, "location": "", "organizer": null,
                "response_requested": true, "reminder_minutes": null, "busy": false,
                "private": true}}"#
            );
            serde_json::from_str::<Invitation>(&text).expect("an invitation")
        };
        // It told UTC where there was no zone, and took floating times for such.
        assert_eq!(read(false, "null").zone, Some(ZoneId::utc()));
        assert_eq!(read(false, "\"Asia/Tokyo\"").zone, Some("Asia/Tokyo".into()));
        let days = read(true, "null");
        assert_eq!(
            (days.zone, days.busy, days.privacy),
            (None, BusyStatus::Free, Privacy::Private)
        );
    }

    #[test]
    fn an_older_server_understands() {
        let form = |it| serde_json::to_value(Form::from(it)).expect("JSON");
        let private = Invitation { privacy: Privacy::Confidential, ..invitation() };
        let told = form(private);
        assert_eq!((&told["time_zone"], &told["busy"]), (&"Europe/Berlin".into(), &true.into()));
        assert_eq!(told["private"], true);
        assert!(form(Invitation { zone: None, ..invitation() })["time_zone"].is_null());
    }
}
