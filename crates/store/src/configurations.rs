//! What connectors are to serve, and what they said of it.

use crate::states::{from_json, to_json};
use crate::{Result, SqliteStore};
use async_trait::async_trait;
use dme_link::{BookError, Configuration, ConfigurationReport, Configurations};
use dme_model::{ConnectorId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

const WANTED: &str =
    "SELECT version, settings, sealed, changed FROM connector_configuration WHERE connector = $1";
const PUT_WANTED: &str = "INSERT INTO connector_configuration \
     (connector, version, settings, sealed, changed) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (connector) DO UPDATE SET version = excluded.version, \
     settings = excluded.settings, sealed = excluded.sealed, changed = excluded.changed";

const REPORT: &str = "SELECT report, reported FROM connector_report WHERE connector = $1";
const PUT_REPORT: &str = "INSERT INTO connector_report (connector, report, reported) \
     VALUES ($1, $2, $3) ON CONFLICT (connector) DO UPDATE SET report = excluded.report, \
     reported = excluded.reported";

fn wanted(connection: &Connection, id: &ConnectorId) -> Result<Option<(Configuration, Timestamp)>> {
    let mut statement = connection.prepare_cached(WANTED)?;
    let found = statement.query_row([id.as_str()], |row| {
        let version = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let configuration = Configuration { version, text: row.get(1)?, sealed: row.get(2)? };
        Ok((configuration, Timestamp::from_millis(row.get(3)?)))
    });
    Ok(found.optional()?)
}

impl SqliteStore {
    /// What is wanted of a connector, and since when.
    ///
    /// # Errors
    /// The database's.
    pub async fn configuration(
        &self,
        id: &ConnectorId,
    ) -> Result<Option<(Configuration, Timestamp)>> {
        let id = id.clone();
        self.read(move |connection| wanted(connection, &id)).await
    }

    /// Wants another configuration of a connector: text with marks, and the sealed secrets. Gives
    /// its version.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_configuration(
        &self,
        id: &ConnectorId,
        text: String,
        sealed: String,
        now: Timestamp,
    ) -> Result<u64> {
        let id = id.clone();
        self.write(move |connection| {
            let before = wanted(connection, &id)?.map_or(0, |(before, _)| before.version);
            let version = before.saturating_add(1);
            let number = i64::try_from(version).unwrap_or(i64::MAX);
            let row = params![id.as_str(), number, text, sealed, now.as_millis()];
            connection.prepare_cached(PUT_WANTED)?.execute(row)?;
            Ok(version)
        })
        .await
    }

    /// What a connector said last of its configuration, and when.
    ///
    /// # Errors
    /// The database's.
    pub async fn configuration_report(
        &self,
        id: &ConnectorId,
    ) -> Result<Option<(ConfigurationReport, Timestamp)>> {
        let id = id.clone();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(REPORT)?;
            let found: Option<(String, i64)> = statement
                .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((report, reported)) = found else { return Ok(None) };
            let report = from_json(&report, "connector_report.report")?;
            Ok(Some((report, Timestamp::from_millis(reported))))
        })
        .await
    }
}

#[async_trait]
impl Configurations for SqliteStore {
    async fn wanted(&self, id: &ConnectorId) -> Result<Option<Configuration>, BookError> {
        Ok(self.configuration(id).await?.map(|(configuration, _)| configuration))
    }

    async fn reported(
        &self,
        id: &ConnectorId,
        report: &ConfigurationReport,
        now: Timestamp,
    ) -> Result<(), BookError> {
        let (id, report) = (id.clone(), to_json(report, "connector_report.report")?);
        let write = self.write(move |connection| {
            let row = params![id.as_str(), report, now.as_millis()];
            connection.prepare_cached(PUT_REPORT)?.execute(row)?;
            Ok(())
        });
        Ok(write.await?)
    }
}
