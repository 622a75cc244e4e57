//! What administrators may want to know of what happened.
//!
//! An event's number is made of its time, so that a range of time is a range of numbers and every
//! question is answered along one index. What no index helps with, such as a text within the
//! message, is looked for in a bounded number of events at a time: a page then says from where to
//! go on.

use crate::session::{Row, Value, values};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, RequestId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// So many events can have the same millisecond.
const PER_MILLI: i64 = 1000;
/// So many events are looked through for one page at the most.
const LOOKED_THROUGH: usize = 10_000;
/// So many are read at a time, where not all that is read is wanted.
const STEP: u32 = 500;
/// So many are dropped in one transaction.
const DROPPED: u32 = 2_000;

const LAST: &str = "SELECT COALESCE(MAX(number), 0) FROM event";
const PUT: &str = "INSERT INTO event \
     (number, level, kind, user_id, device_id, connector, request, message, details) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const NEWEST_BUT: &str = "SELECT number FROM event ORDER BY number DESC LIMIT 1 OFFSET $1";
const OLDEST_OF: &str =
    "SELECT number FROM event WHERE number < $1 ORDER BY number LIMIT 1 OFFSET $2";
const DROP: &str = "DELETE FROM event WHERE number < $1";
const COLUMNS: &str =
    "number, level, kind, user_id, device_id, connector, request, message, details";
const ALL: &str = "SELECT number, level, kind, user_id, device_id, connector, request, message, \
     details FROM event WHERE number >= $1 AND number < $2 ORDER BY number DESC LIMIT $3";

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What goes on.
    Info,
    /// Somebody should look.
    Warning,
    /// Something does not work.
    Error,
}

impl Level {
    /// All there are, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    const fn number(self) -> i64 {
        self as i64
    }
}

/// An event that is to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// When.
    pub time: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// Of which kind: a word of the server's.
    pub kind: String,
    /// Whom it concerns.
    pub user: Option<UserId>,
    /// Which device.
    pub device: Option<DeviceId>,
    /// Which connector, by its name.
    pub connector: Option<String>,
    /// Which request.
    pub request: Option<RequestId>,
    /// In words.
    pub message: String,
    /// More of it, as JSON; `{}` where there is nothing.
    pub details: String,
}

/// An event that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its number: larger than those of all before it.
    pub number: u64,
    /// What it is.
    pub event: NewEvent,
}

/// Which events are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// Of this user.
    pub user: Option<UserId>,
    /// Of this device.
    pub device: Option<DeviceId>,
    /// Of this connector, by name.
    pub connector: Option<String>,
    /// Of this request.
    pub request: Option<RequestId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this level or a higher one.
    pub level: Option<Level>,
    /// With this text in their message, in whatever case.
    pub text: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only those with smaller numbers: [`EventPage::before`] of the page before.
    pub before: Option<u64>,
}

/// A page of events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventPage {
    /// The newest first.
    pub events: Vec<Event>,
    /// From where the next page goes on; none where there is nothing more.
    pub before: Option<u64>,
}

fn first_of(time: Timestamp) -> i64 {
    time.as_millis().saturating_mul(PER_MILLI)
}

fn event(row: &Row<'_>) -> Result<Event> {
    let number: i64 = row.get(0)?;
    let level: i64 = row.get(1)?;
    Ok(Event {
        number: u64::try_from(number).unwrap_or_default(),
        event: NewEvent {
            time: Timestamp::from_millis(number.div_euclid(PER_MILLI)),
            level: Level::ALL
                .into_iter()
                .find(|known| known.number() == level)
                .unwrap_or(Level::Error),
            kind: row.get(2)?,
            user: row.get::<Option<String>>(3)?.map(UserId::from),
            device: row.get::<Option<String>>(4)?.map(DeviceId::from),
            connector: row.get(5)?,
            request: row.get::<Option<String>>(6)?.map(RequestId::from),
            message: row.get(7)?,
            details: row.get(8)?,
        },
    })
}

impl EventFilter {
    /// Whether an event is one of those, whatever its number.
    pub fn admits(&self, event: &NewEvent) -> bool {
        let text = |text: &String| event.message.to_lowercase().contains(&text.to_lowercase());
        self.user.as_ref().is_none_or(|user| event.user.as_ref() == Some(user))
            && self.device.as_ref().is_none_or(|device| event.device.as_ref() == Some(device))
            && self.connector.as_ref().is_none_or(|name| event.connector.as_ref() == Some(name))
            && self.request.as_ref().is_none_or(|one| event.request.as_ref() == Some(one))
            && self.kind.as_ref().is_none_or(|kind| event.kind == *kind)
            && self.level.is_none_or(|level| event.level >= level)
            && self.text.as_ref().is_none_or(text)
    }

