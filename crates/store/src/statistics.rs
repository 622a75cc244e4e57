//! What was counted of requests, by hour or day, user, device, connector and command.

use crate::session::{Conditions, Row, Value, values};
use crate::{Result, Store};
use dme_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The bounds of the counted durations, in milliseconds; what is longer is counted last.
pub const DURATIONS_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 500, 1000, 5000];
const COUNTS: usize = 17;
/// So many counts of hours are added to their days in one transaction.
const ROLLED: u32 = 1_000;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

const ADD: &str = "INSERT INTO statistic (span, start, user_id, device_id, connector, command, \
     requests, errors, received, sent, items, total_us, longest_us, under_5, under_10, under_25, \
     under_50, under_100, under_250, under_500, under_1000, under_5000, longer) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21, $22, $23) \
     ON CONFLICT (span, start, user_id, device_id, connector, command) DO UPDATE SET \
     requests = statistic.requests + excluded.requests, \
     errors = statistic.errors + excluded.errors, \
     received = statistic.received + excluded.received, sent = statistic.sent + excluded.sent, \
     items = statistic.items + excluded.items, \
     total_us = statistic.total_us + excluded.total_us, \
     longest_us = CASE WHEN statistic.longest_us > excluded.longest_us \
     THEN statistic.longest_us ELSE excluded.longest_us END, \
     under_5 = statistic.under_5 + excluded.under_5, \
     under_10 = statistic.under_10 + excluded.under_10, \
     under_25 = statistic.under_25 + excluded.under_25, \
     under_50 = statistic.under_50 + excluded.under_50, \
     under_100 = statistic.under_100 + excluded.under_100, \
     under_250 = statistic.under_250 + excluded.under_250, \
     under_500 = statistic.under_500 + excluded.under_500, \
     under_1000 = statistic.under_1000 + excluded.under_1000, \
     under_5000 = statistic.under_5000 + excluded.under_5000, \
     longer = statistic.longer + excluded.longer";
const SUMS: &str = "CAST(SUM(requests) AS BIGINT), CAST(SUM(errors) AS BIGINT), \
     CAST(SUM(received) AS BIGINT), CAST(SUM(sent) AS BIGINT), CAST(SUM(items) AS BIGINT), \
     CAST(SUM(total_us) AS BIGINT), MAX(longest_us), CAST(SUM(under_5) AS BIGINT), \
     CAST(SUM(under_10) AS BIGINT), CAST(SUM(under_25) AS BIGINT), \
     CAST(SUM(under_50) AS BIGINT), CAST(SUM(under_100) AS BIGINT), \
     CAST(SUM(under_250) AS BIGINT), CAST(SUM(under_500) AS BIGINT), \
     CAST(SUM(under_1000) AS BIGINT), CAST(SUM(under_5000) AS BIGINT), \
     CAST(SUM(longer) AS BIGINT)";
const OLDEST_HOUR: &str =
    "SELECT start FROM statistic WHERE span = 3600 AND start < $1 ORDER BY start LIMIT 1";
const HOUR: &str = "SELECT user_id, device_id, connector, command, requests, errors, received, sent, \
     items, total_us, longest_us, under_5, under_10, under_25, under_50, under_100, under_250, \
     under_500, under_1000, under_5000, longer FROM statistic WHERE span = 3600 AND start = $1 \
     ORDER BY user_id, device_id, connector, command LIMIT $2";
const DROP_HOUR: &str = "DELETE FROM statistic WHERE span = 3600 AND start = $1 AND user_id = $2 \
     AND device_id = $3 AND connector = $4 AND command = $5";
const DROP_DAYS: &str = "DELETE FROM statistic WHERE span = 86400 AND start < $1";

