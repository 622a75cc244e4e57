//! Making, changing and deleting items that are no mail, and their collections.

use super::samples::{Look, MONDAY, annotated, new_item, retitled, role};
use super::{Failure, Outcome, Resident, World, check, fetch, list, refused, same, whole_text};
use crate::{
    Edit, FetchOutcome, Mailbox, NewItem, Result as MailboxResult, SubmissionKey, Written,
};
use dme_model::{
    Access, BodyKind, BodyPreference, BodyView, Class, CollectionId, Item, ItemEdit, ItemId,
    ItemPatch,
};
use std::collections::BTreeSet;

/// The collection that new items of the class go to, or any that can be written.
pub(super) async fn home(mailbox: &dyn Mailbox, class: Class) -> Result<CollectionId, Failure> {
    let mut all = mailbox.collections().await?;
    all.retain(|it| it.class == class && it.access == Access::ReadWrite);
    all.sort_by_key(|it| it.role != Some(role(class)));
    let first = all.into_iter().next();
    first.map(|it| it.id).ok_or_else(|| Failure(format!("there is no {class:?} collection")))
}

/// Makes an item by the act of this name.
pub(super) async fn create(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    key: &str,
    patch: ItemPatch,
) -> MailboxResult<Written> {
    let new = NewItem { key: SubmissionKey(key.into()), patch };
    mailbox.create_item(collection, &new).await
}

/// Changes an item by the act of this name.
pub(super) async fn change(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    item: &ItemId,
    key: &str,
    patch: ItemPatch,
) -> MailboxResult<Written> {
    let edit = Edit { key: SubmissionKey(key.into()), edit: ItemEdit::Patch(patch) };
    mailbox.change_item(collection, item, &edit).await
}

/// An item that must be there, with its whole text.
pub(super) async fn item(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    id: &ItemId,
) -> Result<Item, Failure> {
    item_as(mailbox, collection, id, &whole_text()).await
}

async fn item_as(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    id: &ItemId,
    view: &BodyView,
) -> Result<Item, Failure> {
    let fetched = fetch(mailbox, collection, std::slice::from_ref(id), view).await?;
    match fetched.into_iter().next().map(|fetched| fetched.outcome) {
        Some(FetchOutcome::Item(item)) => Ok(item),
        other => Err(Failure(format!("item {id}: got {other:?}"))),
    }
}

async fn look(
    mailbox: &dyn Mailbox,
    collection: &CollectionId,
    id: &ItemId,
) -> Result<Look, Failure> {
    Look::at(&item(mailbox, collection, id).await?)
}

pub(super) async fn each_class_has_its_collection(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let all = resident.mailbox.collections().await?;
    let mut roles = BTreeSet::new();
    for found in all.iter().filter_map(|it| it.role) {
        check!(roles.insert(found), "{found:?} is there twice");
    }
    for class in world.classes() {
        home(&*resident.mailbox, class).await?;
        let wrong = all.iter().find(|it| it.role == Some(role(class)) && it.class != class);
        check!(wrong.is_none(), "of another class than its role: {wrong:?}");
    }
    Ok(())
}

pub(super) async fn collections_of_each_class_are_made_renamed_and_deleted(
    world: &dyn World,
) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    let seen = |id: CollectionId| {
        let other = other.clone();
        async move {
            let found = other.collections().await?.into_iter().find(|it| it.id == id);
            MailboxResult::<_>::Ok(found.map(|it| (it.name, it.class, it.role, it.parent)))
        }
    };
    for class in world.classes() {
        let id = mailbox.create_collection(None, "Größe & 中", class).await?;
        same!(
            seen(id.clone()).await?,
            Some(("Größe & 中".into(), class, None, None)),
            "the new one"
        );
        create(&*mailbox, &id, "k", new_item(class, "Within")).await?;
        let id = mailbox.update_collection(&id, None, "Another").await?;
        same!(seen(id.clone()).await?, Some(("Another".into(), class, None, None)), "the renamed");
        same!(list(&*other, &id).await?.len(), 1, "items after the renaming");
        mailbox.delete_collection(&id).await?;
        same!(seen(id.clone()).await?, None, "the deleted");
        refused!(mailbox.delete_collection(&id).await, NotFound, "deleting it again");
        refused!(list(&*mailbox, &id).await, NotFound, "listing it");
        refused!(mailbox.create_collection(None, "", class).await, Invalid, "an empty name");
    }
    Ok(())
}

