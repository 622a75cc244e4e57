//! The schema, step by step. A step that was released is never changed; a new one is added.

use crate::{Error, Result};
use rusqlite::Connection;

/// Every step: its number and its text, in the neutral words of `in_sqlite`.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_begin.sql")),
    (2, include_str!("../migrations/0002_routes.sql")),
    (3, include_str!("../migrations/0003_outbox.sql")),
    (4, include_str!("../migrations/0004_configurations.sql")),
    (5, include_str!("../migrations/0005_policies.sql")),
    (6, include_str!("../migrations/0006_records.sql")),
    (8, include_str!("../migrations/0008_own.sql")),
];

/// The neutral words as SQLite's: strict tables know `INTEGER`, not `BIGINT`.
fn in_sqlite(text: &str) -> String {
    text.replace("BIGINT", "INTEGER").replace("BYTES", "BLOB")
}

/// Brings a database up to this release. Each step is one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY) STRICT",
    )?;
    let found: i64 =
        connection.query_row("SELECT COALESCE(MAX(number), 0) FROM migration", [], |r| r.get(0))?;
    let known = STEPS.last().map_or(0, |(number, _)| *number);
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    for (number, text) in STEPS.iter().filter(|(number, _)| *number > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(&in_sqlite(text))?;
        transaction.execute("INSERT INTO migration (number) VALUES ($1)", [number])?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn a_database_of_a_newer_release_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO migration (number) VALUES (999)", []).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Error::TooNew { found: 999, .. })));
    }

    #[test]
    fn steps_are_numbered_without_gaps() {
        let numbers: Vec<i64> = STEPS.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    }
}
