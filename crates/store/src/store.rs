//! The store: the database, and how families of tables reach it.

use crate::Result;
use crate::session::Session;
use crate::sqlite::Sqlite;
use std::path::Path;

/// What the server must not forget, in one database. Clones share it; it is closed when the last
/// is dropped.
#[derive(Clone)]
pub struct Store {
    sqlite: Sqlite,
}

impl Store {
    /// Opens the SQLite database at this path, making or migrating it where needed.
    ///
    /// # Errors
    /// When the file cannot be opened or is not ours, or a newer release wrote it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { sqlite: Sqlite::open(path.as_ref())? })
    }

    /// Carries out a write in a transaction, as if it were alone; returns when it is durable. A
    /// write whose caller gave up is carried out all the same. It may be carried out again where
    /// others were in its way.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.sqlite.write(work).await
    }

    /// Looks one row up by its key, on what is durable now: what nearly every request does. For
    /// reads that grow use [`Store::read`].
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.sqlite.look_up(work).await
    }

    /// Carries out a read, on what is durable now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Session<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.sqlite.read(work).await
    }
}
