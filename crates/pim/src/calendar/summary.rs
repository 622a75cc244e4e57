//! What filters and indexes need of an object.

use super::clock::Zones;
use super::object::Object;
use super::series::{self, Series};
use super::{Kind, kind, task, text};
use crate::Error;
use dme_model::Timestamp;

/// An object in few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its `UID`; empty where it has none.
    pub uid: String,
    /// What it is.
    pub kind: Kind,
    /// Of an event, the end of the last instance; none where it goes on for ever or nobody can
    /// tell, and for tasks and notes.
    pub last_end: Option<Timestamp>,
    /// A task that is done.
    pub completed: bool,
    /// The object is a message to others (it has a `METHOD`), not a copy kept in a calendar.
    pub message: bool,
}

/// Sums an object up.
///
/// # Errors
/// Those of [`super::read`].
pub fn summary(object: &[u8]) -> Result<Summary, Error> {
    let object = Object::parse(object)?;
    let kind = kind(&object.calendar)?;
    let series = Series::find(&object.calendar, kind.component());
    let series = series.ok_or(Error::Unconvertible("there is no item in it"))?;
    let last_end = match kind {
        Kind::Event => series::last_end(&series, &Zones::of(&object.calendar))?,
        Kind::Task | Kind::Note => None,
    };
    Ok(Summary {
        uid: series.main.value("UID").map(text::unescape).unwrap_or_default(),
        kind,
        last_end,
        completed: kind == Kind::Task && task::is_complete(series.main),
        message: object.calendar.line("METHOD").is_some(),
    })
}
