//! What an order to wipe erases, on which device. The protocol says what is ordered; what comes of
//! it is the app's matter. Said before the order is given, and no more than is known.

use schemars::JsonSchema;
use serde::Serialize;

/// What is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WipeScope {
    /// The account and its data (`AccountOnlyRemoteWipe`, 16.1).
    Account,
    /// The whole device (`RemoteWipe`).
    Device,
}

/// What would be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Erased {
    /// Everything on the device: it is as new.
    Device,
    /// The account and what came from it.
    Account,
    /// What the app holds, of this account or of all.
    App,
    /// Nothing: the device cannot be told so.
    Nothing,
    /// It is not known.
    Unknown,
}

/// What is known of an order and an app: each has words of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Outlook and the account: it does not support that.
    OutlookAccount,
    /// A version of the protocol that knows no account.
    NoAccount,
    /// Mail of iOS and the account.
    AppleAccount,
    /// Any other app and the account: what the protocol says.
    Account,
    /// Outlook and the device: its own data.
    OutlookDevice,
    /// Mail of iOS and the device.
    AppleDevice,
    /// Apps of Android's and the device.
    AndroidDevice,
    /// The same from Android 10 on.
    Android10Device,
    /// Nine and the device.
    NineDevice,
    /// Any other app and the device: what the protocol says.
    Device,
}

/// What an order would do, in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Erasure {
    /// What would be erased.
    pub erased: Erased,
    /// What that is known of.
    pub known: Known,
    /// Which app it is taken for.
    pub app: &'static str,
    /// For the one who gives the order.
    pub text: String,
    /// Where that is written; empty where nothing is known.
    #[schemars(with = "Vec<String>")]
    pub sources: &'static [&'static str],
}

/// The apps that are told apart by what they say of themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum App {
    Outlook,
    AppleMail,
    Gmail,
    Samsung,
    Android,
    Nine,
    Windows,
    Other,
}

const EXCHANGE: &str =
    "https://learn.microsoft.com/exchange/clients/exchange-activesync/remote-wipe";
const MS_ASPROV: &str = "MS-ASPROV 2.2.2.1 AccountOnlyRemoteWipe, 2.2.2.50 RemoteWipe";
const ANDROID: &str = "https://developers.google.com/android/work/device-admin-deprecation";
const ANDROID_WIPE: &str = "https://developer.android.com/work/device-admin";

impl App {
    fn of(agent: &str, device_type: &str) -> Self {
        let (agent, device_type) = (agent.to_lowercase(), device_type.to_lowercase());
        let begins = |with: &str| agent.starts_with(with) || device_type.starts_with(with);
        if begins("outlook") {
            Self::Outlook
        } else if begins("apple") || ["iphone", "ipad", "ipod"].iter().any(|of| begins(of)) {
            Self::AppleMail
        } else if begins("nine") || agent.contains("9folders") || agent.contains("ninefolders") {
            Self::Nine
        } else if begins("samsung") {
            Self::Samsung
        } else if agent.starts_with("android-mail") {
            Self::Gmail
        } else if begins("android") {
            Self::Android
        } else if begins("windows") || begins("msft-win") {
            Self::Windows
        } else {
            Self::Other
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Outlook => "Outlook for iOS and Android",
            Self::AppleMail => "Mail of iOS or iPadOS",
            Self::Gmail => "Gmail on Android",
            Self::Samsung => "a mail app of Samsung's",
            Self::Android => "a mail app of Android's",
            Self::Nine => "Nine",
            Self::Windows => "Mail of Windows",
            Self::Other => "an app that is not known here",
        }
    }
}

