//! A connector's services as the server has them configured: what is wanted, and what the connector
//! says of it.

use crate::{BookError, Error, LinkTimes, Result, SealingKey, files};
use async_trait::async_trait;
use dme_model::{ConnectorId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The file in a connector's directory with the configuration it serves by, sealed as it came.
const FILE: &str = "configuration.json";
/// The longest reason that is kept of why a configuration was refused, in characters.
const REASON: usize = 2_000;

/// The configuration of a connector's services, as it is kept and crosses the link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Configuration {
    /// Counts the changes, from 1.
    pub version: u64,
    /// TOML; where a secret stood is a mark.
    pub text: String,
    /// Those secrets, sealed to the connector's key ([`SealingKey::seal`]).
    pub sealed: String,
}

impl Configuration {
    /// The one a connector kept in its directory; none where it never had one.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn kept(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let Some(text) = files::read(&path)? else { return Ok(None) };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|error| Error::Damaged { path, what: error.to_string() })
    }

    /// Keeps it there, in the place of the one before, durably.
    ///
    /// # Errors
    /// When the file cannot be written; the one before is then still there.
    pub fn keep(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| Error::Protocol(error.to_string()))?;
        files::write(&dir.join(FILE), &text)
    }
}

/// What a connector says of its configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigurationReport {
    /// To be used for the secrets of the next one.
    pub key: SealingKey,
    /// The version it serves by; nothing where it has none from the server.
    #[serde(default)]
    pub in_force: Option<u64>,
    /// The one that it did not take.
    #[serde(default)]
    pub refused: Option<RefusedConfiguration>,
    /// When it is linked; always, or of a release that does not say, where there is nothing. The
    /// connector's own link knows, and says it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_times: Option<LinkTimes>,
}

/// A configuration that a connector did not take; the one before stays in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RefusedConfiguration {
    /// Which.
    pub version: u64,
    /// Why, for people.
    pub reason: String,
}

impl ConfigurationReport {
    /// Whether the connector is to be sent a configuration: it neither has it nor refused it.
    pub fn lacks(&self, wanted: &Configuration) -> bool {
        let refused = self.refused.as_ref().map(|refused| refused.version);
        self.in_force != Some(wanted.version) && refused != Some(wanted.version)
    }

    /// The newest version that it knows of; 0 where it knows none.
    pub fn newest(&self) -> u64 {
        let refused = self.refused.as_ref().map(|refused| refused.version);
        self.in_force.max(refused).unwrap_or(0)
    }

    /// With nothing of a size that cannot be kept.
    pub(crate) fn bounded(mut self) -> Self {
        self.link_times = self.link_times.and_then(LinkTimes::bounded);
        if let Some(refused) = &mut self.refused {
            refused.reason = refused.reason.chars().take(REASON).collect();
        }
        self
    }
}

/// The configurations of all connectors. Kept by the store.
#[async_trait]
pub trait Configurations: Send + Sync {
    /// What is wanted of a connector, where something is.
    async fn wanted(&self, id: &ConnectorId) -> Result<Option<Configuration>, BookError>;

    /// What each connector said last, of those that said anything.
    async fn reports(&self) -> Result<Vec<(ConnectorId, ConfigurationReport)>, BookError>;

    /// Keeps what a connector said last.
    async fn reported(
        &self,
        id: &ConnectorId,
        report: &ConfigurationReport,
        now: Timestamp,
    ) -> Result<(), BookError>;
}

/// [`Configurations`] in memory, for tests and where nothing is configured.
#[derive(Default, Debug)]
pub struct MemoryConfigurations {
    wanted: Mutex<BTreeMap<ConnectorId, Configuration>>,
    reports: Mutex<BTreeMap<ConnectorId, ConfigurationReport>>,
}

impl MemoryConfigurations {
    /// Wants this of a connector, in the place of what was wanted before.
    pub fn want(&self, id: &ConnectorId, configuration: Configuration) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.insert(id.clone(), configuration);
    }

    /// What a connector said last.
    pub fn report(&self, id: &ConnectorId) -> Option<ConfigurationReport> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

#[async_trait]
impl Configurations for MemoryConfigurations {
    async fn wanted(&self, id: &ConnectorId) -> Result<Option<Configuration>, BookError> {
        Ok(self.wanted.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
    }

    async fn reports(&self) -> Result<Vec<(ConnectorId, ConfigurationReport)>, BookError> {
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(reports.iter().map(|(id, report)| (id.clone(), report.clone())).collect())
    }

    async fn reported(
        &self,
        id: &ConnectorId,
        report: &ConfigurationReport,
        _: Timestamp,
    ) -> Result<(), BookError> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.insert(id.clone(), report.clone());
        Ok(())
    }
}
