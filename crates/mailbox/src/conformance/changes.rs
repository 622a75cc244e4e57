//! Lists, change tokens, and what changed since.

use super::{
    Ability, Failure, Outcome, Resident, World, check, inbox, list, message, refused, same,
    whole_text, with_role,
};
use crate::{ChangeToken, Changes, FetchOutcome, ItemFilter, Mailbox, StateNow};
use dme_model::{Class, CollectionId, FlagPatch, Flags, Followup, Item, ItemId, Role, Timestamp};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The token must be within its limit, whatever was done before.
async fn token(mailbox: &dyn Mailbox, collection: &CollectionId) -> crate::Result<ChangeToken> {
    Ok(mailbox.list(collection, &ItemFilter::default()).await?.token)
}

fn seen() -> FlagPatch {
    FlagPatch { seen: Some(true), ..FlagPatch::default() }
}

/// What is told of one item, where it is told at all.
fn told_of(changes: &Changes, item: &ItemId) -> Option<Flags> {
    changes.upserted.iter().find(|state| state.id == *item).and_then(|state| state.flags().cloned())
}

pub(super) async fn an_empty_collection_lists_nothing(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let listing = resident.mailbox.list(&inbox, &ItemFilter::default()).await?;
    check!(listing.items.is_empty(), "a new Inbox holds {:?}", listing.items);
    let changes = resident.mailbox.changes(&inbox, &listing.token).await?;
    check!(changes.upserted.is_empty() && changes.removed.is_empty(), "changes: {changes:?}");
    Ok(())
}

pub(super) async fn nothing_new_gives_the_same_token(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    mailbox.deliver(&inbox, &message("one", "")).await?;
    let first = token(&**mailbox, &inbox).await?;
    for again in [mailbox, other, mailbox] {
        let changes = again.changes(&inbox, &first).await?;
        same!(changes.token, first, "the token");
        check!(changes.upserted.is_empty() && changes.removed.is_empty(), "changes: {changes:?}");
    }
    same!(token(&**other, &inbox).await?, first, "the token of another list");
    Ok(())
}

pub(super) async fn new_items_are_told(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let before = token(&**mailbox, &inbox).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    let two = other.deliver(&inbox, &message("two", "")).await?;
    let changes = mailbox.changes(&inbox, &before).await?;
    let ids: Vec<_> = changes.upserted.iter().map(|state| state.id.clone()).collect();
    same!(ids, vec![one, two], "the new items, oldest first");
    let now = Timestamp::from(SystemTime::now());
    for state in &changes.upserted {
        let StateNow::Mail { received, flags } = &state.now else {
            return Err(Failure(format!("{} is told as no mail", state.id)));
        };
        same!(*flags, Flags::default(), "the marks of a new item");
        let age = now.as_seconds() - received.as_seconds();
        check!((-120..=120).contains(&age), "received {age} s ago");
    }
    same!(mailbox.changes(&inbox, &changes.token).await?.token, changes.token, "the next token");
    Ok(())
}

pub(super) async fn marks_made_by_another_client_are_told(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    mailbox.deliver(&inbox, &message("two", "")).await?;
    let before = token(&**mailbox, &inbox).await?;
    other.set_flags(&inbox, &[(one.clone(), seen())]).await?;
    let changes = mailbox.changes(&inbox, &before).await?;
    let flags = told_of(&changes, &one);
    same!(flags, Some(Flags { seen: true, ..Flags::default() }), "the marks");
    check!(changes.removed.is_empty(), "removed: {:?}", changes.removed);
    check!(changes.token != before, "the token did not move");
    Ok(())
}

pub(super) async fn removals_are_told(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    let two = mailbox.deliver(&inbox, &message("two", "")).await?;
    let before = token(&**mailbox, &inbox).await?;
    other.delete_items(&inbox, std::slice::from_ref(&one)).await?;
    let changes = mailbox.changes(&inbox, &before).await?;
    check!(changes.removed.contains(&one), "the removal was not told");
    check!(!changes.removed.contains(&two), "another was told as removed");
    check!(told_of(&changes, &one).is_none(), "the removed is told as changed");
    same!(list(&**mailbox, &inbox).await?.iter().collect::<Vec<_>>(), vec![two], "the list");
    Ok(())
}

