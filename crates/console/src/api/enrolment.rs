//! The shapes of tokens and codes that connectors enrol with, and of where they link.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A token to be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The connector's name.
    pub name: String,
    /// Whether the connector may serve without being unlocked.
    #[serde(default)]
    pub approved: bool,
    /// For how long the token is good, in seconds.
    pub valid_seconds: u64,
}

/// A token, shown once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct IssuedToken {
    /// Its text.
    pub token: String,
}

/// A code to be made, by which a connector comes back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    /// For how long the code is good, in seconds.
    pub valid_seconds: u64,
}

/// A code, shown once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct IssuedCode {
    /// Its text, ten characters and a hyphen.
    pub code: String,
}

/// A token or code that was made; what it says is not kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// The connector's name.
    pub name: String,
    /// Whether the connector may serve without being unlocked.
    pub approved: bool,
    /// Until when it is good, seconds since the epoch.
    pub expires: i64,
    /// `unused`, `used` or `expired`.
    pub state: String,
    /// It is a code, by which the connector comes back under its id.
    #[serde(default)]
    pub code: bool,
}

/// Where a connector is to make its next link.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// Addresses, `host:port`, in the order to try them; where none of them answers it goes on to
    /// those that it knows.
    pub servers: Vec<String>,
}

/// A connector that was told to go elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moving {
    /// Its name.
    pub connector: String,
    /// Where it is to go.
    pub servers: Vec<String>,
}
