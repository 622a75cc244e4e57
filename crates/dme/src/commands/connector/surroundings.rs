//! What this process lends to the connector that runs in it.

use crate::commands::{ConnectorFile, check};
use crate::log::Recent;
use crate::settings::resolved_within;
use async_trait::async_trait;
use dme_connector::config::ConnectorConfig;
use dme_connector::{Offered, Surroundings};
use dme_link::Check;
use dme_model::Secret;
use std::path::{Path, PathBuf};
use toml::Table;

/// This process, with the configuration file it was started with.
pub struct Process {
    /// The folder of that file: what the server names of files must be in it.
    folder: PathBuf,
    settings: Table,
    secrets: Vec<Secret>,
    config: ConnectorConfig,
    log: Recent,
}

impl Process {
    /// Started with this file.
    pub fn new(path: &Path, file: &ConnectorFile, log: Recent) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            settings: file.written.clone(),
            secrets: file.secrets.clone(),
            config: file.connector.clone(),
            log,
        }
    }
}

#[async_trait]
impl Surroundings for Process {
    fn read_indirect(&self, table: Table) -> Result<Table, String> {
        resolved_within(table, &self.folder).map_err(|error| format!("{error:#}"))
    }

    fn settings(&self) -> Table {
        self.settings.clone()
    }

    fn secrets(&self) -> Vec<Secret> {
        self.secrets.clone()
    }

    async fn check(&self, services: Offered<'_>) -> Vec<Check> {
        Box::pin(check::without_user(&self.config, &services)).await
    }

    fn recent_log(&self) -> Vec<String> {
        self.log.lines()
    }
}