    /// The columns by whose index events are found, and the value there: what is said most closely.
    /// The rest is looked at in what that leads to.
    fn lead(&self) -> Option<(&'static str, Value<'_>)> {
        let request = self.request.as_ref().map(|it| ("request", it.as_str().into()));
        let device = || self.device.as_ref().map(|it| ("device_id", it.as_str().into()));
        let user = || self.user.as_ref().map(|it| ("user_id", it.as_str().into()));
        let connector = || self.connector.as_ref().map(|it| ("connector", it.into()));
        let kind = || self.kind.as_ref().map(|it| ("kind", it.into()));
        // Of lower levels there are too many for an index to help.
        let level = || {
            let level = self.level.filter(|level| *level == Level::Error)?;
            Some(("level", level.number().into()))
        };
        request.or_else(device).or_else(user).or_else(connector).or_else(kind).or_else(level)
    }

    /// Whether there is more to be looked at than the index that leads.
    fn is_narrow(&self) -> bool {
        let said = [
            self.request.is_some(),
            self.device.is_some(),
            self.user.is_some(),
            self.connector.is_some(),
            self.kind.is_some(),
            self.level.is_some_and(|level| level > Level::Info),
        ];
        self.text.is_some()
            || said.iter().filter(|said| **said).count() > usize::from(self.lead().is_some())
    }
}

impl Store {
    /// Keeps events, in this order. Gives them with their numbers.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_events(&self, events: Vec<NewEvent>) -> Result<Vec<Event>> {
        self.write(move |session| {
            let mut last: i64 = session.query_one(LAST, values![], |row| row.get(0))?;
            let mut kept = Vec::with_capacity(events.len());
            for one in &events {
                last = last.saturating_add(1).max(first_of(one.time));
                let row = values![
                    last,
                    one.level.number(),
                    &one.kind,
                    one.user.as_ref().map(UserId::as_str),
                    one.device.as_ref().map(DeviceId::as_str),
                    one.connector.as_ref(),
                    one.request.as_ref().map(RequestId::as_str),
                    &one.message,
                    &one.details,
                ];
                session.execute(PUT, row)?;
                let number = u64::try_from(last).unwrap_or_default();
                kept.push(Event { number, event: one.clone() });
            }
            Ok(kept)
        })
        .await
    }

    /// A page of the events that are wanted, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn events(&self, filter: &EventFilter, limit: u32) -> Result<EventPage> {
        let filter = filter.clone();
        self.read(move |session| {
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let step = if filter.is_narrow() { limit.max(STEP) } else { limit };
            let before = filter.before.map(|before| i64::try_from(before).unwrap_or(i64::MAX));
            let before = [before, filter.until.map(first_of)].into_iter().flatten().min();
            let (mut before, from) = (before.unwrap_or(i64::MAX), filter.from.map_or(0, first_of));
            let mut page = EventPage::default();
            let mut looked = 0;
            loop {
                let found = match filter.lead() {
                    Some((column, value)) => {
                        let sql = format!(
                            "SELECT {COLUMNS} FROM event WHERE {column} = $1 AND number >= $2 \
                             AND number < $3 ORDER BY number DESC LIMIT $4"
                        );
                        session.query(
                            &sql,
                            &[value, from.into(), before.into(), step.into()],
                            event,
                        )
                    }
                    None => session.query(ALL, values![from, before, step], event),
                }?;
                let is_last = found.len() < usize::try_from(step).unwrap_or(usize::MAX);
                looked += found.len();
                for one in found {
                    before = i64::try_from(one.number).unwrap_or(i64::MAX);
                    if filter.admits(&one.event) {
                        page.events.push(one);
                    }
                    if page.events.len() == most {
                        break;
                    }
                }
                let is_full = page.events.len() == most;
                if is_full || looked >= LOOKED_THROUGH {
                    page.before = u64::try_from(before).ok();
                }
                if is_full || is_last || looked >= LOOKED_THROUGH {
                    return Ok(page);
                }
            }
        })
        .await
    }

    /// Drops events before this time, and the oldest beyond this many, but not all at once: says
    /// whether there are more to drop.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire_events(&self, before: Timestamp, most: u64) -> Result<bool> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.write(move |session| {
            let number = |row: &Row<'_>| row.get::<i64>(0);
            let surplus = session.query_optional(NEWEST_BUT, values![most], number)?;
            let until = surplus.map_or(0, |last| last.saturating_add(1)).max(first_of(before));
            let some = session.query_optional(OLDEST_OF, values![until, DROPPED], number)?;
            session.execute(DROP, values![some.unwrap_or(until)])?;
            Ok(some.is_some())
        })
        .await
    }
}

/// So that a wrong word in a filter is told of in words.
impl std::str::FromStr for Level {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let unknown = || Error::Refused(format!("no level is called {word}").into());
        Self::named(word).ok_or_else(unknown)
    }
}
