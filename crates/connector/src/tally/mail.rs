//! Mail systems whose calls are counted.

use super::Counter;
use async_trait::async_trait;
use dme_mailbox::{
    Account, CallContext, Called, Error, MailSystem, Mailbox, Passing, Result, VacationService, Way,
};
use dme_model::{Class, Collection, CollectionId, Function, UserId, Vacation};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Collections whose class is remembered, at sixteen bytes each; beyond, all are learned anew.
const REMEMBERED: usize = 100_000;

/// A mail system whose calls are counted.
pub(crate) struct CountedSystem {
    system: Arc<dyn MailSystem>,
    shared: Arc<Shared>,
}

struct Shared {
    /// The one function that it serves, where it is but one.
    only: Option<Function>,
    /// The classes of collections as they were told last.
    classes: Mutex<HashMap<u64, Class>>,
    hasher: RandomState,
    counter: Counter,
}

/// The way to one user's mailbox.
struct Counted {
    mailbox: Arc<dyn Mailbox>,
    user: UserId,
    shared: Arc<Shared>,
}

impl CountedSystem {
    pub(crate) fn new(
        system: Arc<dyn MailSystem>,
        classes: &BTreeSet<Class>,
        counter: Counter,
    ) -> Self {
        let only = classes.first().filter(|_| classes.len() == 1).map(|class| class.function());
        let (classes, hasher) = (Mutex::default(), RandomState::new());
        Self { system, shared: Arc::new(Shared { only, classes, hasher, counter }) }
    }
}

impl Shared {
    fn class(&self, user: &UserId, collection: &CollectionId) -> Option<Class> {
        let key = self.hasher.hash_one((user, collection));
        self.classes.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }
}

#[async_trait]
impl MailSystem for CountedSystem {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        let call = self.system.owns(account, context);
        self.shared.counter.counted(self.shared.only, Error::name, call).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        let begun = Instant::now();
        match self.system.open(account, context).await {
            Ok(mailbox) => {
                let (user, shared) = (account.user.clone(), self.shared.clone());
                Ok(Arc::new(Passing(Counted { mailbox, user, shared })))
            }
            Err(error) => {
                let took = begun.elapsed();
                self.shared.counter.count(self.shared.only, took, Some(error.name()));
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Way for Counted {
    async fn there(&self) -> Result<Arc<dyn Mailbox>> {
        Ok(self.mailbox.clone())
    }

    fn called(&self, called: Called<'_>) {
        let of_collection = || {
            let class = self.shared.class(&self.user, called.collection?);
            class.map(|class| class.function())
        };
        let function = self.shared.only.or_else(of_collection);
        self.shared.counter.count(function, called.took, called.failed.map(Error::name));
    }

    fn listed(&self, all: &[Collection]) {
        if self.shared.only.is_some() {
            return;
        }
        let mut classes = self.shared.classes.lock().unwrap_or_else(PoisonError::into_inner);
        if classes.len().saturating_add(all.len()) > REMEMBERED {
            classes.clear();
        }
        let key = |one: &Collection| self.shared.hasher.hash_one((&self.user, &one.id));
        classes.extend(all.iter().take(REMEMBERED).map(|one| (key(one), one.class)));
    }
}

/// A keeper of out-of-office messages whose calls are counted.
pub(crate) struct CountedVacations {
    service: Arc<dyn VacationService>,
    counter: Counter,
}

impl CountedVacations {
    pub(crate) fn new(service: Arc<dyn VacationService>, counter: Counter) -> Self {
        Self { service, counter }
    }
}

#[async_trait]
impl VacationService for CountedVacations {
    async fn vacation(&self, account: &Account, context: &CallContext) -> Result<Vacation> {
        let call = self.service.vacation(account, context);
        self.counter.counted(Some(Function::Mail), Error::name, call).await
    }

    async fn set_vacation(
        &self,
        account: &Account,
        addresses: &[String],
        vacation: &Vacation,
        context: &CallContext,
    ) -> Result<()> {
        let call = self.service.set_vacation(account, addresses, vacation, context);
        self.counter.counted(Some(Function::Mail), Error::name, call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use dme_link::Counting;
    use dme_mailbox::memory::MemoryMailSystem;
    use dme_mailbox::{ChangeToken, Credentials, ItemFilter};
    use dme_model::{RequestId, Role};
    use std::time::Duration;

    #[tokio::test]
    async fn calls_are_counted_by_the_class_of_their_collection_and_by_what_went_wrong() {
        let (ann, memory) = (UserId::from("ann@example.org"), MemoryMailSystem::default());
        memory.add_user(&ann, "ann@example.org");
        let tally = Arc::new(Tally::default());
        let all = Class::ALL.into();
        let inbox = memory.collection(&ann, Role::Inbox).unwrap();
        let system =
            CountedSystem::new(Arc::new(memory), &all, Counter::new("memory", tally.clone()));
        let account = Account {
            user: ann,
            address: "ann@example.org".into(),
            display_name: None,
            credentials: Credentials::None,
        };
        let context = CallContext::new(RequestId::from("r"), Duration::from_secs(60));
        let mailbox = system.open(&account, &context).await.unwrap();
        mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
        mailbox.collections().await.unwrap();
        mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
        let bad = ChangeToken("no token of ours".into());
        mailbox.changes(&inbox, &bad).await.unwrap_err();
        let nobody = Account { user: UserId::from("bob@example.org"), ..account };
        let failed = match system.open(&nobody, &context).await {
            Err(error) => error,
            Ok(mailbox) => mailbox.collections().await.unwrap_err(),
        };
        let counts = tally.counts();
        let row = |function: &str| counts.iter().find(|row| row.function == function).unwrap();
        // Of which class a collection is, is known once they were listed.
        assert_eq!((row("any").calls, row("mail").calls), (3, 2));
        assert_eq!(row("mail").failed, [("mailbox.invalid_token".to_owned(), 1)].into());
        assert_eq!(row("any").failed, [(failed.name().to_owned(), 1)].into());
        assert!(counts.iter().all(|row| row.backend == "memory"));
    }
}
