//! One user's mailboxes in several mail systems: what each call is passed on to.

use super::part::{Of, Place, hit, inward, outward};
use super::{LastCollections, Part, in_time};
use crate::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Draft, Edit, Error, ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing, Mailbox,
    NewItem, PartContent, Result, SearchPage, SearchQuery, Subcollections, Submission,
    SubmissionKey, Submitted, TakenIn, VacationService, WatchEvent, Written,
};
use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId, UserId,
    Vacation,
};
use futures_core::stream::BoxStream;
use futures_util::future::try_join_all;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// One user's mailboxes in several mail systems as one.
pub struct JoinedMailbox {
    user: UserId,
    mail: Part,
    others: Vec<Part>,
    vacations: Option<(Arc<dyn VacationService>, Account, CallContext)>,
    last: Arc<LastCollections>,
}

impl JoinedMailbox {
    /// This user's mail with the parts beside it. `last` is what outlasts the handle.
    pub fn new(user: UserId, mail: Part, others: Vec<Part>, last: Arc<LastCollections>) -> Self {
        Self { user, mail, others, vacations: None, last }
    }

    /// With the keeper of out-of-office messages, and what it is to be asked with.
    pub(super) fn with_vacations(
        self,
        vacations: Option<(Arc<dyn VacationService>, Account, CallContext)>,
    ) -> Self {
        Self { vacations, ..self }
    }

    pub(super) fn place(&self, id: &CollectionId) -> Place<'_> {
        let (name, own) = inward(id).unwrap_or_default();
        let bearer = self.parts().find_map(|(of, part)| Some((of, part, part.named.bears(name)?)));
        match bearer {
            // The one for mail may itself be made of parts; it knows the rest, or that it is gone.
            None => {
                let mailbox = &*self.mail.mailbox;
                Place { mailbox, of: Of::MAIL, name: None, id: id.clone() }
            }
            Some((of, part, name)) => {
                let id = CollectionId::new(own.to_owned());
                Place { mailbox: &*part.mailbox, of, name: Some(name), id }
            }
        }
    }

    /// The place of a collection and of the one it shall lie in, where both are of one part.
    fn same_part(
        &self,
        id: &CollectionId,
        parent: Option<&CollectionId>,
    ) -> Result<(Place<'_>, Option<CollectionId>)> {
        let place = self.place(id);
        let parent = parent.map(|parent| self.place(parent));
        if parent.as_ref().is_some_and(|parent| parent.of != place.of) {
            let context = "collections of different mail systems do not lie in each other";
            return Err(Error::new(ErrorKind::Forbidden, context));
        }
        Ok((place, parent.map(|parent| parent.id)))
    }

    /// Each part, the one for mail first.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Of, &Part)> {
        let all = std::iter::once(&self.mail).chain(&self.others);
        all.enumerate().map(|(number, part)| (Of(number), part))
    }

    /// The parts that may have this class, the best first, with the name of what is made there.
    fn parts_for(
        &self,
        class: Class,
    ) -> impl Iterator<Item = (Option<&'static str>, &dyn Mailbox)> {
        let may = self.parts().filter(move |(_, part)| part.named.is_for(class));
        may.map(move |(_, part)| (part.named.before(class), &*part.mailbox))
    }

    /// The collections of one part.
    async fn collections_of(&self, of: Of, part: &Part) -> Result<Vec<Collection>> {
        let read = match of {
            Of::MAIL => part.mailbox.collections().await,
            _ => in_time(part.mailbox.collections()).await,
        };
        let named = |one: Collection| {
            let name = part.named.before(one.class);
            let parent = one.parent.map(|id| outward(name, id));
            Collection { id: outward(name, one.id), parent, ..one }
        };
        let read = read.map(|collections| {
            let shown = collections.into_iter().filter(|one| part.named.shows(one.class));
            shown.map(named).collect()
        });
        match of {
            // Without mail there is nothing to be told.
            Of::MAIL => read,
            _ => self.last.or_last(&self.user, &part.named, read),
        }
    }
}

