//! The calls of a mail system and its mailboxes, answered by the connector's own.

use super::acts::Acts;
use super::serve::{Asked, Unanswerable, unless, until, write, write_stream};
use super::session::Shared;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::mailbox::*;
use async_trait::async_trait;
use bytes::Bytes;
use dme_mailbox::{
    BusyTime, CalendarMessage, CallContext, Changes, Error, ErrorKind, Identity, ItemResult,
    Listing, MailSystem, Mailbox, Result, SearchPage, SubmissionKey, Submitted, TakenIn,
    WatchEvent, Written,
};
use dme_model::{Collection, CollectionId, ItemId, Vacation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

pub(super) async fn dispatch(
    shared: &Shared,
    name: &str,
    asked: Asked,
) -> Result<Outgoing, Unanswerable> {
    let owned = match &shared.services.mailboxes {
        Some(mailboxes) => &mailboxes.system,
        None => return Err(Unanswerable::Unknown),
    };
    let system = &**owned;
    match name {
        Owns::NAME => owns(system, asked).await,
        Collections::NAME => answer::<Collections>(system, asked).await,
        CreateCollection::NAME => answer::<CreateCollection<'_>>(system, asked).await,
        UpdateCollection::NAME => answer::<UpdateCollection<'_>>(system, asked).await,
        DeleteCollection::NAME => answer::<DeleteCollection<'_>>(system, asked).await,
        List::NAME => answer::<List<'_>>(system, asked).await,
        ChangesSince::NAME => answer::<ChangesSince<'_>>(system, asked).await,
        Changed::NAME => answer::<Changed<'_>>(system, asked).await,
        Fetch::NAME => fetch(system, asked).await,
        FetchPart::NAME => fetch_part(system, asked).await,
        SetFlags::NAME => answer::<SetFlags<'_>>(system, asked).await,
        MoveItems::NAME => answer::<MoveItems<'_>>(system, asked).await,
        DeleteItems::NAME => answer::<DeleteItems<'_>>(system, asked).await,
        EmptyCollection::NAME => answer::<EmptyCollection<'_>>(system, asked).await,
        SaveDraft::NAME => {
            let acts = &shared.undying.saving;
            to_its_end::<SaveDraft<'_>>(acts, owned, asked, |args| &args.draft.key).await
        }
        Deliver::NAME => answer::<Deliver<'_>>(system, asked).await,
        Submit::NAME => {
            let acts = &shared.undying.sending;
            to_its_end::<Submit<'_>>(acts, owned, asked, |args| &args.submission.key).await
        }
        Search::NAME => answer::<Search<'_>>(system, asked).await,
        Watch::NAME => watch(shared, system, asked).await,
        IdentityOf::NAME => answer::<IdentityOf>(system, asked).await,
        CreateItem::NAME => answer::<CreateItem<'_>>(system, asked).await,
        ChangeItem::NAME => answer::<ChangeItem<'_>>(system, asked).await,
        Respond::NAME => answer::<Respond<'_>>(system, asked).await,
        TakeIn::NAME => answer::<TakeIn<'_>>(system, asked).await,
        Tells::NAME => answer::<Tells<'_>>(system, asked).await,
        CalendarMessageOf::NAME => answer::<CalendarMessageOf<'_>>(system, asked).await,
        Busy::NAME => answer::<Busy<'_>>(system, asked).await,
        VacationOf::NAME => answer::<VacationOf>(system, asked).await,
        SetVacation::NAME => answer::<SetVacation<'_>>(system, asked).await,
        _ => Err(Unanswerable::Unknown),
    }
}

/// A call on a mailbox with one answer.
#[async_trait]
trait Ask: Call + DeserializeOwned + Send + Sync {
    /// Asks the mailbox; the message is what stood beside the head.
    async fn ask(self, mailbox: &dyn Mailbox, message: Bytes) -> Result<Self::Answer>;
}

async fn answer<A>(system: &dyn MailSystem, asked: Asked) -> Result<Outgoing, Unanswerable>
where
    A: Ask,
    A::Answer: Serialize,
{
    let head: Head<'_, A> = asked.head()?;
    let context = head.context();
    let answered = until(&context, async {
        let mailbox = open(system, &head, &context).await?;
        head.args.ask(&*mailbox, asked.blob()).await
    });
    write(answered.await, Bytes::new())
}

/// Carries an act out to its end, whatever becomes of the caller.
async fn to_its_end<A>(
    acts: &Acts<A::Answer>,
    system: &Arc<dyn MailSystem>,
    asked: Asked,
    key: impl FnOnce(&A) -> &SubmissionKey,
) -> Result<Outgoing, Unanswerable>
where
    A: Ask + 'static,
    A::Answer: Clone + Serialize + Send + Sync + 'static,
{
    let head: Head<'static, A> = asked.head()?;
    let context = head.context();
    let (system, within, message) = (system.clone(), context.clone(), asked.blob());
    let name = name(&head, key(&head.args));
    let answered = until(&context, async {
        let act = async move {
            let mailbox = open(&*system, &head, &within).await?;
            head.args.ask(&*mailbox, message).await
        };
        acts.carry_out(name, || act).await
    });
    write(answered.await, Bytes::new())
}

/// An act's name; what one user's phone names is never another's.
fn name<A>(head: &Head<'_, A>, key: &SubmissionKey) -> String {
    let user = head.account.as_deref().map(|account| account.user.as_str());
    format!("{} {}", user.unwrap_or_default(), key.0)
}

async fn open<A: Sync>(
    system: &dyn MailSystem,
    head: &Head<'_, A>,
    context: &CallContext,
) -> Result<Arc<dyn Mailbox>> {
    system.open(head.account.as_deref().ok_or_else(no_account)?, context).await
}

fn no_account() -> Error {
    Error::new(ErrorKind::Invalid, "the call does not say whose mailbox")
}

async fn owns(system: &dyn MailSystem, asked: Asked) -> Result<Outgoing, Unanswerable> {
    let head: Head<'_, Owns> = asked.head()?;
    let context = head.context();
    let answered = until(&context, async {
        system.owns(head.account.as_deref().ok_or_else(no_account)?, &context).await
    });
    write(answered.await, Bytes::new())
}

async fn fetch(system: &dyn MailSystem, asked: Asked) -> Result<Outgoing, Unanswerable> {
    let head: Head<'_, Fetch<'_>> = asked.head()?;
    let context = head.context();
    let opened = until(&context, async {
        let mailbox = open(system, &head, &context).await?;
        mailbox.fetch(&head.args.collection, &head.args.items, &head.args.view).await
    });
    let opened = opened.await;
    // A caller who is gone drops the stream; this is for one whose word of that was lost.
    let late = tokio::time::sleep_until(context.deadline.into());
    let timeout = Error::new(ErrorKind::Timeout, "the items did not come in time");
    write_stream(opened.map(|stream| unless(stream, late, timeout)), WireFetched::take_apart)
}

async fn fetch_part(system: &dyn MailSystem, asked: Asked) -> Result<Outgoing, Unanswerable> {
    let head: Head<'_, FetchPart<'_>> = asked.head()?;
    let context = head.context();
    let answered = until(&context, async {
        let mailbox = open(system, &head, &context).await?;
        let FetchPart { collection, item, part, range } = &head.args;
        mailbox.fetch_part(collection, item, part.as_deref(), *range).await
    });
    match answered.await.map(WirePart::take_apart) {
        Ok((part, data)) => write::<_, Error>(Ok(part), data),
        Err(error) => write::<WirePart, _>(Err(error), Bytes::new()),
    }
}

async fn watch(
    shared: &Shared,
    system: &dyn MailSystem,
    asked: Asked,
) -> Result<Outgoing, Unanswerable> {
    let head: Head<'_, Watch<'_>> = asked.head()?;
    let context = head.context();
    let opened = until(&context, async {
        open(system, &head, &context).await?.watch(&head.args.collections).await
    });
    let opened = opened.await;
    let ending = shared.ending.clone().cancelled_owned();
    let gone = Error::new(ErrorKind::Unavailable, "the connector is going down");
    let opened = opened.map(|stream| unless(stream, ending, gone));
    write_stream(opened, |event: WatchEvent| (event, Vec::new()))
}

macro_rules! ask {
    ($($call:ty => $answer:ty, $args:ident, $mailbox:ident, $message:ident: $ask:expr;)*) => {$(
        #[async_trait]
        impl Ask for $call {
            async fn ask(self, $mailbox: &dyn Mailbox, $message: Bytes) -> Result<$answer> {
                let $args = self;
                $ask.await
            }
        }
    )*};
}

ask! {
    Collections => Vec<Collection>, _a, mailbox, _m: mailbox.collections();
    CreateCollection<'static> => CollectionId, args, mailbox, _m:
        mailbox.create_collection(args.parent.as_deref(), &args.name, args.class);
    UpdateCollection<'static> => CollectionId, args, mailbox, _m:
        mailbox.update_collection(&args.collection, args.parent.as_deref(), &args.name);
    DeleteCollection<'static> => (), args, mailbox, _m:
        mailbox.delete_collection(&args.collection);
    List<'static> => Listing, args, mailbox, _m: mailbox.list(&args.collection, &args.filter);
    ChangesSince<'static> => Changes, args, mailbox, _m:
        mailbox.changes(&args.collection, &args.since);
    Changed<'static> => Vec<CollectionId>, args, mailbox, _m: mailbox.changed(&args.since);
    DeleteItems<'static> => (), args, mailbox, _m:
        mailbox.delete_items(&args.collection, &args.items);
    EmptyCollection<'static> => (), args, mailbox, _m:
        mailbox.empty_collection(&args.collection, args.subcollections);
    Search<'static> => SearchPage, args, mailbox, _m: mailbox.search(&args.query);
    IdentityOf => Identity, _a, mailbox, _m: mailbox.identity();
    CreateItem<'static> => Written, args, mailbox, _m:
        mailbox.create_item(&args.collection, &args.item);
    ChangeItem<'static> => Written, args, mailbox, _m:
        mailbox.change_item(&args.collection, &args.item, &args.edit);
    Respond<'static> => Written, args, mailbox, _m:
        mailbox.respond(&args.collection, &args.item, &args.key, &args.answer);
    TakeIn<'static> => Option<TakenIn>, args, mailbox, _m:
        mailbox.take_in(&args.message, args.occasion);
    Tells<'static> => bool, args, mailbox, _m: mailbox.tells(&args.message, &args.to);
    CalendarMessageOf<'static> => Option<CalendarMessage>, args, mailbox, _m:
        mailbox.calendar_message(&args.collection, &args.item);
    Busy<'static> => Vec<BusyTime>, args, mailbox, _m: mailbox.busy(&args.query);
    VacationOf => Vacation, _a, mailbox, _m: mailbox.vacation();
    SetVacation<'static> => (), args, mailbox, _m: mailbox.set_vacation(&args.vacation);
    Deliver<'static> => ItemId, args, mailbox, message:
        mailbox.deliver(&args.collection, &message);
    SaveDraft<'static> => ItemId, args, mailbox, message: async {
        let mut draft = args.draft.into_owned();
        draft.message = message;
        mailbox.save_draft(&args.collection, &draft).await
    };
    Submit<'static> => Submitted, args, mailbox, message: async {
        let mut submission = args.submission.into_owned();
        submission.message = message;
        mailbox.submit(&submission).await
    };
    SetFlags<'static> => Vec<WireItemResult<()>>, args, mailbox, _m: async {
        mailbox.set_flags(&args.collection, &args.patches).await.map(outcomes)
    };
    MoveItems<'static> => Vec<WireItemResult<Option<ItemId>>>, args, mailbox, _m: async {
        mailbox.move_items(&args.from, &args.to, &args.items).await.map(outcomes)
    };
}

fn outcomes<T>(items: Vec<ItemResult<T>>) -> Vec<WireItemResult<T>> {
    let value = |error| serde_json::to_value(error).unwrap_or_default();
    items.into_iter().map(|(id, outcome)| (id, outcome.map_err(value))).collect()
}
