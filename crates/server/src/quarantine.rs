//! What a quarantined phone gets: an inbox with one mail that explains, and nothing else.

use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{
    ByteRange, ChangeToken, Changes, Draft, Error, ErrorKind, FetchOutcome, Fetched, Identity,
    ItemFilter, ItemResult, Listing, Mailbox, PartContent, Result, SearchPage, SearchQuery,
    Subcollections, Submission, Submitted, WatchEvent,
};
use dme_model::{
    Access, Address, Body, BodyKind, BodyView, Class, Collection, CollectionId, FlagPatch, Item,
    ItemId, ItemSet, Mail, Owner, PartId, Role, Timestamp,
};
use dme_store::Device;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

const SUBJECT: &str = dme_eas::QUARANTINE_SUBJECT;
const ITEM: &str = "1";

/// Makes each quarantined phone its mailbox.
pub struct Quarantine {
    /// The administrator's own words, after the standard ones.
    note: String,
    /// The sender's address.
    sender: String,
}

impl Quarantine {
    /// With the administrator's words; `host`, a name or an address, makes the sender's address.
    pub fn new(note: &str, host: &str) -> Self {
        let sender = match host.contains(':') {
            // An address literal of mail (RFC 5321 §4.1.3).
            true => format!("postmaster@[IPv6:{host}]"),
            false => format!("postmaster@{host}"),
        };
        Self { note: note.to_owned(), sender }
    }

    /// The administrator's words.
    pub(crate) fn note(&self) -> &str {
        &self.note
    }

    /// The mailbox of one device. The mail bears the time when the device first came, so that it
    /// is the same mail each time.
    pub fn mailbox(&self, device: &Device) -> Arc<dyn Mailbox> {
        let reason = device.decision.as_ref().map(|decision| decision.reason.as_str());
        let reason = reason.filter(|reason| !reason.is_empty());
        let reason = reason.map_or_else(String::new, |reason| format!("Why: {reason}\r\n\r\n"));
        let text = format!(
            "This device ({} {}) was added to the account {} and is waiting for an administrator \
             to approve it.\r\n\r\nUntil then it gets no mail but this one. Nothing more is to be \
             done on the device: as soon as it is approved, it synchronises by itself.\r\n\r\n{reason}{}\r\n",
            device.device_type, device.key.device, device.key.user, self.note
        );
        Arc::new(NoticeMailbox {
            text,
            sender: self.sender.clone(),
            owner: device.key.user.as_str().to_owned(),
            received: device.first_seen,
        })
    }
}

/// A mailbox of one mail that nobody can change.
struct NoticeMailbox {
    text: String,
    sender: String,
    owner: String,
    received: Timestamp,
}

impl NoticeMailbox {
    fn mail(&self, view: &BodyView) -> Mail {
        let address = |email: &str, name: Option<&str>| Address {
            name: name.map(str::to_owned),
            email: email.to_owned(),
        };
        Mail {
            from: vec![address(&self.sender, Some("Mobile access"))],
            to: vec![address(&self.owner, None)],
            subject: SUBJECT.to_owned(),
            thread_topic: SUBJECT.to_owned(),
            received: self.received,
            sent: Some(self.received),
            size: self.text.len() as u64,
            native: Some(BodyKind::Plain),
            body: self.body(view),
            preview: view
                .preferences
                .iter()
                .find_map(|preference| preference.preview)
                .map(|length| self.text.chars().take(length.into()).collect()),
            ..Mail::default()
        }
    }

    /// The text in the first form asked for; it is short, so that no truncation matters.
    fn body(&self, view: &BodyView) -> Option<Body> {
        let kind = view.preferences.first()?.kind;
        let data = match kind {
            BodyKind::Plain => self.text.clone(),
            BodyKind::Html => {
                let escaped = self.text.replace('&', "&amp;").replace('<', "&lt;");
                format!("<html><body><p>{}</p></body></html>", escaped.replace("\r\n", "<br>"))
            }
            BodyKind::Mime => format!(
                "From: Mobile access <{}>\r\nTo: <{}>\r\nSubject: {SUBJECT}\r\n\
                 MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}",
                self.sender, self.owner, self.text
            ),
        };
        let full_size = data.len() as u64;
        Some(Body { kind, data: Bytes::from(data), truncated: false, full_size })
    }
}

