//! The calls of [`dme_mailbox::MailSystem`] and [`dme_mailbox::Mailbox`].

use super::call::Call;
use bytes::Bytes;
use dme_mailbox::{
    BusyQuery, BusyTime, ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Edit, Error,
    ErrorKind, FetchOutcome, Fetched, Identity, ItemFilter, Listing, NewItem, PartContent,
    SearchPage, SearchQuery, Subcollections, Submission, SubmissionKey, Submitted, TakenIn,
    Written,
};
use dme_model::{
    Answer, Body, BodyView, Class, Collection, CollectionId, FlagPatch, Item, ItemId, Mail,
    Occasion, PartId, Vacation,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The outcome for one item of a call on several, as it crosses the link.
pub(crate) type WireItemResult<T> = (ItemId, Result<T, serde_json::Value>);

macro_rules! calls {
    ($($(#[$doc:meta])* $call:ident $(<$life:lifetime>)? = $name:literal {
        $($(#[$mark:meta])* $field:ident: $type:ty),* $(,)?
    } -> $answer:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Serialize, Deserialize)]
            pub(crate) struct $call $(<$life>)? { $($(#[$mark])* pub $field: $type),* }

            impl $(<$life>)? Call for $call $(<$life>)? {
                const NAME: &'static str = $name;
                type Answer = $answer;
            }
        )*
    };
}

calls! {
    /// [`dme_mailbox::MailSystem::owns`]
    Owns = "mail/owns" {} -> bool;
    /// [`dme_mailbox::Mailbox::collections`]
    Collections = "mailbox/collections" {} -> Vec<Collection>;
    /// [`dme_mailbox::Mailbox::create_collection`]
    CreateCollection<'a> = "mailbox/create_collection" {
        parent: Option<Cow<'a, CollectionId>>,
        name: Cow<'a, str>,
        class: Class,
    } -> CollectionId;
    /// [`dme_mailbox::Mailbox::update_collection`]
    UpdateCollection<'a> = "mailbox/update_collection" {
        collection: Cow<'a, CollectionId>,
        parent: Option<Cow<'a, CollectionId>>,
        name: Cow<'a, str>,
    } -> CollectionId;
    /// [`dme_mailbox::Mailbox::delete_collection`]
    DeleteCollection<'a> = "mailbox/delete_collection" {
        collection: Cow<'a, CollectionId>,
    } -> ();
    /// [`dme_mailbox::Mailbox::list`]
    List<'a> = "mailbox/list" {
        collection: Cow<'a, CollectionId>,
        filter: Cow<'a, ItemFilter>,
    } -> Listing;
    /// [`dme_mailbox::Mailbox::changes`]
    ChangesSince<'a> = "mailbox/changes" {
        collection: Cow<'a, CollectionId>,
        since: Cow<'a, ChangeToken>,
    } -> Changes;
    /// [`dme_mailbox::Mailbox::changed`]
    Changed<'a> = "mailbox/changed" {
        since: Cow<'a, [(CollectionId, ChangeToken)]>,
    } -> Vec<CollectionId>;
    /// [`dme_mailbox::Mailbox::fetch`]
    Fetch<'a> = "mailbox/fetch" {
        collection: Cow<'a, CollectionId>,
        items: Cow<'a, [ItemId]>,
        view: Cow<'a, BodyView>,
    } -> WireFetched;
    /// [`dme_mailbox::Mailbox::fetch_part`]
    FetchPart<'a> = "mailbox/fetch_part" {
        collection: Cow<'a, CollectionId>,
        item: Cow<'a, ItemId>,
        part: Option<Cow<'a, PartId>>,
        range: Option<ByteRange>,
    } -> WirePart;
    /// [`dme_mailbox::Mailbox::set_flags`]
    SetFlags<'a> = "mailbox/set_flags" {
        collection: Cow<'a, CollectionId>,
        patches: Cow<'a, [(ItemId, FlagPatch)]>,
    } -> Vec<WireItemResult<()>>;
    /// [`dme_mailbox::Mailbox::move_items`]
    MoveItems<'a> = "mailbox/move_items" {
        from: Cow<'a, CollectionId>,
        to: Cow<'a, CollectionId>,
        items: Cow<'a, [ItemId]>,
    } -> Vec<WireItemResult<Option<ItemId>>>;
    /// [`dme_mailbox::Mailbox::delete_items`]
    DeleteItems<'a> = "mailbox/delete_items" {
        collection: Cow<'a, CollectionId>,
        items: Cow<'a, [ItemId]>,
    } -> ();
    /// [`dme_mailbox::Mailbox::empty_collection`]
    EmptyCollection<'a> = "mailbox/empty_collection" {
        collection: Cow<'a, CollectionId>,
        subcollections: Subcollections,
    } -> ();
    /// [`dme_mailbox::Mailbox::save_draft`]; the message is the blob.
    SaveDraft<'a> = "mailbox/save_draft" {
        collection: Cow<'a, CollectionId>,
        draft: Cow<'a, Draft>,
    } -> ItemId;
    /// [`dme_mailbox::Mailbox::deliver`]; the message is the blob.
    Deliver<'a> = "mailbox/deliver" { collection: Cow<'a, CollectionId> } -> ItemId;
    /// [`dme_mailbox::Mailbox::submit`]; the message is the blob.
    Submit<'a> = "mailbox/submit" { submission: Cow<'a, Submission> } -> Submitted;
    /// [`dme_mailbox::Mailbox::search`]
    Search<'a> = "mailbox/search" { query: Cow<'a, SearchQuery> } -> SearchPage;
    /// [`dme_mailbox::Mailbox::watch`]
    Watch<'a> = "mailbox/watch" { collections: Cow<'a, [CollectionId]> } -> serde_json::Value;
    /// [`dme_mailbox::Mailbox::identity`]
    IdentityOf = "mailbox/identity" {} -> Identity;
    /// [`dme_mailbox::Mailbox::create_item`]
    CreateItem<'a> = "mailbox/create_item" {
        collection: Cow<'a, CollectionId>,
        item: Cow<'a, NewItem>,
    } -> Written;
    /// [`dme_mailbox::Mailbox::change_item`]
    ChangeItem<'a> = "mailbox/change_item" {
        collection: Cow<'a, CollectionId>,
        item: Cow<'a, ItemId>,
        edit: Cow<'a, Edit>,
    } -> Written;
    /// [`dme_mailbox::Mailbox::respond`]
    Respond<'a> = "mailbox/respond" {
        collection: Cow<'a, CollectionId>,
        item: Cow<'a, ItemId>,
        key: Cow<'a, SubmissionKey>,
        answer: Cow<'a, Answer>,
    } -> Written;
    /// [`dme_mailbox::Mailbox::take_in`]
    TakeIn<'a> = "mailbox/take_in" {
        message: Cow<'a, CalendarMessage>,
        #[serde(default)]
        occasion: Occasion,
    } -> Option<TakenIn>;
    /// [`dme_mailbox::Mailbox::tells`]
    Tells<'a> = "mailbox/tells" {
        message: Cow<'a, CalendarMessage>,
        to: Cow<'a, [String]>,
    } -> bool;
    /// [`dme_mailbox::Mailbox::calendar_message`]
    CalendarMessageOf<'a> = "mailbox/calendar_message" {
        collection: Cow<'a, CollectionId>,
        item: Cow<'a, ItemId>,
    } -> Option<CalendarMessage>;
    /// [`dme_mailbox::Mailbox::busy`]
    Busy<'a> = "mailbox/busy" { query: Cow<'a, BusyQuery> } -> Vec<BusyTime>;
    /// [`dme_mailbox::Mailbox::vacation`]
    VacationOf = "mailbox/vacation" {} -> Vacation;
    /// [`dme_mailbox::Mailbox::set_vacation`]
    SetVacation<'a> = "mailbox/set_vacation" { vacation: Cow<'a, Vacation> } -> ();
}

