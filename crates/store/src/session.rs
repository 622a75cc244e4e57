//! What a family's statements run on: one transaction, or one look at the database.
//!
//! # How a family is written
//!
//! One file holds the statements of a few tables that belong together, and the methods of
//! [`Store`](crate::Store) that run them:
//!
//! ```text
//! const NOTES: &str = "SELECT n, text FROM note WHERE user_id = $1 ORDER BY n";
//! const PUT: &str = "INSERT INTO note (user_id, n, text) VALUES ($1, $2, $3)";
//!
//! impl Store {
//!     pub async fn notes(&self, user: &UserId) -> Result<Vec<(i64, String)>> {
//!         let user = user.clone();
//!         self.read(move |session| {
//!             let note = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
//!             session.query(NOTES, values![user.as_str()], note)
//!         })
//!         .await
//!     }
//!
//!     pub async fn put_note(&self, user: &UserId, n: i64, text: &str) -> Result<()> {
//!         let (user, text) = (user.clone(), text.to_owned());
//!         self.write(move |session| {
//!             session.execute(PUT, values![user.as_str(), n, &text])?;
//!             Ok(())
//!         })
//!         .await
//!     }
//! }
//! ```
//!
//! - Statements are constants, one text for every database, with `$1…$n` in the order in which
//!   they appear; a test in `lib.rs` reads each family's file, so that a new one is named there.
//! - [`Store::write`](crate::Store::write) is one transaction: as if no other write were under way
//!   at all. It may be carried out more than once before it holds, so that it changes nothing but
//!   the database.
//! - Columns are `BIGINT`, `TEXT` and `BYTES` (see `migrations.rs`); truth is a `BIGINT` of 0 or 1.
//!   `TEXT` is compared and ordered by its bytes. A `SUM` is written `CAST(SUM(…) AS BIGINT)`.
//! - Words that only one database has are not used: no `INSERT OR …`, `GLOB`, `ILIKE`, `rowid`,
//!   `json_…`, no `LIKE` without `LOWER` on both sides, no `ON CONFLICT` without its columns.

use crate::postgres::{Running, Stored, read_column};
use crate::{Error, Result};
use dme_model::Timestamp;
use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter};
use std::borrow::Cow;

/// One transaction, or one look at the database.
pub(crate) enum Session<'a> {
    /// In SQLite.
    Sqlite(&'a Connection),
    /// In PostgreSQL.
    Postgres(&'a Running<'a>),
}

impl Session<'_> {
    /// Carries out a statement; gives how many rows it changed. The statement is prepared once.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(params_from_iter(values))? as u64)
            }
            Self::Postgres(running) => running.execute(sql, values),
        }
    }

    /// All rows that a statement gives, each as it is read.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params_from_iter(values))?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(read(&Row::Sqlite(row))?);
                }
                Ok(all)
            }
            Self::Postgres(running) => {
                let rows = running.query(sql, values)?;
                rows.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row that a statement gives, if it gives one.
    pub(crate) fn query_optional<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let read = |row: &rusqlite::Row<'_>| Ok(read(&Row::Sqlite(row)));
                statement.query_row(params_from_iter(values), read).optional()?.transpose()
            }
            Self::Postgres(running) => {
                let rows = running.query(sql, values)?;
                rows.first().map(|row| read(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// The row that a statement always gives, such as one of counts.
    pub(crate) fn query_one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let none = || Error::Database(format!("no row where there is always one: {sql}"));
        self.query_optional(sql, values, read)?.ok_or_else(none)
    }
}

/// A row that is being read.
pub(crate) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// One column, counted from 0.
    pub(crate) fn get<T: Column>(&self, column: usize) -> Result<T> {
        T::read(self, column)
    }

    fn stored<T: Stored + FromSql>(&self, column: usize) -> Result<Option<T>> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => read_column(row, column),
        }
    }
}

/// What a column can be read as: a number, text, bytes, truth, a time, or any of them that may be
/// absent.
pub(crate) trait Column: Sized {
    /// Reads it.
    fn read(row: &Row<'_>, column: usize) -> Result<Self>;
}

macro_rules! stored {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &Row<'_>, column: usize) -> Result<Self> {
                let absent = || Error::Database(format!("column {column} of a row is null"));
                row.stored(column)?.ok_or_else(absent)
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row<'_>, column: usize) -> Result<Self> {
                row.stored(column)
            }
        }
    )*};
}

stored!(i64, String, Vec<u8>);

impl Column for bool {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Ok(row.get::<i64>(column)? != 0)
    }
}

impl Column for Timestamp {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Ok(Self::from_millis(row.get(column)?))
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }
}

/// What a statement is given for one of its `$n`. Made by [`values!`].
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// A `BIGINT`.
    Integer(i64),
    /// A `TEXT`.
    Text(Cow<'a, str>),
    /// `BYTES`.
    Bytes(&'a [u8]),
}

/// What a statement is given, `$1` first: `values![user.as_str(), n, &text, now]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::session::Value::from($value)),*] };
}
pub(crate) use values;

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Integer(truth.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.as_millis())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What rows have to fulfil where that is not known before, and what the `$n` of the statement are
/// given.
#[derive(Default)]
pub(crate) struct Conditions<'a> {
    sql: String,
    given: Vec<Value<'a>>,
}

impl<'a> Conditions<'a> {
    /// One more condition.
    pub(crate) fn and(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
    }

    /// A condition that ends in a value, such as `time <`; none where there is no value.
    pub(crate) fn with(&mut self, what: &str, value: Option<impl Into<Value<'a>>>) {
        if let Some(value) = value {
            let value = self.give(value);
            self.and(&format!("{what} {value}"));
        }
    }

    /// The condition that this text is in what an expression gives, in whatever case (ASCII only).
    pub(crate) fn contains(&mut self, expression: &str, text: &str) -> String {
        let pattern = self.give(within(text));
        format!("LOWER({expression}) LIKE {pattern} ESCAPE '!'")
    }

    /// Gives a value, and says by what it is called.
    pub(crate) fn give(&mut self, value: impl Into<Value<'a>>) -> String {
        self.given.push(value.into());
        format!("${}", self.given.len())
    }

    /// All conditions from `WHERE` on; empty where there are none.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The values, `$1` first.
    pub(crate) fn values(&self) -> &[Value<'a>] {
        &self.given
    }
}

/// The pattern for `LOWER(…) LIKE … ESCAPE '!'` that what has this text in it fits.
pub(crate) fn within(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        // As both databases fold: what is beyond ASCII stays.
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
