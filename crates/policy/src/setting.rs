//! The settings of a policy: the elements of `EASProvisionDoc` (MS-ASPROV 2.2.2.28), each with what
//! it means, which values it has, and which clients obey it; and one of ours, whether phones must
//! take the policy at all.

use crate::obeyed::{Obeyed, Obeys};
use crate::value::{Kind, Unlimited};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// What a setting is about; for ordering and headings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Whether the policy must be taken.
    Policy,
    /// The code that unlocks the device.
    Password,
    /// Encryption of what is on the device.
    Encryption,
    /// What is synchronised, and how much.
    Synchronisation,
    /// What the device may do.
    Device,
    /// Signed and encrypted mail.
    Smime,
    /// Which applications may run.
    Applications,
}

impl Area {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Policy => "The policy itself",
            Self::Password => "Password",
            Self::Encryption => "Encryption",
            Self::Synchronisation => "Synchronisation",
            Self::Device => "Device",
            Self::Smime => "S/MIME",
            Self::Applications => "Applications",
        }
    }
}

/// All there is to know of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct About {
    /// Which.
    pub setting: Setting,
    /// Its element in MS-ASPROV, or our own name.
    pub name: &'static str,
    /// What it is about.
    pub area: Area,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// Which values it has.
    #[serde(flatten)]
    pub kind: Kind,
    /// The first protocol version that has it; none for what is ours. All of them exist in every
    /// version spoken here (12.1 to 16.1).
    pub since: Option<&'static str>,
    /// Which clients obey it.
    pub obeyed: Obeyed,
    /// What is to be known beyond that; empty for nothing.
    pub note: &'static str,
}

const YES: Obeys = Obeys::Yes;
const PART: Obeys = Obeys::Partly;
const NO: Obeys = Obeys::No;
const OPEN: Obeys = Obeys::Unknown;

const ALLOWED: Kind = Kind::Switch { unset: true };
const NOT_DEMANDED: Kind = Kind::Switch { unset: false };

const fn number(least: u32, most: u32, unit: &'static str, unlimited: Unlimited) -> Kind {
    Kind::Number { least, most, unit, unlimited }
}

/// Android has let no app but a management one set these since release 10: Google's page on the
/// deprecation of device administrators.
const SINCE_ANDROID_10: &str = "Since Android 10 an app that is no device manager can only ask for a \
     complexity of the screen lock, not for this; what it acknowledges says nothing of it.";
/// Android's own Exchange service sets its list of policies it does not know how to apply apart, and
/// acknowledges with \"partly\".
const ANDROID_PARTLY: &str = "Android's Exchange service counts it among the policies it cannot \
     apply, and says so by acknowledging the policy partly.";
const WINDOWS_MOBILE: &str = "Meant for Windows Mobile; no phone of today does anything by it that \
     is known.";

macro_rules! settings {
    ($($setting:ident, $area:ident, $kind:expr, $since:expr, [$ios:ident $android:ident $outlook:ident $nine:ident],
        $meaning:expr, $note:expr;)*) => {
        /// A setting of a policy.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Setting {
            $(#[doc = $meaning] $setting,)*
        }

        impl Setting {
            /// All, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$setting,)*];

            /// All there is to know of it.
            pub fn about(self) -> &'static About {
                match self {
                    $(Self::$setting => const { &About {
                        setting: Self::$setting,
                        name: stringify!($setting),
                        area: Area::$area,
                        meaning: $meaning,
                        kind: $kind,
                        since: $since,
                        obeyed: Obeyed::of($ios, $android, $outlook, $nine),
                        note: $note,
                    } },)*
                }
            }
        }
    };
}

