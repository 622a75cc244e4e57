//! The database.

use super::ServerConfig;
use super::problems::Problems;
use crate::database::Database;
use dme_model::{Secret, within};
use dme_store::PostgresConfig;
use serde::Deserialize;
use std::path::PathBuf;

/// The database: SQLite, unless an address in PostgreSQL is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The file of SQLite's database; `dme.db` in the server's directory where absent.
    pub path: Option<PathBuf>,
    /// `postgres://USER@HOST/DATABASE`. A password may stand in it.
    pub url: Option<Secret>,
    /// PostgreSQL's password for the user.
    pub password: Option<Secret>,
    /// PEM file of authorities that PostgreSQL's certificate may be of, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Connections to PostgreSQL at most.
    pub connections: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: None, url: None, password: None, ca_file: None, connections: 16 }
    }
}

impl ServerConfig {
    /// Where the database is, by these settings.
    pub fn database(&self) -> Database {
        let StoreConfig { path, url, password, ca_file, connections } = self.store.clone();
        match url {
            Some(url) => Database::Postgres(PostgresConfig { url, password, ca_file, connections }),
            None => Database::Sqlite(path.unwrap_or_else(|| self.directory.join("dme.db"))),
        }
    }
}

pub(super) fn check(config: &ServerConfig, found: &mut Problems) {
    let store = &config.store;
    // One is kept for whoever looks while all others wait.
    found.see(within("store.connections", store.connections, 2..=1_000));
    match config.database() {
        Database::Postgres(_) if store.path.is_some() => {
            found.say("store: path is SQLite's and url PostgreSQL's; leave one of them out");
        }
        Database::Postgres(postgres) => {
            if let Some(problem) = postgres.problem() {
                found.say(format!("store.url: {problem}"));
            }
        }
        Database::Sqlite(_) => {
            let given =
                [("password", store.password.is_some()), ("ca_file", store.ca_file.is_some())];
            for (key, _) in given.iter().filter(|(_, given)| *given) {
                found.say(format!("store.{key} needs store.url: SQLite has none"));
            }
        }
    }
}
