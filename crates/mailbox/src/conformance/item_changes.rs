//! Lists, change tokens and watches of items that are no mail.

use super::items::{change, create, home, item};
use super::samples::{Look, MONDAY, completed, new_event, new_item, new_series, retitled};
use super::{
    Ability, Outcome, Resident, World, check, fetch, list, refused, same, told, whole_text,
};
use crate::{
    ChangeToken, Changes, ContentMark, FetchOutcome, ItemFilter, Mailbox, StateNow, WatchEvent,
};
use dme_model::{Class, CollectionId, ItemId, Timestamp};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;

async fn token(mailbox: &dyn Mailbox, collection: &CollectionId) -> crate::Result<ChangeToken> {
    Ok(mailbox.list(collection, &ItemFilter::default()).await?.token)
}

/// Whether the changes say that this item is new or changed; with its mark.
fn told_of(changes: &Changes, item: &ItemId) -> Option<Option<ContentMark>> {
    let state = changes.upserted.iter().find(|state| state.id == *item)?;
    match &state.now {
        StateNow::Other(mark) => Some(mark.clone()),
        StateNow::Mail { .. } => None,
    }
}

/// Whether the changes say that this item is gone, one way or the other.
fn told_gone(changes: &Changes, item: &ItemId) -> bool {
    changes.removed.contains(item)
        || changes.present.as_ref().is_some_and(|present| !present.contains(item))
}

pub(super) async fn nothing_new_gives_the_same_item_token(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        check!(list(&*mailbox, &home).await?.is_empty(), "a new {class:?} holds something");
        create(&*mailbox, &home, "one", new_item(class, "One")).await?;
        let first = token(&*mailbox, &home).await?;
        for again in [&mailbox, &other, &mailbox] {
            let changes = again.changes(&home, &first).await?;
            same!(changes.token, first, "the token");
            check!(changes.upserted.is_empty() && changes.removed.is_empty(), "{changes:?}");
            same!(again.changed(&[(home.clone(), first.clone())]).await?, vec![], "the changed");
        }
    }
    Ok(())
}

pub(super) async fn new_changed_and_deleted_items_are_told(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        create(&*mailbox, &home, "zero", new_item(class, "Bystander")).await?;
        let first = token(&*mailbox, &home).await?;

        let made = create(&*other, &home, "one", new_item(class, "New")).await?;
        let changes = mailbox.changes(&home, &first).await?;
        let Some(mark) = told_of(&changes, &made.item) else {
            return Err(super::Failure(format!("the new item is not told: {changes:?}")));
        };
        if let (Some(told), Some(written)) = (&mark, &made.mark) {
            same!(told, written, "the mark");
        }
        let second = changes.token;

        let since = [(home.clone(), second.clone())];
        let edited = change(&*other, &home, &made.item, "two", retitled(class, "Changed")).await?;
        same!(mailbox.changed(&since).await?, vec![home.clone()], "the changed");
        let changes = mailbox.changes(&home, &second).await?;
        let now = told_of(&changes, &edited.item);
        check!(now.is_some(), "the change is not told: {changes:?}");
        check!(now != Some(mark.clone()) || mark.is_none(), "the mark is the same: {mark:?}");
        let third = changes.token;

        other.delete_items(&home, std::slice::from_ref(&edited.item)).await?;
        let changes = mailbox.changes(&home, &third).await?;
        check!(told_gone(&changes, &edited.item), "the deletion is not told: {changes:?}");
        // Who slept through all of it must not be left with what is gone.
        let changes = mailbox.changes(&home, &second).await?;
        check!(told_gone(&changes, &edited.item), "later not told: {changes:?}");
        check!(told_of(&changes, &edited.item).is_none(), "told as there: {changes:?}");
    }
    Ok(())
}

