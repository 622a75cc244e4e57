//! Which clients obey a setting. None of this is told by the protocol: a client acknowledges a
//! policy as a whole. It is what their makers publish and what their sources show; where neither
//! says anything, that is said.

use schemars::JsonSchema;
use serde::Serialize;

/// A client that people use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// Mail of iOS and iPadOS.
    AppleMail,
    /// Gmail, and the built-in mail apps that stem from Android's own Exchange service.
    AndroidGmail,
    /// Outlook for iOS and Android.
    Outlook,
    /// Nine, by 9Folders.
    Nine,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AppleMail, Self::AndroidGmail, Self::Outlook, Self::Nine];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AppleMail => "iOS Mail",
            Self::AndroidGmail => "Android, Gmail",
            Self::Outlook => "Outlook",
            Self::Nine => "Nine",
        }
    }
}

/// Whether a client does what a setting says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obeys {
    /// It does.
    Yes,
    /// On some systems, within the app only, or by refusing to synchronise.
    Partly,
    /// It does not, whatever it acknowledges.
    No,
    /// Nothing trustworthy says.
    Unknown,
}

impl Obeys {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
            Self::Unknown => "not known",
        }
    }
}

/// Which clients obey a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Obeyed {
    /// iOS Mail.
    pub apple_mail: Obeys,
    /// Gmail on Android.
    pub android_gmail: Obeys,
    /// Outlook.
    pub outlook: Obeys,
    /// Nine.
    pub nine: Obeys,
}

impl Obeyed {
    /// Whether a client does.
    pub fn by(&self, client: Client) -> Obeys {
        match client {
            Client::AppleMail => self.apple_mail,
            Client::AndroidGmail => self.android_gmail,
            Client::Outlook => self.outlook,
            Client::Nine => self.nine,
        }
    }

    pub(crate) const fn of(
        apple_mail: Obeys,
        android_gmail: Obeys,
        outlook: Obeys,
        nine: Obeys,
    ) -> Self {
        Self { apple_mail, android_gmail, outlook, nine }
    }
}
