//! A connector's mail system, called over its link.

use super::call::{Caller, Failed, Opened, Target, until};
use super::gate::Work;
use super::link::Link;
use super::links::Links;
use crate::wire::call::Call;
use crate::wire::hello::Lane;
use crate::wire::mailbox::{self as wire, WireFetched, WireItemResult};
use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Credentials, Draft, Edit, Error, ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing,
    MailSystem, Mailbox, NewItem, PartContent, Result, SearchPage, SearchQuery, Subcollections,
    Submission, SubmissionKey, Submitted, TakenIn, WatchEvent, Written,
};
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, ConnectorId, FlagPatch, ItemId, Occasion,
    PartId, Vacation,
};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::sync::Arc;
use tracing::debug;

/// Messages from this size on go by the bulk connection.
const BULK: usize = 64 << 10;

pub(super) struct RemoteMailSystem {
    links: Links,
    id: ConnectorId,
}

struct RemoteMailbox {
    links: Links,
    id: ConnectorId,
    account: Account,
    context: CallContext,
}

impl RemoteMailSystem {
    pub(super) fn new(links: Links, id: ConnectorId) -> Self {
        Self { links, id }
    }

    fn mailbox(&self, account: &Account, context: &CallContext) -> RemoteMailbox {
        RemoteMailbox {
            links: self.links.clone(),
            id: self.id.clone(),
            account: account.clone(),
            context: context.clone(),
        }
    }
}

#[async_trait]
impl MailSystem for RemoteMailSystem {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        let account = Account { credentials: Credentials::None, ..account.clone() };
        let mailbox = self.mailbox(&account, context);
        let asked = mailbox.ask(wire::Owns {}, Lane::Calls, Work::Question, Bytes::new());
        Ok(asked.await?.0)
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        // The connector opens the mailbox at each call: nothing has to cross the line for this.
        Ok(Arc::new(self.mailbox(account, context)))
    }
}

impl RemoteMailbox {
    fn target(&self) -> Target<'_> {
        Target { links: &self.links, id: &self.id }
    }

    /// Who calls, with no more credentials than this connector needs (rule A3).
    fn caller(&self, link: &Link) -> Caller<'_> {
        let needed = link.hello.capabilities.mailbox_needs().unwrap_or_default();
        let credentials = needed.admit(&self.account.credentials);
        let account = if credentials == self.account.credentials {
            Cow::Borrowed(&self.account)
        } else {
            Cow::Owned(Account { credentials, ..self.account.clone() })
        };
        Caller::of(&self.context, account)
    }

    async fn call<A>(&self, args: A) -> Result<A::Answer>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        Ok(self.call_with(args, Lane::Calls, Bytes::new()).await?.0)
    }

    async fn call_with<A>(&self, args: A, lane: Lane, blob: Bytes) -> Result<(A::Answer, Bytes)>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        self.ask(args, lane, Work::Call, blob).await
    }

    async fn ask<A>(
        &self,
        args: A,
        lane: Lane,
        work: Work,
        blob: Bytes,
    ) -> Result<(A::Answer, Bytes)>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        let link = self.target().link().map_err(error)?;
        let called = self.target().call(&link, lane, work, self.caller(&link), args, blob).await;
        called.map_err(error)
    }

    async fn send_message<A>(&self, args: A, message: Bytes) -> Result<A::Answer>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        let lane = if message.len() < BULK { Lane::Calls } else { Lane::Bulk };
        Ok(self.call_with(args, lane, message).await?.0)
    }

    async fn open<A: Call>(&self, args: A, lane: Lane, work: Work) -> Result<Opened> {
        let link = self.target().link().map_err(error)?;
        let opened = self.target().open(&link, lane, work, self.caller(&link), args).await;
        opened.map_err(error)
    }
}

