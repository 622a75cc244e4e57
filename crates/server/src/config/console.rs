//! Where administrators come to, and how they sign in to the console.

use super::problems::Problems;
use dme_model::Secret;
use dme_openid::{Client, ProviderConfig};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where browsers come back to from a provider, below the console's address.
pub const REDIRECT: &str = "/sign-in/provider/back";

/// The administration listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address and port to listen on. Plain HTTP: keep it on loopback.
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8480)) }
    }
}

/// How administrators sign in to the console.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Whether a password alone is enough.
    pub second_factor: SecondFactorMode,
    /// The provider with which they may sign in instead.
    pub openid: Option<OpenIdConfig>,
}

/// An OpenID provider with which administrators sign in (OpenID Connect Core 1.0). What beside the
/// password they show there is its business.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdConfig {
    /// What people call it: stands on the button.
    pub name: String,
    /// Its issuer identifier, exactly as it writes it.
    pub issuer: String,
    /// As it knows the console.
    pub client_id: String,
    /// What shows that it is the console; none of a public client.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// The console's own address as browsers reach it, `https://console.example.org`.
    pub address: String,
    /// The claim that is the login here.
    #[serde(default = "preferred_username")]
    pub login_claim: String,
    /// What is asked for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The ways of signing in (`acr`) that are good enough; all where there are none.
    #[serde(default)]
    pub acr: Vec<String>,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

pub(super) fn preferred_username() -> String {
    "preferred_username".to_owned()
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).into()
}

impl OpenIdConfig {
    /// The provider.
    pub fn provider(&self) -> ProviderConfig {
        ProviderConfig {
            issuer: self.issuer.clone(),
            login_claim: self.login_claim.clone(),
            ca_file: self.ca_file.clone(),
        }
    }

    /// Who the console is to it.
    pub fn client(&self) -> Client {
        Client {
            id: self.client_id.clone(),
            secret: self.client_secret.clone(),
            redirect: format!("{}{REDIRECT}", self.address.trim_end_matches('/')),
            scopes: self.scopes.clone(),
            acr: self.acr.clone(),
        }
    }
}

pub(super) fn check(config: &ConsoleConfig, found: &mut Problems) {
    let Some(openid) = &config.openid else { return };
    if let Some(problem) = openid.provider().problem() {
        found.say(format!("console.openid.{problem}"));
    }
    for (key, value) in [("name", &openid.name), ("client_id", &openid.client_id)] {
        if value.is_empty() {
            found.say(format!("console.openid.{key} is empty"));
        }
    }
    let is_address = openid.address.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    if !is_address {
        found.say(
            "console.openid.address is no address: write the console's own as browsers reach it, \
             as in https://console.example.org",
        );
    }
}

/// Whether administrators who sign in by password show a code beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactorMode {
    /// Everybody does; who has no authenticator sets one up before anything else.
    #[default]
    Required,
    /// Those who set one up do.
    Optional,
}
