//! An event in neutral form: JSCalendar's `Event` (RFC 8984), cut to what phones are told.

use crate::patch::{Patch, fields};
use crate::{
    Address, Attachment, BodyKind, Irregular, LocalTime, PartId, Recurrence, Text, Timestamp,
    ZoneId,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How the time of an event shows to others (`BusyStatus`, MS-ASCAL 2.2.2.12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusyStatus {
    /// Free.
    Free,
    /// Perhaps busy.
    Tentative,
    /// Busy.
    #[default]
    Busy,
    /// Away.
    OutOfOffice,
    /// Working elsewhere (16.0 on).
    WorkingElsewhere,
}

/// Who may see an item (`Sensitivity`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// Whoever sees the collection.
    #[default]
    Normal,
    /// Personal: iCalendar has no word for it.
    Personal,
    /// `CLASS:PRIVATE`.
    Private,
    /// `CLASS:CONFIDENTIAL`.
    Confidential,
}

/// Whether an event takes place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// It does.
    #[default]
    Confirmed,
    /// Perhaps.
    Tentative,
    /// It does not.
    Cancelled,
}

/// Whether a person comes (`PARTSTAT`, RFC 5545 §3.2.12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Participation {
    /// Has not answered.
    #[default]
    NeedsAction,
    /// Comes.
    Accepted,
    /// May come.
    Tentative,
    /// Does not come.
    Declined,
}

/// What part a person has in a meeting (`AttendeeType`, MS-ASCAL 2.2.2.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttendeeKind {
    /// Must be there.
    #[default]
    Required,
    /// May be there.
    Optional,
    /// A room or a thing.
    Resource,
}

/// A time another person would rather have (`METHOD:COUNTER`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// Begin.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
}

/// A person asked to a meeting.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Attendee {
    /// Who.
    pub address: Address,
    /// What part.
    pub kind: AttendeeKind,
    /// What was answered.
    pub participation: Participation,
    /// What time was proposed instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
}

/// Where an event takes place (`Location`, MS-ASAIRS 2.2.2.31).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// In words.
    pub name: String,
    /// A note about it.
    pub annotation: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// State or region.
    pub state: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Metres by which latitude and longitude may be wrong.
    pub accuracy: Option<f64>,
    /// Metres above the sea.
    pub altitude: Option<f64>,
    /// Metres by which the altitude may be wrong.
    pub altitude_accuracy: Option<f64>,
    /// A URI for it.
    pub uri: Option<String>,
}

// No coordinate is ever NaN: the readers refuse it.
impl Eq for Place {}

impl From<&str> for Place {
    fn from(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// What differs from the rule in one instance of a series.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exception {
    /// When the instance would have begun by the rule, on the series' clock.
    pub original: LocalTime,
    /// What became of it.
    pub change: InstanceChange,
}

/// What became of an instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceChange {
    /// It does not take place.
    Deleted,
    /// These fields differ from the series'. Its times are on the clock of its own `zone` where
    /// that field is named, else on the series'. Never has exceptions or a recurrence itself.
    Changed(Box<EventPatch>),
}

/// A file to be attached to an event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewAttachment {
    /// Its file name.
    pub name: String,
    /// Its media type, lower case.
    pub media_type: String,
    /// Its `Content-ID`, where the body refers to it.
    pub content_id: Option<String>,
    /// Its content.
    #[serde(with = "crate::base64_bytes")]
    pub data: Bytes,
}

/// One event or series.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The same for all copies of the event anywhere (`UID`). Empty in a new one: then the backend
    /// makes one.
    pub uid: String,
    /// Title, one line.
    pub title: String,
    /// Begin, on the clock of `zone`; a midnight where it lasts whole days.
    pub start: LocalTime,
    /// End on the same clock, exclusive. Not before `start`.
    pub end: LocalTime,
    /// Whose clock. None: whichever clock the reader has (a floating time), as for whole days.
    pub zone: Option<ZoneId>,
    /// Whole days rather than hours.
    pub all_day: bool,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// What differs from the rule, ascending by `original`.
    pub exceptions: Vec<Exception>,
    /// What of a series that rule does not say. Only read, never written.
    #[serde(skip_serializing_if = "Irregular::is_empty")]
    pub irregular: Irregular,
    /// Where.
    pub place: Option<Place>,
    /// How the time shows to others.
    pub busy: BusyStatus,
    /// Who may see it.
    pub privacy: Privacy,
    /// The user's categories.
    pub categories: Vec<String>,
    /// Minutes before the start at which to remind.
    pub reminder: Option<u32>,
    /// Who made it, where others are asked.
    pub organizer: Option<Address>,
    /// The mailbox's user made it (or nobody else did).
    pub own: bool,
    /// Who is asked, without the organiser.
    pub attendees: Vec<Attendee>,
    /// Whether it takes place.
    pub status: EventStatus,
    /// What the mailbox's user answered; the organiser's own counts as accepted.
    pub participation: Participation,
    /// When the user answered.
    pub replied: Option<Timestamp>,
    /// Whether answers are wanted.
    pub response_requested: bool,
    /// Other times are not to be proposed.
    pub no_proposals: bool,
    /// A link to a meeting online, for people of the same organisation.
    pub online_link: Option<String>,
    /// The same for others.
    pub online_external_link: Option<String>,
    /// When this form of it was made (`DTSTAMP`).
    pub stamp: Timestamp,
    /// The form its text was written in.
    pub native: Option<BodyKind>,
    /// Its text.
    pub text: Option<Text>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// The end of the last instance; none for a series without end. Only read, never written.
    pub last_end: Option<Timestamp>,
    /// Files to attach. Only written, never read.
    pub attach: Vec<NewAttachment>,
    /// Attachments to take off. Only written, never read.
    pub detach: Vec<PartId>,
}

/// New values for some fields of an event.
pub type EventPatch = Patch<Event>;

fields! {
    /// A field of an [`Event`] that a phone can write.
    Event as EventField {
        /// [`Event::uid`]; only counts for a new event.
        Uid: uid;
        /// [`Event::title`].
        Title: title;
        /// [`Event::start`], [`Event::end`], [`Event::zone`] and [`Event::all_day`]: they mean
        /// nothing without each other.
        Time: start, end, zone, all_day;
        /// [`Event::recurrence`].
        Recurrence: recurrence;
        /// [`Event::exceptions`].
        Exceptions: exceptions;
        /// [`Event::place`].
        Place: place;
        /// [`Event::busy`].
        Busy: busy;
        /// [`Event::privacy`].
        Privacy: privacy;
        /// [`Event::categories`].
        Categories: categories;
        /// [`Event::reminder`].
        Reminder: reminder;
        /// [`Event::organizer`] and [`Event::own`].
        Organizer: organizer, own;
        /// [`Event::attendees`].
        Attendees: attendees;
        /// [`Event::status`].
        Status: status;
        /// [`Event::participation`] and [`Event::replied`].
        Participation: participation, replied;
        /// [`Event::response_requested`].
        ResponseRequested: response_requested;
        /// [`Event::no_proposals`].
        NoProposals: no_proposals;
        /// [`Event::online_link`].
        OnlineLink: online_link;
        /// [`Event::online_external_link`].
        OnlineExternalLink: online_external_link;
        /// [`Event::stamp`].
        Stamp: stamp;
        /// [`Event::text`] and [`Event::native`].
        Text: text, native;
        /// [`Event::attachments`], [`Event::attach`] and [`Event::detach`].
        Attachments: attachments, attach, detach;
    }
}
