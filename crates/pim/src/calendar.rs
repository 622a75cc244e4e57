//! Calendar objects (RFC 5545) ↔ neutral events, tasks and notes.
//!
//! An object is kept as the lines it came in. Reading shows what of it a phone can be shown;
//! [`apply`] computes what was shown and writes only those named fields whose value differs from
//! that. Every other line stays byte for byte as it was: properties and parameters that nobody here
//! knows, further alarms, definitions of zones, the order, the folds.
//!
//! # What is shown of what a phone cannot be told
//! - A rule with several times a day is shown with that at which it begins.
//! - A rule with other parts that the neutral form has no words for (see [`rule`]) is shown as its
//!   first instance alone. As the second of several rules, or as one that takes instances out
//!   (`EXRULE`), such a rule is not shown.
//! - Of dates added to a rule (`RDATE`) those before the start are not shown, nor those at another time
//!   of day on a day that has an instance; a period lasts as long as the event.
//! - A list of dates without a rule is shown as a rule of every so many days, without the days that
//!   are not in the list; where that is not possible as its first date alone.
//! - A series of which only some instances are the user's (overrides without the series) is shown
//!   as the first of them.
//! - An override for "this and prior" (`RANGE`, RFC 2445 alone) is shown as one for its instance.
//!
//! Further rules, rules that take instances out, added dates, and overrides for "this and future" are
//! shown: see [`Event::irregular`]. A date at another time of day is an exception of the instance that
//! its day would have (`beat`).
//!
//! None of it is destroyed: a rule that the phone did not change stays as it was, and of one that it
//! ends earlier all else.

mod alarm;
pub(crate) mod apply;
mod attachment;
pub(crate) mod beat;
mod busy;
pub(crate) mod change_event;
pub(crate) mod clock;
mod dates;
mod description;
pub(crate) mod event;
pub(crate) mod event_fields;
pub(crate) mod exceptions;
mod fields;
mod irregular;
pub(crate) mod line;
mod note;
pub(crate) mod object;
mod online;
pub(crate) mod people;
mod place;
pub mod rule;
pub(crate) mod series;
mod summary;
mod task;
pub(crate) mod text;
pub(crate) mod timezone;
mod uri;
pub(crate) mod value;

pub use attachment::AttachmentContent;
pub use busy::{Busy, MAX_BUSY};
pub use object::MAX_OBJECT;
pub use people::MAX_ATTENDEES;
pub use series::MAX_EXCEPTIONS;
pub use summary::{LastEnd, Summary, summary};

pub use crate::itip::by_server::ByServer;
pub use crate::itip::take_in::{Outcome, TakenIn, uid_of as message_uid};

use crate::Error;
use crate::itip::{by_server, respond, take_in};
use clock::Zones;
use dme_model::{
    Answer, BodyView, Event, Item, ItemEdit, Notice, Occasion, PartId, Timestamp, ZoneId,
};
use event::Reading;
use object::{Component, Object};
use people::Owner;
use series::Series;

/// Who writes, when, and by which act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Writing {
    /// Every address of the user, first the one they write from.
    pub owner: Vec<String>,
    /// The user's name.
    pub name: Option<String>,
    /// Now.
    pub now: Timestamp,
    /// Names the act: the same when it is repeated.
    pub key: String,
    /// The calendar's own server tells the others (RFC 6638): notices are for whom it does not reach.
    pub schedules: bool,
    /// The user's zone: of times that have none and are told to others.
    pub zone: ZoneId,
}

/// What an edit made of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The object; where nothing changed the same bytes.
    pub object: Vec<u8>,
    /// Its `UID`.
    pub uid: String,
    /// What others must be told by mail.
    pub notices: Vec<Notice>,
    /// The calendar's own server is to tell others. Whom it does not reach, it says in the event that
    /// is written; the same act on that makes the notices for them.
    pub by_server: bool,
    /// Of each file that was attached, in order, which part it is.
    pub attached: Vec<PartId>,
}

/// What an object is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// `VEVENT`.
    Event,
    /// `VTODO`.
    Task,
    /// `VJOURNAL`.
    Note,
}

impl Kind {
    fn component(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Task => "VTODO",
            Self::Note => "VJOURNAL",
        }
    }
}

