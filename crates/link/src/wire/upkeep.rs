//! The calls about the connector itself.

use super::call::Call;
use serde::{Deserialize, Serialize};

/// `connector/diagnose`
#[derive(Serialize, Deserialize)]
pub(crate) struct Diagnose {}

impl Call for Diagnose {
    const NAME: &'static str = "connector/diagnose";
    type Answer = Diagnosis;
}

/// What a connector finds out about itself, without a secret or anything of a user's.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnosis {
    /// The connector's clock, in seconds since the epoch.
    pub taken: i64,
    /// Its release.
    pub software: String,
    /// The system it runs on.
    pub system: String,
    /// Since when it runs, in seconds since the epoch.
    pub started: i64,
    /// Where its services are configured, and what is in force, in words.
    pub configuration: String,
    /// Its own settings, in TOML.
    pub settings: String,
    /// The configuration from the server that is in force, in TOML.
    pub pushed: Option<String>,
    /// What was tried, in order.
    pub checks: Vec<Check>,
    /// The last lines of its log that are warnings or errors, the newest last.
    pub log: Vec<String>,
}

/// What came of one thing that was tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What was tried.
    pub step: String,
    /// What came of it.
    pub verdict: CheckVerdict,
    /// In words.
    pub said: String,
}

/// What came of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckVerdict {
    /// It is as it should be.
    Good,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Bad,
    /// It could not be found out; or a verdict of a newer release.
    #[serde(other)]
    Unknown,
}
