//! Statements on a connection: values and columns in PostgreSQL's form.

use crate::session::Value;
use crate::{Error, Result};
use bytes::{BufMut as _, BytesMut};
use deadpool_postgres::Object;
use futures_util::future::join;
use std::cell::{Cell, RefCell};
use tokio::runtime::Handle;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

type Cause = Box<dyn std::error::Error + Sync + Send>;

/// A connection on which a family's work is under way, on a thread that may wait.
pub(crate) struct Running<'a> {
    client: &'a Object,
    runtime: Handle,
    /// What begins the transaction, until it was said; it goes out with the first statement.
    begin: Cell<Option<&'static str>>,
    begun: Cell<bool>,
    /// The first error; nothing that follows counts.
    trouble: RefCell<Option<tokio_postgres::Error>>,
}

impl<'a> Running<'a> {
    /// Without `begin` there is no transaction: each statement sees what is durable by then.
    pub(super) fn new(client: &'a Object, runtime: Handle, begin: Option<&'static str>) -> Self {
        Self {
            client,
            runtime,
            begin: Cell::new(begin),
            begun: Cell::new(false),
            trouble: RefCell::new(None),
        }
    }

    /// Whether there is a transaction to be ended.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.get()
    }

    /// What went wrong first, whatever the family made of it.
    pub(super) fn trouble(&self) -> Option<tokio_postgres::Error> {
        self.trouble.take()
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let statement = async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute(&statement, &parameters(values)).await
        };
        self.wait_for(statement)
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.query(&statement, &parameters(values)).await
        };
        self.wait_for(statement)
    }

    fn wait_for<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let answer = match self.begin.take() {
            None => self.runtime.block_on(statement),
            Some(begin) => {
                self.begun.set(true);
                // Sent in this order without waiting in between: a round trip less.
                let begin = self.client.batch_execute(begin);
                let (begun, answer) = self.runtime.block_on(join(begin, statement));
                begun.and(answer)
            }
        };
        answer.map_err(|error| {
            let told = Error::Database(
                error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().into()),
            );
            self.trouble.borrow_mut().get_or_insert(error);
            told
        })
    }
}

fn parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Cause> {
        match (self, kind) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => out.put_i64(*number),
            (Self::Integer(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => out.put_slice(text.as_bytes()),
            (Self::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (Self::Integer(_), kind) => return Err(format!("a number for {kind}").into()),
            (Self::Text(_), kind) => return Err(format!("text for {kind}").into()),
            (Self::Bytes(_), kind) => return Err(format!("bytes for {kind}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Cause> {
        self.to_sql(kind, out)
    }
}

/// What a column can be read as.
pub(crate) trait Stored: Sized {
    /// Reads it, where it is of a kind that fits.
    fn stored(kind: &Type, bytes: &[u8]) -> Result<Self, Cause>;
}

impl Stored for i64 {
    fn stored(kind: &Type, bytes: &[u8]) -> Result<Self, Cause> {
        match *kind {
            Type::INT8 => Self::from_sql(kind, bytes),
            Type::INT4 => Ok(i32::from_sql(kind, bytes)?.into()),
            _ => Err(format!("it is {kind}; write CAST(… AS BIGINT)").into()),
        }
    }
}

impl Stored for String {
    fn stored(kind: &Type, bytes: &[u8]) -> Result<Self, Cause> {
        match *kind {
            Type::TEXT | Type::VARCHAR => Self::from_sql(kind, bytes),
            _ => Err(format!("it is {kind} and no text").into()),
        }
    }
}

impl Stored for Vec<u8> {
    fn stored(kind: &Type, bytes: &[u8]) -> Result<Self, Cause> {
        match *kind {
            Type::BYTEA => Self::from_sql(kind, bytes),
            _ => Err(format!("it is {kind} and no bytes").into()),
        }
    }
}

/// A column of whatever kind; a null is of any.
struct Column<T>(T);

impl<'a, T: Stored> FromSql<'a> for Column<T> {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Result<Self, Cause> {
        T::stored(kind, bytes).map(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a column of a row, counted from 0.
pub(crate) fn read_column<T: Stored>(row: &Row, column: usize) -> Result<Option<T>> {
    match row.try_get::<_, Option<Column<T>>>(column) {
        Ok(found) => Ok(found.map(|Column(value)| value)),
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            Err(Error::Database(format!("{error}{}", source.unwrap_or_default())))
        }
    }
}