pub(super) async fn a_token_of_items_that_makes_no_sense_is_invalid(world: &dyn World) -> Outcome {
    let Resident { mailbox, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        create(&*mailbox, &home, "one", new_item(class, "One")).await?;
        for bad in ["", "nonsense", "z9:1:1"] {
            let bad = ChangeToken(bad.into());
            refused!(mailbox.changes(&home, &bad).await, InvalidToken, "the token {bad:?}");
            let changed = mailbox.changed(&[(home.clone(), bad.clone())]).await?;
            same!(changed, vec![home.clone()], "changed since {bad:?}");
        }
    }
    Ok(())
}

pub(super) async fn a_token_of_items_made_invalid_is_refused(world: &dyn World) -> Outcome {
    if !world.can(Ability::InvalidateTokens) {
        return Ok(());
    }
    let resident = world.resident().await;
    let mailbox = &*resident.mailbox;
    for class in world.classes() {
        let home = home(mailbox, class).await?;
        create(mailbox, &home, "one", new_item(class, "One")).await?;
        let old = token(mailbox, &home).await?;
        world.invalidate_tokens(&resident, &home).await;
        refused!(mailbox.changes(&home, &old).await, InvalidToken, "the old token");
        let listing = mailbox.list(&home, &ItemFilter::default()).await?;
        same!(listing.items.len(), 1, "items");
        let changes = mailbox.changes(&home, &listing.token).await?;
        same!(changes.token, listing.token, "the new token");
    }
    Ok(())
}

pub(super) async fn events_are_filtered_by_the_end_of_their_last_instance(
    world: &dyn World,
) -> Outcome {
    if !world.classes().contains(&Class::Calendar) {
        return Ok(());
    }
    let Resident { mailbox, .. } = world.resident().await;
    let home = home(&*mailbox, Class::Calendar).await?;
    let (past, long) = (MONDAY.plus_seconds(-30 * DAY), MONDAY.plus_seconds(DAY));
    let events = [
        ("Past", new_event("Past", past, past.plus_seconds(3600))),
        ("Long", new_event("Long", past, long)),
        ("Today", new_event("Today", MONDAY.plus_seconds(-7200), MONDAY.plus_seconds(-3600))),
        ("Future", new_event("Future", long, long.plus_seconds(3600))),
        ("Endless", new_series("Endless", past)),
    ];
    for (key, event) in events {
        create(&*mailbox, &home, key, event).await?;
    }
    // The whole day counts, as for mail.
    let filter = ItemFilter { since: Some(MONDAY.as_utc()), incomplete: false };
    let mut found = Vec::new();
    for id in mailbox.list(&home, &filter).await?.items.iter() {
        found.push(Look::at(&item(&*mailbox, &home, &id).await?)?.title);
    }
    found.sort();
    same!(found, ["Endless", "Future", "Long", "Today"], "the events of that time or later");
    let far = ItemFilter { since: Some(Timestamp::from_seconds(4_000_000_000)), incomplete: false };
    same!(mailbox.list(&home, &far).await?.items.len(), 1, "the events of a far time");
    same!(list(&*mailbox, &home).await?.len(), 5, "all events");
    Ok(())
}

pub(super) async fn tasks_that_are_done_can_be_left_out(world: &dyn World) -> Outcome {
    if !world.classes().contains(&Class::Tasks) {
        return Ok(());
    }
    let Resident { mailbox, .. } = world.resident().await;
    let home = home(&*mailbox, Class::Tasks).await?;
    let open = create(&*mailbox, &home, "open", new_item(Class::Tasks, "Open")).await?;
    let done = create(&*mailbox, &home, "done", new_item(Class::Tasks, "Done")).await?;
    change(&*mailbox, &home, &done.item, "do", completed(true)).await?;
    let filter = ItemFilter { since: None, incomplete: true };
    let found = |filter| {
        let (mailbox, home) = (mailbox.clone(), home.clone());
        async move {
            let items = mailbox.list(&home, &filter).await?.items;
            crate::Result::<_>::Ok(items.iter().collect::<Vec<_>>())
        }
    };
    same!(found(filter.clone()).await?, vec![open.item.clone()], "those to be done");
    same!(found(ItemFilter::default()).await?.len(), 2, "all");
    change(&*mailbox, &home, &done.item, "undo", completed(false)).await?;
    same!(found(filter).await?.len(), 2, "those to be done");
    Ok(())
}

