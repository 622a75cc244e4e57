//! Statuses: those all commands share (MS-ASCMD 2.2.2), and how each command's own are made.

use crate::version::ProtocolVersion;

macro_rules! common {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $http:literal;)*) => {
        /// What can be wrong with any command (MS-ASCMD 2.2.2).
        ///
        /// They stand in an answer's `Status` from version 14.0 on. 12.1 knows none of them: there
        /// the answer is the HTTP status alone, see [`CommonStatus::http_status`].
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum CommonStatus {
            $($(#[$doc])* $name,)*
        }

        impl CommonStatus {
            /// All of them, ascending.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number on the wire.
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status that says the same to a phone that does not know this one.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $http,)* }
            }

            /// The status with this number.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

common! {
    /// The body is not what the command needs.
    InvalidContent = 101, 400;
    /// The body is not WBXML.
    InvalidWbxml = 102, 400;
    /// The WBXML is not what the command's schema wants.
    InvalidXml = 103, 400;
    /// A date or time is not one.
    InvalidDateTime = 104, 400;
    /// Ids that may not be given together.
    InvalidCombinationOfIds = 105, 400;
    /// An id that is not one.
    InvalidIds = 106, 400;
    /// The message is not MIME.
    InvalidMime = 107, 400;
    /// No device id, or not one.
    DeviceIdMissingOrInvalid = 108, 400;
    /// No device type, or not one.
    DeviceTypeMissingOrInvalid = 109, 400;
    /// The server failed; trying again is of no use.
    ServerError = 110, 500;
    /// The server failed for the moment.
    ServerErrorRetryLater = 111, 503;
    /// The server may not use the directory.
    DirectoryAccessDenied = 112, 403;
    /// The mailbox is full.
    MailboxQuotaExceeded = 113, 507;
    /// The mail system is down.
    MailboxServerOffline = 114, 503;
    /// The user sent too much.
    SendQuotaExceeded = 115, 403;
    /// A recipient is not known.
    MessageRecipientUnresolved = 116, 403;
    /// This message may not be answered.
    MessageReplyNotAllowed = 117, 403;
    /// This message was sent before.
    MessagePreviouslySent = 118, 403;
    /// The message is for nobody.
    MessageHasNoRecipient = 119, 403;
    /// The message could not be sent.
    MailSubmissionFailed = 120, 403;
    /// The answer could not be made or sent.
    MessageReplyFailed = 121, 403;
    /// The attachment is larger than allowed.
    AttachmentIsTooLarge = 122, 403;
    /// The user has no mailbox.
    UserHasNoMailbox = 123, 403;
    /// A login is needed.
    UserCannotBeAnonymous = 124, 403;
    /// The directory does not know the user.
    UserPrincipalCouldNotBeFound = 125, 403;
    /// The user may not use ActiveSync.
    UserDisabledForSync = 126, 403;
    /// The mailbox is on a newer server.
    UserOnNewMailboxCannotSync = 127, 403;
    /// The mailbox is on an older server.
    UserOnLegacyMailboxCannotSync = 128, 403;
    /// The user may not use this device.
    DeviceIsBlockedForThisUser = 129, 403;
    /// The user may not do this.
    AccessDenied = 130, 403;
    /// The account is disabled.
    AccountDisabled = 131, 403;
    /// The device's state is lost: begin anew with sync key 0.
    SyncStateNotFound = 132, 500;
    /// The device's state is in use.
    SyncStateLocked = 133, 500;
    /// The device's state is broken: begin anew with sync key 0.
    SyncStateCorrupt = 134, 500;
    /// The device's state is there already: begin anew with sync key 0.
    SyncStateAlreadyExists = 135, 500;
    /// The device's state is of another release: begin anew with sync key 0.
    SyncStateVersionInvalid = 136, 500;
    /// The command does not exist in this version.
    CommandNotSupported = 137, 501;
    /// This version is not spoken.
    VersionNotSupported = 138, 505;
    /// The device cannot keep all of the policy and the policy insists.
    DeviceNotFullyProvisionable = 139, 403;
    /// The device is to be wiped: provision.
    RemoteWipeRequested = 140, 449;
    /// The device sends no policy key and the policy insists.
    LegacyDeviceOnStrictPolicy = 141, 403;
    /// The device has no policy yet: provision.
    DeviceNotProvisioned = 142, 449;
    /// The policy is to be fetched again: provision.
    PolicyRefresh = 143, 449;
    /// The policy key is another one: provision.
    InvalidPolicyKey = 144, 449;
    /// Devices managed by others may not be used.
    ExternallyManagedDevicesNotAllowed = 145, 403;
    /// The event has no instances.
    NoRecurrenceInCalendar = 146, 500;
    /// The item is of another class than the command needs.
    UnexpectedItemClass = 147, 500;
    /// The other server has no TLS.
    RemoteServerHasNoSsl = 148, 500;
    /// The request kept for repetition is gone: send it whole.
    InvalidStoredRequest = 149, 500;
    /// The item referred to is not there.
    ItemNotFound = 150, 500;
    /// The mailbox has too many folders.
    TooManyFolders = 151, 500;
    /// The mailbox has no folders.
    NoFoldersFound = 152, 500;
    /// Items were lost in a move.
    ItemsLostAfterMove = 153, 500;
    /// A move failed.
    FailureInMoveOperation = 154, 500;
    /// A conversation can only be moved for ever.
    MoveCommandDisallowedForNonPersistentMoveAction = 155, 500;
    /// A conversation cannot be moved there.
    MoveCommandInvalidDestinationFolder = 156, 500;
    /// Free/busy times of too many were asked for.
    AvailabilityTooManyRecipients = 160, 500;
    /// The distribution list is too large for free/busy times.
    AvailabilityDlLimitReached = 161, 500;
    /// Free/busy times cannot be had for the moment.
    AvailabilityTransientFailure = 162, 500;
    /// Free/busy times cannot be had.
    AvailabilityFailure = 163, 500;
    /// Body parts are HTML only.
    BodyPartPreferenceTypeNotSupported = 164, 500;
    /// The device must say what it is: provision with `DeviceInformation`.
    DeviceInformationRequired = 165, 500;
    /// No such account.
    InvalidAccountId = 166, 500;
    /// Nothing may be sent from this account.
    AccountSendDisabled = 167, 500;
    /// There is no rights management.
    IrmFeatureDisabled = 168, 500;
    /// Rights management failed for the moment.
    IrmTransientError = 169, 500;
    /// Rights management failed.
    IrmPermanentError = 170, 500;
    /// No such rights template.
    IrmInvalidTemplateId = 171, 500;
    /// The message's rights forbid this.
    IrmOperationNotPermitted = 172, 500;
    /// The person has no picture.
    NoPicture = 173, 500;
    /// The picture is larger than the limit given.
    PictureTooLarge = 174, 500;
    /// So many pictures as wanted are there.
    PictureLimitReached = 175, 500;
    /// The conversation is too large for a body part.
    BodyPartConversationTooLarge = 176, 500;
    /// The user has too many devices.
    MaximumDevicesReached = 177, 403;
    /// A message and forwardees were given together.
    InvalidMimeBodyCombination = 178, 400;
    /// What SmartForward was given does not fit together.
    InvalidSmartForwardParameters = 179, 400;
    /// A recipient's address is not one.
    InvalidRecipients = 183, 400;
    /// An exception of the series could not be saved.
    OneOrMoreExceptionsFailed = 184, 500;
}

impl CommonStatus {
    /// The first version whose phones know it.
    pub const fn since(self) -> ProtocolVersion {
        match self.code() {
            ..=163 => ProtocolVersion::V14_0,
            164..=177 => ProtocolVersion::V14_1,
            _ => ProtocolVersion::V16_0,
        }
    }

    /// Whether it may stand in an answer of this version; else answer [`Self::http_status`].
    pub fn is_known_to(self, version: ProtocolVersion) -> bool {
        version >= self.since()
    }
}

/// Makes the `Status` of a command: its own values, the common ones, and any other number that
/// some server may send.
macro_rules! statuses {
    ($(#[$outer:meta])* pub enum Status { $($(#[$doc:meta])* $name:ident = $code:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Status {
            $($(#[$doc])* $name,)*
            /// One of those all commands share.
            Common($crate::status::CommonStatus),
            /// A number that the documents do not give.
            Unknown(u16),
        }

        impl Status {
            /// The number on the wire.
            pub const fn code(self) -> u16 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Common(status) => status.code(),
                    Self::Unknown(code) => code,
                }
            }

            /// The status with this number.
            pub const fn from_code(code: u16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => match $crate::status::CommonStatus::from_code(code) {
                        Some(status) => Self::Common(status),
                        None => Self::Unknown(code),
                    },
                }
            }

            #[allow(dead_code)]
            pub(crate) fn read(
                parent: &dme_wbxml::Element,
                tag: dme_wbxml::Tag,
            ) -> $crate::error::Result<Self> {
                $crate::fields::Fields::required_number(parent, tag).map(Self::from_code)
            }
        }

        impl From<$crate::status::CommonStatus> for Status {
            fn from(status: $crate::status::CommonStatus) -> Self {
                Self::Common(status)
            }
        }
    };
}
pub(crate) use statuses;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_status_has_its_own_number_and_is_read_back() {
        let codes: Vec<u16> = CommonStatus::ALL.iter().map(|status| status.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        for status in CommonStatus::ALL {
            assert_eq!(CommonStatus::from_code(status.code()), Some(*status));
        }
        assert_eq!(CommonStatus::from_code(157), None);
    }

    #[test]
    fn a_version_is_told_only_what_it_knows() {
        use ProtocolVersion::{V12_1, V14_0, V14_1, V16_0};
        for (status, version, known) in [
            (CommonStatus::DeviceNotProvisioned, V12_1, false),
            (CommonStatus::DeviceNotProvisioned, V14_0, true),
            (CommonStatus::NoPicture, V14_0, false),
            (CommonStatus::NoPicture, V14_1, true),
            (CommonStatus::InvalidRecipients, V14_1, false),
            (CommonStatus::InvalidRecipients, V16_0, true),
        ] {
            assert_eq!(status.is_known_to(version), known, "{status:?} {version}");
        }
    }

    #[test]
    fn whatever_asks_for_provisioning_is_449_to_12_1() {
        for status in [
            CommonStatus::RemoteWipeRequested,
            CommonStatus::DeviceNotProvisioned,
            CommonStatus::PolicyRefresh,
            CommonStatus::InvalidPolicyKey,
        ] {
            assert_eq!(status.http_status(), 449, "{status:?}");
        }
    }
}
