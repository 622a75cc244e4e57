//! Out of office, asked for on the user's page: what the mailbox answers while its user is away.

use crate::front::Front;
use dme_mailbox::{Account, Result};
use dme_model::{LocalTime, RequestId, Timestamp, Vacation};

/// The seconds of a day.
const DAY: i64 = 86_400;

impl Front {
    /// What a user's mailbox answers by itself.
    ///
    /// # Errors
    /// The mail system's.
    pub async fn vacation(&self, account: &Account) -> Result<Vacation> {
        let (request, now) = (RequestId::from("my"), (self.clock)());
        self.router.open(account, &request, now).await?.vacation().await
    }

    /// Sets it.
    ///
    /// # Errors
    /// The mail system's.
    pub async fn set_vacation(&self, account: &Account, vacation: &Vacation) -> Result<()> {
        let (request, now) = (RequestId::from("my"), (self.clock)());
        self.router.open(account, &request, now).await?.set_vacation(vacation).await
    }

    /// When a day begins by the clock of users; days are counted from 1970-01-01.
    pub fn day_begins(&self, day: i64) -> Timestamp {
        self.home.to_utc(LocalTime::from_seconds(day.saturating_mul(DAY)))
    }

    /// Which day it is by the clock of users.
    pub fn day_of(&self, at: Timestamp) -> i64 {
        at.as_seconds().saturating_add(self.home.offset_at(at).into()).div_euclid(DAY)
    }
}
