//! Out-of-office messages that another server keeps beside the mail system.

use crate::{Account, CallContext, Error, ErrorKind, Result};
use async_trait::async_trait;
use dme_model::Vacation;

/// What keeps out-of-office messages and answers by them.
#[async_trait]
pub trait VacationService: Send + Sync {
    /// The user's message, as [`crate::Mailbox::vacation`].
    ///
    /// # Errors
    /// As the server's.
    async fn vacation(&self, account: &Account, context: &CallContext) -> Result<Vacation>;

    /// Sets the user's message, as [`crate::Mailbox::set_vacation`]. `addresses` are all the user's: mail
    /// to any of them is answered.
    ///
    /// # Errors
    /// As the server's.
    async fn set_vacation(
        &self,
        account: &Account,
        addresses: &[String],
        vacation: &Vacation,
        context: &CallContext,
    ) -> Result<()>;
}

pub(crate) fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "this mail system keeps no out-of-office message")
}

/// Refuses a message that makes no sense.
///
/// # Errors
/// `Invalid`.
pub fn check_vacation(vacation: &Vacation) -> Result<()> {
    vacation.problem().map_or(Ok(()), |problem| Err(Error::new(ErrorKind::Invalid, problem)))
}
