//! Drafts.

use super::{Outcome, World, check, list, mail, message, same, text, whole_text, with_role};
use crate::{Draft, SubmissionKey};
use dme_model::{ItemId, Role};

fn draft(key: &str, text: &str, replaces: Option<&ItemId>) -> Draft {
    Draft {
        key: SubmissionKey(key.into()),
        message: message("Draft", text).into(),
        replaces: replaces.cloned(),
    }
}

pub(super) async fn a_draft_is_marked_as_one(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let drafts = with_role(&*resident.mailbox, Role::Drafts).await?;
    let item = resident.mailbox.save_draft(&drafts, &draft("k1", "to be done", None)).await?;
    let saved = mail(&*resident.other, &drafts, &item, &whole_text()).await?;
    check!(saved.flags.draft, "it is not marked as a draft: {:?}", saved.flags);
    check!(saved.flags.seen, "one's own draft is unread");
    same!(text(&saved).trim_end(), "to be done", "the text");
    Ok(())
}

pub(super) async fn a_draft_takes_the_place_of_another(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let drafts = with_role(&**mailbox, Role::Drafts).await?;
    let first = mailbox.save_draft(&drafts, &draft("k1", "first", None)).await?;
    let second = mailbox.save_draft(&drafts, &draft("k2", "second", Some(&first))).await?;
    check!(first != second, "a changed draft is a new item");
    let left: Vec<_> = list(&*resident.other, &drafts).await?.iter().collect();
    same!(left, vec![second.clone()], "the drafts");
    // The one to replace may be gone already.
    let third = mailbox.save_draft(&drafts, &draft("k3", "third", Some(&first))).await?;
    let left: Vec<_> = list(&*resident.other, &drafts).await?.iter().collect();
    same!(left, vec![second, third], "the drafts");
    Ok(())
}

pub(super) async fn the_same_key_gives_the_same_draft(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let drafts = with_role(&*resident.mailbox, Role::Drafts).await?;
    let old = resident.mailbox.save_draft(&drafts, &draft("k1", "old", None)).await?;
    let new = draft("k2", "new", Some(&old));
    let first = resident.mailbox.save_draft(&drafts, &new).await?;
    // Another connector may have to answer the repetition.
    for again in [&resident.mailbox, &resident.other] {
        same!(again.save_draft(&drafts, &new).await?, first, "the repeated draft's id");
    }
    same!(list(&*resident.other, &drafts).await?.len(), 1, "the drafts");
    let separate = resident.mailbox.save_draft(&drafts, &draft("k4", "new", None)).await?;
    check!(separate != first, "another key gave the same draft");
    Ok(())
}
