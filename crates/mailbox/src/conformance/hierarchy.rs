//! The list of collections.

use super::{Outcome, Resident, World, check, inbox, list, message, refused, same, with_role};
use crate::{ChangeToken, ItemFilter, Mailbox, Subcollections};
use dme_model::{Access, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Role};
use std::collections::BTreeSet;

async fn find(mailbox: &dyn Mailbox, id: &CollectionId) -> crate::Result<Option<Collection>> {
    Ok(mailbox.collections().await?.into_iter().find(|it| it.id == *id))
}

pub(super) async fn a_mailbox_has_one_inbox_and_each_role_at_most_once(
    world: &dyn World,
) -> Outcome {
    let all = world.resident().await.mailbox.collections().await?;
    let mut roles = BTreeSet::new();
    for collection in &all {
        if let Some(role) = collection.role {
            let class = match role {
                Role::Calendar => Class::Calendar,
                Role::Contacts => Class::Contacts,
                Role::Tasks => Class::Tasks,
                Role::Notes => Class::Notes,
                _ => Class::Mail,
            };
            same!(collection.class, class, "the class of {role:?}");
            check!(roles.insert(role), "{role:?} is there twice");
        }
    }
    for role in [Role::Inbox, Role::Drafts, Role::Sent, Role::Trash] {
        check!(roles.contains(&role), "there is no {role:?}");
    }
    Ok(())
}

pub(super) async fn a_new_collection_is_listed_below_its_parent(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    let top = mailbox.create_collection(None, "Projects", Class::Mail).await?;
    let inner = mailbox.create_collection(Some(&top), "Bridge", Class::Mail).await?;
    let innermost = mailbox.create_collection(Some(&inner), "Drawings", Class::Mail).await?;
    for seen_by in [&mailbox, &other] {
        let all = seen_by.collections().await?;
        let places: Vec<_> = [&top, &inner, &innermost]
            .iter()
            .map(|id| all.iter().position(|it| it.id == **id))
            .collect();
        check!(places.iter().all(Option::is_some), "not all were listed: {places:?}");
        check!(places.is_sorted(), "children came before parents: {places:?}");
        let found: Vec<_> = places.iter().flatten().filter_map(|place| all.get(*place)).collect();
        let parents: Vec<_> = found.iter().map(|it| it.parent.as_ref()).collect();
        same!(parents, vec![None, Some(&top), Some(&inner)], "the parents");
        let names: Vec<_> = found.iter().map(|it| it.name.as_str()).collect();
        same!(names, vec!["Projects", "Bridge", "Drawings"], "the names");
        check!(
            found.iter().all(|it| it.access == Access::ReadWrite && it.role.is_none()),
            "a new collection has no role and can be written"
        );
    }
    Ok(())
}

pub(super) async fn a_taken_name_is_refused(world: &dyn World) -> Outcome {
    let Resident { mailbox, .. } = world.resident().await;
    let here = mailbox.create_collection(None, "Here", Class::Mail).await?;
    let there = mailbox.create_collection(None, "There", Class::Mail).await?;
    refused!(
        mailbox.create_collection(None, "Here", Class::Mail).await,
        AlreadyExists,
        "a second Here"
    );
    refused!(mailbox.update_collection(&there, None, "Here").await, AlreadyExists, "a rename");
    refused!(mailbox.create_collection(None, "", Class::Mail).await, Invalid, "an empty name");
    // The same name elsewhere is another name.
    mailbox.create_collection(Some(&here), "Here", Class::Mail).await?;
    Ok(())
}

pub(super) async fn any_name_survives_or_is_refused(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for name in
        ["Übergrößen", "Fish & Chips", "&-", "项目资料", "a \"b\" c", "100 % *", "Ω~x", "x "]
    {
        let id = mailbox.create_collection(None, name, Class::Mail).await?;
        let seen = find(&*other, &id).await?.map(|it| it.name);
        same!(seen.as_deref(), Some(name), "the name");
        mailbox.deliver(&id, &message("hello", "there")).await?;
        same!(list(&*other, &id).await?.len(), 1, "items in {name:?}");
    }
    // These have a meaning of their own in many mail systems.
    for name in ["a/b", "a.b", "~home", "back\\slash", "..", "a^b"] {
        match mailbox.create_collection(None, name, Class::Mail).await {
            Ok(id) => {
                let seen = find(&*other, &id).await?.map(|it| (it.name, it.parent));
                same!(seen, Some((name.to_owned(), None)), "the name");
            }
            Err(error) => {
                refused!(Err::<(), _>(error), Invalid | Forbidden, "the name {name:?}");
                let all = mailbox.collections().await?;
                check!(all.iter().all(|it| it.name != "b"), "{name:?} made something else");
            }
        }
    }
    Ok(())
}