pub(super) async fn an_item_is_read_as_it_was_made(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let title = "Größe, 中 & \"quotes\"; back\\slash";
        let written = create(&*mailbox, &home, "one", new_item(class, title)).await?;
        for seen_by in [&mailbox, &other] {
            let found = look(&**seen_by, &home, &written.item).await?;
            check!(!found.uid.is_empty(), "a {class:?} item has no UID");
            let wanted = Look {
                class,
                title: title.into(),
                text: format!("All about {title}."),
                categories: vec!["Work".into(), "Größe, 中".into()],
                uid: found.uid.clone(),
            };
            same!(found, wanted, "what was made");
        }
        if let Item::Event(event) = item(&*other, &home, &written.item).await? {
            let times = (event.start, event.end, event.all_day);
            same!(times, (MONDAY, MONDAY.plus_seconds(3600), false), "the times");
            check!(event.own, "an event the user made is the user's own");
        }
    }
    Ok(())
}

pub(super) async fn the_same_key_makes_the_same_item(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let make = |key| create(&*mailbox, &home, key, new_item(class, "One"));
        let first = make("device 7/Sync/3").await?;
        same!(make("device 7/Sync/3").await?.item, first.item, "the item of the same key");
        let again = create(&*other, &home, "device 7/Sync/3", new_item(class, "One")).await?;
        same!(again.item, first.item, "the item of the same key, by another client");
        check!(make("device 7/Sync/4").await?.item != first.item, "another key, the same item");
        same!(list(&*mailbox, &home).await?.len(), 2, "items");
    }
    Ok(())
}

pub(super) async fn a_collection_refuses_items_of_another_class(world: &dyn World) -> Outcome {
    let Resident { mailbox, .. } = world.resident().await;
    let classes = world.classes();
    for class in &classes {
        let home = home(&*mailbox, *class).await?;
        for wrong in classes.iter().filter(|it| *it != class) {
            let made = create(&*mailbox, &home, "k", new_item(*wrong, "Wrong")).await;
            refused!(made, Invalid | Unsupported, "{wrong:?} in {class:?}");
        }
        let right = create(&*mailbox, &home, "k", new_item(*class, "Right")).await?;
        for wrong in classes.iter().filter(|it| *it != class) {
            let edit = change(&*mailbox, &home, &right.item, "e", retitled(*wrong, "Wrong")).await;
            refused!(edit, Invalid | Unsupported, "an edit for {wrong:?} in {class:?}");
        }
    }
    Ok(())
}

pub(super) async fn a_patch_leaves_the_rest(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Before")).await?;
        let before = look(&*mailbox, &home, &made.item).await?;
        let written = change(&*mailbox, &home, &made.item, "two", retitled(class, "After")).await?;
        let after = look(&*other, &home, &written.item).await?;
        same!(after, Look { title: "After".into(), ..before.clone() }, "with another title");
        let emptied = match annotated(class, "") {
            ItemPatch::Event(mut patch) => {
                patch.value.text = None;
                ItemPatch::Event(patch)
            }
            patch => patch,
        };
        let written = change(&*mailbox, &home, &written.item, "three", emptied).await?;
        let after = look(&*other, &home, &written.item).await?;
        let wanted = Look { title: "After".into(), text: String::new(), ..before };
        same!(after, wanted, "without a text");
    }
    Ok(())
}

pub(super) async fn edits_of_two_clients_both_count(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Before")).await?;
        // Both have read it.
        look(&*mailbox, &home, &made.item).await?;
        look(&*other, &home, &made.item).await?;
        let id = &made.item;
        let (one, two) = tokio::join!(
            change(&*mailbox, &home, id, "two", retitled(class, "After")),
            change(&*other, &home, id, "three", annotated(class, "Another text")),
        );
        one?;
        two?;
        let found = look(&*mailbox, &home, id).await?;
        same!((&*found.title, &*found.text), ("After", "Another text"), "after both edits");
    }
    Ok(())
}