pub(super) async fn a_move_is_told_in_both_collections(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let trash = with_role(&**mailbox, Role::Trash).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    let (from, to) = (token(&**mailbox, &inbox).await?, token(&**mailbox, &trash).await?);
    other.move_items(&inbox, &trash, std::slice::from_ref(&one)).await?;
    let left = mailbox.changes(&inbox, &from).await?;
    check!(left.removed.contains(&one), "it is not told as removed where it was");
    let arrived = mailbox.changes(&trash, &to).await?;
    same!(arrived.upserted.len(), 1, "what is told where it went");
    Ok(())
}

pub(super) async fn the_filter_goes_by_day(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    let now = Timestamp::from(SystemTime::now());
    let day = Duration::from_secs(24 * 60 * 60);
    let filter = |moment| ItemFilter { since: Some(moment), ..ItemFilter::default() };
    let recent = mailbox.list(&inbox, &filter(now.minus(day))).await?;
    same!(recent.items.iter().collect::<Vec<_>>(), vec![one.clone()], "since yesterday");
    let coming = mailbox.list(&inbox, &filter(now.plus(day * 2))).await?;
    check!(coming.items.is_empty(), "received in the future: {:?}", coming.items);
    // The token is the collection's, whatever the filter.
    mailbox.set_flags(&inbox, &[(one.clone(), seen())]).await?;
    let changes = mailbox.changes(&inbox, &coming.token).await?;
    check!(told_of(&changes, &one).is_some(), "the change was not told");
    Ok(())
}

pub(super) async fn a_token_that_makes_no_sense_is_invalid(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    mailbox.deliver(&inbox, &message("one", "")).await?;
    let good = token(&**mailbox, &inbox).await?.0;
    for bad in [String::new(), "nonsense".into(), format!("{good}:x"), format!("z9{good}")] {
        let changes = mailbox.changes(&inbox, &ChangeToken(bad.clone())).await;
        refused!(changes, InvalidToken, "the token {bad:?}");
        let changed = mailbox.changed(&[(inbox.clone(), ChangeToken(bad.clone()))]).await?;
        same!(changed, vec![inbox.clone()], "changed since {bad:?}");
    }
    Ok(())
}

pub(super) async fn a_token_made_invalid_is_refused_and_a_new_list_helps(
    world: &dyn World,
) -> Outcome {
    if !world.can(Ability::InvalidateTokens) {
        return Ok(());
    }
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    mailbox.deliver(&inbox, &message("one", "")).await?;
    let old = token(&**mailbox, &inbox).await?;
    world.invalidate_tokens(&resident, &inbox).await;
    refused!(mailbox.changes(&inbox, &old).await, InvalidToken, "the old token");
    let changed = mailbox.changed(&[(inbox.clone(), old)]).await?;
    same!(changed, vec![inbox.clone()], "changed");
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await?;
    same!(listing.items.len(), 1, "items");
    same!(mailbox.changes(&inbox, &listing.token).await?.token, listing.token, "the new token");
    Ok(())
}

pub(super) async fn changed_names_what_moved_and_only_that(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let mut since = Vec::new();
    for name in ["Still", "Moving", "Vanishing", "Read"] {
        let id = mailbox.create_collection(None, name, Class::Mail).await?;
        mailbox.deliver(&id, &message(name, "")).await?;
        since.push((id.clone(), token(&**mailbox, &id).await?));
    }
    same!(mailbox.changed(&since).await?, Vec::new(), "changed at rest");
    let ids: Vec<_> = since.iter().map(|(id, _)| id.clone()).collect();
    let [_, moving, vanishing, read] = &ids[..] else { return Ok(()) };
    other.deliver(moving, &message("more", "")).await?;
    other.delete_collection(vanishing).await?;
    let Some(item) = list(&**other, read).await?.iter().next() else { return Ok(()) };
    other.set_flags(read, &[(item, seen())]).await?;
    let mut changed = mailbox.changed(&since).await?;
    changed.sort_by_key(|id| ids.iter().position(|it| it == id));
    same!(changed, vec![moving.clone(), vanishing.clone(), read.clone()], "changed");
    same!(mailbox.changed(&[]).await?, Vec::new(), "changed of nothing");
    Ok(())
}

