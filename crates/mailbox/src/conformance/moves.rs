//! Moving, deleting, emptying.

use super::{
    Ability, Outcome, World, check, inbox, list, mail, message, refused, same, text, whole_text,
    with_role,
};
use crate::Subcollections;
use dme_model::{Class, FlagPatch, ItemId, Role};

pub(super) async fn a_moved_item_keeps_content_and_marks(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let to = mailbox.create_collection(None, "Elsewhere & anders", Class::Mail).await?;
    let one = mailbox.deliver(&inbox, &message("one", "the first")).await?;
    let two = mailbox.deliver(&inbox, &message("two", "the second")).await?;
    let patch = FlagPatch { seen: Some(true), answered: Some(true), ..FlagPatch::default() };
    mailbox.set_flags(&inbox, &[(two.clone(), patch)]).await?;
    let before = mail(&**mailbox, &inbox, &two, &whole_text()).await?;

    let asked = [two.clone(), one.clone()];
    let results = mailbox.move_items(&inbox, &to, &asked).await?;
    let order: Vec<_> = results.iter().map(|(id, _)| id.clone()).collect();
    same!(order, asked.to_vec(), "the order of the results");
    check!(list(&*resident.other, &inbox).await?.is_empty(), "they are still where they were");
    same!(list(&*resident.other, &to).await?.len(), 2, "items where they went");
    for (old, result) in results {
        let new = result?;
        if !world.can(Ability::TellMovedIds) {
            continue;
        }
        let Some(new) = new else {
            return Err(super::Failure(format!("the new id of {old} was not told")));
        };
        let moved = mail(&*resident.other, &to, &new, &whole_text()).await?;
        if old == two {
            same!(moved.flags, before.flags, "the marks");
            same!(text(&moved), text(&before), "the text");
            same!(moved.received, before.received, "when it was received");
        } else {
            same!(moved.subject, "one", "the other's subject");
        }
    }
    Ok(())
}

pub(super) async fn a_missing_item_is_not_found_and_the_others_move(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let trash = with_role(&**mailbox, Role::Trash).await?;
    let gone = mailbox.deliver(&inbox, &message("gone", "")).await?;
    let here = mailbox.deliver(&inbox, &message("here", "")).await?;
    mailbox.delete_items(&inbox, std::slice::from_ref(&gone)).await?;
    let results = mailbox.move_items(&inbox, &trash, &[gone.clone(), here.clone()]).await?;
    same!(results.len(), 2, "results");
    for (id, result) in results {
        if id == gone {
            refused!(result, NotFound, "the missing one");
        } else {
            check!(result.is_ok(), "the present one: {result:?}");
        }
    }
    same!(list(&*resident.other, &trash).await?.len(), 1, "items in Trash");
    // Moving it once more finds nothing: it is elsewhere already.
    let again = mailbox.move_items(&inbox, &trash, std::slice::from_ref(&here)).await?;
    for (_, result) in again {
        refused!(result, NotFound, "the one that was moved already");
    }
    same!(list(&*resident.other, &trash).await?.len(), 1, "items in Trash");
    Ok(())
}

pub(super) async fn deleting_twice_is_no_error(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let one = mailbox.deliver(&inbox, &message("one", "")).await?;
    let two = mailbox.deliver(&inbox, &message("two", "")).await?;
    for _ in 0..2 {
        mailbox.delete_items(&inbox, &[one.clone(), ItemId::from("no such item")]).await?;
        let left: Vec<_> = list(&*resident.other, &inbox).await?.iter().collect();
        same!(left, vec![two.clone()], "what is left");
    }
    mailbox.delete_items(&inbox, &[]).await?;
    same!(list(&*resident.other, &inbox).await?.len(), 1, "what is left");
    Ok(())
}

pub(super) async fn emptying_keeps_the_collections_within(world: &dyn World) -> Outcome {
    emptying(world, Subcollections::Keep).await
}

pub(super) async fn emptying_can_take_the_collections_within(world: &dyn World) -> Outcome {
    emptying(world, Subcollections::Delete).await
}

async fn emptying(world: &dyn World, subcollections: Subcollections) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let top = mailbox.create_collection(None, "Top", Class::Mail).await?;
    let inner = mailbox.create_collection(Some(&top), "Inner", Class::Mail).await?;
    let innermost = mailbox.create_collection(Some(&inner), "Innermost", Class::Mail).await?;
    for collection in [&top, &top, &inner, &innermost] {
        mailbox.deliver(collection, &message("filler", "")).await?;
    }
    mailbox.empty_collection(&top, subcollections).await?;
    check!(list(&*resident.other, &top).await?.is_empty(), "it is not empty");
    let all = resident.other.collections().await?;
    for within in [&inner, &innermost] {
        let there = all.iter().any(|it| it.id == *within);
        same!(there, subcollections == Subcollections::Keep, "whether {within} is there");
        if there {
            same!(list(&*resident.other, within).await?.len(), 1, "items of {within}");
        }
    }
    Ok(())
}
