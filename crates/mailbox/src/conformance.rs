//! The conformance suite: what every mail system must do to stand behind the two traits.
//!
//! A backend's tests describe their [`World`] and call [`run`]. Each case works on residents of its
//! own, so that cases can run in any order and at the same time; nothing sleeps and hopes: what
//! takes time is waited for, as long as [`World::patience`] says.

mod changes;
mod content;
mod drafts;
mod hierarchy;
mod item_changes;
mod items;
mod marks;
mod meetings;
mod moves;
mod samples;
mod searching;
mod sending;
mod vacations;
mod watching;

use crate::{
    Error, FetchOutcome, Fetched, ItemFilter, Mailbox, Result as MailboxResult, WatchEvent,
};
use async_trait::async_trait;
use dme_model::{
    BodyKind, BodyPreference, BodyView, Class, CollectionId, Flags, Item, ItemId, ItemSet, Mail,
    Role,
};
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// The mail system under test.
#[async_trait]
pub trait World: Send + Sync {
    /// A new user with an empty mailbox. Where mail is held it has at least Inbox, Drafts, Sent and
    /// Trash.
    async fn resident(&self) -> Resident;

    /// What the mail system cannot do is not asked of it.
    fn can(&self, _ability: Ability) -> bool {
        true
    }

    /// Makes all change tokens of the collection invalid. Called only where the world
    /// [`can`](Self::can) do it.
    async fn invalidate_tokens(&self, _resident: &Resident, _collection: &CollectionId) {}

    /// The classes beside mail that it holds, for [`run_items`]. A resident then has at least one
    /// collection of each that can be written.
    fn classes(&self) -> Vec<Class> {
        vec![Class::Calendar, Class::Contacts, Class::Tasks, Class::Notes]
    }

    /// A collection of this class that the resident may only read, with one item at least; none
    /// where the mail system has no such thing.
    async fn read_only(&self, _resident: &Resident, _class: Class) -> Option<CollectionId> {
        None
    }

    /// How long to wait for mail on its way and for a watch to tell.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// A user of the mail system under test.
pub struct Resident {
    /// The user's mail address.
    pub address: String,
    /// The handle under test.
    pub mailbox: Arc<dyn Mailbox>,
    /// Another client of the same mailbox, which shares no state with the first.
    pub other: Arc<dyn Mailbox>,
}

/// What not every mail system, or not every test of one, can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ability {
    /// Sends to other residents.
    Submit,
    /// Refuses recipients in its own domain who do not exist, while accepting others.
    RefuseRecipients,
    /// Answers the new id of a moved item.
    TellMovedIds,
    /// Keeps categories.
    Categories,
    /// The test can make change tokens invalid.
    InvalidateTokens,
    /// Tells of changes to the list of collections.
    WatchHierarchy,
    /// Takes in what mails say of meetings.
    TakeIn,
    /// Keeps an out-of-office message.
    Vacation,
    /// Knows which senders are in the user's contacts.
    KnownSenders,
}

/// One promise.
pub struct Case {
    /// The promise as a sentence.
    pub name: String,
    run: for<'a> fn(&'a dyn World) -> BoxFuture<'a, Outcome>,
}

impl Case {
    /// Tries whether the world keeps the promise.
    ///
    /// # Errors
    /// What was expected, and what came.
    pub async fn run(&self, world: &dyn World) -> Result<(), Failure> {
        (self.run)(world).await
    }
}

/// How a promise was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(format!("unexpected error {}: {error}", error.name()))
    }
}

type Outcome = Result<(), Failure>;

macro_rules! cases {
    ($($module:ident: $($case:ident)*;)*) => {
        vec![$($(Case {
            name: stringify!($case).replace('_', " "),
            run: |world| Box::pin($module::$case(world)),
        },)*)*]
    };
}