#[async_trait]
impl Mailbox for RemoteMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.call(wire::Collections {}).await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        let (parent, name) = (parent.map(Cow::Borrowed), Cow::Borrowed(name));
        self.call(wire::CreateCollection { parent, name, class }).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let (parent, name) = (parent.map(Cow::Borrowed), Cow::Borrowed(name));
        let collection = Cow::Borrowed(collection);
        self.call(wire::UpdateCollection { collection, parent, name }).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.call(wire::DeleteCollection { collection: Cow::Borrowed(collection) }).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        let (collection, filter) = (Cow::Borrowed(collection), Cow::Borrowed(filter));
        self.call(wire::List { collection, filter }).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        let (collection, since) = (Cow::Borrowed(collection), Cow::Borrowed(since));
        self.call(wire::ChangesSince { collection, since }).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.call(wire::Changed { since: Cow::Borrowed(since) }).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let args = wire::Fetch {
            collection: Cow::Borrowed(collection),
            items: Cow::Borrowed(items),
            view: Cow::Borrowed(view),
        };
        let opened = self.open(args, Lane::Bulk, Work::Fetch).await?;
        let deadline = self.context.deadline;
        // After an end or an error there is nothing to ask for.
        let stream = unfold(Some((opened, deadline)), async |opened| {
            let (mut opened, deadline) = opened?;
            match until(deadline, opened.next::<WireFetched>()).await {
                Ok(Some((item, blob))) => match item.put_together(blob) {
                    Ok(fetched) => Some((Ok(fetched), Some((opened, deadline)))),
                    Err(error) => Some((Err(error), None)),
                },
                Ok(None) => None,
                Err(failed) => Some((Err(error(failed)), None)),
            }
        });
        Ok(stream.boxed())
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let args = wire::FetchPart {
            collection: Cow::Borrowed(collection),
            item: Cow::Borrowed(item),
            part: part.map(Cow::Borrowed),
            range,
        };
        let (part, data) = self.call_with(args, Lane::Bulk, Bytes::new()).await?;
        Ok(part.put_together(data))
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        let (collection, patches) = (Cow::Borrowed(collection), Cow::Borrowed(patches));
        Ok(outcomes(self.call(wire::SetFlags { collection, patches }).await?))
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        let args = wire::MoveItems {
            from: Cow::Borrowed(from),
            to: Cow::Borrowed(to),
            items: Cow::Borrowed(items),
        };
        Ok(outcomes(self.call(args).await?))
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        let (collection, items) = (Cow::Borrowed(collection), Cow::Borrowed(items));
        self.call(wire::DeleteItems { collection, items }).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        let collection = Cow::Borrowed(collection);
        self.call(wire::EmptyCollection { collection, subcollections }).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        let (collection, message) = (Cow::Borrowed(collection), draft.message.clone());
        let draft = Cow::Borrowed(draft);
        self.send_message(wire::SaveDraft { collection, draft }, message).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        let args = wire::Deliver { collection: Cow::Borrowed(collection) };
        self.send_message(args, Bytes::copy_from_slice(message)).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let message = submission.message.clone();
        let submission = Cow::Borrowed(submission);
        self.send_message(wire::Submit { submission }, message).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.call(wire::Search { query: Cow::Borrowed(query) }).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let args = wire::Watch { collections: Cow::Borrowed(collections) };
        let opened = self.open(args, Lane::Calls, Work::Watch).await?;
        let links = (self.links.clone(), self.id.clone());
        let stream = unfold(Some((opened, links)), async |watch| {
            let (mut opened, (links, id)) = watch?;
            loop {
                return match opened.next::<serde_json::Value>().await {
                    Ok(Some((event, _))) => match serde_json::from_value(event) {
                        Ok(event) => {
                            // Whoever hears of a change comes for what has changed.
                            if let (WatchEvent::Changed(_), Some(link)) = (&event, links.link(&id))
                            {
                                link.content_soon();
                            }
                            Some((Ok(event), Some((opened, (links, id)))))
                        }
                        Err(_) => {
                            debug!("an event of a newer release was passed over");
                            continue;
                        }
                    },
                    Ok(None) => None,
                    Err(failed) => Some((Err(error(failed)), None)),
                };
            }
        });
        Ok(stream.boxed())
    }

    async fn identity(&self) -> Result<Identity> {
        self.call(wire::IdentityOf {}).await
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        let (collection, item) = (Cow::Borrowed(collection), Cow::Borrowed(item));
        self.call(wire::CreateItem { collection, item }).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let (collection, item) = (Cow::Borrowed(collection), Cow::Borrowed(item));
        self.call(wire::ChangeItem { collection, item, edit: Cow::Borrowed(edit) }).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let (collection, item) = (Cow::Borrowed(collection), Cow::Borrowed(item));
        let (key, answer) = (Cow::Borrowed(key), Cow::Borrowed(answer));
        self.call(wire::Respond { collection, item, key, answer }).await
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        self.call(wire::TakeIn { message: Cow::Borrowed(message), occasion }).await
    }

    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        self.call(wire::Tells { message: Cow::Borrowed(message), to: Cow::Borrowed(to) }).await
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        let (collection, item) = (Cow::Borrowed(collection), Cow::Borrowed(item));
        self.call(wire::CalendarMessageOf { collection, item }).await
    }

    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        self.call(wire::Busy { query: Cow::Borrowed(query) }).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        self.call(wire::VacationOf {}).await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        self.call(wire::SetVacation { vacation: Cow::Borrowed(vacation) }).await
    }
}

fn outcomes<T>(items: Vec<WireItemResult<T>>) -> Vec<ItemResult<T>> {
    items.into_iter().map(|(id, outcome)| (id, outcome.map_err(wire::error))).collect()
}

fn error(failed: Failed) -> Error {
    match failed {
        Failed::Unavailable(why) => Error::new(ErrorKind::Unavailable, why),
        Failed::Busy(after) => {
            Error::new(ErrorKind::Busy { after }, "the connector has too much to do")
                .before_anything()
        }
        Failed::Timeout => Error::new(ErrorKind::Timeout, "the connector did not answer in time"),
        Failed::Unsupported => {
            Error::new(ErrorKind::Unsupported, "the connector does not know this call")
        }
        Failed::Protocol(what) => wire::protocol(what),
        Failed::Said(value) => wire::error(value),
    }
}
