//! Several mail systems as one: mail from the first, calendars, address books, tasks and notes
//! from others beside it.
//!
//! The collections of the others bear their part's name in front of their own id, after a character
//! that no mail system has in an id.
//!
//! Mail does not wait for the others. Where one of them is down, its collections stay those it had
//! last: a phone must not take them for deleted. What changed there is told when it is back.

use crate::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Draft, Edit, Error, ErrorKind, Fetched, Hit, Identity, ItemFilter, ItemResult, Listing,
    MailSystem, Mailbox, NewItem, PartContent, Result, SearchPage, SearchQuery, Subcollections,
    Submission, SubmissionKey, Submitted, TakenIn, VacationService, WatchEvent, Written,
};
use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId, UserId,
    Vacation,
};
use futures_core::stream::BoxStream;
use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Before the name of a part.
const MARK: char = '\u{1}';
/// Between the name of a part and the part's own id.
const END: char = '/';

/// How long mail waits for what stands beside it.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this time a part that could not be watched is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// Lists of collections that are remembered at the most; beyond, all are forgotten.
const REMEMBERED: usize = 20_000;

/// What parts had last, by user and part.
type Last = Mutex<HashMap<(UserId, &'static str), Vec<Collection>>>;

/// A mail system with others beside it.
pub struct Joined {
    mail: Arc<dyn MailSystem>,
    others: Vec<(&'static str, Arc<dyn MailSystem>)>,
    vacations: Option<Arc<dyn VacationService>>,
    last: Arc<Last>,
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
        let others = self.others.iter().map(|(name, system)| async {
            Ok(Other { name, mailbox: system.open(account, context).await? })
        });
        let vacations = self.vacations.clone();
        Ok(Arc::new(JoinedMailbox {
            mail,
            others: try_join_all(others).await?,
            vacations: vacations.map(|service| (service, account.clone(), context.clone())),
            user: account.user.clone(),
            last: self.last.clone(),
        }))
    }
}

struct JoinedMailbox {
    mail: Arc<dyn Mailbox>,
    others: Vec<Other>,
    vacations: Option<(Arc<dyn VacationService>, Account, CallContext)>,
    user: UserId,
    last: Arc<Last>,
}

struct Other {
    name: &'static str,
    mailbox: Arc<dyn Mailbox>,
}

/// A collection in its own mail system's terms.
struct Place<'a> {
    mailbox: &'a dyn Mailbox,
    /// None: the one for mail.
    part: Option<&'static str>,
    id: CollectionId,
}

impl Place<'_> {
    /// An id of the same mail system as the callers know it.
    fn outward(&self, id: CollectionId) -> CollectionId {
        outward(self.part, id)
    }
}

fn outward(part: Option<&'static str>, id: CollectionId) -> CollectionId {
    match part {
        None => id,
        Some(name) => CollectionId::new(format!("{MARK}{name}{END}{id}")),
    }
}

/// What a part answers, unless it takes too long.
async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Err(Error::new(ErrorKind::Timeout, "no answer in time"));
    timeout(PATIENCE, call).await.unwrap_or_else(late)
}

/// A watch that stands, without its first event.
async fn stand(
    mailbox: &dyn Mailbox,
    collections: &[CollectionId],
) -> Result<BoxStream<'static, Result<WatchEvent>>> {
    let mut watch = mailbox.watch(collections).await?;
    match watch.next().await {
        Some(Ok(WatchEvent::Ready)) => Ok(watch),
        Some(Err(error)) => Err(error),
        _ => Err(Error::new(ErrorKind::Protocol, "a watch that never stood")),
    }
}

fn hit(part: Option<&'static str>, hit: Hit) -> Hit {
    Hit { collection: outward(part, hit.collection), item: hit.item }
}

