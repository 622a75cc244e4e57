//! What administrators may want to know of what happened.
//!
//! An event's number is made of its time, so that a range of time is a range of numbers and every
//! question is answered along one index. What no index helps with, such as a text within the
//! message, is looked for in a bounded number of events at a time: a page then says from where to
//! go on.

use crate::audit::like;
use crate::session::{Row, Value, values};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, RequestId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// So many events can have the same millisecond.
const PER_MILLI: i64 = 1000;
/// So many events are looked through for one page at the most.
const LOOKED_THROUGH: u32 = 20_000;
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

/// A statement that is put together, with what it is given.
#[derive(Default)]
struct Written<'a> {
    sql: String,
    given: Vec<Value<'a>>,
    begun: bool,
}

impl<'a> Written<'a> {
    fn add(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    /// One more condition, where there is a value.
    fn only(&mut self, what: &str, value: Option<impl Into<Value<'a>>>, then: &str) {
        let Some(value) = value else { return };
        self.given.push(value.into());
        let (and, n) = (if self.begun { "AND" } else { "WHERE" }, self.given.len());
        self.sql.push_str(&format!(" {and} {what} ${n}{then}"));
        self.begun = true;
    }

    fn limit(&mut self, limit: u32) {
        self.given.push(limit.into());
        self.sql.push_str(&format!(" ORDER BY number DESC LIMIT ${}", self.given.len()));
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
            let text =
                filter.text.as_deref().map(|text| format!("%{}%", like(&text.to_lowercase())));
            let mut wanted = [
                ("request =", filter.request.as_ref().map(|it| Value::from(it.as_str()))),
                ("device_id =", filter.device.as_ref().map(|it| Value::from(it.as_str()))),
                ("user_id =", filter.user.as_ref().map(|it| Value::from(it.as_str()))),
                ("connector =", filter.connector.as_ref().map(Value::from)),
                ("kind =", filter.kind.as_ref().map(Value::from)),
            ];
            // One index leads: that of what is said most closely. The rest is looked at in what it
            // leads to, and so is a level below which only few are left out.
            let leads = wanted.iter().position(|(_, value)| value.is_some());
            let top = filter.level.filter(|level| leads.is_none() && *level == Level::Error);
            let mut inner = Written::default();
            inner.add(&format!("SELECT {COLUMNS} FROM event"));
            if let Some((what, value)) = leads.and_then(|at| wanted.get_mut(at)) {
                inner.only(what, value.take(), "");
            }
            inner.only("level =", top.map(Level::number), "");
            let before = filter.before.map(|before| i64::try_from(before).unwrap_or(i64::MAX));
            let before = [before, filter.until.map(first_of)].into_iter().flatten().min();
            inner.only("number <", before, "");
            inner.only("number >=", filter.from.map(first_of), "");
            inner.limit(LOOKED_THROUGH);

            let Written { sql, given, .. } = inner;
            let mut outer = Written { sql: String::new(), given: given.clone(), begun: false };
            outer.add(&format!("SELECT {COLUMNS} FROM ({sql}) AS looked"));
            for (what, value) in wanted {
                outer.only(what, value, "");
            }
            let least = filter.level.filter(|level| top.is_none() && *level > Level::Info);
            outer.only("level >=", least.map(Level::number), "");
            outer.only("LOWER(message) LIKE", text.as_ref(), " ESCAPE '!'");
            let narrowed = outer.begun;
            outer.limit(limit);
            let events = session.query(&outer.sql, &outer.given, event)?;
            let full = events.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
            let before = match events.last() {
                Some(last) if full => Some(last.number),
                // Perhaps there are more behind those that were looked through.
                _ if narrowed => {
                    let last = format!("SELECT COUNT(*), MIN(number) FROM ({sql}) AS looked");
                    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
                    let (count, last): (i64, Option<i64>) =
                        session.query_one(&last, &given, read)?;
                    last.filter(|_| count >= i64::from(LOOKED_THROUGH))
                        .and_then(|last| u64::try_from(last).ok())
                }
                _ => None,
            };
            Ok(EventPage { events, before })
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
        let unknown = || Error::Refused(format!("no level is called {word}"));
        Self::named(word).ok_or_else(unknown)
    }
}
