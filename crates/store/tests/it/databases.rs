//! Each test of a family runs on every database.

use dme_model::Secret;
use dme_store::{PostgresConfig, Store};
use dme_testkit::postgres::Postgres;

/// An empty database, which can be opened again and again.
pub enum Place {
    /// A file in this folder.
    Sqlite(tempfile::TempDir),
    /// A schema of this name on the server that all tests share.
    Postgres(String),
}

impl Place {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        Self::Postgres(Postgres::shared().unwrap().make_schema().unwrap())
    }

    /// Another empty one of the same kind.
    pub fn another(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::sqlite(),
            Self::Postgres(_) => Self::postgres(),
        }
    }

    pub async fn open(&self) -> Store {
        match self {
            Self::Sqlite(folder) => Store::open(folder.path().join("dme.db")).unwrap(),
            Self::Postgres(name) => {
                let url = Postgres::shared().unwrap().schema_url(name);
                Store::connect(&config(url)).await.unwrap()
            }
        }
    }

    /// Changes or removes rows, past the store, as whoever can write the database does.
    pub fn tamper(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("dme.db")).unwrap();
                assert!(file.execute(sql, []).unwrap() > 0, "{sql}");
            }
            Self::Postgres(name) => {
                let sql = format!("SET search_path TO {name}; {sql} RETURNING 1");
                let changed = Postgres::shared().unwrap().psql("postgres", &sql).unwrap();
                assert!(!changed.trim().is_empty(), "{sql}");
            }
        }
    }
}

pub fn config(url: String) -> PostgresConfig {
    PostgresConfig { url: Secret::new(url), password: None, ca_file: None, connections: 8 }
}

/// Makes a test for each database out of functions that take a [`Place`].
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::databases::Place::sqlite()).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::databases::Place::postgres()).await;
            })+
        }
    };
}
pub(crate) use on_each_database;