pub(super) async fn a_repeated_edit_changes_nothing(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Before")).await?;
        let edit = || retitled(class, "After");
        let first = change(&*mailbox, &home, &made.item, "two", edit()).await?;
        let again = change(&*other, &home, &made.item, "two", edit()).await?;
        same!(again.item, first.item, "the item");
        let names = |written: &Written| -> Vec<String> {
            written.notices.iter().map(|notice| notice.name.clone()).collect()
        };
        same!(names(&again), names(&first), "the notices");
        same!(look(&*mailbox, &home, &again.item).await?.title, "After", "the title");
        same!(list(&*mailbox, &home).await?.len(), 1, "items");
    }
    Ok(())
}

pub(super) async fn what_is_gone_is_not_found(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Short-lived")).await?;
        let gone = std::slice::from_ref(&made.item);
        other.delete_items(&home, gone).await?;
        mailbox.delete_items(&home, gone).await?;
        check!(list(&*mailbox, &home).await?.is_empty(), "the deleted item is listed");
        let edit = change(&*mailbox, &home, &made.item, "two", retitled(class, "x")).await;
        refused!(edit, NotFound, "a change of a deleted item");
        let fetched = fetch(&*mailbox, &home, gone, &whole_text()).await?;
        let outcomes: Vec<_> = fetched.into_iter().map(|it| it.outcome).collect();
        same!(outcomes, vec![FetchOutcome::Gone], "the fetched");
    }
    Ok(())
}

pub(super) async fn an_item_moves_to_another_collection(world: &dyn World) -> Outcome {
    let Resident { mailbox, other, .. } = world.resident().await;
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let away = mailbox.create_collection(None, &format!("Away {class:?}"), class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Mover")).await?;
        let before = look(&*mailbox, &home, &made.item).await?;
        let missing = ItemId::from("missing");
        let moved = mailbox.move_items(&home, &away, &[made.item.clone(), missing.clone()]).await?;
        let [(_, Ok(_)), (_, gone)] = &moved[..] else {
            return Err(Failure(format!("moved: {moved:?}")));
        };
        refused!(gone, NotFound, "moving what is not there");
        check!(list(&*other, &home).await?.is_empty(), "it is still there");
        let there: Vec<_> = list(&*other, &away).await?.iter().collect();
        let [id] = &there[..] else { return Err(Failure(format!("in its place: {there:?}"))) };
        same!(look(&*other, &away, id).await?, before, "the moved item");
    }
    Ok(())
}

pub(super) async fn a_large_text_is_kept_and_cut_where_asked(world: &dyn World) -> Outcome {
    let Resident { mailbox, .. } = world.resident().await;
    let text = "Zwölf Boxkämpfer jagen Viktor. ".repeat(3000);
    let text = text.trim();
    for class in world.classes() {
        let home = home(&*mailbox, class).await?;
        let made = create(&*mailbox, &home, "one", new_item(class, "Large")).await?;
        let written = change(&*mailbox, &home, &made.item, "two", annotated(class, text)).await?;
        let whole = look(&*mailbox, &home, &written.item).await?.text;
        check!(whole == text, "of {} bytes {} are there", text.len(), whole.len());
        let limit = BodyPreference {
            kind: BodyKind::Plain,
            truncation: Some(100),
            all_or_none: false,
            preview: None,
        };
        let view = BodyView { preferences: vec![limit], ..BodyView::default() };
        let cut = Look::at(&item_as(&*mailbox, &home, &written.item, &view).await?)?.text;
        let fits = cut.len() <= 100 && text.starts_with(&cut) && !cut.is_empty();
        check!(fits, "cut to 100 bytes, it has {}", cut.len());
    }
    Ok(())
}

pub(super) async fn what_may_only_be_read_is_not_written(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &*resident.mailbox;
    for class in world.classes() {
        let Some(id) = world.read_only(&resident, class).await else { continue };
        let found = mailbox.collections().await?.into_iter().find(|it| it.id == id);
        same!(found.map(|it| it.access), Some(Access::ReadOnly), "the access");
        refused!(create(mailbox, &id, "k", new_item(class, "x")).await, Forbidden, "a new item");
        let Some(first) = list(mailbox, &id).await?.iter().next() else {
            return Err(Failure("it lists nothing".into()));
        };
        item(mailbox, &id, &first).await?;
        let edit = change(mailbox, &id, &first, "e", retitled(class, "x")).await;
        refused!(edit, Forbidden, "a change");
        let gone = mailbox.delete_items(&id, std::slice::from_ref(&first)).await;
        refused!(gone, Forbidden, "a deletion");
    }
    Ok(())
}
