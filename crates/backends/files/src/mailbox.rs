//! One user's handle: the trait, on the folders of the user's tree.

use crate::Shared;
use crate::error::no_item;
use crate::folder::number;
use crate::home::Home;
use crate::maildir::fingerprint;
use crate::portions::changed;
use crate::search::{Abandoned, search};
use crate::submit::Sender;
use crate::vacation;
use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{
    Account, ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Error, ErrorKind,
    FetchOutcome, Fetched, Identity, ItemFilter, ItemResult, Listing, Mailbox, PartContent, Result,
    SearchPage, SearchQuery, Subcollections, Submission, Submitted, WatchEvent,
};
use dme_mime::Envelope;
use dme_model::{
    BodyView, Class, Collection, CollectionId, FlagPatch, Flags, Item, ItemId, PartId, Timestamp,
    Vacation,
};
use futures_core::stream::BoxStream;
use std::sync::Arc;

/// How many messages of a fetch are read at a time: few enough that large ones fit into memory.
const PORTION: usize = 8;

pub(crate) struct FilesMailbox {
    shared: Arc<Shared>,
    home: Home,
    account: Account,
}

impl FilesMailbox {
    pub(crate) fn new(shared: Arc<Shared>, home: Home, account: Account) -> Self {
        Self { shared, home, account }
    }

    /// Does file work in this user's tree.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Home) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let home = self.home.clone();
        self.shared.blocking(move |shared| work(shared, &home)).await
    }
}

