//! The address list as a folder on the phone: contacts that nobody can change there, made of what
//! the directory shows the user.

mod book;
mod shelf;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use dme_directory::{DirectoryService, on_behalf_of};
use dme_mailbox::{
    Account, ByteRange, CallContext, ChangeToken, Changes, Edit, Error, ErrorKind, FetchOutcome,
    Fetched, Identity, ItemFilter, ItemResult, Listing, MailSystem, Mailbox, NewItem, PartContent,
    Result, Subcollections, SubmissionKey, WatchEvent, Written,
};
use dme_model::{
    Access, Answer, BodyView, Class, Collection, CollectionId, Item, ItemId, Owner, PartId, Realm,
    Span, within,
};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use shelf::Shelf;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

/// The one collection.
const PEOPLE: &str = "people";
/// The most people: as many as a change token has place for.
const MAX_PEOPLE: u32 = 10_000;
/// The longest name of the folder, in characters.
const MAX_NAME: usize = 100;
/// How long a look of a watch may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder with everybody, by the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressBookConfig {
    /// What phones show as the folder's name.
    pub name: String,
    /// How many people are in it at most, 1 to 10,000.
    pub limit: u32,
    /// How long what was read of the directory serves, and how often it is read while a phone
    /// waits; 1 s to 1 day.
    pub refresh: Span,
}

impl Default for AddressBookConfig {
    fn default() -> Self {
        Self { name: "Company".into(), limit: 1_000, refresh: Span::seconds(300) }
    }
}

impl AddressBookConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// In words, naming the setting and what is allowed.
    pub fn check(&self) -> std::result::Result<(), String> {
        let length = self.name.chars().count();
        if self.name.trim().is_empty() || length > MAX_NAME {
            let allowed = format!("1 to {MAX_NAME} characters");
            return Err(format!(
                "address_book.name has {length} characters: {allowed} are allowed"
            ));
        }
        within("address_book.limit", self.limit, 1..=MAX_PEOPLE)
            .and_then(|()| {
                let allowed = Span::seconds(1)..=Span::seconds(86_400);
                within("address_book.refresh", self.refresh, allowed)
            })
            .map_err(|error| error.to_string())
    }
}

/// A directory as a mail system of one collection, for the users of its realm.
pub(crate) struct AddressBook {
    name: String,
    realm: Realm,
    shelf: Arc<Shelf>,
}

impl AddressBook {
    /// The address list of the directory that is the source of this realm.
    ///
    /// # Errors
    /// As [`AddressBookConfig::check`] says.
    pub(crate) fn new(
        config: &AddressBookConfig,
        directory: Arc<dyn DirectoryService>,
        realm: Realm,
    ) -> std::result::Result<Self, String> {
        config.check()?;
        let shelf = Arc::new(Shelf::new(directory, config.limit, config.refresh.0));
        Ok(Self { name: config.name.clone(), realm, shelf })
    }
}

#[async_trait]
impl MailSystem for AddressBook {
    async fn owns(&self, account: &Account, _: &CallContext) -> Result<bool> {
        Ok(account.user.realm().as_ref() == Some(&self.realm))
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        // Users of another realm are not shown the people of this one.
        let name = self.owns(account, context).await?.then(|| self.name.clone());
        Ok(Arc::new(AddressBookMailbox {
            name,
            account: account.clone(),
            context: context.clone(),
            shelf: self.shelf.clone(),
        }))
    }
}

/// The address list as one user sees it, for the time of one request.
struct AddressBookMailbox {
    /// The folder's; none where the user has no such folder.
    name: Option<String>,
    account: Account,
    context: CallContext,
    shelf: Arc<Shelf>,
}

fn people() -> CollectionId {
    PEOPLE.into()
}

fn read_only<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Forbidden, "the address list is changed in the directory only"))
}

fn people_only<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "there is nothing but the address list here"))
}

impl AddressBookMailbox {
    /// Whether the collection is the one that the user has.
    fn is_here(&self, collection: &CollectionId) -> bool {
        self.name.is_some() && *collection == people()
    }

    /// What the user sees.
    async fn book(&self, collection: &CollectionId) -> Result<Arc<book::Book>> {
        self.book_by(Instant::from_std(self.context.deadline), collection).await
    }

    async fn book_by(
        &self,
        deadline: Instant,
        collection: &CollectionId,
    ) -> Result<Arc<book::Book>> {
        if !self.is_here(collection) {
            return Err(Error::new(ErrorKind::NotFound, "no such collection in the address list"));
        }
        let (shelf, user) = (self.shelf.clone(), self.account.user.clone());
        let reading = async move { shelf.book_of(&user).await };
        // In a task of its own: what is read serves the next call, also where this one gives up.
        let reading = on_behalf_of(self.context.request.clone(), reading).in_current_span();
        match timeout_at(deadline, tokio::spawn(reading)).await {
            Ok(Ok(book)) => book,
            Ok(Err(_)) => Err(Error::new(ErrorKind::Bug, "reading the address list broke off")),
            Err(_) => Err(Error::new(ErrorKind::Timeout, "the address list took too long")),
        }
    }
}