/// Every promise on mail.
pub fn cases() -> Vec<Case> {
    cases! {
        hierarchy:
            a_mailbox_has_one_inbox_and_each_role_at_most_once
            a_new_collection_is_listed_below_its_parent
            a_taken_name_is_refused
            any_name_survives_or_is_refused
            a_rename_keeps_what_is_within
            a_collection_moves_between_parents
            a_deleted_collection_takes_those_within_along
            what_is_not_there_is_not_found;
        changes:
            an_empty_collection_lists_nothing
            nothing_new_gives_the_same_token
            new_items_are_told
            marks_made_by_another_client_are_told
            removals_are_told
            a_move_is_told_in_both_collections
            the_filter_goes_by_day
            a_token_that_makes_no_sense_is_invalid
            a_token_made_invalid_is_refused_and_a_new_list_helps
            changed_names_what_moved_and_only_that
            an_id_is_never_given_twice
            following_the_changes_leads_to_the_list
            a_thousand_items_are_listed_and_fetched;
        content:
            a_fetch_answers_each_item_once_in_the_order_asked
            a_fetch_does_not_mark_as_read
            headers_and_size_are_told
            a_body_is_cut_where_asked
            a_whole_message_comes_back_byte_for_byte
            ranges_of_a_part_are_cut_at_its_end
            parts_that_are_not_there_are_not_found;
        marks:
            each_mark_is_set_and_cleared
            categories_are_kept_in_any_script
            a_patch_for_a_missing_item_harms_no_other;
        moves:
            a_moved_item_keeps_content_and_marks
            a_missing_item_is_not_found_and_the_others_move
            deleting_twice_is_no_error
            emptying_keeps_the_collections_within
            emptying_can_take_the_collections_within;
        drafts:
            a_draft_is_marked_as_one
            a_draft_takes_the_place_of_another
            the_same_key_gives_the_same_draft;
        sending:
            a_message_reaches_its_recipients
            what_is_out_already_is_filed_and_goes_to_nobody
            a_hidden_recipient_stays_hidden
            missing_headers_are_added
            a_copy_goes_to_sent_once_or_not_at_all
            a_repeated_sending_goes_out_once
            a_reply_marks_and_quotes_the_original
            a_forward_marks_and_contains_the_original
            a_complete_reply_is_sent_as_it_is
            a_sent_draft_is_gone
            an_unknown_recipient_is_refused;
        searching:
            all_words_must_be_found
            words_are_found_in_any_script
            trash_and_junk_are_left_out_unless_named
            a_deep_search_includes_the_collections_within
            hits_come_newest_first_in_pages
            a_search_is_bounded_in_time
            a_conversation_is_found_across_collections;
        watching:
            a_watch_is_ready_first
            a_delivery_is_told
            marks_and_removals_are_told_to_a_watch
            a_new_collection_is_told;
        vacations:
            nobody_is_away_at_first
            an_out_of_office_message_is_kept_whole
            an_absence_that_ends_before_it_begins_is_refused;
    }
}

/// Every promise on items of other classes.
pub fn item_cases() -> Vec<Case> {
    cases! {
        items:
            each_class_has_its_collection
            collections_of_each_class_are_made_renamed_and_deleted
            an_item_is_read_as_it_was_made
            the_same_key_makes_the_same_item
            a_collection_refuses_items_of_another_class
            a_patch_leaves_the_rest
            edits_of_two_clients_both_count
            a_repeated_edit_changes_nothing
            what_is_gone_is_not_found
            an_item_moves_to_another_collection
            a_large_text_is_kept_and_cut_where_asked
            what_may_only_be_read_is_not_written;
        meetings:
            an_event_of_ones_own_is_not_answered
            invitations_are_taken_in_once_and_answered
            who_asks_for_a_meeting_anew_gets_it_and_nobody_else
            an_invitation_to_what_is_over_waits_for_an_answer;
        item_changes:
            nothing_new_gives_the_same_item_token
            new_changed_and_deleted_items_are_told
            a_token_of_items_that_makes_no_sense_is_invalid
            a_token_of_items_made_invalid_is_refused
            events_are_filtered_by_the_end_of_their_last_instance
            tasks_that_are_done_can_be_left_out
            following_the_changes_of_items_leads_to_the_list
            hundreds_of_items_are_listed_and_fetched_in_order
            writings_are_told_to_a_watch;
    }
}

/// Runs every case on mail, one after the other.
///
/// # Panics
/// With a list of all broken promises, if there is any.
pub async fn run(world: &dyn World) {
    run_all(world, cases()).await;
}

/// Runs every case on items of other classes, one after the other.
///
/// # Panics
/// With a list of all broken promises, if there is any.
pub async fn run_items(world: &dyn World) {
    run_all(world, item_cases()).await;
}

async fn run_all(world: &dyn World, cases: Vec<Case>) {
    let mut broken = Vec::new();
    for case in cases {
        if let Err(failure) = case.run(world).await {
            broken.push(format!("{}: {failure}", case.name));
        }
    }
    assert!(broken.is_empty(), "{} promises broken:\n{}", broken.len(), broken.join("\n"));
}

/// Fails the case where the condition does not hold.
macro_rules! check {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::conformance::Failure(format!($($message)+)));
        }
    };
}

/// Fails the case where the two differ.
macro_rules! same {
    ($got:expr, $wanted:expr, $($what:tt)+) => {
        match (&$got, &$wanted) {
            (got, wanted) => {
                check!(*got == *wanted, "{}: got {got:?}, not {wanted:?}", format!($($what)+));
            }
        }
    };
}