#[async_trait]
impl Mailbox for JoinedMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        let each = self.parts().map(|(of, part)| self.collections_of(of, part));
        let mut all = try_join_all(each).await?.concat();
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
        for (part, mailbox) in self.parts_for(class) {
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
        let asked: Vec<_> = since.iter().map(|(id, token)| (self.place(id), id, token)).collect();
        let each = self.parts().map(|(of, part)| {
            let mailbox = &*part.mailbox;
            let of_part = asked.iter().filter(|(place, ..)| place.of == of);
            let tokens: Vec<_> = of_part
                .clone()
                .map(|(place, _, token)| (place.id.clone(), (*token).clone()))
                .collect();
            let outward: HashMap<_, _> =
                of_part.map(|(place, id, _)| (place.id.clone(), (*id).clone())).collect();
            async move {
                let changed = match of {
                    _ if tokens.is_empty() => Vec::new(),
                    Of::MAIL => mailbox.changed(&tokens).await?,
                    // What is away has nothing to tell now.
                    _ => match in_time(mailbox.changed(&tokens)).await {
                        Err(error) => {
                            tracing::debug!(%error, "nothing is told of a part");
                            Vec::new()
                        }
                        Ok(changed) => changed,
                    },
                };
                let known = changed.iter().filter_map(|id| outward.get(id).cloned());
                Ok::<_, Error>(known.collect::<Vec<_>>())
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
        if from.of != to.of {
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
        self.mail.mailbox.submit(submission).await
    }

    /// Mail alone is looked through, unless a collection of another part is named first.
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let Some(first) = query.collections.first() else {
            return self.mail.mailbox.search(query).await;
        };
        let place = self.place(first);
        let collections = query.collections.iter().filter_map(|id| {
            let other = self.place(id);
            (other.of == place.of).then_some(other.id)
        });
        let query = SearchQuery { collections: collections.collect(), ..query.clone() };
        let page = place.mailbox.search(&query).await?;
        let hits = page.hits.into_iter().map(|found| hit(place.name, found)).collect();
        Ok(SearchPage { hits, total: page.total })
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.watch_parts(collections).await
    }

    async fn identity(&self) -> Result<Identity> {
        self.mail.mailbox.identity().await
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
        let mut answer = Err(Error::new(ErrorKind::Unsupported, "no mail system has calendars"));
        for (name, mailbox) in self.parts_for(Class::Calendar) {
            // Mail waits for it; what was not taken in can be again.
            answer = match name {
                None => mailbox.take_in(message, occasion).await,
                Some(_) => in_time(mailbox.take_in(message, occasion)).await,
            };
            if answer.as_ref().err().is_none_or(|error| error.kind != ErrorKind::Unsupported) {
                let outward = |taken: TakenIn| TakenIn {
                    collection: outward(name, taken.collection),
                    ..taken
                };
                return answer.map(|taken| taken.map(outward));
            }
        }
        answer
    }

    /// The first part whose calendar tells it.
    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        let mut none = Ok(false);
        for (_, mailbox) in self.parts_for(Class::Calendar) {
            match in_time(mailbox.tells(message, to)).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) if error.kind == ErrorKind::NotFound => none = Err(error),
                Err(error) => return Err(error),
            }
        }
        none
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
            None => self.mail.mailbox.vacation().await,
        }
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        let Some((service, account, context)) = &self.vacations else {
            return self.mail.mailbox.set_vacation(vacation).await;
        };
        let addresses = self.mail.mailbox.identity().await?.addresses;
        service.set_vacation(account, &addresses, vacation, context).await
    }

    /// The first part that knows of a person answers for them.
    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        let unknown = |address: &String| BusyTime { address: address.clone(), periods: None };
        let mut answers: Vec<BusyTime> = query.addresses.iter().map(unknown).collect();
        for (_, mailbox) in self.parts_for(Class::Calendar) {
            let unknown = answers.iter().filter(|answer| answer.periods.is_none());
            let addresses: Vec<String> = unknown.map(|answer| answer.address.clone()).collect();
            if addresses.is_empty() {
                break;
            }
            for found in mailbox.busy(&BusyQuery { addresses, ..query.clone() }).await? {
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
