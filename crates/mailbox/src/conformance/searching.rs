//! Searching.

use super::{
    Failure, Outcome, Resident, World, check, inbox, letter, mail, message, same, with_role,
};
use crate::SearchQuery;
use dme_model::{BodyView, Class, Role, Timestamp};
use std::time::{Duration, SystemTime};

fn words(words: &[&str]) -> SearchQuery {
    SearchQuery {
        words: words.iter().map(|&word| word.to_owned()).collect(),
        limit: 100,
        ..SearchQuery::default()
    }
}

/// The subjects of what is found, in order; the total must fit where all fit on the page.
async fn subjects(resident: &Resident, query: &SearchQuery) -> Result<Vec<String>, Failure> {
    let page = resident.mailbox.search(query).await?;
    if query.offset == 0 && page.hits.len() < query.limit as usize {
        same!(page.total, page.hits.len() as u64, "the total");
    }
    let mut found = Vec::new();
    for hit in page.hits {
        let view = BodyView::default();
        found.push(mail(&*resident.mailbox, &hit.collection, &hit.item, &view).await?.subject);
    }
    Ok(found)
}

async fn sorted(resident: &Resident, query: &SearchQuery) -> Result<Vec<String>, Failure> {
    let mut found = subjects(resident, query).await?;
    found.sort();
    Ok(found)
}

pub(super) async fn all_words_must_be_found(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    for (subject, text) in
        [("Apples", "red and round"), ("Pears", "green and long"), ("Plums", "blue and round")]
    {
        resident.other.deliver(&inbox, &message(subject, text)).await?;
    }
    for (asked, wanted) in [
        (&["round"][..], &["Apples", "Plums"][..]),
        (&["ROUND", "blue"], &["Plums"]),
        (&["pears"], &["Pears"]),
        (&["Apples", "round"], &["Apples"]),
        (&["green", "round"], &[]),
        (&["conformance.example"], &["Apples", "Pears", "Plums"]),
    ] {
        same!(sorted(&resident, &words(asked)).await?, wanted, "found by {asked:?}");
    }
    Ok(())
}

pub(super) async fn words_are_found_in_any_script(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    resident.other.deliver(&inbox, &message("German", "Grüße aus Köln")).await?;
    resident.other.deliver(&inbox, &message("Chinese", "你好，北京")).await?;
    resident.other.deliver(&inbox, &message("Quotes", "a \"quoted\" back\\slash")).await?;
    for (asked, wanted) in [
        ("köln", "German"),
        ("北京", "Chinese"),
        ("\"quoted\"", "Quotes"),
        ("back\\slash", "Quotes"),
    ] {
        same!(sorted(&resident, &words(&[asked])).await?, [wanted], "found by {asked:?}");
    }
    Ok(())
}

pub(super) async fn trash_and_junk_are_left_out_unless_named(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let trash = with_role(&*resident.mailbox, Role::Trash).await?;
    let kept = resident.mailbox.create_collection(None, "Kept", Class::Mail).await?;
    for (collection, subject) in [(&inbox, "In Inbox"), (&trash, "In Trash"), (&kept, "In Kept")] {
        resident.other.deliver(collection, &message(subject, "needle")).await?;
    }
    let mut query = words(&["needle"]);
    same!(sorted(&resident, &query).await?, ["In Inbox", "In Kept"], "found everywhere");
    query.collections = vec![trash];
    same!(sorted(&resident, &query).await?, ["In Trash"], "found in Trash");
    query.collections = vec![inbox, kept];
    same!(sorted(&resident, &query).await?, ["In Inbox", "In Kept"], "found in two collections");
    Ok(())
}

pub(super) async fn a_deep_search_includes_the_collections_within(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let top = resident.mailbox.create_collection(None, "Top", Class::Mail).await?;
    let inner = resident.mailbox.create_collection(Some(&top), "Inner", Class::Mail).await?;
    for (collection, subject) in [(&top, "Outside"), (&inner, "Inside")] {
        resident.other.deliver(collection, &message(subject, "needle")).await?;
    }
    let mut query = words(&["needle"]);
    query.collections = vec![top];
    same!(sorted(&resident, &query).await?, ["Outside"], "found by a shallow search");
    query.deep = true;
    same!(sorted(&resident, &query).await?, ["Inside", "Outside"], "found by a deep search");
    Ok(())
}

pub(super) async fn hits_come_newest_first_in_pages(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    for number in 0..7 {
        resident.other.deliver(&inbox, &message(&format!("n{number}"), "needle")).await?;
    }
    let mut query = words(&["needle"]);
    let all = subjects(&resident, &query).await?;
    same!(all, ["n6", "n5", "n4", "n3", "n2", "n1", "n0"], "found");
    query.limit = 3;
    for (offset, wanted) in [(0, &all[..3]), (3, &all[3..6]), (6, &all[6..]), (9, &[])] {
        query.offset = offset;
        same!(subjects(&resident, &query).await?, wanted, "the page from {offset}");
        same!(resident.mailbox.search(&query).await?.total, 7, "the total");
    }
    Ok(())
}

pub(super) async fn a_search_is_bounded_in_time(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    resident.other.deliver(&inbox, &message("today", "needle")).await?;
    let now = Timestamp::from(SystemTime::now());
    let days = |count: u64| Duration::from_secs(count * 24 * 60 * 60);
    let (past, future) = (Some(now.minus(days(2))), Some(now.plus(days(2))));
    for (since, before, wanted) in
        [(past, None, 1), (future, None, 0), (None, past, 0), (None, future, 1), (past, future, 1)]
    {
        let query = SearchQuery { since, before, ..words(&["needle"]) };
        let found = subjects(&resident, &query).await?;
        same!(found.len(), wanted, "found from {since:?} to {before:?}");
    }
    Ok(())
}

pub(super) async fn a_conversation_is_found_across_collections(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let sent = with_role(&**mailbox, Role::Sent).await?;
    let first = mailbox.deliver(&inbox, &message("Thread", "")).await?;
    mailbox.deliver(&inbox, &message("Another thread", "")).await?;
    let id = super::message_id("Thread");
    let (from, to) = ("bob@conformance.example", "ann@conformance.example");
    let links = format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");
    mailbox.deliver(&sent, &letter(from, to, "Re: Thread", "", &links)).await?;
    let last = super::message_id("Re: Thread");
    let links = format!("In-Reply-To: <{last}>\r\nReferences: <{id}> <{last}>\r\n");
    mailbox.deliver(&inbox, &letter(to, from, "Re: Re: Thread", "", &links)).await?;
    let conversation = mail(&**mailbox, &inbox, &first, &BodyView::default()).await?.conversation;
    check!(conversation.is_some(), "the mail belongs to no conversation");
    let query = SearchQuery { conversation, limit: 100, ..SearchQuery::default() };
    let found = sorted(&resident, &query).await?;
    same!(found, ["Re: Re: Thread", "Re: Thread", "Thread"], "the conversation");
    Ok(())
}