/// The property that names the act by which others were told last.
pub(crate) const ACT: &str = "X-DME-ACT";
/// The property of a series that keeps what the user answered to the whole, and to each instance.
pub(crate) const ANSWER: &str = "X-DME-ANSWER";

/// Reads an object: an event or series, a task or a note. `owner` are the user's addresses, and
/// `clock` is the user's, by which times without a zone are over.
///
/// # Errors
/// [`Error::TooLarge`]; [`Error::Unconvertible`] where there is nothing in it that could be shown.
pub fn read(
    object: &[u8],
    owner: &[String],
    clock: &ZoneId,
    view: &BodyView,
) -> Result<Item, Error> {
    let object = Object::parse(object)?;
    let zones = Zones::of(&object.calendar);
    let kind = kind(&object.calendar)?;
    let series = Series::find(&object.calendar, kind.component());
    let series = series.ok_or(Error::Unconvertible("there is no item in it"))?;
    Ok(match kind {
        Kind::Event => {
            let reading = Reading { owner: Owner(owner), view, zones: &zones };
            let series::Read { event, last_end, .. } = series::read(&series, &reading)?;
            let last_end = last_end.map(|end| end.on(clock));
            Item::Event(Box::new(Event { last_end, ..event }))
        }
        Kind::Task => Item::Task(Box::new(task::read(series.main, view, &zones))),
        Kind::Note => Item::Note(Box::new(note::read(series.main, view, &zones))),
    })
}

/// Carries an edit out on an object, or makes a new one by it.
///
/// # Errors
/// Those of [`read`]; [`Error::Misfit`] where the edit is of another class or makes no sense,
/// [`Error::NoSuchInstance`].
pub fn apply(object: Option<&[u8]>, edit: &ItemEdit, writing: &Writing) -> Result<Applied, Error> {
    apply::apply(object, edit, writing)
}

/// Carries the user's answer to an invitation out.
///
/// # Errors
/// Those of [`read`]; [`Error::Misfit`] where the user is not asked, [`Error::NoSuchInstance`].
pub fn respond(object: &[u8], answer: &Answer, writing: &Writing) -> Result<Applied, Error> {
    respond::respond(object, answer, writing)
}

/// Takes what someone else says of a meeting into the calendar. `existing` is the event with the
/// `UID` that [`message_uid`] tells, where the calendar has one; `message` is the `text/calendar`
/// part of a mail and `from` the address of its sender.
///
/// # Errors
/// Those of [`read`], of both.
pub fn take_in(
    existing: Option<&[u8]>,
    message: &[u8],
    from: &str,
    occasion: Occasion,
    writing: &Writing,
) -> Result<TakenIn, Error> {
    take_in::take_in(existing, message, from, occasion, writing)
}

/// Whether the calendar's own server tells these people (mail addresses) what a mail of the user's
/// says of a meeting, so that it is not to be sent as well; never where none schedules. `existing` and
/// `message` as in [`take_in`]. Of what cannot be read nothing is told.
pub fn told_by_server(
    existing: Option<&[u8]>,
    message: &[u8],
    to: &[String],
    writing: &Writing,
) -> ByServer {
    by_server::tells(existing, message, to, writing)
}

/// The times between two moments that an event takes from its owner, ascending: all but those of
/// events that are free, cancelled or declined. `zone` is the owner's, for times that have none.
/// Of a rule that the neutral form has no words for only the first instance is told.
///
/// # Errors
/// Those of [`read`].
pub fn busy_within(
    object: &[u8],
    owner: &[String],
    zone: &ZoneId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Busy>, Error> {
    busy::within(object, Owner(owner), zone, from, to)
}

/// The content of an attachment that [`read`] listed.
///
/// # Errors
/// Those of [`read`]; [`Error::NoSuchPart`].
pub fn attachment(object: &[u8], part: &PartId) -> Result<AttachmentContent, Error> {
    let object = Object::parse(object)?;
    attachment::content(object.calendar.components(), part)
}

/// What a calendar is of: its first item decides.
pub(crate) fn kind(calendar: &Component) -> Result<Kind, Error> {
    let kinds = [Kind::Event, Kind::Task, Kind::Note];
    calendar
        .components()
        .find_map(|one| kinds.into_iter().find(|kind| one.is(kind.component())))
        .ok_or(Error::Unconvertible("there is no event, task or note in it"))
}
