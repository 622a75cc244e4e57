//! From the edge's own settings and the server's rules to those of a front.

use crate::config::EdgeConfig;
use dme_directory::{AccessGroups, GateConfig};
use dme_server::config::{
    AdminConfig, ConnectorNames, ConsoleConfig, DeviceCertificates, DevicePasswords, DevicesConfig,
    LimitsConfig, LinksConfig, MyConfig, PolicyConfig, RealmConfig, RecordsConfig, SendingConfig,
    ServerConfig, StoreConfig, TimesConfig, UnknownDevice,
};
use dme_server::connectors::ConnectorSettings;
use dme_server::edges::facts::{EdgeRealm, EdgeRules};
use std::collections::BTreeMap;
use std::path::Path;

/// The one connector that an edge's front has: itself.
const ITSELF: &str = "embedded";

/// What a front is told that serves by these rules.
pub(crate) fn front(config: &EdgeConfig, directory: &Path, rules: &EdgeRules) -> ServerConfig {
    let itself = ConnectorSettings {
        scope: Some(rules.scope.clone()),
        off: Some(rules.off.clone()),
        ..ConnectorSettings::default()
    };
    ServerConfig {
        directory: directory.to_owned(),
        store: StoreConfig::default(),
        phones: config.phones.clone(),
        admin: AdminConfig::default(),
        console: ConsoleConfig::default(),
        links: LinksConfig::default(),
        realms: rules.realms.iter().map(realm).collect(),
        connectors: BTreeMap::from([(ITSELF.to_owned(), itself)]),
        logins: GateConfig::default(),
        devices: DevicesConfig {
            // What the server has not decided of waits for it (rule A7).
            unknown: UnknownDevice::Quarantine,
            per_user: rules.per_user.max(1),
            quarantine_note: rules.quarantine_note.clone(),
            ..DevicesConfig::default()
        },
        sending: SendingConfig::default(),
        my: MyConfig { enabled: false, ..MyConfig::default() },
        certificates: Default::default(),
        // The levels come from the server, and so does what stands above them.
        policy: PolicyConfig::default(),
        records: RecordsConfig::default(),
        webhooks: BTreeMap::new(),
        limits: LimitsConfig::default(),
        times: TimesConfig::default(),
    }
}

fn realm(realm: &EdgeRealm) -> RealmConfig {
    RealmConfig {
        name: realm.name.clone(),
        aliases: realm.aliases.clone(),
        suffixes: realm.suffixes.clone(),
        connector: ConnectorNames::default(),
        administrators_from: ConnectorNames::default(),
        access: AccessGroups { users: realm.users.clone(), ..AccessGroups::default() },
        // These are known to the server alone.
        device_passwords: DevicePasswords::Off,
        device_certificates: DeviceCertificates::Off,
        tokens: None,
    }
}