/// A fetched item; its bodies follow each other in the blob.
#[derive(Serialize, Deserialize)]
pub(crate) struct WireFetched {
    pub id: ItemId,
    pub outcome: WireOutcome,
}

/// What became of one item.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireOutcome {
    /// A mail: `body` bytes of the blob are the body's, the rest the body part's.
    Mail { mail: Box<Mail>, body: u64 },
    /// An item of another class, which has no blob.
    Other(Item),
    /// No longer there.
    Gone,
    /// Cannot be read or converted.
    Unconvertible(String),
}

/// A part's content; its data is the blob.
#[derive(Serialize, Deserialize)]
pub(crate) struct WirePart {
    pub media_type: String,
    pub name: Option<String>,
    pub full_size: u64,
}

impl WireFetched {
    /// Takes an item apart: the head, and the pieces of the blob.
    pub(crate) fn take_apart(fetched: Fetched) -> (Self, Vec<Bytes>) {
        let mut blobs = Vec::new();
        let outcome = match fetched.outcome {
            FetchOutcome::Item(Item::Mail(mut mail)) => {
                let mut take = |body: &mut Option<Body>| {
                    let data = body.as_mut().map(|body| std::mem::take(&mut body.data));
                    let data = data.unwrap_or_default();
                    let length = data.len() as u64;
                    if !data.is_empty() {
                        blobs.push(data);
                    }
                    length
                };
                let body = take(&mut mail.body);
                take(&mut mail.body_part);
                WireOutcome::Mail { mail, body }
            }
            FetchOutcome::Item(other) => WireOutcome::Other(other),
            FetchOutcome::Gone => WireOutcome::Gone,
            FetchOutcome::Unconvertible(reason) => WireOutcome::Unconvertible(reason),
        };
        (Self { id: fetched.id, outcome }, blobs)
    }

