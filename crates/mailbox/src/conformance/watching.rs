//! Watching.

use super::{Ability, Failure, Outcome, Resident, World, inbox, message, told, with_role};
use crate::{Result as MailboxResult, WatchEvent};
use dme_model::{Class, CollectionId, FlagPatch, Role};
use futures_core::stream::BoxStream;

type Watch = BoxStream<'static, MailboxResult<WatchEvent>>;

/// A standing watch: whatever is done from here on must be told.
async fn standing(
    world: &dyn World,
    resident: &Resident,
    collections: &[CollectionId],
) -> Result<Watch, Failure> {
    let mut watch = resident.mailbox.watch(collections).await?;
    told(world, &mut watch, &WatchEvent::Ready).await?;
    Ok(watch)
}

pub(super) async fn a_watch_is_ready_first(world: &dyn World) -> Outcome {
    use futures_util::StreamExt;
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let mut watch = resident.mailbox.watch(&[inbox]).await?;
    let first = tokio::time::timeout(world.patience(), watch.next()).await;
    match first {
        Ok(Some(Ok(WatchEvent::Ready))) => Ok(()),
        other => Err(Failure(format!("the first event was {other:?}"))),
    }
}

pub(super) async fn a_delivery_is_told(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let sent = with_role(&*resident.mailbox, Role::Sent).await?;
    let mut watch = standing(world, &resident, &[inbox.clone(), sent.clone()]).await?;
    for collection in [inbox, sent] {
        resident.other.deliver(&collection, &message("new", "")).await?;
        told(world, &mut watch, &WatchEvent::Changed(collection)).await?;
    }
    Ok(())
}

pub(super) async fn marks_and_removals_are_told_to_a_watch(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let item = resident.other.deliver(&inbox, &message("old", "")).await?;
    let changed = WatchEvent::Changed(inbox.clone());

    let mut watch = standing(world, &resident, std::slice::from_ref(&inbox)).await?;
    let seen = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    resident.other.set_flags(&inbox, &[(item.clone(), seen)]).await?;
    told(world, &mut watch, &changed).await?;
    drop(watch);

    // A watch of its own, so that no late news of the mark passes for news of the removal.
    let mut watch = standing(world, &resident, std::slice::from_ref(&inbox)).await?;
    resident.other.delete_items(&inbox, &[item]).await?;
    told(world, &mut watch, &changed).await
}

pub(super) async fn a_new_collection_is_told(world: &dyn World) -> Outcome {
    if !world.can(Ability::WatchHierarchy) {
        return Ok(());
    }
    let resident = world.resident().await;
    let inbox = inbox(&resident).await?;
    let mut watch = standing(world, &resident, &[inbox]).await?;
    resident.other.create_collection(None, "Brand new", Class::Mail).await?;
    told(world, &mut watch, &WatchEvent::Hierarchy).await
}
