//! One user's mailbox: the trait's calls, each in a module of its own.

use crate::client::{Answer as HttpAnswer, Client, Login, Request};
use crate::config::{Auth, DavConfig};
use crate::error::{ConfigError, WireError};
use crate::href::Path;
use crate::owner::OwnerNames;
use crate::principal::Principals;
use crate::server::Server;
use crate::standing::Untokened;
use crate::watch::Watches;
use async_trait::async_trait;
use dme_dial::login_name;
use dme_mailbox::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Credentials, Edit, ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing, MailSystem,
    Mailbox, NewItem, PartContent, Result, Subcollections, SubmissionKey, TakenIn, WatchEvent,
    Written,
};
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, ItemId, Occasion, PartId, ZoneId,
};
use futures_core::stream::BoxStream;
use std::hash::RandomState;
use std::sync::Arc;
use tokio::time::Instant;

/// The largest answer on many resources, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

/// A system of calendars, tasks, notes (CalDAV) and contacts (CardDAV).
#[derive(Clone)]
pub struct DavMailSystem {
    pub(crate) server: Arc<Server>,
}

/// What all users of one server share.
pub(crate) struct Shared {
    pub(crate) config: DavConfig,
    pub(crate) client: Client,
    /// Where the user may be told to be, the likeliest place first.
    pub(crate) places: Vec<Path>,
    pub(crate) principals: Principals,
    pub(crate) owners: OwnerNames,
    pub(crate) untokened: Untokened,
    pub(crate) watches: Watches,
    /// Keys the hashes by which credentials are told apart without keeping them.
    hasher: RandomState,
}

impl Shared {
    pub(crate) fn new(config: DavConfig, client: Client, places: Vec<Path>) -> Self {
        Self {
            config,
            client,
            places,
            principals: Principals::default(),
            owners: OwnerNames::default(),
            untokened: Untokened::default(),
            watches: Watches::default(),
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn fingerprint(&self, credentials: &Credentials) -> u64 {
        credentials.fingerprint(&self.hasher)
    }
}

/// One user's mailbox for the time of one request.
#[derive(Clone)]
pub(crate) struct DavMailbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) account: Account,
    pub(crate) login: Login,
    pub(crate) deadline: Instant,
    /// The user's clock: of times without a time zone.
    pub(crate) clock: ZoneId,
}

impl DavMailSystem {
    /// A system as configured. Connects to nothing yet.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: DavConfig) -> std::result::Result<Self, ConfigError> {
        config.check()?;
        Self::at("dav", config)
    }

    /// The same of a configuration that was checked; `at` is the table it stands in, for errors.
    pub(crate) fn at(
        at: &'static str,
        config: DavConfig,
    ) -> std::result::Result<Self, ConfigError> {
        Ok(Self { server: Arc::new(Server::new(at, config)?) })
    }

    pub(crate) async fn mailbox(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> Result<DavMailbox> {
        let deadline = Instant::from_std(context.deadline);
        let login = Login::new(self.server.config(), account)?;
        let shared = self.server.shared(deadline).await?;
        let (account, clock) = (account.clone(), context.clock.clone());
        Ok(DavMailbox { login, shared, account, deadline, clock })
    }
}

#[async_trait]
impl MailSystem for DavMailSystem {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        let config = self.server.config();
        if !config.realms.is_empty() {
            return Ok(account.user.is_of(&config.realms));
        }
        if !matches!(config.auth, Auth::Master { .. }) {
            return Ok(true);
        }
        let found = self.mailbox(account, context).await?.principal().await;
        match found.map_err(|error| error.told("find the user")) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind, ErrorKind::Auth | ErrorKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        Ok(Arc::new(self.mailbox(account, context).await?))
    }
}

impl DavMailbox {
    pub(crate) fn login_name(&self) -> String {
        login_name(self.shared.config.login, &self.account)
    }

    /// One request on the user's behalf.
    pub(crate) async fn send(&self, request: Request) -> Result<HttpAnswer, WireError> {
        self.send_within(request, MAX_ANSWER).await
    }

    /// The same with a limit to the answer, in bytes.
    pub(crate) async fn send_within(
        &self,
        request: Request,
        limit: u64,
    ) -> Result<HttpAnswer, WireError> {
        self.shared.client.send(&self.login, request, limit, self.deadline).await
    }
}

#[async_trait]
impl Mailbox for DavMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.list_collections().await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.make_collection(parent, name, class).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.rename_collection(collection, parent, name).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.drop_collection(collection).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.list_items(collection, filter).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.changes_since(collection, since).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.changed_collections(since).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        self.fetch_items(collection, items, view).await
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        self.fetch_content(collection, item, part, range).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.transfer(from, to, items).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.remove_items(collection, items).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        _subcollections: Subcollections,
    ) -> Result<()> {
        self.remove_all(collection).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.watch_collections(collections).await
    }

    async fn identity(&self) -> Result<Identity> {
        let addresses = self.owner().await.map_err(|error| error.told("find the user"))?;
        Ok(Identity {
            addresses,
            display_name: self.account.display_name.clone(),
            max_message_size: None,
        })
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        self.make_item(collection, item).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        self.edit_item(collection, item, edit).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        self.answer_invitation(collection, item, key, answer).await
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        self.take_in_message(message, occasion).await
    }

    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        self.tells_by_server(message, to).await
    }

    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        self.busy_times(query).await
    }
}