pub(super) async fn an_id_is_never_given_twice(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let mut given = Vec::new();
    for round in 0..4 {
        let id = mailbox.deliver(&inbox, &message(&format!("round {round}"), "")).await?;
        check!(!given.contains(&id), "{id} was given before: {given:?}");
        given.push(id.clone());
        other.delete_items(&inbox, &[id]).await?;
    }
    Ok(())
}

pub(super) async fn following_the_changes_leads_to_the_list(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let trash = with_role(&**mailbox, Role::Trash).await?;
    let mut known: BTreeMap<ItemId, Flags> = BTreeMap::new();
    let mut token = token(&**mailbox, &inbox).await?;
    for step in 0_usize..24 {
        let present: Vec<_> = list(&**other, &inbox).await?.iter().collect();
        let any = present.get(step * 7 % present.len().max(1));
        match (step % 6, any) {
            (3, Some(item)) => {
                let followup = Some(Followup::Active);
                let patch = FlagPatch { followup, ..seen() };
                other.set_flags(&inbox, &[(item.clone(), patch)]).await?;
            }
            (4, Some(item)) => other.delete_items(&inbox, std::slice::from_ref(item)).await?,
            (5, Some(item)) => {
                other.move_items(&inbox, &trash, std::slice::from_ref(item)).await?;
            }
            _ => {
                other.deliver(&inbox, &message(&format!("step {step}"), "")).await?;
            }
        }
        // Not after every step, so that some answers hold several changes.
        if step % 3 != 1 {
            let changes = mailbox.changes(&inbox, &token).await?;
            known.retain(|id, _| !changes.removed.contains(id));
            known.extend(changes.upserted.into_iter().filter_map(|state| {
                let flags = state.flags()?.clone();
                Some((state.id, flags))
            }));
            token = changes.token;
            check!(token.0.len() <= 64 * 1024, "a token of {} bytes", token.0.len());
        }
    }
    let listed: Vec<_> = list(&**mailbox, &inbox).await?.iter().collect();
    let mut followed: Vec<_> = known.keys().cloned().collect();
    followed.sort_by_key(|id| listed.iter().position(|it| it == id));
    same!(followed, listed, "the items by following the changes");
    for (item, flags) in &known {
        same!(super::flags(&**mailbox, &inbox, item).await?, *flags, "the marks of {item}");
    }
    Ok(())
}

pub(super) async fn a_thousand_items_are_listed_and_fetched(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let Resident { mailbox, other, .. } = &resident;
    let inbox = inbox(&resident).await?;
    let before = token(&**mailbox, &inbox).await?;
    for number in 0..1000 {
        other.deliver(&inbox, &message(&format!("number {number}"), "text")).await?;
    }
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await?;
    same!(listing.items.len(), 1000, "items");
    check!(listing.token.0.len() <= 64 * 1024, "a token of {} bytes", listing.token.0.len());
    same!(mailbox.changes(&inbox, &before).await?.upserted.len(), 1000, "changes");
    let newest_first: Vec<_> = listing.items.iter().rev().collect();
    let fetched = super::fetch(&**mailbox, &inbox, &newest_first, &whole_text()).await?;
    same!(fetched.len(), 1000, "fetched");
    for (place, fetched) in fetched.iter().enumerate() {
        let FetchOutcome::Item(Item::Mail(mail)) = &fetched.outcome else {
            return Err(super::Failure(format!("item {}: {:?}", fetched.id, fetched.outcome)));
        };
        same!(mail.subject, format!("number {}", 999 - place), "the subject at {place}");
    }
    Ok(())
}
