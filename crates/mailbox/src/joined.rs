//! Several mail systems as one: mail from the first, calendars, address books, tasks and notes
//! from others beside it.
//!
//! The collections of the others bear their part's name in front of their own id, after a character
//! that no mail system has in an id.
//!
//! Mail does not wait for the others: each is opened when something is asked of it. Where one is
//! down, its collections stay those it had last: a phone must not take them for deleted. What
//! changed there is told when it is back.

mod last;
mod late;
mod mailbox;
mod part;
mod watching;

pub use last::LastCollections;
pub use mailbox::JoinedMailbox;
pub use part::{Named, Part};

use crate::{
    Account, CallContext, Error, ErrorKind, MailSystem, Mailbox, Passing, Result, VacationService,
};
use async_trait::async_trait;
use late::Late;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long mail waits for what stands beside it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A mail system with others beside it.
pub struct Joined {
    mail: Arc<dyn MailSystem>,
    others: Vec<(&'static str, Arc<dyn MailSystem>)>,
    vacations: Option<Arc<dyn VacationService>>,
    last: Arc<LastCollections>,
}

impl Joined {
    /// These others beside the one for mail, each by a name that stays the same for ever: it is
    /// part of what phones remember. A call that names no collection goes to the first of them
    /// that can answer it.
    pub fn new(
        mail: Arc<dyn MailSystem>,
        others: Vec<(&'static str, Arc<dyn MailSystem>)>,
    ) -> Self {
        Self { mail, others, vacations: None, last: Arc::default() }
    }

    /// With this keeper of out-of-office messages.
    #[must_use]
    pub fn with_vacations(mut self, service: Option<Arc<dyn VacationService>>) -> Self {
        self.vacations = service;
        self
    }
}

#[async_trait]
impl MailSystem for Joined {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        let mail = self.mail.open(account, context).await?;
        let others = self.others.iter().map(|(name, system)| {
            let late = Late::new(system.clone(), account.clone(), context.clone());
            Part { named: Named::As(name), mailbox: Arc::new(Passing(late)) }
        });
        let vacations =
            self.vacations.clone().map(|service| (service, account.clone(), context.clone()));
        let mail = Part { named: Named::Plain, mailbox: mail };
        let user = account.user.clone();
        let joined = JoinedMailbox::new(user, mail, others.collect(), self.last.clone());
        Ok(Arc::new(joined.with_vacations(vacations)))
    }
}

/// What a part answers, unless it takes too long.
async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Err(Error::new(ErrorKind::Timeout, "no answer in time"));
    timeout(PATIENCE, call).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests;
