//! The security policy a phone is told to apply: `EASProvisionDoc` (MS-ASPROV 2.2.2.28).

use crate::Error;
use dme_wbxml::pages::provision as p;
use dme_wbxml::{Element, Tag};

/// Makes the struct, its default and both conversions from one table in the order of the schema.
macro_rules! policy {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $tag:ident;)*) => {
        /// A policy. The default demands nothing and forbids nothing; what a document leaves out
        /// reads as the default. All settings exist in every version from 12.1 on.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Policy {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for Policy {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Policy {
            /// As `EASProvisionDoc`.
            pub fn to_element(&self) -> Element {
                let mut children = Vec::new();
                $(self.$field.write(p::$tag, &mut children);)*
                Element::parent(p::EAS_PROVISION_DOC, children)
            }

            /// From `EASProvisionDoc`; elements not known here are passed over.
            ///
            /// # Errors
            /// Where a value is not of its type.
            pub fn from_element(element: &Element) -> Result<Self, Error> {
                let mut policy = Self::default();
                for child in element.children() {
                    match child.tag {
                        $(p::$tag => policy.$field = Setting::read(child)?,)*
                        _ => {}
                    }
                }
                Ok(policy)
            }
        }
    };
}

policy! {
    /// A device password is required.
    password_enabled: bool = false, DEVICE_PASSWORD_ENABLED;
    /// It must hold letters as well as digits.
    alphanumeric_password: bool = false, ALPHANUMERIC_DEVICE_PASSWORD_REQUIRED;
    /// The phone stores a recovery password on the server (`DevicePassword` of Settings).
    password_recovery: bool = false, PASSWORD_RECOVERY_ENABLED;
    /// Memory cards must be encrypted.
    storage_card_encryption: bool = false, REQUIRE_STORAGE_CARD_ENCRYPTION;
    /// Attachments may be downloaded.
    attachments: bool = true, ATTACHMENTS_ENABLED;
    /// Shortest password, 1 to 16 characters; none for any length.
    min_password_length: Option<u8> = None, MIN_DEVICE_PASSWORD_LENGTH;
    /// Seconds without use after which the device locks itself; none, or 9999 and more, for never.
    max_inactivity: Option<u32> = None, MAX_INACTIVITY_TIME_DEVICE_LOCK;
    /// Wrong passwords after which the phone wipes itself, 4 to 16; none for any number.
    max_failed_attempts: Option<u8> = None, MAX_DEVICE_PASSWORD_FAILED_ATTEMPTS;
    /// Largest attachment in bytes; none for any size.
    max_attachment_size: Option<u32> = None, MAX_ATTACHMENT_SIZE;
    /// Passwords such as 1234 are allowed.
    simple_password: bool = true, ALLOW_SIMPLE_DEVICE_PASSWORD;
    /// Days until a password must be changed; none or 0 for never.
    password_expiration: Option<u32> = None, DEVICE_PASSWORD_EXPIRATION;
    /// How many former passwords may not be taken again.
    password_history: u32 = 0, DEVICE_PASSWORD_HISTORY;
    /// Memory cards may be used.
    storage_card: bool = true, ALLOW_STORAGE_CARD;
    /// The camera may be used.
    camera: bool = true, ALLOW_CAMERA;
    /// The device must be encrypted.
    device_encryption: bool = false, REQUIRE_DEVICE_ENCRYPTION;
    /// Unsigned applications may run.
    unsigned_applications: bool = true, ALLOW_UNSIGNED_APPLICATIONS;
    /// Unsigned packages may be installed.
    unsigned_packages: bool = true, ALLOW_UNSIGNED_INSTALLATION_PACKAGES;
    /// Kinds of characters a password must have, 1 to 4.
    min_complex_characters: u8 = 1, MIN_DEVICE_PASSWORD_COMPLEX_CHARACTERS;
    /// Wi-Fi may be used.
    wifi: bool = true, ALLOW_WIFI;
    /// SMS may be used.
    text_messaging: bool = true, ALLOW_TEXT_MESSAGING;
    /// POP and IMAP accounts may be added.
    pop_imap: bool = true, ALLOW_POP_IMAP_EMAIL;
    /// Bluetooth.
    bluetooth: Bluetooth = Bluetooth::Allowed, ALLOW_BLUETOOTH;
    /// Infrared may be used.
    infrared: bool = true, ALLOW_IRDA;
    /// While roaming, sync only by hand.
    manual_sync_when_roaming: bool = false, REQUIRE_MANUAL_SYNC_WHEN_ROAMING;
    /// Sync with a desktop computer is allowed.
    desktop_sync: bool = true, ALLOW_DESKTOP_SYNC;
    /// Longest calendar filter the user may choose: 0 all, 4 two weeks, 5 one, 6 three, 7 six months.
    max_calendar_age: u32 = 0, MAX_CALENDAR_AGE_FILTER;
    /// Mail may be formatted.
    html_email: bool = true, ALLOW_HTML_EMAIL;
    /// Longest mail filter the user may choose: 0 all, 1 a day, 2 three days, 3 a week, 4 two
    /// weeks, 5 a month.
    max_email_age: u32 = 0, MAX_EMAIL_AGE_FILTER;
    /// Largest plain body in KB; −1 for any, 0 for none.
    max_plain_body: i32 = -1, MAX_EMAIL_BODY_TRUNCATION_SIZE;
    /// Largest HTML body in KB; −1 for any, 0 for none.
    max_html_body: i32 = -1, MAX_EMAIL_HTML_BODY_TRUNCATION_SIZE;
    /// Mail must be signed.
    signed_smime: bool = false, REQUIRE_SIGNED_SMIME_MESSAGES;
    /// Mail must be encrypted.
    encrypted_smime: bool = false, REQUIRE_ENCRYPTED_SMIME_MESSAGES;
    /// With which algorithm to sign: 0 SHA-1, 1 MD5.
    signing_algorithm: u8 = 0, REQUIRE_SIGNED_SMIME_ALGORITHM;
    /// With which algorithm to encrypt: 0 3DES, 1 DES, 2 to 4 RC2 of 128, 64, 40 bits.
    encryption_algorithm: u8 = 0, REQUIRE_ENCRYPTION_SMIME_ALGORITHM;
    /// Whether another algorithm may be agreed on: 0 none, 1 a strong one, 2 any.
    algorithm_negotiation: u8 = 2, ALLOW_SMIME_ENCRYPTION_ALGORITHM_NEGOTIATION;
    /// Certificates kept in software may be used.
    soft_certificates: bool = true, ALLOW_SMIME_SOFT_CERTS;
    /// The built-in browser may be used.
    browser: bool = true, ALLOW_BROWSER;
    /// The user may add private mail accounts.
    consumer_email: bool = true, ALLOW_CONSUMER_EMAIL;
    /// Remote desktop may be used.
    remote_desktop: bool = true, ALLOW_REMOTE_DESKTOP;
    /// The phone may share its connection.
    internet_sharing: bool = true, ALLOW_INTERNET_SHARING;
    /// Built-in applications that may not run.
    forbidden_applications: ApplicationNames = ApplicationNames::default(),
        UNAPPROVED_IN_ROM_APPLICATION_LIST;
    /// The only applications that may be installed, by SHA-1 hash; empty for any.
    approved_applications: ApplicationHashes = ApplicationHashes::default(),
        APPROVED_APPLICATION_LIST;
}

