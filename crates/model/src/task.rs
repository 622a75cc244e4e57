//! A task in neutral form: JSCalendar's `Task` (RFC 8984 §2.2), cut to what phones are told.

use crate::patch::{Patch, fields};
use crate::{BodyKind, Importance, LocalTime, Privacy, Recurrence, Text, Timestamp, ZoneId};
use serde::{Deserialize, Serialize};

/// How a repeated task goes on (MS-ASTASK 2.2.2.22 and 2.2.2.9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Regeneration {
    /// The next one is counted from the day on which this one was done.
    pub regenerate: bool,
    /// Of a series: this instance is done and stands for itself.
    pub dead: bool,
}

/// One task.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// The same for all copies of the task (`UID`). Empty in a new one: then the backend makes one.
    pub uid: String,
    /// Title, one line.
    pub title: String,
    /// When to begin, on the clock of `zone`.
    pub start: Option<LocalTime>,
    /// When to be done, on the same clock.
    pub due: Option<LocalTime>,
    /// Whose clock; none: the reader's.
    pub zone: Option<ZoneId>,
    /// Start and due are days, without a time of day.
    pub whole_days: bool,
    /// It is done.
    pub complete: bool,
    /// When it was done, where known; only of a task that is.
    pub completed: Option<Timestamp>,
    /// How it repeats, from `start` (or `due`) on.
    pub recurrence: Option<Recurrence>,
    /// How a repeated one goes on.
    pub regeneration: Regeneration,
    /// Urgency.
    pub importance: Importance,
    /// Who may see it.
    pub privacy: Privacy,
    /// The user's categories.
    pub categories: Vec<String>,
    /// When to remind.
    pub reminder: Option<Timestamp>,
    /// Its place in the phone's list.
    pub ordinal: Option<Timestamp>,
    /// The order among those of one `ordinal`.
    pub sub_ordinal: Option<String>,
    /// The form its text was written in.
    pub native: Option<BodyKind>,
    /// Its text.
    pub text: Option<Text>,
}

/// New values for some fields of a task.
pub type TaskPatch = Patch<Task>;

fields! {
    /// A field of a [`Task`] that a phone can write.
    Task as TaskField {
        /// [`Task::uid`]; only counts for a new task.
        Uid: uid;
        /// [`Task::title`].
        Title: title;
        /// [`Task::start`].
        Start: start;
        /// [`Task::due`].
        Due: due;
        /// [`Task::zone`] and [`Task::whole_days`].
        Clock: zone, whole_days;
        /// [`Task::complete`] and [`Task::completed`].
        Complete: complete, completed;
        /// [`Task::recurrence`] and [`Task::regeneration`].
        Recurrence: recurrence, regeneration;
        /// [`Task::importance`].
        Importance: importance;
        /// [`Task::privacy`].
        Privacy: privacy;
        /// [`Task::categories`].
        Categories: categories;
        /// [`Task::reminder`].
        Reminder: reminder;
        /// [`Task::ordinal`] and [`Task::sub_ordinal`].
        Ordinal: ordinal, sub_ordinal;
        /// [`Task::text`] and [`Task::native`].
        Text: text, native;
    }
}
