//! What the gate is told: its settings, and the realms.

use crate::{AccessGroups, DirectoryService};
use dme_model::{Realm, Span};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// The gate's settings.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// How long a checked password is good without asking the directory again.
    pub password_life: Span,
    /// How long a wrong password is refused from memory.
    pub wrong_password_life: Span,
    /// How long after the directory last vouched for somebody they are let in while it is down.
    /// `0s` lets nobody in.
    pub grace: Span,
    /// How often groups and people are read again: the longest time somebody who left keeps access.
    pub refresh: Span,
    /// The longest time a phone waits for the directory.
    pub check_timeout: Span,
    /// How many wrong passwords, and how many questions to the directory, a device may cause for a
    /// user in a row. Devices that were never let in count together; what the directory was not
    /// there to answer does not count.
    pub attempts: u32,
    /// How often one more is allowed.
    pub attempt_every: Span,
    /// How many questions may be open at once, of all users.
    pub parallel_checks: usize,
    /// How many users are remembered.
    pub remembered_users: usize,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            password_life: Span(Duration::from_secs(10 * 60)),
            wrong_password_life: Span(Duration::from_secs(30 * 60)),
            grace: Span(Duration::from_secs(8 * 3600)),
            refresh: Span(Duration::from_secs(60)),
            check_timeout: Span(Duration::from_secs(15)),
            attempts: 5,
            attempt_every: Span(Duration::from_secs(60)),
            parallel_checks: 256,
            remembered_users: 100_000,
        }
    }
}

/// One realm: its directory, and what its groups mean.
pub struct RealmSetup {
    /// The realm.
    pub realm: Realm,
    /// What it is called else: mail domains, the Windows domain.
    pub aliases: Vec<String>,
    /// The domains in which its people have other names that the directory tells apart: suffixes
    /// of user principal names, mail domains.
    pub suffixes: Vec<String>,
    /// The one directory that its passwords go to.
    pub directory: Arc<dyn DirectoryService>,
    /// The groups that give rights.
    pub access: AccessGroups,
}
