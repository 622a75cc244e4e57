//! The shapes of users as administrators see them.

use super::Device;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Canonical.
    pub user: String,
    /// As the directory has it; none where it does not know the user.
    pub address: Option<String>,
    /// As the directory has it.
    pub display_name: Option<String>,
    /// Whether access is given, and why or why not.
    pub access: String,
    /// Shut out here, whatever the directory says.
    pub disabled: bool,
    /// Whether a code is shown beside the password to sign in to the console.
    #[serde(default)]
    pub second_factor: bool,
    /// Which connector checks the password, or why none does.
    #[serde(default)]
    pub authentication: String,
    /// Which connector serves the mail, and why.
    pub route: String,
    /// The user's devices.
    pub devices: Vec<Device>,
}
