//! What can happen that administrators may want to know of.

use dme_model::{ConnectorId, DeviceId, RequestId, UserId};
use dme_store::Level;
use dme_sync::DeviceKey;
use serde::Serialize;
use serde_json::{Map, Value};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal, $level:ident;)*) => {
        /// The kinds of events.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)*
        }

        impl EventKind {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// How much it matters.
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$kind => Level::$level,)*
                }
            }
        }
    };
}

kinds! {
    /// A login was refused.
    LoginRefused = "login_refused", Warning;
    /// A device came for the first time.
    DeviceNew = "device_new", Info;
    /// A device waits for an administrator.
    DeviceQuarantined = "device_quarantined", Warning;
    /// A device that may not in came.
    DeviceBlocked = "device_blocked", Warning;
    /// A device was not entered: its user has as many as allowed.
    DeviceTooMany = "device_too_many", Warning;
    /// A device hammers, and is slowed down.
    DeviceSlowed = "device_slowed", Warning;
    /// A device did not apply the policy.
    PolicyRefused = "policy_refused", Warning;
    /// A device took the policy.
    PolicyTaken = "policy_taken", Info;
    /// An order to wipe waits for another administrator.
    WipeWaits = "wipe_waits", Warning;
    /// A device was given the order to wipe.
    WipeSent = "wipe_sent", Warning;
    /// A device said that it does wipe.
    WipeDone = "wipe_done", Warning;
    /// A device said that it could not wipe.
    WipeFailed = "wipe_failed", Error;
    /// Items went to a device, or came from it.
    Synchronised = "synchronised", Info;
    /// A collection could not be synchronised.
    SyncFailed = "sync_failed", Warning;
    /// A device begins a collection anew.
    Resync = "resync", Info;
    /// A device holds a placeholder for an item that cannot be read.
    ItemUnreadable = "item_unreadable", Warning;
    /// Phone and mail system both changed an item, and one of the changes was not carried out.
    Conflict = "conflict", Warning;
    /// A message of a phone's is with the mail system.
    MailSent = "mail_sent", Info;
    /// A message waits for its connector.
    MailWaits = "mail_waits", Info;
    /// A message was refused, or some of its recipients were.
    MailRefused = "mail_refused", Warning;
    /// A user is served by another connector than before.
    RouteChanged = "route_changed", Info;
    /// A connector has linked.
    ConnectorLinked = "connector_linked", Info;
    /// A connector has no link any more.
    ConnectorLost = "connector_lost", Warning;
    /// An edge has not heard from its server for longer than it may serve without.
    LeaseOver = "lease_over", Error;
    /// A system behind a connector fails most calls.
    BackendFailing = "backend_failing", Error;
    /// It answers again.
    BackendBack = "backend_back", Info;
    /// Nobody could serve a user's mail.
    MailUnserved = "mail_unserved", Warning;
    /// A certificate ends soon.
    CertificateEnds = "certificate_ends", Warning;
    /// A certificate was made for a phone.
    CertificateMade = "certificate_made", Info;
    /// A phone's certificate was taken back.
    CertificateRevoked = "certificate_revoked", Warning;
    /// A realm's directory cannot be read.
    DirectoryTrouble = "directory_trouble", Error;
    /// A realm's directory can be read again.
    DirectoryBack = "directory_back", Info;
    /// Somebody signed in to the console.
    ConsoleEntered = "console_entered", Info;
    /// Somebody was not let in to the console.
    ConsoleRefused = "console_refused", Warning;
    /// Somebody signed in with the account for emergencies.
    EmergencyUsed = "emergency_used", Error;
    /// An administrator did something.
    Administration = "administration", Info;
    /// A connector says that the record of administrators' acts is not the one it signed.
    AuditContradicted = "audit_contradicted", Error;
    /// A webhook is given up.
    WebhookDisabled = "webhook_disabled", Error;
}

impl EventKind {
    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Whether a phone that comes again and again would write it again and again: then it is
    /// written once in a while, with how often it happened.
    pub(super) const fn is_damped(self) -> bool {
        matches!(
            self,
            Self::LoginRefused
                | Self::ConsoleRefused
                | Self::DeviceBlocked
                | Self::DeviceTooMany
                | Self::DeviceSlowed
                | Self::PolicyRefused
                | Self::SyncFailed
                | Self::MailUnserved
                | Self::Resync
                | Self::LeaseOver
        )
    }
}

/// Something that happened. Neither secrets nor contents may be in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Happened {
    pub(super) kind: EventKind,
    pub(super) level: Level,
    pub(super) user: Option<UserId>,
    pub(super) device: Option<DeviceId>,
    pub(super) connector: Option<String>,
    pub(super) request: Option<RequestId>,
    pub(super) message: String,
    pub(super) details: Map<String, Value>,
}

impl Happened {
    /// Of this kind, in these words.
    pub fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            level: kind.level(),
            user: None,
            device: None,
            connector: None,
            request: None,
            message: message.into(),
            details: Map::new(),
        }
    }

    /// Concerns this user.
    #[must_use]
    pub fn user(self, user: &UserId) -> Self {
        Self { user: Some(user.clone()), ..self }
    }

    /// Concerns this device and its user.
    #[must_use]
    pub fn device(self, key: &DeviceKey) -> Self {
        Self { user: Some(key.user.clone()), device: Some(key.device.clone()), ..self }
    }

    /// Concerns this connector, by its name; none where that is empty.
    #[must_use]
    pub fn connector(self, name: &str) -> Self {
        Self { connector: Some(name.to_owned()).filter(|name| !name.is_empty()), ..self }
    }

    /// In this request.
    #[must_use]
    pub fn request(self, request: &RequestId) -> Self {
        Self { request: Some(request.clone()), ..self }
    }

    /// Matters more, or less, than others of its kind.
    #[must_use]
    pub fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// With more of it; what has no form in JSON is left out.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.details.insert(name.to_owned(), value);
        }
        self
    }
}

/// A connector without a name of its own goes by its id.
pub(super) fn name_or_id(name: &str, id: &ConnectorId) -> String {
    if name.is_empty() { id.to_string() } else { name.to_owned() }
}
