//! The one place where an error becomes what a phone is told: an EAS status or an HTTP one.

use dme_directory::Standing;
use dme_eas::{CommonStatus, ProtocolVersion, settings};

use dme_mailbox::ErrorKind;
use http::StatusCode;
use std::time::Duration;

/// Why a command has no answer of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// One of the statuses all commands share; an HTTP status for a version that lacks it.
    Status(CommonStatus),
    /// The device must provision first: HTTP 449 for 12.1, this status for later versions
    /// (MS-ASPROV 3.1.5.1).
    Provision(CommonStatus),
    /// Not now: HTTP 503 with `Retry-After`. Every phone obeys that, whatever the version.
    Later(Duration),
    /// The login is not accepted: HTTP 401, so that the phone asks for the password.
    Password,
    /// The directory bars the account: HTTP 401 where a new password mends it, so that the phone
    /// asks for that, else the status of a disabled account; with the reason in words.
    Barred(Standing),
    /// Any other HTTP status.
    Http(StatusCode),
}

/// How long to wait where the error does not say.
pub(super) const LATER: Duration = Duration::from_secs(30);

/// "Retry after sending a PROVISION command" (MS-ASHTTP 2.2.2.1.1.4.3.2).
fn retry_with() -> StatusCode {
    StatusCode::from_u16(449).unwrap_or(StatusCode::FORBIDDEN)
}

impl Failure {
    /// What a mailbox error of a whole request means.
    pub fn of_mailbox(error: &dme_mailbox::Error) -> Self {
        match &error.kind {
            // The directory let this password in, so another one would not get in at all: the
            // phone must not ask its user for it. It was changed (the directory, asked again at
            // the next request, will say so) or an administrator must look at the mail system.
            ErrorKind::Auth => Self::Later(LATER),
            ErrorKind::Busy { after } => Self::Later((*after).max(Duration::from_secs(1))),
            ErrorKind::Unavailable | ErrorKind::Timeout => Self::Later(LATER),
            ErrorKind::NotFound | ErrorKind::InvalidToken => {
                Self::Status(CommonStatus::ItemNotFound)
            }
            ErrorKind::Forbidden => Self::Status(CommonStatus::AccessDenied),
            ErrorKind::MessageTooLarge => Self::Status(CommonStatus::AttachmentIsTooLarge),
            ErrorKind::RecipientRefused => Self::Status(CommonStatus::MessageRecipientUnresolved),
            ErrorKind::SenderRefused => Self::Status(CommonStatus::AccountSendDisabled),
            ErrorKind::QuotaExceeded => Self::Status(CommonStatus::MailboxQuotaExceeded),
            ErrorKind::Invalid | ErrorKind::AlreadyExists => {
                Self::Status(CommonStatus::InvalidContent)
            }
            ErrorKind::Unconvertible
            | ErrorKind::Unsupported
            | ErrorKind::Protocol
            | ErrorKind::Bug => Self::Status(CommonStatus::ServerError),
        }
    }

    /// What a mailbox error means to one setting of several, which are each answered on their own
    /// (MS-ASCMD 2.2.3.177.15).
    pub fn of_setting(error: &dme_mailbox::Error) -> settings::Status {
        match &error.kind {
            // The phone then hides what there is not.
            ErrorKind::Unsupported | ErrorKind::Forbidden => settings::Status::AccessDenied,
            ErrorKind::Invalid | ErrorKind::MessageTooLarge | ErrorKind::QuotaExceeded => {
                settings::Status::InvalidArguments
            }
            _ => settings::Status::ServerUnavailable,
        }
    }

    /// The HTTP status and the pause to ask for, where the answer has no body.
    pub fn http(&self) -> (StatusCode, Option<Duration>) {
        match self {
            Self::Status(status) => (
                StatusCode::from_u16(status.http_status())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                None,
            ),
            Self::Provision(_) => (retry_with(), None),
            Self::Later(after) => (StatusCode::SERVICE_UNAVAILABLE, Some(*after)),
            Self::Password => (StatusCode::UNAUTHORIZED, None),
            Self::Barred(standing) if standing.is_of_password() => (StatusCode::UNAUTHORIZED, None),
            Self::Barred(_) => Self::Status(CommonStatus::AccountDisabled).http(),
            Self::Http(status) => (*status, None),
        }
    }

    /// The status to put into the command's own answer, where the version knows it.
    pub fn status_in(&self, version: ProtocolVersion) -> Option<CommonStatus> {
        match self {
            Self::Status(status) | Self::Provision(status) if status.is_known_to(version) => {
                Some(*status)
            }
            Self::Barred(standing) if !standing.is_of_password() => {
                Self::Status(CommonStatus::AccountDisabled).status_in(version)
            }
            _ => None,
        }
    }

    /// What the user is told in words, where the answer has no body: phones that show it to nobody
    /// lose nothing.
    pub fn words(&self) -> Option<&'static str> {
        match self {
            Self::Barred(standing) => Some(standing.as_str()),
            _ => None,
        }
    }
}

impl From<CommonStatus> for Failure {
    fn from(status: CommonStatus) -> Self {
        Self::Status(status)
    }
}

impl From<dme_mailbox::Error> for Failure {
    fn from(error: dme_mailbox::Error) -> Self {
        Self::of_mailbox(&error)
    }
}

impl From<dme_sync::Error> for Failure {
    fn from(error: dme_sync::Error) -> Self {
        match error {
            dme_sync::Error::InvalidKey => Self::Status(CommonStatus::SyncStateNotFound),
            dme_sync::Error::FolderNotFound(_) => Self::Status(CommonStatus::ItemNotFound),
            dme_sync::Error::TooManyCommands { .. } => Self::Status(CommonStatus::InvalidContent),
            dme_sync::Error::Mailbox(error) => Self::of_mailbox(&error),
            dme_sync::Error::Store(_) => Self::Later(LATER),
        }
    }
}

impl From<dme_eas::Error> for Failure {
    fn from(error: dme_eas::Error) -> Self {
        Self::Status(match error {
            dme_eas::Error::Conflict(..) => CommonStatus::InvalidCombinationOfIds,
            _ => CommonStatus::InvalidXml,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_barred_is_told_why_and_asked_for_a_password_only_where_that_helps() {
        let disabled = Some(CommonStatus::AccountDisabled);
        for (standing, http, status, words) in [
            (Standing::Disabled, 403, disabled, "the account is disabled"),
            (Standing::Expired, 403, disabled, "the account has expired"),
            (Standing::LockedOut, 403, disabled, "the account is locked"),
            (Standing::OutsideLogonHours, 403, disabled, "at this hour"),
            (Standing::OtherWorkstation, 403, disabled, "certain computers only"),
            (Standing::PasswordExpired, 401, None, "the password has expired"),
            (Standing::MustChangePassword, 401, None, "the password must be changed"),
        ] {
            let failure = Failure::Barred(standing);
            assert_eq!(failure.http().0.as_u16(), http, "{standing:?}");
            assert_eq!(failure.status_in(ProtocolVersion::V14_1), status, "{standing:?}");
            assert_eq!(failure.status_in(ProtocolVersion::V12_1), None, "12.1 has no such status");
            assert!(failure.words().is_some_and(|said| said.contains(words)), "{standing:?}");
        }
        assert_eq!(Failure::Password.words(), None, "nobody learns which accounts there are");
    }
}