impl JoinedMailbox {
    fn place(&self, id: &CollectionId) -> Place<'_> {
        let rest = id.as_str().strip_prefix(MARK);
        let (name, own) = rest.and_then(|rest| rest.split_once(END)).unwrap_or_default();
        // The one for mail may itself be made of parts; it knows the rest, or that it is gone.
        let Some(other) = self.others.iter().find(|other| other.name == name) else {
            return Place { mailbox: &*self.mail, part: None, id: id.clone() };
        };
        let id = CollectionId::new(own.to_owned());
        Place { mailbox: &*other.mailbox, part: Some(other.name), id }
    }

    /// The place of a collection and of the one it shall lie in, where both are of one part.
    fn same_part(
        &self,
        id: &CollectionId,
        parent: Option<&CollectionId>,
    ) -> Result<(Place<'_>, Option<CollectionId>)> {
        let place = self.place(id);
        let parent = parent.map(|parent| self.place(parent));
        if parent.as_ref().is_some_and(|parent| parent.part != place.part) {
            let context = "collections of different mail systems do not lie in each other";
            return Err(Error::new(ErrorKind::Forbidden, context));
        }
        Ok((place, parent.map(|parent| parent.id)))
    }

    /// The collections of another part, or where it did not tell them those it had last. A user
    /// of whom it knows nothing has none there.
    fn or_last(
        &self,
        name: &'static str,
        read: Result<Vec<Collection>>,
    ) -> Result<Vec<Collection>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.user.clone(), name);
        match read {
            Ok(collections) => {
                if last.len() >= REMEMBERED && !last.contains_key(&key) {
                    last.clear();
                }
                last.insert(key, collections.clone());
                Ok(collections)
            }
            Err(error) => {
                tracing::info!(user = %self.user, part = name, %error,
                    "the collections of a part are those it had last");
                match (last.get(&key), &error.kind) {
                    (Some(known), _) => Ok(known.clone()),
                    (None, ErrorKind::NotFound | ErrorKind::Auth | ErrorKind::Forbidden) => {
                        Ok(Vec::new())
                    }
                    // A phone may know some: to tell it of none would take them from it.
                    (None, _) => Err(error),
                }
            }
        }
    }

    /// Each part with its name, the one for mail first.
    fn parts(&self) -> impl Iterator<Item = (Option<&'static str>, &dyn Mailbox)> {
        let others = self.others.iter().map(|other| (Some(other.name), &*other.mailbox));
        std::iter::once((None, &*self.mail)).chain(others)
    }
}