pub(super) async fn a_rename_keeps_what_is_within(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    let old = mailbox.create_collection(None, "Old", Class::Mail).await?;
    let inner = mailbox.create_collection(Some(&old), "Inner", Class::Mail).await?;
    mailbox.deliver(&old, &message("outside", "")).await?;
    mailbox.deliver(&inner, &message("inside", "")).await?;

    let new = mailbox.update_collection(&old, None, "Neu & schön").await?;
    let all = other.collections().await?;
    check!(all.iter().all(|it| it.name != "Old"), "the old name is still there");
    let named = find(&*other, &new).await?.map(|it| it.name);
    same!(named.as_deref(), Some("Neu & schön"), "the new name");
    same!(list(&*other, &new).await?.len(), 1, "items of the renamed");
    let within = all.iter().find(|it| it.parent.as_ref() == Some(&new));
    check!(within.is_some_and(|it| it.name == "Inner"), "Inner is no longer within: {within:?}");
    if let Some(within) = within {
        same!(list(&*other, &within.id).await?.len(), 1, "items of the inner");
    }
    Ok(())
}

pub(super) async fn a_collection_moves_between_parents(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    let left = mailbox.create_collection(None, "Left", Class::Mail).await?;
    let right = mailbox.create_collection(None, "Right", Class::Mail).await?;
    let walker = mailbox.create_collection(Some(&left), "Walker", Class::Mail).await?;
    mailbox.deliver(&walker, &message("hello", "")).await?;
    let mut walker = walker;
    for parent in [Some(&right), None, Some(&left)] {
        walker = mailbox.update_collection(&walker, parent, "Walker").await?;
        let seen = find(&*other, &walker).await?.map(|it| (it.parent, it.name));
        same!(seen, Some((parent.cloned(), "Walker".to_owned())), "where it is");
        same!(list(&*other, &walker).await?.len(), 1, "items");
    }
    refused!(
        mailbox.update_collection(&left, Some(&walker), "Left").await,
        Invalid | Forbidden | AlreadyExists | NotFound,
        "a move into itself"
    );
    check!(find(&*other, &left).await?.is_some(), "Left was lost");
    Ok(())
}

pub(super) async fn a_deleted_collection_takes_those_within_along(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    let top = mailbox.create_collection(None, "Top", Class::Mail).await?;
    let inner = mailbox.create_collection(Some(&top), "Inner", Class::Mail).await?;
    let beside = mailbox.create_collection(None, "Topmost", Class::Mail).await?;
    mailbox.deliver(&inner, &message("hello", "")).await?;
    mailbox.delete_collection(&top).await?;
    for gone in [&top, &inner] {
        check!(find(&*other, gone).await?.is_none(), "{gone} is still listed");
        let listed = other.list(gone, &ItemFilter::default()).await;
        refused!(listed, NotFound, "a list of {gone}");
    }
    check!(find(&*other, &beside).await?.is_some(), "a neighbour went too");
    refused!(mailbox.delete_collection(&top).await, NotFound, "deleting it again");
    Ok(())
}

pub(super) async fn what_is_not_there_is_not_found(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let token = mailbox.list(&inbox, &ItemFilter::default()).await?.token;
    let gone = mailbox.create_collection(None, "Gone", Class::Mail).await?;
    let trash = with_role(&**mailbox, Role::Trash).await?;
    mailbox.delete_collection(&gone).await?;

    let item = ItemId::from("1");
    let one = std::slice::from_ref(&item);
    let patch = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    let view = BodyView::default();
    let text = message("hello", "");
    refused!(mailbox.list(&gone, &ItemFilter::default()).await, NotFound, "list");
    refused!(mailbox.changes(&gone, &token).await, NotFound | InvalidToken, "changes");
    refused!(
        mailbox.changes(&gone, &ChangeToken("x".into())).await,
        NotFound | InvalidToken,
        "changes"
    );
    refused!(super::fetch(&**mailbox, &gone, one, &view).await, NotFound, "fetch");
    refused!(mailbox.fetch_part(&gone, &item, None, None).await, NotFound, "a part");
    refused!(mailbox.set_flags(&gone, &[(item.clone(), patch)]).await, NotFound, "marks");
    refused!(mailbox.move_items(&gone, &trash, one).await, NotFound, "a move from it");
    refused!(mailbox.delete_items(&gone, one).await, NotFound, "a deletion");
    refused!(mailbox.deliver(&gone, &text).await, NotFound, "a delivery");
    refused!(mailbox.create_collection(Some(&gone), "In", Class::Mail).await, NotFound, "a child");
    let emptied = mailbox.empty_collection(&gone, Subcollections::Keep).await;
    refused!(emptied, NotFound, "emptying it");

    let here = mailbox.deliver(&inbox, &text).await?;
    let moved = mailbox.move_items(&inbox, &gone, std::slice::from_ref(&here)).await;
    let moved =
        moved.map(|results| results.into_iter().map(|(_, result)| result).collect::<Vec<_>>());
    match moved {
        Err(error) => refused!(Err::<(), _>(error), NotFound, "a move to it"),
        Ok(results) => check!(results.iter().all(Result::is_err), "an item moved to nowhere"),
    }
    check!(list(&**mailbox, &inbox).await?.contains(&here), "the item was lost");
    Ok(())
}
