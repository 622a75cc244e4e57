//! What somebody who is signed in to the console sees of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One's own account in the console.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Who it is, as records have them.
    pub who: String,
    /// What they are.
    pub roles: Vec<String>,
    /// What they show beside their password; nothing where they show none.
    pub second_factor: Option<SecondFactor>,
    /// Whether everybody must.
    pub second_factor_required: bool,
    /// Their sessions in browsers, the one that was used last first.
    pub sessions: Vec<OwnSession>,
}

/// A second factor: an authenticator, and recovery codes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SecondFactor {
    /// When it was set up, seconds since the epoch.
    pub made: i64,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

/// A session in a browser.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OwnSession {
    /// By which it is told from others; it opens nothing.
    pub session: String,
    /// When it began, seconds since the epoch.
    pub began: i64,
    /// When something was last asked for, seconds since the epoch.
    pub seen: i64,
    /// From which address it began.
    pub client: String,
    /// What the browser called itself.
    pub agent: String,
    /// By what it was shown who it is: `password`, `password and code`,
    /// `provider`, `link`, `emergency account`.
    pub by: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A user's session in a browser, as administrators see it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UserSession {
    /// By which it is told from others; it opens nothing.
    pub session: String,
    /// `console` where it is of the administrators' pages, `my` where of the user's own.
    pub of: String,
    /// When it began, seconds since the epoch.
    pub began: i64,
    /// When its user last asked for something, seconds since the epoch.
    pub seen: i64,
    /// From which address it began.
    pub client: String,
    /// What the browser called itself.
    pub agent: String,
    /// By what it was shown who it is: `password`, `password and code`, `provider`.
    pub by: String,
    /// Whether a code was shown beside the password. What a provider asks for is not known here.
    pub second_factor: bool,
}

/// A secret that an authenticator may take. Nothing is kept before a code of it was shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OfferedFactor {
    /// In Base32 (RFC 4648 §6).
    pub secret: String,
    /// The same as a key URI: SHA-1, six digits, thirty seconds.
    pub link: String,
    /// That as a QR code, in SVG.
    pub qr: String,
}

/// A code of an authenticator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits.
    pub code: String,
}

/// Codes for whoever has lost their authenticator; each is good once. They are not shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodes {
    /// All of them.
    pub recovery_codes: Vec<String>,
}

/// How many sessions were ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionsEnded {
    /// So many.
    pub ended: usize,
}

/// The account for emergencies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Emergency {
    /// Nothing where there is none.
    pub account: Option<EmergencyAccount>,
}

/// The account for emergencies, without its password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EmergencyAccount {
    /// By which name one signs in.
    pub name: String,
    /// When it was made, seconds since the epoch.
    pub made: i64,
    /// From when on it opens nothing, seconds since the epoch.
    pub ends: i64,
    /// Whether that is over.
    pub ended: bool,
    /// When it was used last, seconds since the epoch.
    pub used: Option<i64>,
    /// From which address that was.
    pub client: Option<String>,
}

/// An account for emergencies to be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmergency {
    /// By which name one signs in: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// For how many days it is good: 1 to 366.
    pub days: u32,
    /// Its password, of 15 characters at least; one is made where there is none.
    #[serde(default)]
    pub password: Option<String>,
}

/// An account for emergencies that was made; the password is not shown again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MadeEmergency {
    /// By which name one signs in.
    pub name: String,
    /// With which password.
    pub password: String,
}