/// What an order would erase on a device that says this of itself. `knows_16_1` is whether it spoke
/// protocol version 16.1 last.
pub fn erasure(
    scope: WipeScope,
    agent: &str,
    device_type: &str,
    os: Option<&str>,
    knows_16_1: bool,
) -> Erasure {
    let app = App::of(agent, device_type);
    let (known, erased, text, sources) = match (scope, app) {
        // Outlook knows one order only, and takes it for its own data.
        (WipeScope::Account, App::Outlook) => (
            Known::OutlookAccount,
            Erased::Unknown,
            "Outlook does not support the order to wipe the account alone, and what it does with \
             it is not known. Order the wipe of the device instead: Outlook takes that for its own \
             data."
                .to_owned(),
            &[EXCHANGE][..],
        ),
        (WipeScope::Account, _) if !knows_16_1 => (
            Known::NoAccount,
            Erased::Nothing,
            "Nothing is erased: the device spoke a protocol version before 16.1, which has no words \
             for wiping the account alone. It is shut out, gets nothing more, and keeps what it has."
                .to_owned(),
            &[MS_ASPROV, EXCHANGE][..],
        ),
        (WipeScope::Account, App::AppleMail) => (
            Known::AppleAccount,
            Erased::Account,
            "The account is removed with its mail, calendars, contacts, reminders and notes. What \
             else is on the device stays, and so do attachments that were saved elsewhere."
                .to_owned(),
            &[MS_ASPROV, EXCHANGE][..],
        ),
        (WipeScope::Account, app) => (
            Known::Account,
            Erased::Account,
            format!(
                "By the protocol the account is removed with what came from it, and nothing else. \
                 Whether {} keeps to that is not known; attachments that were saved elsewhere stay.",
                app.name()
            ),
            &[MS_ASPROV][..],
        ),
        (WipeScope::Device, App::Outlook) => (
            Known::OutlookDevice,
            Erased::App,
            "Outlook removes its own data: mail, calendar, contacts and files. Nothing else on the \
             device is erased, whatever the order says."
                .to_owned(),
            &[EXCHANGE][..],
        ),
        (WipeScope::Device, App::AppleMail) => (
            Known::AppleDevice,
            Erased::Device,
            "Everything on the device is erased, private photos and files too: it is reset to \
             factory settings, and does not ask first. It stays locked to its owner's Apple account."
                .to_owned(),
            &[EXCHANGE][..],
        ),
        (WipeScope::Device, App::Gmail | App::Android | App::Samsung) => (
            match is_from_android_10(os) {
                true => Known::Android10Device,
                false => Known::AndroidDevice,
            },
            Erased::Device,
            format!(
                "Everything on the device is erased, private photos and files too, if {} is a \
                 device administrator: Android asks its owner for that when an account with a \
                 policy is added. In a work profile only the work profile is erased. Where it is \
                 neither, nothing may be erased but the account. A memory card may keep what is on \
                 it.{}",
                app.name(),
                if is_from_android_10(os) { SINCE_ANDROID_10 } else { "" },
            ),
            &[EXCHANGE, ANDROID_WIPE, ANDROID][..],
        ),
        (WipeScope::Device, App::Nine) => (
            Known::NineDevice,
            Erased::Unknown,
            "What Nine makes of the order is not known here; it may be its own data, or the whole \
             device, and depends on how it was set up: reckon with the whole device."
                .to_owned(),
            &[][..],
        ),
        (WipeScope::Device, App::Windows | App::Other) => (
            Known::Device,
            Erased::Unknown,
            format!(
                "By the protocol everything on the device is erased and it is reset to factory \
                 settings. What {} makes of it is not known: reckon with the whole device.",
                app.name()
            ),
            &[MS_ASPROV][..],
        ),
    };
    let text = format!(
        "{text} It is told at its next contact; until then, and if it never comes, nothing is erased."
    );
    Erasure { erased, known, app: app.name(), text, sources }
}

/// What is told in addition of an Android that is not managed.
const SINCE_ANDROID_10: &str =
    " From Android 10 on apps are no longer given most rights of a device administrator.";

/// Whether a system is Android 10 or later.
fn is_from_android_10(os: Option<&str>) -> bool {
    let release = os.and_then(|os| {
        let (_, after) = os.split_once("Android")?;
        let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    matches!(release, Some(10..))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(scope: WipeScope, agent: &str, kind: &str, knows_16_1: bool) -> Erasure {
        erasure(scope, agent, kind, Some("Android 14"), knows_16_1)
    }

    #[test]
    fn it_is_said_before_what_each_app_will_erase() {
        use WipeScope::{Account, Device};
        for (scope, agent, kind, new, erased, words) in [
            (Device, "Apple-iPhone15C2/2101.1", "iPhone", true, Erased::Device, "private photos"),
            (Account, "Apple-iPhone15C2/2101.1", "iPhone", true, Erased::Account, "stays"),
            (Account, "Apple-iPhone15C2/2101.1", "iPhone", false, Erased::Nothing, "before 16.1"),
            (Device, "Outlook-iOS-Android/1.0", "Outlook", false, Erased::App, "own data"),
            (Account, "Outlook-iOS-Android/1.0", "Outlook", true, Erased::Unknown, "instead"),
            (Device, "Android-Mail/2024.1", "Android", true, Erased::Device, "work profile"),
            (Device, "Android-Mail/2024.1", "Android", true, Erased::Device, "Android 10"),
            (Device, "SAMSUNG-SM-S911B/101", "SAMSUNGSMS911B", true, Erased::Device, "Samsung"),
            (Device, "Nine-1/2", "Android", true, Erased::Unknown, "depends on"),
            (Device, "curl/8", "x", true, Erased::Unknown, "not known"),
            (Account, "curl/8", "x", true, Erased::Account, "By the protocol"),
        ] {
            let told = told(scope, agent, kind, new);
            assert_eq!(told.erased, erased, "{scope:?} {agent}");
            assert!(told.text.contains(words), "{scope:?} {agent}: {}", told.text);
            assert!(told.text.contains("next contact"));
        }
    }
}