    /// Puts it together again.
    pub(crate) fn put_together(self, mut blob: Bytes) -> Result<Fetched, Error> {
        let outcome = match self.outcome {
            WireOutcome::Mail { mut mail, body } => {
                let length = usize::try_from(body).unwrap_or(usize::MAX);
                let rest = blob.len().checked_sub(length);
                if rest.is_none()
                    || (length > 0 && mail.body.is_none())
                    || (rest != Some(0) && mail.body_part.is_none())
                {
                    return Err(protocol("an item whose content has another length than it says"));
                }
                let data = blob.split_to(length);
                if let Some(body) = &mut mail.body {
                    body.data = data;
                }
                if let Some(part) = &mut mail.body_part {
                    part.data = blob;
                }
                FetchOutcome::Item(Item::Mail(mail))
            }
            WireOutcome::Other(Item::Mail(_)) => {
                return Err(protocol("a mail that is said to be something else"));
            }
            WireOutcome::Other(item) => FetchOutcome::Item(item),
            WireOutcome::Gone => FetchOutcome::Gone,
            WireOutcome::Unconvertible(reason) => FetchOutcome::Unconvertible(reason),
        };
        Ok(Fetched { id: self.id, outcome })
    }
}

impl WirePart {
    /// Takes a part apart.
    pub(crate) fn take_apart(part: PartContent) -> (Self, Bytes) {
        let PartContent { media_type, name, full_size, data } = part;
        (Self { media_type, name, full_size }, data)
    }

    /// Puts it together again.
    pub(crate) fn put_together(self, data: Bytes) -> PartContent {
        let Self { media_type, name, full_size } = self;
        PartContent { media_type, name, full_size, data }
    }
}

/// A mailbox's error, or one of a newer release, of which only the text is understood.
pub(crate) fn error(value: serde_json::Value) -> Error {
    let context = value.get("context").and_then(|text| text.as_str()).map(str::to_owned);
    match serde_json::from_value(value) {
        Ok(error) => error,
        Err(_) => protocol(context.unwrap_or_else(|| "an error without words".into())),
    }
}

/// The connector answered against the link's protocol.
pub(crate) fn protocol(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Protocol, format!("the connector answered wrongly: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::BodyKind;

    fn body(data: &'static str) -> Option<Body> {
        Some(Body {
            kind: BodyKind::Plain,
            data: Bytes::from_static(data.as_bytes()),
            truncated: false,
            full_size: 9,
        })
    }

    #[test]
    fn a_fetched_item_keeps_both_its_bodies() {
        for (whole, part) in [
            (None, None),
            (body("whole"), None),
            (None, body("part")),
            (body("whole"), body("part")),
            (body(""), body("part")),
            (body("whole"), body("")),
        ] {
            let mail = Mail { body: whole, body_part: part, ..Mail::default() };
            let item =
                Fetched { id: "7".into(), outcome: FetchOutcome::Item(Item::Mail(Box::new(mail))) };
            let (head, blobs) = WireFetched::take_apart(item.clone());
            let json = serde_json::to_string(&head).unwrap();
            let head: WireFetched = serde_json::from_str(&json).unwrap();
            assert_eq!(head.put_together(blobs.concat().into()).unwrap(), item);
        }
    }

    #[test]
    fn content_of_a_wrong_length_is_an_error() {
        for (length, blob, has_body) in [(9, "short", true), (2, "long", true), (2, "it", false)] {
            let mail = Mail { body: body("").filter(|_| has_body), ..Mail::default() };
            let outcome = WireOutcome::Mail { mail: Box::new(mail), body: length };
            let head = WireFetched { id: "7".into(), outcome };
            let error = head.put_together(Bytes::from_static(blob.as_bytes())).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Protocol);
        }
    }

    #[test]
    fn errors_cross_the_link_and_unknown_ones_keep_their_words() {
        let busy = Error::new(
            ErrorKind::Busy { after: std::time::Duration::from_secs(3) },
            "too many sessions",
        );
        assert_eq!(error(serde_json::to_value(&busy).unwrap()), busy);
        let unbegun = busy.before_anything();
        assert_eq!(error(serde_json::to_value(&unbegun).unwrap()), unbegun);
        let newer = serde_json::json!({"kind": "eclipse", "context": "the moon is in the way"});
        let read = error(newer);
        assert_eq!(read.kind, ErrorKind::Protocol);
        assert!(read.context.contains("the moon is in the way"));
    }

    #[test]
    fn an_older_end_says_nothing_of_what_was_not_begun_and_passes_it_over() {
        let said = serde_json::json!({"kind": "timeout", "context": "no answer"});
        assert_eq!(error(said), Error::new(ErrorKind::Timeout, "no answer"), "perhaps begun");
        /// As release 0.1 reads it.
        #[derive(Deserialize)]
        struct Older {
            kind: ErrorKind,
            context: String,
        }
        let unbegun = Error::new(ErrorKind::Timeout, "no answer").before_anything();
        let read: Older = serde_json::from_value(serde_json::to_value(unbegun).unwrap()).unwrap();
        assert_eq!((read.kind, read.context.as_str()), (ErrorKind::Timeout, "no answer"));
    }
}