fn collection(id: &str, name: &str, role: Role) -> Collection {
    Collection {
        id: id.into(),
        parent: None,
        name: name.to_owned(),
        class: Class::Mail,
        role: Some(role),
        access: Access::ReadOnly,
        owner: Owner::User,
    }
}

fn inbox() -> CollectionId {
    "quarantine/inbox".into()
}

fn token() -> ChangeToken {
    ChangeToken("quarantine".into())
}

fn refused<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Forbidden, "the device is quarantined"))
}

#[async_trait]
impl Mailbox for NoticeMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        Ok(vec![
            collection("quarantine/inbox", "Inbox", Role::Inbox),
            collection("quarantine/drafts", "Drafts", Role::Drafts),
            collection("quarantine/sent", "Sent", Role::Sent),
            collection("quarantine/trash", "Trash", Role::Trash),
        ])
    }

    async fn create_collection(
        &self,
        _: Option<&CollectionId>,
        _: &str,
        _: Class,
    ) -> Result<CollectionId> {
        refused()
    }

    async fn update_collection(
        &self,
        _: &CollectionId,
        _: Option<&CollectionId>,
        _: &str,
    ) -> Result<CollectionId> {
        refused()
    }

    async fn delete_collection(&self, _: &CollectionId) -> Result<()> {
        refused()
    }

    async fn list(&self, collection: &CollectionId, _: &ItemFilter) -> Result<Listing> {
        let mut items = ItemSet::new();
        if *collection == inbox() {
            items.insert(&ITEM.into());
        }
        Ok(Listing { items, token: token() })
    }

    async fn changes(&self, _: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        if *since != token() {
            return Err(Error::new(ErrorKind::InvalidToken, "the device is now quarantined"));
        }
        Ok(Changes { upserted: Vec::new(), removed: ItemSet::new(), present: None, token: token() })
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        let other = since.iter().filter(|(_, since)| *since != token());
        Ok(other.map(|(id, _)| id.clone()).collect())
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let fetched: Vec<Result<Fetched>> = items
            .iter()
            .map(|id| {
                let here = *collection == inbox() && id.as_str() == ITEM;
                let outcome = if here {
                    FetchOutcome::Item(Item::Mail(Box::new(self.mail(view))))
                } else {
                    FetchOutcome::Gone
                };
                Ok(Fetched { id: id.clone(), outcome })
            })
            .collect();
        Ok(stream::iter(fetched).boxed())
    }

    async fn fetch_part(
        &self,
        _: &CollectionId,
        _: &ItemId,
        _: Option<&PartId>,
        _: Option<ByteRange>,
    ) -> Result<PartContent> {
        refused()
    }

    async fn set_flags(
        &self,
        _: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        Ok(patches.iter().map(|(id, _)| (id.clone(), refused())).collect())
    }

    async fn move_items(
        &self,
        _: &CollectionId,
        _: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        Ok(items.iter().map(|id| (id.clone(), refused())).collect())
    }

    async fn delete_items(&self, _: &CollectionId, _: &[ItemId]) -> Result<()> {
        refused()
    }

    async fn empty_collection(&self, _: &CollectionId, _: Subcollections) -> Result<()> {
        refused()
    }

    async fn save_draft(&self, _: &CollectionId, _: &Draft) -> Result<ItemId> {
        refused()
    }

    async fn deliver(&self, _: &CollectionId, _: &[u8]) -> Result<ItemId> {
        refused()
    }

    async fn submit(&self, _: &Submission) -> Result<Submitted> {
        refused()
    }

    async fn search(&self, _: &SearchQuery) -> Result<SearchPage> {
        Ok(SearchPage::default())
    }

    async fn watch(&self, _: &[CollectionId]) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        Ok(stream::iter([Ok(WatchEvent::Ready)]).chain(stream::pending()).boxed())
    }

    async fn identity(&self) -> Result<Identity> {
        Ok(Identity { addresses: vec![self.owner.clone()], ..Identity::default() })
    }
}
