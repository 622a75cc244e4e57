//! One user's handle: the trait, spelt out on the state.

use super::Shared;
use super::faults::{Failure, Operation};
use super::message::{self, addresses};
use super::state::{Content, SentMessage, State, User, no_item};
use super::write;
use crate::{
    ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Edit, Error, ErrorKind, FetchOutcome,
    Fetched, Hit, Identity, ItemFilter, ItemResult, Listing, Mailbox, NewItem, PartContent, Result,
    SearchPage, SearchQuery, Subcollections, Submission, SubmissionKey, Submitted, Verb,
    WatchEvent, Written, check_vacation,
};
use async_trait::async_trait;
use bytes::Bytes;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, Flags, Item, ItemId, PartId,
    Role, UserId, Vacation,
};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};

pub(super) struct MemoryMailbox {
    shared: Arc<Shared>,
    user: UserId,
}

impl MemoryMailbox {
    pub(super) fn new(shared: Arc<Shared>, user: UserId) -> Self {
        Self { shared, user }
    }

    /// Waits out the latency; answers how the call is to fail after its work, if it is.
    async fn begin(&self, operation: Operation) -> Result<Option<Error>> {
        let (latency, failure) = self.shared.faults().begin(operation);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match failure {
            Some(Failure::Before(error)) => Err(error),
            Some(Failure::After(error)) => Ok(Some(error)),
            None => Ok(None),
        }
    }

    /// One call on the whole mail system.
    async fn call_all<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let lost = self.begin(operation).await?;
        let answer = work(&mut self.shared.state())?;
        lost.map_or(Ok(answer), Err)
    }

    /// One call on the user's own data.
    async fn call<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut User) -> Result<T>,
    ) -> Result<T> {
        self.call_all(operation, |state| work(state.user(&self.user)?)).await
    }
}