pub(super) async fn following_the_changes_of_items_leads_to_the_list(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let mut known: BTreeMap<ItemId, Option<ContentMark>> = BTreeMap::new();
        let mut token = token(&*mailbox, &home).await?;
        for step in 0_usize..15 {
            let present: Vec<_> = list(&*other, &home).await?.iter().collect();
            let key = format!("step {step}");
            match (step % 5, present.get(step * 7 % present.len().max(1))) {
                (3, Some(item)) => {
                    change(&*other, &home, item, &key, retitled(class, &key)).await?;
                }
                (4, Some(item)) => other.delete_items(&home, std::slice::from_ref(item)).await?,
                _ => {
                    create(&*other, &home, &key, new_item(class, &key)).await?;
                }
            }
            // Not after every step, so that some answers hold several changes.
            if step % 3 != 1 {
                let changes = mailbox.changes(&home, &token).await?;
                known.retain(|id, _| !told_gone(&changes, id));
                for state in changes.upserted {
                    if let StateNow::Other(mark) = state.now {
                        known.insert(state.id, mark);
                    }
                }
                token = changes.token;
                check!(token.0.len() <= 64 * 1024, "a token of {} bytes", token.0.len());
            }
        }
        let mut listed: Vec<_> = list(&*mailbox, &home).await?.iter().collect();
        listed.sort();
        same!(known.into_keys().collect::<Vec<_>>(), listed, "the items by following the changes");
    }
    Ok(())
}

pub(super) async fn hundreds_of_items_are_listed_and_fetched_in_order(
    world: &dyn World,
) -> Outcome {
    let Resident { mailbox, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let mut made = Vec::new();
        for number in 0..150 {
            let key = format!("number {number}");
            made.push(create(&*mailbox, &home, &key, new_item(class, &key)).await?.item);
        }
        let mut listed: Vec<_> = list(&*mailbox, &home).await?.iter().collect();
        listed.sort();
        let mut sorted = made.clone();
        sorted.sort();
        same!(listed, sorted, "the list");
        made.reverse();
        let fetched = fetch(&*mailbox, &home, &made, &whole_text()).await?;
        same!(fetched.len(), made.len(), "fetched");
        for (place, fetched) in fetched.iter().enumerate() {
            let FetchOutcome::Item(item) = &fetched.outcome else {
                return Err(super::Failure(format!("item {}: {:?}", fetched.id, fetched.outcome)));
            };
            same!(Look::at(item)?.title, format!("number {}", 149 - place), "the one at {place}");
        }
    }
    Ok(())
}

pub(super) async fn writings_are_told_to_a_watch(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let changed = WatchEvent::Changed(home.clone());
        let watched = std::slice::from_ref(&home);
        // A watch for each, so that no late news of one passes for news of the next.
        let mut watch = mailbox.watch(watched).await?;
        told(world, &mut watch, &WatchEvent::Ready).await?;
        let made = create(&*other, &home, "one", new_item(class, "New")).await?;
        told(world, &mut watch, &changed).await?;
        let mut watch = mailbox.watch(watched).await?;
        told(world, &mut watch, &WatchEvent::Ready).await?;
        change(&*other, &home, &made.item, "two", retitled(class, "Changed")).await?;
        told(world, &mut watch, &changed).await?;
        let mut watch = mailbox.watch(watched).await?;
        told(world, &mut watch, &WatchEvent::Ready).await?;
        other.delete_items(&home, std::slice::from_ref(&made.item)).await?;
        told(world, &mut watch, &changed).await?;
    }
    Ok(())
}
