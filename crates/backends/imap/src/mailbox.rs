//! One user's mailbox: the trait's calls, each in a module of its own.

use crate::config::ImapConfig;
use crate::dial::{Dialer, Protocol};
use crate::error::{ConfigError, WireError};
use crate::pool::{Freshness, Lease, Pool};
use crate::smtp::Smtp;
use crate::watch::Watches;
use async_trait::async_trait;
use dme_mailbox::{
    Account, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes, Draft, Error,
    ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing, MailSystem, Mailbox,
    PartContent, Result, SearchPage, SearchQuery, Subcollections, Submission, Submitted,
    WatchEvent,
};
use dme_model::{BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, PartId};
use futures_core::stream::BoxStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// A mail system that speaks IMAP and SMTP.
#[derive(Clone)]
pub struct ImapMailSystem {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) pool: Arc<Pool>,
    pub(crate) smtp: Option<Smtp>,
    pub(crate) watches: Watches,
}

/// One user's mailbox for the time of one request.
pub(crate) struct ImapMailbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) account: Account,
    pub(crate) deadline: Instant,
    /// Whether the server was asked anything: a call that fails before that was not begun.
    asked: AtomicBool,
}

/// Runs a call on a session, once more on a new one where the first was lost (rule R7). Only for
/// what may be done twice.
macro_rules! on_session {
    ($this:expr, $mailbox:expr, $what:expr, |$session:ident| $body:block) => {{
        let mut freshness = $crate::pool::Freshness::Any;
        loop {
            let mut lease = $this.lease($mailbox, freshness, $what).await?;
            let $session = &mut *lease;
            let result: ::std::result::Result<_, $crate::error::WireError> = async { $body }.await;
            match result {
                Err(error)
                    if error.is_lost_session() && freshness == $crate::pool::Freshness::Any =>
                {
                    freshness = $crate::pool::Freshness::New;
                }
                result => break result.map_err(|error| error.told($what)),
            }
        }
    }};
}
pub(crate) use on_session;

impl ImapMailSystem {
    /// A mail system as configured. Connects to nothing yet.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: ImapConfig) -> std::result::Result<Self, ConfigError> {
        config.check()?;
        let smtp = match &config.smtp {
            None => None,
            Some(smtp) => Some(Smtp::new(
                Dialer::new(
                    "imap.smtp",
                    &smtp.server,
                    smtp.port(),
                    Protocol::Smtp,
                    config.timeouts.connect.0,
                )?,
                smtp.auth.clone(),
                config.auth.clone(),
                config.login,
                config.timeouts.silence.0,
            )),
        };
        let pool = Arc::new(Pool::new(config)?);
        Ok(Self { shared: Arc::new(Shared { pool, smtp, watches: Watches::default() }) })
    }

    pub(crate) fn mailbox(&self, account: &Account, context: &CallContext) -> ImapMailbox {
        let deadline = Instant::from_std(context.deadline);
        ImapMailbox::new(self.shared.clone(), account.clone(), deadline)
    }
}

#[async_trait]
impl MailSystem for ImapMailSystem {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        let config = &self.shared.pool.config;
        if !config.realms.is_empty() {
            return Ok(account.user.is_of(&config.realms));
        }
        if !matches!(config.auth, dme_dial::Auth::Master { .. }) {
            return Ok(true);
        }
        match self.mailbox(account, context).lease(None, Freshness::Any, "open").await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Auth => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        Ok(Arc::new(self.mailbox(account, context)))
    }
}

impl ImapMailbox {
    pub(crate) fn new(shared: Arc<Shared>, account: Account, deadline: Instant) -> Self {
        Self { shared, account, deadline, asked: AtomicBool::new(false) }
    }

    pub(crate) async fn lease(
        &self,
        mailbox: Option<&str>,
        freshness: Freshness,
        what: &str,
    ) -> Result<Lease> {
        let leased = self.shared.pool.lease(&self.account, mailbox, freshness, self.deadline).await;
        self.ready_for(what, leased)
    }

    /// A session for what must not be done twice: it has just answered, so that what follows is
    /// not lost for its being dead already.
    pub(crate) async fn lease_for_write(&self, mailbox: Option<&str>, what: &str) -> Result<Lease> {
        let lease =
            |freshness| self.shared.pool.lease(&self.account, mailbox, freshness, self.deadline);
        let answered = async {
            let mut kept = lease(Freshness::Any).await?;
            match kept.run("NOOP", drop).await {
                Ok(_) => Ok(kept),
                Err(error) if error.is_lost_session() => {
                    drop(kept);
                    lease(Freshness::New).await
                }
                Err(error) => Err(error),
            }
        };
        self.ready_for(what, answered.await)
    }

    /// A session on which the server can be asked, or why there is none. Where it was not asked
    /// anything before, nothing was begun then.
    fn ready_for(&self, what: &str, lease: std::result::Result<Lease, WireError>) -> Result<Lease> {
        match lease {
            Ok(lease) => {
                self.asked.store(true, Ordering::Relaxed);
                Ok(lease)
            }
            Err(error) if self.asked.load(Ordering::Relaxed) => Err(error.told(what)),
            Err(error) => Err(error.told(what).before_anything()),
        }
    }
}

/// The UID an item id stands for; none where it is not one of ours.
pub(crate) fn uid(item: &ItemId) -> Option<u32> {
    let text = item.as_str();
    let canonical = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| canonical)
}

pub(crate) fn item(uid: u32) -> ItemId {
    ItemId::from(uid.to_string())
}

pub(crate) fn local(kind: ErrorKind, context: &str) -> WireError {
    WireError::Local(Error::new(kind, format!("imap: {context}")))
}

#[async_trait]
impl Mailbox for ImapMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.list_folders().await
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
        self.create_folder(parent, name).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.rename_folder(collection, parent, name).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.delete_folder(collection).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.list_items(collection, filter).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.changes_since(collection, since).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.changed_folders(since).await
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
        self.store_flags(collection, patches).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.move_messages(from, to, items).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.delete_messages(collection, items).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        self.empty_folder(collection, subcollections).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        self.append_draft(collection, draft).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        self.append_message(collection, message).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        self.send(submission).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.find(query).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.watch_folders(collections).await
    }

    async fn identity(&self) -> Result<Identity> {
        let max_message_size = match &self.shared.smtp {
            Some(smtp) => smtp.max_message_size(&self.account, self.deadline).await.unwrap_or(None),
            None => None,
        };
        Ok(Identity {
            addresses: vec![self.account.address.clone()],
            display_name: self.account.display_name.clone(),
            max_message_size,
        })
    }
}