/// Fails the case unless the call failed in this way.
macro_rules! refused {
    ($call:expr, $kind:pat, $($what:tt)+) => {{
        use $crate::ErrorKind::*;
        match $call {
            Err($crate::Error { kind: $kind, .. }) => {}
            Err(error) => check!(false, "{}: failed with {}, {error}", format!($($what)+), error.name()),
            Ok(_) => check!(false, "{}: was not refused", format!($($what)+)),
        }
    }};
}

pub(crate) use {check, refused, same};

/// A message of plain text in UTF-8, with CRLF. Its Message-ID is made of the subject.
fn message(subject: &str, text: &str) -> Vec<u8> {
    letter("Ann <ann@conformance.example>", "bob@conformance.example", subject, text, "")
}

/// The same with its own sender, recipient and further headers, each ended by CRLF.
fn letter(from: &str, to: &str, subject: &str, text: &str, headers: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n\
         Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{}>\r\n{headers}\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n",
        message_id(subject),
    )
    .into_bytes()
}

fn message_id(subject: &str) -> String {
    let plain: String =
        subject.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    format!("{plain}@conformance.example")
}

/// A view that asks for the whole text as plain text.
fn whole_text() -> BodyView {
    let plain = BodyPreference {
        kind: BodyKind::Plain,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    BodyView { preferences: vec![plain], ..BodyView::default() }
}

async fn with_role(mailbox: &dyn Mailbox, role: Role) -> Result<CollectionId, Failure> {
    let found = mailbox.collections().await?.into_iter().find(|it| it.role == Some(role));
    found.map(|it| it.id).ok_or_else(|| Failure(format!("there is no {role:?}")))
}

async fn inbox(resident: &Resident) -> Result<CollectionId, Failure> {
    with_role(&*resident.mailbox, Role::Inbox).await
}

async fn list(mailbox: &dyn Mailbox, collection: &CollectionId) -> MailboxResult<ItemSet> {
    Ok(mailbox.list(collection, &ItemFilter::default()).await?.items)
}

async fn fetch(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    items: &[ItemId],
    view: &BodyView,
) -> MailboxResult<Vec<Fetched>> {
    mailbox.fetch(collection, items, view).await?.try_collect().await
}

/// One item that must be there.
async fn mail(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    item: &ItemId,
    view: &BodyView,
) -> Result<Mail, Failure> {
    let fetched = fetch(mailbox, collection, std::slice::from_ref(item), view).await?;
    match fetched.into_iter().next().map(|fetched| fetched.outcome) {
        Some(FetchOutcome::Item(Item::Mail(mail))) => Ok(*mail),
        other => Err(Failure(format!("item {item}: got {other:?}"))),
    }
}

async fn flags(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    item: &ItemId,
) -> Result<Flags, Failure> {
    Ok(mail(mailbox, collection, item, &BodyView::default()).await?.flags)
}

fn text(mail: &Mail) -> String {
    let data = mail.body.as_ref().map(|body| body.data.clone()).unwrap_or_default();
    String::from_utf8_lossy(&data).into_owned()
}

/// Asks again and again until there is an answer, or patience ends.
async fn wait_for<T, F>(
    world: &dyn World,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Option<T>, Failure>>,
{
    let end = Instant::now() + world.patience();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        let next = Instant::now() + Duration::from_millis(20);
        check!(next < end, "waited in vain for {what}");
        sleep_until(next).await;
    }
}

/// Waits for the item with this subject in the Inbox.
async fn arrival(world: &dyn World, resident: &Resident, subject: &str) -> Result<Mail, Failure> {
    let inbox = &inbox(resident).await?;
    wait_for(world, &format!("the mail {subject:?}"), || async move {
        let items: Vec<ItemId> = list(&*resident.mailbox, inbox).await?.iter().collect();
        let fetched = fetch(&*resident.mailbox, inbox, &items, &whole_text()).await?;
        let mut mails = fetched.into_iter().filter_map(|fetched| match fetched.outcome {
            FetchOutcome::Item(item) => item.into_mail().map(|mail| *mail),
            _ => None,
        });
        Ok(mails.find(|mail| mail.subject == subject))
    })
    .await
}

/// Reads the watch until this event.
async fn told(
    world: &dyn World,
    watch: &mut BoxStream<'static, MailboxResult<WatchEvent>>,
    wanted: &WatchEvent,
) -> Outcome {
    let found = async {
        while let Some(event) = watch.next().await {
            if event? == *wanted {
                return Ok(());
            }
        }
        Err(Failure("the watch ended".into()))
    };
    match timeout(world.patience(), found).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure(format!("waited in vain for {wanted:?}"))),
    }
}
