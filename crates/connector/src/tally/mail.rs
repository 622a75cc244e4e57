//! Mail systems whose calls are counted.

use super::Counter;
use async_trait::async_trait;
use dme_mailbox::{
    Account, CallContext, Called, Error, MailSystem, Mailbox, Passing, Result, VacationService, Way,
};
use dme_model::{Class, Collection, CollectionId, Function, UserId, Vacation};
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Collections whose class is remembered, at sixteen bytes each; where a new one does not fit, all
/// are learned anew.
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
        Self { system, shared: Arc::new(Shared { only, classes: Mutex::default(), counter }) }
    }
}

impl Shared {
    fn class(&self, user: &UserId, collection: &CollectionId) -> Option<Class> {
        let classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes.get(&classes.hasher().hash_one((user, collection))).copied()
    }

    fn learn(&self, user: &UserId, all: &[Collection]) {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.iter().take(REMEMBERED);
        let told = told.map(|one| (classes.hasher().hash_one((user, &one.id)), one.class));
        let told: Vec<(u64, Class)> = told.collect();
        let new = told.iter().filter(|(key, _)| !classes.contains_key(key)).count();
        if classes.len().saturating_add(new) > REMEMBERED {
            classes.clear();
        }
        classes.extend(told);
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
        if self.shared.only.is_none() {
            self.shared.learn(&self.user, all);
        }
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
    use dme_model::{Access, Owner, RequestId, Role};
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

    #[test]
    fn what_is_remembered_of_collections_is_forgotten_only_where_new_ones_do_not_fit() {
        let counter = Counter::new("memory", Arc::default());
        let shared = Shared { only: None, classes: Mutex::default(), counter };
        let collections = |count: usize| -> Vec<Collection> {
            let collection = |number: usize| Collection {
                id: CollectionId::from(number.to_string()),
                parent: None,
                name: String::new(),
                class: Class::Mail,
                role: None,
                access: Access::default(),
                owner: Owner::default(),
            };
            (0..count).map(collection).collect()
        };
        let [ann, bob, carl] = ["ann", "bob", "carl"].map(UserId::from);
        let first = CollectionId::from("0");
        shared.learn(&bob, &collections(1));
        for _ in 0..2 {
            shared.learn(&ann, &collections(REMEMBERED - 1));
            assert_eq!(shared.class(&bob, &first), Some(Class::Mail));
        }
        shared.learn(&carl, &collections(1));
        assert_eq!([&ann, &bob].map(|user| shared.class(user, &first)), [None, None]);
        assert_eq!(shared.class(&carl, &first), Some(Class::Mail));
    }
}