#[async_trait]
impl Mailbox for AddressBookMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        let collection = |name: &String| Collection {
            id: people(),
            parent: None,
            name: name.clone(),
            class: Class::Contacts,
            role: None,
            access: Access::ReadOnly,
            owner: Owner::User,
        };
        Ok(self.name.iter().map(collection).collect())
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        _: &str,
        _: Class,
    ) -> Result<CollectionId> {
        if parent.is_some() { read_only() } else { people_only() }
    }

    async fn update_collection(
        &self,
        _: &CollectionId,
        _: Option<&CollectionId>,
        _: &str,
    ) -> Result<CollectionId> {
        read_only()
    }

    async fn delete_collection(&self, _: &CollectionId) -> Result<()> {
        read_only()
    }

    /// No filter leaves anybody out: people have no time.
    async fn list(&self, collection: &CollectionId, _: &ItemFilter) -> Result<Listing> {
        let book = self.book(collection).await?;
        Ok(Listing { items: book.ids(), token: book.token().clone() })
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.book(collection).await?.changes(since)
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        let mut changed = Vec::new();
        for (collection, token) in since {
            if !self.is_here(collection) || self.book(collection).await?.token() != token {
                changed.push(collection.clone());
            }
        }
        Ok(changed)
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        _: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let (book, items) = (self.book(collection).await?, items.to_vec());
        let fetched = items.into_iter().map(move |id| {
            let contact = book.contact(&id);
            let item = contact.map(|contact| FetchOutcome::Item(Item::Contact(Box::new(contact))));
            Ok(Fetched { id, outcome: item.unwrap_or(FetchOutcome::Gone) })
        });
        Ok(stream::iter(fetched).boxed())
    }

    async fn fetch_part(
        &self,
        _: &CollectionId,
        _: &ItemId,
        _: Option<&PartId>,
        _: Option<ByteRange>,
    ) -> Result<PartContent> {
        Err(Error::new(ErrorKind::NotFound, "people in the address list have no parts"))
    }

    async fn move_items(
        &self,
        _: &CollectionId,
        _: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        Ok(items.iter().map(|id| (id.clone(), read_only())).collect())
    }

    async fn delete_items(&self, _: &CollectionId, _: &[ItemId]) -> Result<()> {
        read_only()
    }

    async fn empty_collection(&self, _: &CollectionId, _: Subcollections) -> Result<()> {
        read_only()
    }

    /// The directory does not tell of changes, so it is read at intervals. While it cannot be, the
    /// watch goes on: one on mail beside it shall not end for that.
    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let ready = stream::once(async { Ok(WatchEvent::Ready) });
        if !collections.iter().any(|collection| self.is_here(collection)) {
            return Ok(ready.chain(stream::pending()).boxed());
        }
        let seen = self.book(&people()).await.ok();
        let mailbox = Self {
            name: self.name.clone(),
            account: self.account.clone(),
            context: self.context.clone(),
            shelf: self.shelf.clone(),
        };
        let looks = stream::unfold((mailbox, seen), |(mailbox, mut seen)| async move {
            loop {
                sleep(spread(mailbox.shelf.refresh())).await;
                let now = match mailbox.book_by(Instant::now() + PATIENCE, &people()).await {
                    Ok(book) => book,
                    Err(error) => {
                        tracing::debug!(%error, "a watch could not look at the address list");
                        continue;
                    }
                };
                let differs = seen.as_ref().is_none_or(|seen| seen.token() != now.token());
                seen = Some(now);
                if differs {
                    return Some((Ok(WatchEvent::Changed(people())), (mailbox, seen)));
                }
            }
        });
        Ok(ready.chain(looks).boxed())
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(Identity {
            addresses: vec![self.account.address.clone()],
            display_name: self.account.display_name.clone(),
            max_message_size: None,
        })
    }

    async fn create_item(&self, _: &CollectionId, _: &NewItem) -> Result<Written> {
        read_only()
    }

    async fn change_item(&self, _: &CollectionId, _: &ItemId, _: &Edit) -> Result<Written> {
        read_only()
    }

    async fn respond(
        &self,
        _: &CollectionId,
        _: &ItemId,
        _: &SubmissionKey,
        _: &Answer,
    ) -> Result<Written> {
        people_only()
    }
}

/// A time from this one to a quarter more, so that a thousand users' looks do not come at once. Not
/// less: what was read before would serve again.
fn spread(interval: Duration) -> Duration {
    let share = (RandomState::new().hash_one(0) % 1_024) as u32;
    interval + interval * share / 4_096
}