#[async_trait]
impl Mailbox for MemoryMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.call(Operation::Collections, |user| Ok(user.collections())).await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.call(Operation::CreateCollection, |user| user.create(parent, name, class)).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.call(Operation::UpdateCollection, |user| {
            user.update(collection, parent, name)?;
            Ok(collection.clone())
        })
        .await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.call(Operation::DeleteCollection, |user| user.remove(collection)).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.call(Operation::List, |user| {
            let folder = user.folder(collection)?;
            let wanted = folder.items.iter().filter(|(_, item)| item.passes(filter));
            let items = wanted.map(|(uid, _)| super::state::item_id(*uid)).collect();
            Ok(Listing { items, token: folder.token() })
        })
        .await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.call(Operation::Changes, |user| user.folder(collection)?.changes(since)).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.call(Operation::Changed, |user| {
            let stands = |id, token: &ChangeToken| {
                user.folders.get(id).is_some_and(|folder| folder.token() == *token)
            };
            let moved = since.iter().filter(|(id, token)| !stands(id, token));
            Ok(moved.map(|(id, _)| id.clone()).collect())
        })
        .await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let lost = self.begin(Operation::Fetch).await?;
        self.shared.state().user(&self.user)?.folder(collection)?;
        let (shared, user) = (self.shared.clone(), self.user.clone());
        let (collection, view) = (collection.clone(), view.clone());
        let arriving = if lost.is_some() { items.len() / 2 } else { items.len() };
        let items: Vec<ItemId> = items.iter().take(arriving).cloned().collect();
        let read = move |id: ItemId| {
            let found = {
                let mut state = shared.state();
                let folder = state.user(&user)?.folder(&collection)?;
                folder
                    .item(&id)
                    .map(|item| (item.content.clone(), item.flags.clone(), item.received))
            };
            let outcome = match found {
                None => FetchOutcome::Gone,
                Some((Content::Other(item), ..)) => FetchOutcome::Item(write::viewed(item, &view)),
                Some((Content::Message(message), flags, received)) => {
                    match shared.reader.read(&message, &flags, received, &view) {
                        Ok(mail) => FetchOutcome::Item(Item::Mail(Box::new(mail))),
                        Err(reason) => FetchOutcome::Unconvertible(reason),
                    }
                }
            };
            Ok(Fetched { id, outcome })
        };
        Ok(stream::iter(items).map(read).chain(stream::iter(lost.map(Err))).boxed())
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let message = self
            .call(Operation::FetchPart, |user| {
                let found = user.folder(collection)?.item(item);
                found.map(|item| item.content.message()).ok_or_else(|| no_item(item))
            })
            .await?;
        let mut content = match part {
            Some(part) => self.shared.reader.part(&message, part).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("no part {part} in item {item}"))
            })?,
            None => PartContent {
                media_type: "message/rfc822".into(),
                name: None,
                full_size: message.len() as u64,
                data: message,
            },
        };
        if let Some(range) = range {
            content.data = range.cut(&content.data)?;
        }
        Ok(content)
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        self.call(Operation::SetFlags, |user| {
            user.folder(collection)?;
            let mut set = |(item, patch): &(ItemId, FlagPatch)| {
                (item.clone(), user.set_flags(collection, item, patch))
            };
            Ok(patches.iter().map(&mut set).collect())
        })
        .await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.call(Operation::MoveItems, |user| {
            user.folder(from)?;
            user.folder(to)?;
            let mut move_one =
                |item: &ItemId| (item.clone(), user.move_item(from, to, item).map(Some));
            Ok(items.iter().map(&mut move_one).collect())
        })
        .await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.call(Operation::DeleteItems, |user| {
            user.folder(collection)?;
            items.iter().try_for_each(|item| user.delete(collection, item).map(|_| ()))
        })
        .await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        self.call(Operation::EmptyCollection, |user| {
            let items: Vec<_> = user.folder(collection)?.items.keys().copied().collect();
            for uid in items {
                user.delete(collection, &super::state::item_id(uid))?;
            }
            if subcollections == Subcollections::Delete {
                // The deepest first, so that each is still there when its turn comes.
                for within in user.within(collection).iter().rev() {
                    user.remove(within)?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        self.call_all(Operation::SaveDraft, |state| {
            let now = state.now();
            let user = state.user(&self.user)?;
            let flags = Flags { seen: true, draft: true, ..Flags::default() };
            let saved = match user.folder(collection)?.made_by(&draft.key) {
                Some(saved) => saved,
                None => {
                    let (message, key) = (draft.message.clone(), draft.key.clone());
                    user.append(collection, Content::Message(message), flags, now, Some(key))?
                }
            };
            if let Some(replaced) = draft.replaces.as_ref().filter(|replaced| **replaced != saved) {
                user.delete(collection, replaced)?;
            }
            Ok(saved)
        })
        .await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        self.call_all(Operation::Deliver, |state| {
            let now = state.now();
            let message = Content::Message(Bytes::copy_from_slice(message));
            state.user(&self.user)?.append(collection, message, Flags::default(), now, None)
        })
        .await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        self.call_all(Operation::Submit, |state| submit(state, &self.user, submission)).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.call(Operation::Search, |user| search(user, query, &*self.shared.reader)).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let events = self.call(Operation::Watch, |user| Ok(user.events.subscribe())).await?;
        Ok(watch(events, collections.to_vec()))
    }

    async fn identity(&self) -> Result<Identity> {
        self.call(Operation::Identity, |user| {
            Ok(Identity { addresses: vec![user.address.clone()], ..Identity::default() })
        })
        .await
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        let create = |state: &mut State| write::create(state, &self.user, collection, item);
        self.call_all(Operation::CreateItem, create).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let change = |state: &mut State| write::change(state, &self.user, collection, item, edit);
        self.call_all(Operation::ChangeItem, change).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        _: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        self.call_all(Operation::Respond, |state| {
            let now = state.now();
            write::respond(state.user(&self.user)?, collection, item, answer, now)
        })
        .await
    }

    /// It reads no iCalendar: all is told that says something of a meeting, or nothing.
    async fn tells(&self, _: &CalendarMessage, _: &[String]) -> Result<bool> {
        self.call_all(Operation::Tells, |state| Ok(state.schedules)).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        self.call(Operation::Vacation, |user| Ok(user.vacation.clone())).await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        self.call(Operation::SetVacation, |user| {
            check_vacation(vacation)?;
            user.vacation = vacation.clone();
            Ok(())
        })
        .await
    }
}

fn submit(state: &mut State, sender: &UserId, submission: &Submission) -> Result<Submitted> {
    // Only a caller who says that an earlier attempt may have gone out is spared a second one:
    // one that repeats a sending without saying so is wrong, and a test shall see it.
    let before = state.user(sender)?.submitted.get(&submission.key).cloned();
    let mut submitted = match before.filter(|_| submission.uncertain || submission.taken) {
        Some(before) => before,
        None => send(state, sender, submission)?,
    };

    let user = state.user(sender)?;
    if let Some(reference) = &submission.reference {
        let patch = match reference.verb {
            Verb::Reply => FlagPatch { answered: Some(true), ..FlagPatch::default() },
            Verb::Forward => FlagPatch { forwarded: Some(true), ..FlagPatch::default() },
        };
        if let Err(error) = user.set_flags(&reference.collection, &reference.item, &patch) {
            submitted.warnings.push(format!("the original was not marked: {error}"));
        }
    }
    if let Some((collection, item)) = &submission.draft
        && let Err(error) = user.delete(collection, item)
    {
        submitted.warnings.push(format!("the draft was not deleted: {error}"));
    }
    Ok(submitted)
}

fn send(state: &mut State, sender: &UserId, submission: &Submission) -> Result<Submitted> {
    let original = match &submission.reference {
        Some(reference) => {
            let folder = state.user(sender)?.folder(&reference.collection)?;
            let item = folder.item(&reference.item).ok_or_else(|| no_item(&reference.item))?;
            Some(item.content.message()).filter(|_| !reference.replace_mime)
        }
        None => None,
    };
    let made_up = format!("{}@memory.invalid", submission.key.0);
    let address = state.user(sender)?.address.clone();
    let original = original.as_deref();
    let message = message::compose(&submission.message, &address, &made_up, original);
    let message_id = message::message_id(&message).unwrap_or(made_up);

    let named = ["To", "Cc", "Bcc"].iter().flat_map(|name| addresses(&message, name));
    let named = named.filter(|_| !submission.taken);
    let (refused, recipients): (Vec<_>, Vec<_>) =
        named.map(|address| address.email).partition(|email| state.refuses(email));
    if recipients.is_empty() && !submission.taken {
        let all = refused.join(", ");
        return Err(Error::new(ErrorKind::RecipientRefused, format!("nobody to send to: {all}")));
    }
    let now = state.now();
    let transmitted = message::without_bcc(&message);
    for recipient in &recipients {
        if let Some(user) = state.user_at(recipient) {
            let inbox = user.with_role(Role::Inbox)?;
            let arrived = Content::Message(transmitted.clone());
            user.append(&inbox, arrived, Flags::default(), now, None)?;
        }
    }
    let user = state.user(sender)?;
    if submission.save_in_sent {
        let sent = user.with_role(Role::Sent)?;
        let flags = Flags { seen: true, ..Flags::default() };
        user.append(&sent, Content::Message(message), flags, now, None)?;
    }
    let submitted = Submitted {
        message_id: message_id.clone(),
        refused,
        warnings: Vec::new(),
        unfinished: false,
    };
    user.submitted.insert(submission.key.clone(), submitted.clone());
    if !submission.taken {
        let key = submission.key.clone();
        let (user, message) = (sender.clone(), transmitted);
        state.sent.push(SentMessage { user, key, message_id, recipients, message });
    }
    Ok(submitted)
}

fn search(
    user: &mut User,
    query: &SearchQuery,
    reader: &dyn super::MessageReader,
) -> Result<SearchPage> {
    let mut places = query.collections.clone();
    if places.is_empty() {
        let hidden = [Some(Role::Trash), Some(Role::Junk)];
        let shown = user.folders.values().filter(|it| !hidden.contains(&it.collection.role));
        places = shown.map(|folder| folder.collection.id.clone()).collect();
    } else if query.deep {
        places =
            places.iter().flat_map(|id| [vec![id.clone()], user.within(id)].concat()).collect();
        places.sort();
        places.dedup();
    }
    let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
    let mut found = Vec::new();
    for place in places {
        for (uid, item) in &user.folder(&place)?.items {
            let in_time = query.since.is_none_or(|since| item.received >= since)
                && query.before.is_none_or(|before| item.received < before);
            let Content::Message(message) = &item.content else { continue };
            let text = String::from_utf8_lossy(message).to_lowercase();
            let in_thread = query.conversation.is_none_or(|wanted| {
                let mail = reader.read(message, &item.flags, item.received, &BodyView::default());
                mail.is_ok_and(|mail| mail.conversation == Some(wanted))
            });
            if in_time && in_thread && words.iter().all(|word| text.contains(word)) {
                found.push((item.received, *uid, place.clone()));
            }
        }
    }
    found.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.cmp(&b.2)));
    let total = found.len() as u64;
    let page = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
    let hits = page
        .map(|(_, uid, collection)| Hit { collection, item: super::state::item_id(uid) })
        .collect();
    Ok(SearchPage { hits, total })
}

fn watch(
    events: broadcast::Receiver<WatchEvent>,
    collections: Vec<CollectionId>,
) -> BoxStream<'static, Result<WatchEvent>> {
    let begin = (Some(events), VecDeque::from([WatchEvent::Ready]), collections);
    stream::unfold(begin, |(events, mut due, collections)| async move {
        let mut events = events?;
        loop {
            if let Some(event) = due.pop_front() {
                return Some((Ok(event), (Some(events), due, collections)));
            }
            match events.recv().await {
                Ok(WatchEvent::Changed(id)) if !collections.contains(&id) => {}
                Ok(event) => due.push_back(event),
                // Some events were missed: any of them may have been anything.
                Err(RecvError::Lagged(_)) => {
                    due.extend(collections.iter().cloned().map(WatchEvent::Changed));
                    due.push_back(WatchEvent::Hierarchy);
                }
                Err(RecvError::Closed) => {
                    let lost = Error::new(ErrorKind::Unavailable, "the watch was cut");
                    return Some((Err(lost), (None, due, collections)));
                }
            }
        }
    })
    .boxed()
}
