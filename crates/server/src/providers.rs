//! The OpenID providers that a configuration names, tried out.

use crate::clock::now;
use crate::config::ServerConfig;
use dme_openid::{Error, Provider};
use std::sync::Arc;

/// Asks each provider what it says of itself, with its keys: which setting names it, and where people
/// sign in there.
pub async fn try_out(config: &ServerConfig) -> Vec<(String, Result<String, Error>)> {
    let console = config.console.openid.as_ref();
    let console = console.map(|openid| ("console.openid".to_owned(), openid.provider()));
    let phones = config.realms.iter().filter_map(|realm| {
        let tokens = realm.tokens.as_ref()?;
        Some((format!("realms.tokens of {}", realm.name), tokens.provider()))
    });
    let mut found = Vec::new();
    for (setting, provider) in console.into_iter().chain(phones) {
        let provider = Provider::new(provider, Arc::new(now));
        found.push((setting, provider.authorization_endpoint().await));
    }
    found
}
