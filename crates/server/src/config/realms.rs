//! The realms: who checks their passwords, and what their groups mean.

use super::one_or_several::one_or_several;
use super::own::{DeviceCertificates, DevicePasswords};
use super::problems::Problems;
use super::tokens::{self, TokensConfig};
use dme_directory::AccessGroups;
use dme_model::Realm;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// One realm: the part of a login after `@`, and who checks its passwords.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealmConfig {
    /// Its name, as in `ann@example.org`.
    pub name: Realm,
    /// Other names that mean it: `EXAMPLE` of `EXAMPLE\ann`, former domains.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Domains in which its people have other names, which its directory knows: suffixes of user
    /// principal names, mail domains.
    #[serde(default)]
    pub suffixes: Vec<String>,
    /// The connectors that authenticate it, by name, the first before the next; where absent the
    /// in-process one, else the only one that says its directory is of this realm.
    #[serde(default)]
    pub connector: ConnectorNames,
    /// Of several directories of the realm, the connectors of those whose groups say who administers,
    /// for all of `access` but `users`; where absent the one whose logins are everyone's.
    #[serde(default)]
    pub administrators_from: ConnectorNames,
    /// The groups that give rights.
    pub access: AccessGroups,
    /// Whether phones may show, or must, a password made for them alone.
    #[serde(default)]
    pub device_passwords: DevicePasswords,
    /// Whether phones may show, or must, a certificate made for them alone.
    #[serde(default)]
    pub device_certificates: DeviceCertificates,
    /// Whose access tokens let phones in, beside passwords.
    #[serde(default)]
    pub tokens: Option<TokensConfig>,
}

/// Connectors by name: one text, or a list of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConnectorNames(pub Vec<String>);

impl<'de> Deserialize<'de> for ConnectorNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "a connector's name, or a list of names").map(Self)
    }
}

pub(super) fn check(realms: &[RealmConfig], found: &mut Problems) {
    if realms.is_empty() {
        found.say("realms: at least one realm is needed");
    }
    let mut names = BTreeMap::<Realm, usize>::new();
    for realm in realms {
        *names.entry(Realm::named(realm.name.as_str())).or_default() += 1;
    }
    for (name, times) in names.iter().filter(|(_, times)| **times > 1) {
        found.say(format!("realms: {name} is there {times} times; write it once"));
    }
    realms.iter().for_each(|realm| tokens::check(realm, found));
    for realm in realms.iter().filter(|realm| !realm.connector.0.is_empty()) {
        let is_asked = |name: &&String| realm.connector.0.contains(name);
        for name in realm.administrators_from.0.iter().filter(|name| !is_asked(name)) {
            found.say(format!(
                "realms.administrators_from: {name} is not in `connector` of {}; add it there",
                realm.name
            ));
        }
    }
    let mut suffixes = BTreeMap::<Realm, &Realm>::new();
    for realm in realms {
        for suffix in realm.suffixes.iter().map(|suffix| Realm::named(suffix.trim())) {
            let is_name = |realm: &RealmConfig| {
                let names = realm.aliases.iter().map(|alias| Realm::named(alias.trim()));
                names.chain([Realm::named(realm.name.as_str())]).any(|name| name == suffix)
            };
            if realms.iter().any(is_name) {
                found.say(format!("realms.suffixes: {suffix} is a realm's name or alias already"));
            } else if let Some(other) = suffixes.insert(suffix.clone(), &realm.name) {
                found.say(format!("realms.suffixes: {suffix} is one of {other} already"));
            }
        }
    }
}