settings! {
    Enforcement, Policy, Kind::Choice { words: &["off", "optional", "required"], unset: "off" }, None, [YES YES YES YES],
        "Whether there is a policy: off, given to phones that ask, or required of all.",
        "Held by the server: where it is required, a device that does not acknowledge the policy gets no data. \
         A device that acknowledges it partly is let in, and shown as such.";
    DevicePasswordEnabled, Password, NOT_DEMANDED, Some("12.0"), [YES YES YES OPEN],
        "A code is needed to unlock the device.",
        "";
    AlphanumericDevicePasswordRequired, Password, NOT_DEMANDED, Some("12.0"), [YES PART NO OPEN],
        "The code holds letters as well as digits.", SINCE_ANDROID_10;
    MinDevicePasswordLength, Password, number(1, 16, "characters", Unlimited::Lowest), Some("12.0"), [YES PART PART OPEN],
        "The shortest code.", "Outlook obeys it on Android only. Since Android 10 an app that is no device manager can only \
         ask for a complexity of the screen lock, which stands in for a length.";
    MinDevicePasswordComplexCharacters, Password, number(1, 4, "kinds", Unlimited::Impossible), Some("12.1"), [YES PART NO OPEN],
        "How many kinds of characters a code has: capital and small letters, digits, others.",
        "iOS takes it as the number of characters that are neither letters nor digits. Android 10 and later: see the length.";
    AllowSimpleDevicePassword, Password, ALLOWED, Some("12.0"), [YES NO NO OPEN],
        "Codes such as 1234 or 1111 may be chosen.", "Android's Exchange service passes it over.";
    MaxDevicePasswordFailedAttempts, Password, number(4, 16, "attempts", Unlimited::Highest), Some("12.0"), [YES PART NO OPEN],
        "Wrong codes until the device wipes itself.", "The device erases itself, not the account: think of phones that children play with.";
    MaxInactivityTimeDeviceLock, Password, number(1, 9998, "seconds", Unlimited::Highest), Some("12.0"), [YES PART NO OPEN],
        "Time without use until the device locks itself.", "iOS rounds down to one of the times its settings offer.";
    DevicePasswordExpiration, Password, number(1, u32::MAX, "days", Unlimited::Highest), Some("12.0"), [YES PART NO OPEN],
        "How long a code may be kept.", SINCE_ANDROID_10;
    DevicePasswordHistory, Password, number(0, u32::MAX, "codes", Unlimited::Impossible), Some("12.0"), [YES PART NO OPEN],
        "How many former codes may not be taken again.", SINCE_ANDROID_10;
    PasswordRecoveryEnabled, Password, NOT_DEMANDED, Some("12.0"), [NO NO NO OPEN],
        "The device leaves a recovery code with the server.",
        "This server keeps no recovery codes: it answers that access is denied.";
    RequireDeviceEncryption, Encryption, NOT_DEMANDED, Some("12.1"), [YES YES YES OPEN],
        "What the device stores is encrypted.", "iOS encrypts whenever there is a code; Android since release 10.";
    RequireStorageCardEncryption, Encryption, NOT_DEMANDED, Some("12.0"), [NO PART NO OPEN],
        "Memory cards are encrypted.", ANDROID_PARTLY;
    AttachmentsEnabled, Synchronisation, ALLOWED, Some("12.0"), [PART YES PART PART],
        "Attachments may be fetched.", "Held by the server as well: it gives none out.";
    MaxAttachmentSize, Synchronisation, number(1, u32::MAX, "bytes", Unlimited::Highest), Some("12.0"), [OPEN YES OPEN OPEN],
        "The largest attachment that may be fetched.", "";
    AllowHTMLEmail, Synchronisation, ALLOWED, Some("12.1"), [OPEN NO OPEN OPEN],
        "Mail may be formatted.", ANDROID_PARTLY;
    MaxEmailAgeFilter, Synchronisation, Kind::Choice { words: &["all", "one-month", "two-weeks", "one-week", "three-days", "one-day"], unset: "all" }, Some("12.1"), [OPEN YES OPEN OPEN],
        "How far back mail may be kept on the device.", "";
    MaxCalendarAgeFilter, Synchronisation, Kind::Choice { words: &["all", "six-months", "three-months", "one-month", "two-weeks"], unset: "all" }, Some("12.1"), [OPEN YES OPEN OPEN],
        "How far back the calendar may be kept on the device.", "";
    MaxEmailBodyTruncationSize, Synchronisation, number(0, 2_147_483_647, "KB", Unlimited::Highest), Some("12.1"), [OPEN YES OPEN OPEN],
        "The most of a plain text that is fetched by itself.", "";
    MaxEmailHTMLBodyTruncationSize, Synchronisation, number(0, 2_147_483_647, "KB", Unlimited::Highest), Some("12.1"), [OPEN YES OPEN OPEN],
        "The most of a formatted text that is fetched by itself.", "";
    RequireManualSyncWhenRoaming, Synchronisation, NOT_DEMANDED, Some("12.1"), [YES YES NO OPEN],
        "In foreign networks the device synchronises only when its user wants it.", "";
    AllowCamera, Device, ALLOWED, Some("12.1"), [PART PART NO OPEN],
        "The camera may be used.", SINCE_ANDROID_10;
    AllowBrowser, Device, ALLOWED, Some("12.1"), [OPEN NO NO OPEN],
        "The built-in browser may be used.", "iOS once did; whether it still does on a device that is not managed is not known.";
    AllowStorageCard, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Memory cards may be used.", ANDROID_PARTLY;
    AllowWiFi, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Wi-Fi may be used.", ANDROID_PARTLY;
    AllowTextMessaging, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "SMS may be used.", ANDROID_PARTLY;
    AllowPOPIMAPEmail, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "POP and IMAP accounts may be added.", ANDROID_PARTLY;
    AllowConsumerEmail, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Private mail accounts may be added.", ANDROID_PARTLY;
    AllowBluetooth, Device, Kind::Choice { words: &["allowed", "hands-free", "forbidden"], unset: "allowed" }, Some("12.1"), [NO NO PART OPEN],
        "Whether Bluetooth may be used: wholly, for telephoning only, or not at all.",
        "Outlook for Android stops its own exchange with watches by it; Bluetooth itself stays on.";
    AllowIrDA, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Infrared may be used.", ANDROID_PARTLY;
    AllowDesktopSync, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "The device may synchronise with a computer.", WINDOWS_MOBILE;
    AllowRemoteDesktop, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Remote desktops may be used.", WINDOWS_MOBILE;
    AllowInternetSharing, Device, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "The device may share its connection with others.", ANDROID_PARTLY;
    RequireSignedSMIMEMessages, Smime, NOT_DEMANDED, Some("12.1"), [OPEN NO OPEN OPEN],
        "Mail is signed.", ANDROID_PARTLY;
    RequireEncryptedSMIMEMessages, Smime, NOT_DEMANDED, Some("12.1"), [OPEN NO OPEN OPEN],
        "Mail is encrypted.", ANDROID_PARTLY;
    RequireSignedSMIMEAlgorithm, Smime, Kind::Choice { words: &["sha1", "md5"], unset: "sha1" }, Some("12.1"), [OPEN NO OPEN OPEN],
        "With which algorithm mail is signed.", "The protocol has none that is safe today; leave it.";
    RequireEncryptionSMIMEAlgorithm, Smime, Kind::Choice { words: &["3des", "des", "rc2-128", "rc2-64", "rc2-40"], unset: "3des" }, Some("12.1"), [OPEN NO OPEN OPEN],
        "With which algorithm mail is encrypted.", "The protocol has none that is safe today; leave it.";
    AllowSMIMEEncryptionAlgorithmNegotiation, Smime, Kind::Choice { words: &["any", "strong", "none"], unset: "any" }, Some("12.1"), [OPEN NO OPEN OPEN],
        "Whether a device may choose another algorithm that its recipient knows: any, a strong one, or none.", "";
    AllowSMIMESoftCerts, Smime, ALLOWED, Some("12.1"), [OPEN NO OPEN OPEN],
        "Certificates that are not on a card may be used.", "";
    AllowUnsignedApplications, Applications, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Unsigned applications may run.", ANDROID_PARTLY;
    AllowUnsignedInstallationPackages, Applications, ALLOWED, Some("12.1"), [NO NO NO OPEN],
        "Unsigned packages may be installed.", ANDROID_PARTLY;
    UnapprovedInROMApplicationList, Applications, Kind::Texts, Some("12.1"), [NO NO NO OPEN],
        "Built-in applications that may not run, by name.", WINDOWS_MOBILE;
    ApprovedApplicationList, Applications, Kind::Texts, Some("12.1"), [NO NO NO OPEN],
        "The only applications that may be installed, by SHA-1 hash in base64; empty for any.", WINDOWS_MOBILE;
}

