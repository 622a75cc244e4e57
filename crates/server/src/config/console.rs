//! Settings of the console: how administrators sign in.

use serde::Deserialize;

/// How administrators sign in to the console.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Whether a password alone is enough.
    pub second_factor: SecondFactorMode,
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
