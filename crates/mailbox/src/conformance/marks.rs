//! Marks: read, answered, forwarded, follow-up, categories.

use super::{Ability, Outcome, World, check, flags, inbox, message, refused, same};
use dme_model::{FlagPatch, Flags, Followup};
use std::collections::BTreeSet;

pub(super) async fn each_mark_is_set_and_cleared(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let item = mailbox.deliver(&inbox, &message("marks", "")).await?;
    let none = FlagPatch::default();
    let patches = [
        FlagPatch { seen: Some(true), ..none.clone() },
        FlagPatch { answered: Some(true), ..none.clone() },
        FlagPatch { forwarded: Some(true), ..none.clone() },
        FlagPatch { followup: Some(Followup::Active), ..none.clone() },
        FlagPatch { followup: Some(Followup::Complete), ..none.clone() },
        FlagPatch { seen: Some(false), followup: Some(Followup::Active), ..none.clone() },
        FlagPatch { followup: Some(Followup::None), ..none.clone() },
        none.clone(),
        FlagPatch { answered: Some(false), forwarded: Some(false), ..none.clone() },
    ];
    let mut wanted = Flags::default();
    for patch in patches {
        wanted = patch.apply(&wanted);
        let results = mailbox.set_flags(&inbox, &[(item.clone(), patch.clone())]).await?;
        same!(results, vec![(item.clone(), Ok(()))], "the result of {patch:?}");
        let seen_by_other = flags(&*resident.other, &inbox, &item).await?;
        same!(seen_by_other, wanted, "the marks after {patch:?}");
    }
    Ok(())
}

pub(super) async fn categories_are_kept_in_any_script(world: &dyn World) -> Outcome {
    if !world.can(Ability::Categories) {
        return Ok(());
    }
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let item = mailbox.deliver(&inbox, &message("categories", "")).await?;
    let sets: [&[&str]; 4] =
        [&["Work"], &["Work", "Rot & Grün", "重要", "(a) \"b\" %*\\]"], &["Private"], &[]];
    for names in sets {
        let wanted: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
        let patch = FlagPatch { categories: Some(wanted.clone()), ..FlagPatch::default() };
        let results = mailbox.set_flags(&inbox, &[(item.clone(), patch)]).await?;
        same!(results, vec![(item.clone(), Ok(()))], "the result of {names:?}");
        let got = flags(&*resident.other, &inbox, &item).await?;
        same!(got, Flags { categories: wanted, ..Flags::default() }, "the marks");
    }
    Ok(())
}

pub(super) async fn a_patch_for_a_missing_item_harms_no_other(world: &dyn World) -> Outcome {
    let resident = world.resident().await;
    let mailbox = &resident.mailbox;
    let inbox = inbox(&resident).await?;
    let gone = mailbox.deliver(&inbox, &message("gone", "")).await?;
    let here = mailbox.deliver(&inbox, &message("here", "")).await?;
    mailbox.delete_items(&inbox, std::slice::from_ref(&gone)).await?;
    let seen = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    let patches = [(gone.clone(), seen.clone()), (here.clone(), seen)];
    let results = mailbox.set_flags(&inbox, &patches).await?;
    let order: Vec<_> = results.iter().map(|(id, _)| id.clone()).collect();
    same!(order, vec![gone.clone(), here.clone()], "the order of the results");
    for (id, result) in results {
        if id == gone {
            refused!(result, NotFound, "the missing one");
        } else {
            check!(result.is_ok(), "the present one: {result:?}");
        }
    }
    check!(flags(&*resident.other, &inbox, &here).await?.seen, "the present one is not marked");
    Ok(())
}
