//! The server's settings. Every one has a default or says what is missing; unknown keys are errors.
//! The commented sample in `docs/server.toml` names each with its default. Each section has a file
//! here, with its check.

mod console;
mod devices;
mod limits;
mod links;
mod logins;
mod never;
mod one_or_several;
mod own;
mod phones;
mod policy;
mod problems;
mod realms;
mod records;
mod sending;
mod store;
mod times;
mod tokens;

pub use console::{AdminConfig, ConsoleConfig, OpenIdConfig, REDIRECT, SecondFactorMode};
pub use devices::{DevicesConfig, UnknownDevice};
pub use limits::LimitsConfig;
pub use links::{Addresses, LinksConfig, MOST_ADDRESSES, link_address};
pub use own::{CertificatesConfig, DeviceCertificates, DevicePasswords, MyConfig};
pub use phones::PhonesConfig;
pub use policy::{PolicyConfig, PolicyMode};
pub use realms::{ConnectorNames, RealmConfig};
pub use records::{RecordsConfig, WebhookConfig};
pub use sending::{SendingConfig, WhileAway};
pub use store::StoreConfig;
pub use times::TimesConfig;
pub use tokens::TokensConfig;

use crate::connectors::ConnectorSettings;
use dme_directory::GateConfig;
use problems::Problems;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything the server role is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where the server keeps its database, its authority's key and the administration token.
    pub directory: PathBuf,
    /// Which database it has.
    #[serde(default)]
    pub store: StoreConfig,
    /// The phones' listener.
    pub phones: PhonesConfig,
    /// The administration listener.
    #[serde(default)]
    pub admin: AdminConfig,
    /// How administrators sign in to the console.
    #[serde(default)]
    pub console: ConsoleConfig,
    /// The listener for connectors.
    #[serde(default)]
    pub links: LinksConfig,
    /// The realms, at least one; the first is that of logins that name none.
    pub realms: Vec<RealmConfig>,
    /// What holds for single connectors, by name.
    #[serde(default)]
    pub connectors: BTreeMap<String, ConnectorSettings>,
    /// How logins are remembered and limited.
    #[serde(default)]
    pub logins: GateConfig,
    /// What becomes of devices.
    #[serde(default)]
    pub devices: DevicesConfig,
    /// What becomes of messages that cannot be sent now.
    #[serde(default)]
    pub sending: SendingConfig,
    /// The page on which users see to their own devices.
    #[serde(default)]
    pub my: MyConfig,
    /// The certificates that are made for phones, where a realm has such.
    #[serde(default)]
    pub certificates: CertificatesConfig,
    /// What phones must be set to.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// What is kept of what happened.
    #[serde(default)]
    pub records: RecordsConfig,
    /// Who is told of events, by name.
    #[serde(default)]
    pub webhooks: BTreeMap<String, WebhookConfig>,
    /// Limits on what is accepted.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Times.
    #[serde(default)]
    pub times: TimesConfig,
}

impl ServerConfig {
    /// All that is wrong with the settings, each with its key and what is allowed. With any, the
    /// server does not start.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Problems::default();
        store::check(self, &mut found);
        phones::check(&self.phones, &mut found);
        console::check(&self.console, &mut found);
        links::check(&self.links, &mut found);
        realms::check(&self.realms, &mut found);
        logins::check(&self.logins, &mut found);
        devices::check(&self.devices, &mut found);
        sending::check(&self.sending, &mut found);
        for (name, settings) in &self.connectors {
            if let Some(problem) = settings.problem() {
                found.say(format!("connectors.{name}: {problem}"));
            }
        }
        own::check(self, &mut found);
        policy::check(&self.policy, &mut found);
        records::check(&self.records, &self.webhooks, &mut found);
        limits::check(&self.limits, &mut found);
        times::check(&self.times, &mut found);
        found.into_texts()
    }

    /// Whether any realm's phones show certificates.
    pub fn has_device_certificates(&self) -> bool {
        self.realms.iter().any(|realm| realm.device_certificates != DeviceCertificates::Off)
    }
}

#[cfg(test)]
mod tests;
