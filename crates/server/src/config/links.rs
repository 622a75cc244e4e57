//! The listener for connectors, and what each of them is given to do.

use super::one_or_several::one_or_several;
use super::problems::Problems;
use crate::host::Host;
use dme_model::{Span, within};
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;

/// The listener for connectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinksConfig {
    /// Address and port to listen on; connectors dial it. None where there are only in-process
    /// connectors.
    pub listen: Option<SocketAddr>,
    /// `host:port` as connectors reach it, or several of them in the order to try them; written into
    /// their tokens, and told to them whenever they link. The phones' host with the listener's port
    /// where absent.
    pub address: Addresses,
    /// Calls under way at once on one connector.
    pub parallel_calls: usize,
    /// Those of one user among them, at most half.
    pub calls_per_user: usize,
    /// Calls waiting for a place beyond that; further ones are answered "busy".
    pub queued_calls: usize,
    /// Fetches of items under way at once on one connector, beside the calls.
    pub parallel_fetches: usize,
    /// Mailboxes watched at once on one connector.
    pub watches: usize,
    /// Connections at once whose owner is not known yet; beyond, the oldest is closed.
    pub handshakes: usize,
    /// How long a link's certificate lives; it renews itself at two thirds.
    pub certificate_life: Span,
}

impl Default for LinksConfig {
    fn default() -> Self {
        Self {
            listen: None,
            address: Addresses::default(),
            parallel_calls: 25,
            calls_per_user: 8,
            queued_calls: 200,
            parallel_fetches: 25,
            watches: 100_000,
            handshakes: 512,
            certificate_life: Span::seconds(30 * 86_400),
        }
    }
}

/// Addresses of this server, `host:port`: one text, or a list of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addresses(pub Vec<String>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "an address, or a list of addresses").map(Self)
    }
}

/// More addresses than that of one server are a slip of the hand.
pub const MOST_ADDRESSES: usize = 8;

/// Reads an address at which connectors reach a server.
///
/// # Errors
/// In words that fit after the setting's name.
pub fn link_address(text: &str) -> Result<Host, String> {
    match Host::parse(text)? {
        Host { name, port: None } => {
            Err(format!("is \"{name}\": the port is missing, as in {name}:8443"))
        }
        host => Ok(host),
    }
}

pub(super) fn check(links: &LinksConfig, found: &mut Problems) {
    let addresses = &links.address.0;
    for (at, address) in addresses.iter().enumerate() {
        match link_address(address) {
            Err(what) => found.say(format!("links.address {what}")),
            Ok(_) if addresses.iter().take(at).any(|before| before == address) => {
                found.say(format!("links.address has \"{address}\" twice; write it once"));
            }
            Ok(_) => {}
        }
    }
    if addresses.len() > MOST_ADDRESSES {
        found.say(format!("links.address has more than {MOST_ADDRESSES} addresses"));
    }
    found.see(within("links.parallel_calls", links.parallel_calls, 1..=10_000));
    found.see(within("links.calls_per_user", links.calls_per_user, 1..=10_000));
    found.see(within("links.queued_calls", links.queued_calls, 0..=1_000_000));
    found.see(within("links.parallel_fetches", links.parallel_fetches, 1..=10_000));
    found.see(within("links.watches", links.watches, 1..=100_000_000));
    found.see(within("links.handshakes", links.handshakes, 1..=1_000_000));
    found.span(
        "links.certificate_life",
        links.certificate_life,
        Span::seconds(60),
        Span::seconds(3650 * 86_400),
    );
}
