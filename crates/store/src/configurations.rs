//! What connectors are to serve, and what they said of it.

use crate::session::{Session, values};
use crate::states::{from_json, to_json};
use crate::{Result, Store};
use async_trait::async_trait;
use dme_link::{BookError, Configuration, ConfigurationReport, Configurations};
use dme_model::{ConnectorId, Timestamp};

const WANTED: &str =
    "SELECT version, settings, sealed, changed FROM connector_configuration WHERE connector = $1";
const PUT_WANTED: &str = "INSERT INTO connector_configuration \
     (connector, version, settings, sealed, changed) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (connector) DO UPDATE SET version = excluded.version, \
     settings = excluded.settings, sealed = excluded.sealed, changed = excluded.changed";

const WITHDRAW: &str = "DELETE FROM connector_configuration WHERE connector = $1";

const REPORT: &str = "SELECT report, reported FROM connector_report WHERE connector = $1";
const REPORTS: &str = "SELECT connector, report FROM connector_report ORDER BY connector";
const PUT_REPORT: &str = "INSERT INTO connector_report (connector, report, reported) \
     VALUES ($1, $2, $3) ON CONFLICT (connector) DO UPDATE SET report = excluded.report, \
     reported = excluded.reported";

fn wanted(session: &Session<'_>, id: &ConnectorId) -> Result<Option<(Configuration, Timestamp)>> {
    session.query_optional(WANTED, values![id.as_str()], |row| {
        let version = u64::try_from(row.get::<i64>(0)?).unwrap_or(0);
        let configuration = Configuration { version, text: row.get(1)?, sealed: row.get(2)? };
        Ok((configuration, row.get(3)?))
    })
}

fn report(
    session: &Session<'_>,
    id: &ConnectorId,
) -> Result<Option<(ConfigurationReport, Timestamp)>> {
    session.query_optional(REPORT, values![id.as_str()], |row| {
        let report: String = row.get(0)?;
        Ok((from_json(&report, "connector_report.report")?, row.get(1)?))
    })
}

impl Store {
    /// What is wanted of a connector, and since when.
    ///
    /// # Errors
    /// The database's.
    pub async fn configuration(
        &self,
        id: &ConnectorId,
    ) -> Result<Option<(Configuration, Timestamp)>> {
        let id = id.clone();
        self.read(move |session| wanted(session, &id)).await
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
        self.write(move |session| {
            let before = wanted(session, &id)?.map_or(0, |(before, _)| before.version);
            // What was withdrawn had a number too, and the connector knows it.
            let told = report(session, &id)?.map_or(0, |(report, _)| report.newest());
            let version = before.max(told).saturating_add(1);
            let number = i64::try_from(version).unwrap_or(i64::MAX);
            session.execute(PUT_WANTED, values![id.as_str(), number, &text, &sealed, now])?;
            Ok(version)
        })
        .await
    }

    /// Wants nothing of a connector any more, which then serves on by what it has. Answers whether
    /// anything was wanted.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw_configuration(&self, id: &ConnectorId) -> Result<bool> {
        let id = id.clone();
        self.write(move |session| Ok(session.execute(WITHDRAW, values![id.as_str()])? > 0)).await
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
        self.read(move |session| report(session, &id)).await
    }
}

#[async_trait]
impl Configurations for Store {
    async fn wanted(&self, id: &ConnectorId) -> Result<Option<Configuration>, BookError> {
        Ok(self.configuration(id).await?.map(|(configuration, _)| configuration))
    }

    async fn reports(&self) -> Result<Vec<(ConnectorId, ConfigurationReport)>, BookError> {
        let read = self.read(|session| {
            session.query(REPORTS, values![], |row| {
                let (id, report): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((ConnectorId::from(id), from_json(&report, "connector_report.report")?))
            })
        });
        Ok(read.await?)
    }

    async fn reported(
        &self,
        id: &ConnectorId,
        report: &ConfigurationReport,
        now: Timestamp,
    ) -> Result<(), BookError> {
        let (id, report) = (id.clone(), to_json(report, "connector_report.report")?);
        let write = self.write(move |session| {
            session.execute(PUT_REPORT, values![id.as_str(), &report, now])?;
            Ok(())
        });
        Ok(write.await?)
    }
}