/// What is counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Counted {
    /// The beginning of the hour or day.
    pub start: Timestamp,
    /// The user; empty where none is known.
    pub user: String,
    /// The device; empty where none is known.
    pub device: String,
    /// The connector's name; empty where none was asked.
    pub connector: String,
    /// The command.
    pub command: String,
}

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// Bytes of what came.
    pub received: u64,
    /// Bytes of what went.
    pub sent: u64,
    /// Items that went or came.
    pub items: u64,
    /// How long all took together, in microseconds, without those that waited.
    pub total_us: u64,
    /// How long the longest took, in microseconds.
    pub longest_us: u64,
    /// How many took less than each of [`DURATIONS_MS`] and no less than the one before, and last
    /// how many took longer.
    pub durations: [u64; 10],
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.received += other.received;
        self.sent += other.sent;
        self.items += other.items;
        self.total_us += other.total_us;
        self.longest_us = self.longest_us.max(other.longest_us);
        for (ours, theirs) in self.durations.iter_mut().zip(other.durations) {
            *ours += theirs;
        }
    }

    /// Counts a duration.
    pub fn took(&mut self, us: u64) {
        self.total_us += us;
        self.longest_us = self.longest_us.max(us);
        let place = DURATIONS_MS.iter().position(|bound| us < bound * 1000);
        if let Some(count) = self.durations.get_mut(place.unwrap_or(DURATIONS_MS.len())) {
            *count += 1;
        }
    }

    /// The duration within which this share (0 to 1) of the requests were answered, in
    /// milliseconds: the upper bound of the counted range it lies in; none where nothing was timed.
    pub fn within_ms(&self, share: f64) -> Option<u64> {
        let all: u64 = self.durations.iter().sum();
        if all == 0 {
            return None;
        }
        let wanted = (all as f64 * share).ceil().max(1.0);
        let mut so_far = 0;
        for (count, bound) in self.durations.iter().zip(DURATIONS_MS) {
            so_far += count;
            if so_far as f64 >= wanted {
                return Some(bound);
            }
        }
        Some(self.longest_us.div_ceil(1000))
    }

    fn numbers(&self) -> [i64; COUNTS] {
        let mut all = [0; COUNTS];
        let first = [
            self.requests,
            self.errors,
            self.received,
            self.sent,
            self.items,
            self.total_us,
            self.longest_us,
        ];
        for (place, count) in all.iter_mut().zip(first.into_iter().chain(self.durations)) {
            *place = i64::try_from(count).unwrap_or(i64::MAX);
        }
        all
    }

    fn read(row: &Row<'_>, from: usize) -> Result<Self> {
        let at = |column: usize| -> Result<u64> {
            Ok(u64::try_from(row.get::<Option<i64>>(from + column)?.unwrap_or(0)).unwrap_or(0))
        };
        let mut durations = [0; 10];
        for (n, count) in durations.iter_mut().enumerate() {
            *count = at(7 + n)?;
        }
        Ok(Self {
            requests: at(0)?,
            errors: at(1)?,
            received: at(2)?,
            sent: at(3)?,
            items: at(4)?,
            total_us: at(5)?,
            longest_us: at(6)?,
            durations,
        })
    }
}

/// By what counts are told apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The hour, or the day where only days are kept.
    Hour,
    /// The day (UTC).
    Day,
    /// The user.
    User,
    /// The device.
    Device,
    /// The connector.
    Connector,
    /// The command.
    Command,
}

impl By {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::Day, Self::User, Self::Device, Self::Connector, Self::Command];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::User => "user",
            Self::Device => "device",
            Self::Connector => "connector",
            Self::Command => "command",
        }
    }

    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Hour => "start",
            Self::Day => "start - start % 86400000",
            Self::User => "user_id",
            Self::Device => "device_id",
            Self::Connector => "connector",
            Self::Command => "command",
        }
    }
}

/// Which counts are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CountFilter {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this device.
    pub device: Option<String>,
    /// Of this connector, by name.
    pub connector: Option<String>,
    /// Of this command.
    pub command: Option<String>,
}

/// One line of an answer: what it is of (what is not told apart is empty), and what was counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CountLine {
    /// Of what.
    pub of: Counted,
    /// How many devices came, where devices are not told apart.
    pub devices: u64,
    /// What was counted.
    pub counts: Counts,
}