#[async_trait]
impl Mailbox for FilesMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.work(|_, home| home.collections()).await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        if class != Class::Mail {
            return Err(Error::new(ErrorKind::Unsupported, "there is nothing but mail here"));
        }
        let (parent, name) = (parent.cloned(), name.to_owned());
        self.work(move |_, home| home.create_folder(parent.as_ref(), &name)).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let (id, parent, name) = (collection.clone(), parent.cloned(), name.to_owned());
        self.work(move |_, home| home.update_folder(&id, parent.as_ref(), &name)).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        let id = collection.clone();
        self.work(move |_, home| home.delete_folder(&id)).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        let (id, filter) = (collection.clone(), filter.clone());
        self.work(move |shared, home| {
            let from = filter.since.map_or(i64::MIN, Timestamp::as_days);
            let folder = home.folder(&shared.folders, &id)?;
            let (items, token) = folder.list(|received| received.as_days() >= from)?;
            Ok(Listing { items, token })
        })
        .await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        let (id, since) = (collection.clone(), since.clone());
        self.work(move |shared, home| home.folder(&shared.folders, &id)?.changes(&since)).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        let since = since.to_vec();
        self.work(move |shared, home| {
            changed(since, |id| home.folder(&shared.folders, id)?.token())
        })
        .await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let (id, view) = (collection.clone(), view.clone());
        let folder = self.work(move |shared, home| home.folder(&shared.folders, &id)).await?;
        let read_one = move |id: &ItemId| {
            let message = number(id).map_or(Ok(None), |number| folder.read(number));
            let outcome = match message {
                Ok(Some(message)) => convert(message, &view),
                Ok(None) => FetchOutcome::Gone,
                Err(error) if error.kind == ErrorKind::Unconvertible => {
                    FetchOutcome::Unconvertible(error.context)
                }
                Err(error) => return Err(error),
            };
            Ok(Fetched { id: id.clone(), outcome })
        };
        let read = move |portion: &[ItemId]| portion.iter().map(&read_one).collect();
        Ok(self.shared.in_portions(items, PORTION, read))
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let (id, item, part) = (collection.clone(), item.clone(), part.cloned());
        self.work(move |shared, home| {
            let folder = home.folder(&shared.folders, &id)?;
            let message = match number(&item) {
                Some(number) => folder.read(number)?,
                None => None,
            };
            let raw = message.ok_or_else(|| no_item(&item))?.raw;
            content(&raw, part.as_ref(), range)
        })
        .await
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        let whole = self.fetch_part(collection, item, None, None).await?;
        let said = dme_mime::calendar_message(&whole.data)
            .map_err(|error| Error::new(ErrorKind::Unconvertible, error.to_string()))?;
        Ok(said.map(|(calendar, from)| CalendarMessage { calendar, from }))
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        let (id, patches) = (collection.clone(), patches.to_vec());
        self.work(move |shared, home| home.folder(&shared.folders, &id)?.set_flags(&patches)).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        if from == to {
            return Err(Error::new(ErrorKind::Invalid, "the items are there already"));
        }
        let (from, to, items) = (from.clone(), to.clone(), items.to_vec());
        self.work(move |shared, home| {
            let target = home.folder(&shared.folders, &to)?;
            home.folder(&shared.folders, &from)?.move_to(&target, &items)
        })
        .await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        let (id, items) = (collection.clone(), items.to_vec());
        self.work(move |shared, home| home.folder(&shared.folders, &id)?.delete(&items)).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        let id = collection.clone();
        self.work(move |shared, home| {
            home.folder(&shared.folders, &id)?.empty()?;
            if subcollections == Subcollections::Delete {
                home.delete_within(&id)?;
            }
            Ok(())
        })
        .await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        let (id, draft) = (collection.clone(), draft.clone());
        self.work(move |shared, home| {
            let folder = home.folder(&shared.folders, &id)?;
            let base = format!("dme-{}", fingerprint(&["draft", &draft.key.0]));
            let saved = match folder.find_base(&base)? {
                Some(saved) => saved,
                None => {
                    let flags = Flags { seen: true, draft: true, ..Flags::default() };
                    folder.insert_as(&base, &draft.message, &flags)?
                }
            };
            if let Some(replaced) = draft.replaces.filter(|replaced| *replaced != saved) {
                folder.delete(&[replaced])?;
            }
            Ok(saved)
        })
        .await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        let (id, message) = (collection.clone(), message.to_vec());
        self.work(move |shared, home| home.folder(&shared.folders, &id)?.deliver(&message, None))
            .await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let (account, submission) = (self.account.clone(), submission.clone());
        self.work(move |shared, home| {
            Sender { shared, home, account: &account }.submit(&submission)
        })
        .await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let (query, abandoned) = (query.clone(), Abandoned::default());
        let _waiting = abandoned.when_dropped();
        self.work(move |shared, home| search(shared, home, &query, &abandoned)).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let collections = collections.to_vec();
        self.work(move |shared, home| shared.watcher.watch(home, &collections)).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        self.work(|_, home| vacation::read(home)).await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        let vacation = vacation.clone();
        self.work(move |_, home| vacation::write(home, &vacation)).await
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(Identity {
            addresses: vec![self.account.address.clone()],
            display_name: self.account.display_name.clone(),
            max_message_size: Some(self.shared.config.max_message_size.0),
        })
    }
}

fn convert(message: crate::folder::Message, view: &BodyView) -> FetchOutcome {
    let size = message.raw.len() as u64;
    let envelope = Envelope { flags: message.flags, received: message.received, size };
    match dme_mime::read(message.raw, envelope, view, dme_pim::invitation) {
        Ok(mail) => FetchOutcome::Item(Item::Mail(Box::new(mail))),
        Err(error) => FetchOutcome::Unconvertible(error.to_string()),
    }
}

fn content(raw: &Bytes, part: Option<&PartId>, range: Option<ByteRange>) -> Result<PartContent> {
    let mut content = match part {
        None => PartContent {
            media_type: "message/rfc822".into(),
            name: None,
            full_size: raw.len() as u64,
            data: raw.clone(),
        },
        Some(part) => {
            let found = dme_mime::part(raw, part, None).map_err(|error| {
                Error::new(ErrorKind::NotFound, format!("no part {part}: {error}"))
            })?;
            PartContent {
                media_type: found.media_type,
                name: found.name,
                full_size: found.full_size,
                data: found.data,
            }
        }
    };
    if let Some(range) = range {
        content.data = range.cut(&content.data)?;
    }
    Ok(content)
}
