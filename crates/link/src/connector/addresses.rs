//! Where a connector looks for its server: where its configuration says, else where its token said, or
//! the server itself when they were last linked.

use super::config::ConnectorConfig;
use super::identity::Identities;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::{info, warn};

/// More addresses than that are not taken from a server.
const MOST: usize = 16;
/// Nor longer ones: a name in DNS and a port are shorter.
const LONGEST: usize = 300;

/// The addresses of one connector's server.
pub(super) struct Addresses {
    /// Those of the configuration, before which nothing goes.
    configured: Vec<String>,
    known: Mutex<Vec<String>>,
    identities: Identities,
}

impl Addresses {
    /// Those known from before.
    pub fn new(config: &ConnectorConfig, identities: Identities) -> Self {
        let (configured, known) = (config.servers.clone(), identities.servers().to_vec());
        Self { configured, known: Mutex::new(known), identities }
    }

    /// All, in the order to try them.
    pub fn in_order(&self) -> Vec<String> {
        match self.configured.as_slice() {
            [] => self.known().clone(),
            configured => configured.to_vec(),
        }
    }

    /// The server said where it is to be looked for. The address at which it said so is known to be
    /// good and stays, the last: wrong ones shall strand nobody.
    pub fn told(&self, servers: &[String], reached: &str) {
        let is_sound = |server: &String| server.len() <= LONGEST && server.contains(':');
        if servers.is_empty() || servers.len() > MOST || !servers.iter().all(is_sound) {
            return;
        }
        let mut told = servers.to_vec();
        if !told.iter().any(|server| server == reached) {
            told.push(reached.to_owned());
        }
        let mut known = self.known();
        if *known == told {
            return;
        }
        match self.identities.moved(&told) {
            Ok(()) => info!(servers = ?told, "the server is looked for there from now on"),
            Err(error) => warn!(%error, servers = ?told, "not kept: the server's addresses"),
        }
        *known = told;
    }

    fn known(&self) -> MutexGuard<'_, Vec<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
