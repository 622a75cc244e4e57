//! The store: the database, and how families of tables reach it.

use crate::postgres::{Postgres, PostgresConfig};
use crate::session::{Session, values};
use crate::sqlite::Sqlite;
use crate::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// A database that takes longer to answer a question about nothing counts as away.
const HEALTH: Duration = Duration::from_secs(3);

/// What the server must not forget, in one database. Clones share it; it is closed when the last
/// is dropped.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

#[derive(Clone)]
enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the SQLite database at this path, making or migrating it where needed.
    ///
    /// # Errors
    /// When the file cannot be opened or is not ours, or a newer release wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { database: Database::Sqlite(Sqlite::open(path.as_ref())?) })
    }

    /// The same without threads, for simulations in a time of their own: all is done where it is asked
    /// for, so that time stands still meanwhile and one thing always comes after the other.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_in_place(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { database: Database::Sqlite(Sqlite::open_in_place(path.as_ref())?) })
    }

    /// Connects to a PostgreSQL database, migrating it where needed. It must be there already.
    ///
    /// # Errors
    /// When it cannot be reached or used, with what to mend; or a newer release wrote it.
    pub async fn connect(config: &PostgresConfig) -> Result<Self> {
        Ok(Self { database: Database::Postgres(Postgres::open(config).await?) })
    }

    /// Whether a PostgreSQL database could be used, without changing it; gives its release.
    ///
    /// # Errors
    /// Those of [`Store::connect`].
    pub async fn try_out(config: &PostgresConfig) -> Result<String> {
        Postgres::try_out(config).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn health(&self) -> Result<()> {
        let ask = self.look_up(|session| {
            session.query_one("SELECT COUNT(*) FROM migration", values![], |row| row.get::<i64>(0))
        });
        match tokio::time::timeout(HEALTH, ask).await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(Error::Database(format!("no answer within {} s", HEALTH.as_secs()))),
        }
    }

    /// Carries out a write in a transaction, as if it were alone; returns when it is durable. A
    /// write whose caller gave up is carried out all the same. It may be carried out again where
    /// others were in its way.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.write(work).await,
            Database::Postgres(postgres) => postgres.write(work).await,
        }
    }

    /// Looks one row up by its key, on what is durable now: what nearly every request does. For
    /// reads that grow use [`Store::read`].
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.look_up(work).await,
            Database::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Carries out a read, on what is durable now. Other writes may come between two of its
    /// statements.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.read(work).await,
            Database::Postgres(postgres) => postgres.read(work).await,
        }
    }
}