impl Setting {
    /// Its element in MS-ASPROV, or our own name.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// Which values it has.
    pub fn kind(self) -> Kind {
        self.about().kind
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no setting of this name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no setting {0}; `dme policy settings` and docs/policy.md list them")]
pub struct UnknownSetting(String);

impl FromStr for Setting {
    type Err = UnknownSetting;

    /// By name; capital and small letters are alike.
    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        let found = Self::ALL.iter().find(|one| one.name().eq_ignore_ascii_case(text.trim()));
        found.copied().ok_or_else(|| UnknownSetting(text.chars().take(80).collect()))
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl JsonSchema for Setting {
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|setting| setting.name()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_found_by_its_name_and_begins_with_a_value_of_its_kind() {
        for setting in Setting::ALL {
            let about = setting.about();
            assert_eq!(about.name.parse(), Ok(*setting));
            assert_eq!(about.name.to_lowercase().parse(), Ok(*setting));
            assert!(about.kind.admits(&about.kind.unset()), "{setting}");
            assert!(about.meaning.ends_with('.'), "{setting}");
            let unset = about.kind.unset();
            let typed = if about.kind == Kind::Texts { String::new() } else { unset.to_string() };
            assert_eq!(about.kind.parse(&typed), Some(unset), "{setting}");
        }
        assert!("AllowEverything".parse::<Setting>().is_err());
    }

    #[test]
    fn the_areas_follow_each_other() {
        let areas: Vec<Area> = Setting::ALL.iter().map(|setting| setting.about().area).collect();
        assert!(areas.is_sorted());
    }
}