fn add(
    session: &crate::session::Session<'_>,
    span: i64,
    of: &Counted,
    counts: &Counts,
) -> Result<()> {
    let key: &[Value<'_>] =
        values![span, of.start, &of.user, &of.device, &of.connector, &of.command];
    let row: Vec<Value<'_>> =
        key.iter().cloned().chain(counts.numbers().map(Value::from)).collect();
    session.execute(ADD, &row)?;
    Ok(())
}

impl Store {
    /// Adds what was counted to what is known of its hours.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_counts(&self, counts: Vec<(Counted, Counts)>) -> Result<()> {
        self.write(move |session| {
            counts.iter().try_for_each(|(of, counts)| add(session, 3600, of, counts))
        })
        .await
    }

    /// What was counted of those that are wanted, told apart by these, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(
        &self,
        filter: &CountFilter,
        by: &BTreeSet<By>,
        limit: u32,
    ) -> Result<Vec<CountLine>> {
        self.counts_but(filter, None, by, limit).await
    }

    /// The same without those of one command.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts_but(
        &self,
        filter: &CountFilter,
        without: Option<&'static str>,
        by: &BTreeSet<By>,
        limit: u32,
    ) -> Result<Vec<CountLine>> {
        let (filter, by) = (filter.clone(), by.clone());
        self.read(move |session| {
            let told: Vec<&str> = by.iter().map(|by| by.column()).collect();
            let columns: String = told.iter().map(|column| format!("{column}, ")).collect();
            let devices = "COUNT(DISTINCT CASE WHEN device_id = '' THEN NULL \
                 ELSE user_id || ' ' || device_id END)";
            let mut wanted = Conditions::default();
            // Both lengths are named, so that the primary key leads.
            wanted.and("span IN (3600, 86400)");
            wanted.with("start >=", filter.from);
            wanted.with("start <", filter.until);
            wanted.with("user_id =", filter.user.as_ref());
            wanted.with("device_id =", filter.device.as_ref());
            wanted.with("connector =", filter.connector.as_ref());
            wanted.with("command =", filter.command.as_ref());
            wanted.with("command <>", without);
            let order = match told.join(", ") {
                told if told.is_empty() => told,
                told => format!(" GROUP BY {told} ORDER BY {told}"),
            };
            let limit = wanted.give(limit);
            let sql = format!(
                "SELECT {columns}{devices}, {SUMS} FROM statistic{}{order} LIMIT {limit}",
                wanted.sql()
            );
            let line = |row: &Row<'_>| {
                let mut of = Counted::default();
                for (column, by) in by.iter().enumerate() {
                    match by {
                        By::Hour | By::Day => of.start = row.get(column)?,
                        By::User => of.user = row.get(column)?,
                        By::Device => of.device = row.get(column)?,
                        By::Connector => of.connector = row.get(column)?,
                        By::Command => of.command = row.get(column)?,
                    }
                }
                let devices = u64::try_from(row.get::<i64>(by.len())?).unwrap_or(0);
                Ok(CountLine { of, devices, counts: Counts::read(row, by.len() + 1)? })
            };
            let lines = session.query(&sql, wanted.values(), line)?;
            // Without telling apart there is always one line, also of nothing.
            Ok(lines.into_iter().filter(|line| line.counts != Counts::default()).collect())
        })
        .await
    }

    /// Adds counts of the oldest hour before this time to those of its day, some at a time so that
    /// others can write between, and drops days before `days_until`. Says whether there are more.
    ///
    /// # Errors
    /// The database's.
    pub async fn roll_counts_up(
        &self,
        hours_until: Timestamp,
        days_until: Timestamp,
    ) -> Result<bool> {
        self.write(move |session| {
            session.execute(DROP_DAYS, values![days_until])?;
            // Whole days alone.
            let until = hours_until.as_millis() - hours_until.as_millis().rem_euclid(DAY_MS);
            let oldest =
                session.query_optional(OLDEST_HOUR, values![until], |row| row.get::<i64>(0))?;
            let Some(hour) = oldest else { return Ok(false) };
            let day = Timestamp::from_millis(hour - hour.rem_euclid(DAY_MS));
            let some = session.query(HOUR, values![hour, ROLLED], |row| {
                let of = Counted {
                    start: day,
                    user: row.get(0)?,
                    device: row.get(1)?,
                    connector: row.get(2)?,
                    command: row.get(3)?,
                };
                Ok((of, Counts::read(row, 4)?))
            })?;
            for (of, counts) in &some {
                add(session, 86_400, of, counts)?;
                let Counted { user, device, connector, command, .. } = of;
                session.execute(DROP_HOUR, values![hour, user, device, connector, command])?;
            }
            Ok(true)
        })
        .await
    }
}

impl Counted {
    /// The beginning of the hour that this moment lies in.
    pub fn hour_of(time: Timestamp) -> Timestamp {
        Timestamp::from_millis(time.as_millis() - time.as_millis().rem_euclid(HOUR_MS))
    }
}
