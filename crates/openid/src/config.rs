//! Which provider, and how its people are called here.

use crate::fetch::Place;
use std::path::PathBuf;

/// A provider whose word counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderConfig {
    /// Its issuer identifier, a URL of https, exactly as the provider writes it. What else there is to
    /// know of it stands below that at `/.well-known/openid-configuration`.
    pub issuer: String,
    /// The claim of a token that is the login here: `preferred_username`, `email`, `upn`.
    pub login_claim: String,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl ProviderConfig {
    /// What is wrong with it, in words that begin with the setting's name.
    pub fn problem(&self) -> Option<String> {
        if let Err(what) = Place::parse(&self.issuer) {
            return Some(format!("issuer {what}"));
        }
        if self.issuer.contains(['?', '#']) {
            return Some("issuer has a query or a fragment: it is an address alone".into());
        }
        if self.login_claim.is_empty() {
            return Some("login_claim is empty: name the claim that is the login".into());
        }
        let path = self.ca_file.as_ref().filter(|path| !path.is_file())?;
        Some(format!("ca_file {} is no file", path.display()))
    }
}
