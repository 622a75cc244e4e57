//! The schema, step by step. A step that was released is never changed; a new one is added.

use crate::{Error, Result};
use rusqlite::Connection;
use tokio_postgres::Client;

/// Every step: its number and its text, in neutral words.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_begin.sql")),
    (2, include_str!("../migrations/0002_routes.sql")),
    (3, include_str!("../migrations/0003_outbox.sql")),
    (4, include_str!("../migrations/0004_configurations.sql")),
    (5, include_str!("../migrations/0005_policies.sql")),
    (6, include_str!("../migrations/0006_records.sql")),
    (7, include_str!("../migrations/0007_api_tokens.sql")),
    (8, include_str!("../migrations/0008_own.sql")),
    (9, include_str!("../migrations/0009_codes.sql")),
    (10, include_str!("../migrations/0010_signing_in.sql")),
    (11, include_str!("../migrations/0011_device_certificates.sql")),
    (12, include_str!("../migrations/0012_device_lists.sql")),
    (13, include_str!("../migrations/0013_connector_orders.sql")),
    (14, include_str!("../migrations/0014_wipe_counts.sql")),
    (15, include_str!("../migrations/0015_edges.sql")),
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY) STRICT";
const FOUND: &str = "SELECT COALESCE(MAX(number), 0) FROM migration";
const DONE: &str = "INSERT INTO migration (number) VALUES ($1)";
/// Held by the server that migrates, so that another that starts at the same time waits.
const LOCK: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
     SELECT pg_advisory_lock(7361936102711)";

/// The neutral words as SQLite's: strict tables know `INTEGER`, not `BIGINT`.
fn in_sqlite(text: &str) -> String {
    text.replace("BIGINT", "INTEGER").replace("BYTES", "BLOB")
}

/// The neutral words as PostgreSQL's. Text is ordered by its bytes, as in SQLite.
fn in_postgres(text: &str) -> String {
    text.replace("BYTES", "BYTEA").replace(" TEXT", " TEXT COLLATE \"C\"").replace(") STRICT", ")")
}

/// The steps after the one that was found last.
fn after(found: i64) -> Result<impl Iterator<Item = &'static (i64, &'static str)>> {
    let known = STEPS.last().map_or(0, |(number, _)| *number);
    match found > known {
        true => Err(Error::TooNew { found, known }),
        false => Ok(STEPS.iter().filter(move |(number, _)| *number > found)),
    }
}

/// Brings a SQLite database up to this release. Each step is one transaction.
pub(crate) fn migrate_sqlite(connection: &mut Connection) -> Result<()> {
    connection.execute_batch(&in_sqlite(TABLE))?;
    let found: i64 = connection.query_row(FOUND, [], |row| row.get(0))?;
    for (number, text) in after(found)? {
        let transaction = connection.transaction()?;
        transaction.execute_batch(&in_sqlite(text))?;
        transaction.execute(DONE, [number])?;
        transaction.commit()?;
    }
    Ok(())
}

/// Brings a PostgreSQL database up to this release. Each step is one transaction. The connection
/// is to be closed afterwards: it holds a lock.
pub(crate) async fn migrate_postgres(
    client: &Client,
    failed: impl Fn(&tokio_postgres::Error) -> Error,
) -> Result<()> {
    let run = async |text: &str| client.batch_execute(text).await.map_err(|error| failed(&error));
    run(LOCK).await?;
    run(&in_postgres(TABLE)).await?;
    let row = client.query_one(FOUND, &[]).await.map_err(|error| failed(&error))?;
    let found: i64 = row.try_get(0).map_err(|error| failed(&error))?;
    for (number, text) in after(found)? {
        let done = DONE.replace("$1", &number.to_string());
        run(&format!("BEGIN; {}; {done}; COMMIT", in_postgres(text))).await?;
    }
    Ok(())
}

/// Whether this release can use what is in a PostgreSQL database, or make it.
pub(crate) async fn check_postgres(
    client: &Client,
    failed: impl Fn(&tokio_postgres::Error) -> Error,
) -> Result<()> {
    let there = "SELECT to_regclass('migration') IS NOT NULL, \
         has_schema_privilege(current_schema(), 'CREATE')";
    let row = client.query_one(there, &[]).await.map_err(|error| failed(&error))?;
    let read = |column| row.try_get::<_, Option<bool>>(column).map_err(|error| failed(&error));
    if read(0)? == Some(true) {
        let row = client.query_one(FOUND, &[]).await.map_err(|error| failed(&error))?;
        drop(after(row.try_get(0).map_err(|error| failed(&error))?)?);
    }
    match read(1)? {
        Some(true) => Ok(()),
        _ => Err(Error::Unfit(
            "its user may make no tables in it; make the user its owner: \
             `ALTER DATABASE … OWNER TO …`"
                .into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_sqlite(&mut connection).unwrap();
        migrate_sqlite(&mut connection).unwrap();
    }

    #[test]
    fn a_database_of_a_newer_release_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_sqlite(&mut connection).unwrap();
        connection.execute("INSERT INTO migration (number) VALUES (999)", []).unwrap();
        assert!(matches!(migrate_sqlite(&mut connection), Err(Error::TooNew { found: 999, .. })));
    }

    #[test]
    fn steps_are_numbered_without_gaps() {
        let numbers: Vec<i64> = STEPS.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    }
}
