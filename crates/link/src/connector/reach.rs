//! Trying the way to the server without making a link, for `dme check`.

use super::addresses::Addresses;
use super::config::ConnectorConfig;
use super::dial;
use super::identity::Identities;
use crate::{Error, Result, tls};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// How long the server may take to refuse the connector's certificate. It says nothing where it
/// takes it: it waits for the connector's first word, which is not said.
const REFUSAL: Duration = Duration::from_secs(2);

/// What came of trying one address.
#[derive(Debug)]
pub struct Reached {
    /// The address, `host:port`.
    pub address: String,
    /// Nothing where the server showed a certificate of the authority this connector enrolled with,
    /// and took the connector's own.
    pub outcome: Result<()>,
}

/// Dials every address of the server, through the proxy if there is one, and shakes hands with the
/// certificate in use. No link is made, and one that stands is not disturbed.
///
/// # Errors
/// `NotEnrolled` where there is no identity; others where it is damaged.
pub async fn reach(config: &ConnectorConfig) -> Result<Vec<Reached>> {
    let identities = Identities::open(&config.identity)?;
    let servers = Addresses::new(config, identities.clone()).in_order();
    let mut all = Vec::with_capacity(servers.len());
    for address in servers {
        let tried = tokio::time::timeout(config.dial_limit, one(config, &identities, &address));
        let outcome = tried.await.unwrap_or_else(|_| {
            let reason = "it took too long".to_owned();
            Err(Error::Unreachable { address: address.clone(), reason })
        });
        all.push(Reached { address, outcome });
    }
    Ok(all)
}

async fn one(config: &ConnectorConfig, identities: &Identities, address: &str) -> Result<()> {
    let mut last = Error::NotEnrolled(config.identity.clone());
    for (_, identity) in identities.candidates()? {
        let tls = tls::link_client(identities.authority(), &identity)?;
        let proxy = config.proxy.as_ref();
        let mut io = dial::tls(address, proxy, None, tls, Default::default()).await?;
        match tokio::time::timeout(REFUSAL, io.read_u8()).await {
            // Silence: it waits.
            Err(_) => return Ok(()),
            Ok(Ok(_)) => last = Error::Protocol("the server spoke first".into()),
            Ok(Err(error)) => last = Error::Tls(format!("{address}: {error}")),
        }
    }
    Err(last)
}
