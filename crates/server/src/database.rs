//! Which database the server has.

use dme_store::{PostgresConfig, Result, Store};
use std::path::PathBuf;

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Database {
    /// In a file of SQLite.
    Sqlite(PathBuf),
    /// In PostgreSQL.
    Postgres(PostgresConfig),
}

impl Database {
    /// Opens it, making its tables or those of this release where needed.
    ///
    /// # Errors
    /// Why it cannot be used, and what to mend.
    pub async fn open(&self) -> Result<Store> {
        match self {
            Self::Sqlite(path) => Store::open(path),
            Self::Postgres(config) => Store::connect(config).await,
        }
    }

    /// Whether it could be opened, without changing it; says where it is. A file of SQLite is not
    /// looked into: the server may have it open.
    ///
    /// # Errors
    /// Those of [`Database::open`].
    pub async fn try_out(&self) -> Result<String> {
        match self {
            Self::Sqlite(path) => Ok(format!("SQLite, {}", path.display())),
            Self::Postgres(config) => {
                let (place, release) = (config.place()?, Store::try_out(config).await?);
                Ok(format!("{place}: release {release}"))
            }
        }
    }
}