/// `AllowBluetooth` (MS-ASPROV 2.2.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bluetooth {
    /// 0.
    Forbidden,
    /// 1: for telephoning only.
    HandsFree,
    /// 2.
    Allowed,
}

/// Names of built-in applications.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApplicationNames(pub Vec<String>);

/// Hashes of applications, base64.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApplicationHashes(pub Vec<String>);

/// A list longer than this is cut: it comes from a server a phone trusts, but not without limit.
const MAX_APPLICATIONS: usize = 1000;

/// One element of the document.
trait Setting: Sized {
    fn write(&self, tag: Tag, out: &mut Vec<Element>);
    fn read(element: &Element) -> Result<Self, Error>;
}

fn wrong(element: &Element, expected: &'static str) -> Error {
    Error::Value { element: element.tag, expected }
}

fn parse<T: std::str::FromStr>(element: &Element) -> Result<T, Error> {
    let text = element.as_text().unwrap_or_default();
    text.trim().parse().map_err(|_| wrong(element, "a number in range"))
}

impl Setting for bool {
    fn write(&self, tag: Tag, out: &mut Vec<Element>) {
        out.push(Element::text(tag, if *self { "1" } else { "0" }));
    }

    fn read(element: &Element) -> Result<Self, Error> {
        match element.as_text().map(str::trim) {
            Some("1" | "true") => Ok(true),
            Some("0" | "false") => Ok(false),
            _ => Err(wrong(element, "0 or 1")),
        }
    }
}

macro_rules! number_setting {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn write(&self, tag: Tag, out: &mut Vec<Element>) {
                out.push(Element::text(tag, self.to_string()));
            }

            fn read(element: &Element) -> Result<Self, Error> {
                parse(element)
            }
        }
    )*};
}
number_setting!(u8, u32, i32);

/// `unsignedByteOrEmpty` and `unsignedIntOrEmpty`: empty for no limit.
impl<T: std::str::FromStr + ToString> Setting for Option<T> {
    fn write(&self, tag: Tag, out: &mut Vec<Element>) {
        out.push(match self {
            Some(number) => Element::text(tag, number.to_string()),
            None => Element::empty(tag),
        });
    }

    fn read(element: &Element) -> Result<Self, Error> {
        match element.as_text().map(str::trim) {
            Some("") => Ok(None),
            _ => parse(element).map(Some),
        }
    }
}

impl Setting for Bluetooth {
    fn write(&self, tag: Tag, out: &mut Vec<Element>) {
        let value = match self {
            Self::Forbidden => "0",
            Self::HandsFree => "1",
            Self::Allowed => "2",
        };
        out.push(Element::text(tag, value));
    }

    fn read(element: &Element) -> Result<Self, Error> {
        match parse::<u8>(element)? {
            0 => Ok(Self::Forbidden),
            1 => Ok(Self::HandsFree),
            2 => Ok(Self::Allowed),
            _ => Err(wrong(element, "0, 1 or 2")),
        }
    }
}

macro_rules! list_setting {
    ($type:ident, $item:ident) => {
        impl Setting for $type {
            fn write(&self, tag: Tag, out: &mut Vec<Element>) {
                if !self.0.is_empty() {
                    let items = self.0.iter().map(|item| Element::text(p::$item, item.as_str()));
                    out.push(Element::parent(tag, items.collect()));
                }
            }

            fn read(element: &Element) -> Result<Self, Error> {
                let items = element.children().iter().filter(|child| child.tag == p::$item);
                let texts = items.filter_map(Element::as_text).take(MAX_APPLICATIONS);
                Ok(Self(texts.map(str::to_owned).collect()))
            }
        }
    };
}
list_setting!(ApplicationNames, APPLICATION_NAME);
list_setting!(ApplicationHashes, HASH);