#[async_trait]
impl Mailbox for JoinedMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        let others = self.others.iter().map(|other| async move {
            let read = in_time(other.mailbox.collections()).await;
            let mut collections = self.or_last(other.name, read)?;
            for collection in &mut collections {
                let part = Some(other.name);
                collection.id = outward(part, collection.id.clone());
                collection.parent = collection.parent.take().map(|id| outward(part, id));
            }
            Ok::<_, Error>(collections)
        });
        let (mail, others) = tokio::join!(self.mail.collections(), try_join_all(others));
        let mut all = [vec![mail?], others?].concat().concat();
        // Of mail, the mail system's own; of the rest, what was set beside it is meant first.
        let mut taken = BTreeSet::new();
        let (mail, others): (Vec<_>, Vec<_>) =
            all.iter_mut().partition(|collection| collection.class == Class::Mail);
        for collection in mail.into_iter().chain(others.into_iter().rev()) {
            collection.role = collection.role.filter(|role| taken.insert(*role));
        }
        Ok(all)
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        if let Some(parent) = parent {
            let place = self.place(parent);
            let made = place.mailbox.create_collection(Some(&place.id), name, class).await?;
            return Ok(place.outward(made));
        }
        let mut answer = Err(Error::new(ErrorKind::Unsupported, "no mail system has this class"));
        for (part, mailbox) in self.parts() {
            answer = mailbox.create_collection(None, name, class).await;
            if answer.as_ref().err().is_none_or(|error| error.kind != ErrorKind::Unsupported) {
                return answer.map(|id| outward(part, id));
            }
        }
        answer
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let (place, parent) = self.same_part(collection, parent)?;
        let id = place.mailbox.update_collection(&place.id, parent.as_ref(), name).await?;
        Ok(place.outward(id))
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        let place = self.place(collection);
        place.mailbox.delete_collection(&place.id).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        let place = self.place(collection);
        place.mailbox.list(&place.id, filter).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        let place = self.place(collection);
        place.mailbox.changes(&place.id, since).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        let asked: Vec<_> = since.iter().map(|(id, token)| (self.place(id), token)).collect();
        let each = self.parts().map(|(part, mailbox)| {
            let of_part: Vec<_> = asked
                .iter()
                .filter(|(place, _)| place.part == part)
                .map(|(place, token)| (place.id.clone(), (*token).clone()))
                .collect();
            async move {
                let changed = match part {
                    _ if of_part.is_empty() => Vec::new(),
                    None => mailbox.changed(&of_part).await?,
                    // What is away has nothing to tell now.
                    Some(name) => match in_time(mailbox.changed(&of_part)).await {
                        Err(error) => {
                            tracing::debug!(part = name, %error, "nothing is told of a part");
                            Vec::new()
                        }
                        Ok(changed) => changed,
                    },
                };
                Ok::<_, Error>(changed.into_iter().map(|id| outward(part, id)).collect::<Vec<_>>())
            }
        });
        Ok(try_join_all(each).await?.concat())
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let place = self.place(collection);
        place.mailbox.fetch(&place.id, items, view).await
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let place = self.place(collection);
        place.mailbox.fetch_part(&place.id, item, part, range).await
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        let place = self.place(collection);
        place.mailbox.set_flags(&place.id, patches).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        let (from, to) = (self.place(from), self.place(to));
        if from.part != to.part {
            let context = "an item does not move from one mail system to another";
            return Err(Error::new(ErrorKind::Forbidden, context));
        }
        from.mailbox.move_items(&from.id, &to.id, items).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        let place = self.place(collection);
        place.mailbox.delete_items(&place.id, items).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        let place = self.place(collection);
        place.mailbox.empty_collection(&place.id, subcollections).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        let place = self.place(collection);
        place.mailbox.save_draft(&place.id, draft).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        let place = self.place(collection);
        place.mailbox.deliver(&place.id, message).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        self.mail.submit(submission).await
    }

    /// Mail alone is looked through, unless a collection of another part is named first.
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let Some(first) = query.collections.first() else {
            return self.mail.search(query).await;
        };
        let place = self.place(first);
        let collections = query.collections.iter().filter_map(|id| {
            let other = self.place(id);
            (other.part == place.part).then_some(other.id)
        });
        let query = SearchQuery { collections: collections.collect(), ..query.clone() };
        let page = place.mailbox.search(&query).await?;
        let hits = page.hits.into_iter().map(|found| hit(place.part, found)).collect();
        Ok(SearchPage { hits, total: page.total })
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let each = self.parts().map(|(part, mailbox)| {
            let places = collections.iter().map(|id| self.place(id));
            let of_part: Vec<CollectionId> =
                places.filter(|place| place.part == part).map(|place| place.id).collect();
            async move {
                match part {
                    // Always, because it tells of new collections.
                    None => stand(mailbox, &of_part).await.map(Some),
                    Some(_) if of_part.is_empty() => Ok(None),
                    // The watch on mail stands; it all is begun anew when this may be back.
                    Some(_) => Ok(Some(match in_time(stand(mailbox, &of_part)).await {
                        Ok(watch) => watch,
                        Err(error) => stream::once(async move {
                            sleep(AGAIN).await;
                            Err(error)
                        })
                        .boxed(),
                    })),
                }
                .map(|watch| (part, watch))
            }
        });
        let mut standing = Vec::new();
        for watch in join_all(each).await {
            let (part, watch) = watch?;
            let outward = move |event| match event {
                WatchEvent::Changed(id) => WatchEvent::Changed(outward(part, id)),
                other => other,
            };
            // Whichever part is lost, the whole is: the caller then looks at everything.
            let ended = || Err(Error::new(ErrorKind::Unavailable, "a watch ended"));
            if let Some(watch) = watch {
                let rest = watch.map(move |event| event.map(outward));
                standing.push(rest.chain(stream::once(async move { ended() })).boxed());
            }
        }
        let ready = stream::once(async { Ok(WatchEvent::Ready) });
        Ok(ready.chain(stream::select_all(standing)).boxed())
    }

    async fn identity(&self) -> Result<Identity> {
        self.mail.identity().await
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        let place = self.place(collection);
        place.mailbox.create_item(&place.id, item).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let place = self.place(collection);
        place.mailbox.change_item(&place.id, item, edit).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let place = self.place(collection);
        place.mailbox.respond(&place.id, item, key, answer).await
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        let mut answer = self.mail.take_in(message, occasion).await;
        let mut of = None;
        for other in &self.others {
            if answer.as_ref().err().is_none_or(|error| error.kind != ErrorKind::Unsupported) {
                break;
            }
            // Mail waits for it; what was not taken in can be again.
            answer = in_time(other.mailbox.take_in(message, occasion)).await;
            of = Some(other.name);
        }
        answer.map(|taken| {
            taken.map(|taken| TakenIn { collection: outward(of, taken.collection), ..taken })
        })
    }

    /// The first part whose calendar tells it.
    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        for (_, mailbox) in self.parts() {
            if in_time(mailbox.tells(message, to)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        let place = self.place(collection);
        place.mailbox.calendar_message(&place.id, item).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        match &self.vacations {
            Some((service, account, context)) => service.vacation(account, context).await,
            None => self.mail.vacation().await,
        }
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        let Some((service, account, context)) = &self.vacations else {
            return self.mail.set_vacation(vacation).await;
        };
        let addresses = self.mail.identity().await?.addresses;
        service.set_vacation(account, &addresses, vacation, context).await
    }

    /// The first part that knows of a person answers for them.
    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        let mut answers = self.mail.busy(query).await?;
        for other in &self.others {
            let unknown = answers.iter().filter(|answer| answer.periods.is_none());
            let addresses: Vec<String> = unknown.map(|answer| answer.address.clone()).collect();
            if addresses.is_empty() {
                break;
            }
            for found in other.mailbox.busy(&BusyQuery { addresses, ..query.clone() }).await? {
                let same = |answer: &&mut BusyTime| {
                    answer.periods.is_none() && answer.address == found.address
                };
                if let Some(answer) = answers.iter_mut().find(same) {
                    answer.periods = found.periods;
                }
            }
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests;
