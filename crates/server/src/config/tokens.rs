//! Settings of a realm whose phones may show an access token in the place of a password.

use super::RealmConfig;
use super::problems::Problems;
use dme_openid::ProviderConfig;
use serde::Deserialize;
use std::path::PathBuf;

/// Whose access tokens let phones of a realm in.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensConfig {
    /// The issuer identifier of the OpenID provider, exactly as it writes it.
    pub issuer: String,
    /// For whom a token must be: one of its audiences.
    pub audience: String,
    /// What a token must allow (`scope` or `scp`); nothing where it is not set.
    #[serde(default)]
    pub scope: Option<String>,
    /// The claim that is the login here.
    #[serde(default = "super::console::preferred_username")]
    pub login_claim: String,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl TokensConfig {
    /// The provider.
    pub fn provider(&self) -> ProviderConfig {
        ProviderConfig {
            issuer: self.issuer.clone(),
            login_claim: self.login_claim.clone(),
            ca_file: self.ca_file.clone(),
        }
    }
}

pub(super) fn check(realm: &RealmConfig, found: &mut Problems) {
    let Some(tokens) = &realm.tokens else { return };
    let name = realm.name.as_str();
    if let Some(problem) = tokens.provider().problem() {
        found.say(format!("realms.tokens of {name}: {problem}"));
    }
    if tokens.audience.is_empty() {
        found.say(format!(
            "realms.tokens of {name}: audience is empty, so that no token would count: name the one \
             that the provider writes into tokens for this server"
        ));
    }
}
