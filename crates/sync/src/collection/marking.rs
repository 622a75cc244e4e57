//! Setting marks of mails.

use super::commands::{Commands, refused};
use super::work::{Echo, Work};
use super::{ClientCommand, CommandResult};
use crate::Result;
use dme_model::{FlagPatch, ItemId};
use std::collections::HashMap;

impl Work<'_> {
    pub async fn set_marks(&mut self, commands: &mut Commands<'_>) -> Result<()> {
        let wanted: Vec<(usize, &ItemId, &FlagPatch)> = commands
            .open()
            .filter_map(|(at, command)| match command {
                ClientCommand::Change(item, patch) => Some((at, item, patch)),
                _ => None,
            })
            .collect();
        let changed_too: Vec<ItemId> = wanted
            .iter()
            .filter(|(_, item, _)| self.generation.dirty.contains(item))
            .map(|(_, item, _)| (*item).clone())
            .collect();
        self.read_marks(&changed_too).await?;

        // One patch for each item, in the order in which the items first came.
        let mut patches: Vec<(ItemId, FlagPatch)> = Vec::new();
        let mut askers: HashMap<&ItemId, Vec<usize>> = HashMap::new();
        for (at, item, patch) in wanted {
            if let Some(result) = self.without_setting(item, patch) {
                commands.settle(at, result);
                continue;
            }
            let of_item = askers.entry(item).or_default();
            of_item.push(at);
            match patches.iter_mut().find(|(known, _)| of_item.len() > 1 && known == item) {
                Some((_, earlier)) => overlay(earlier, patch),
                None => patches.push((item.clone(), patch.clone())),
            }
        }
        if patches.is_empty() {
            return Ok(());
        }
        commands.effective = true;
        let mut results: HashMap<ItemId, dme_mailbox::Result<()>> =
            match self.session.mailbox.set_flags(self.collection, &patches).await {
                Ok(results) => results.into_iter().collect(),
                Err(error) => {
                    let each = patches.iter().map(|(item, _)| (item.clone(), Err(error.clone())));
                    each.collect()
                }
            };
        for (item, patch) in patches {
            let result = match results.remove(&item) {
                Some(Ok(())) => {
                    commands.echoes.insert(item.clone(), Echo::Marks(patch));
                    CommandResult::Done
                }
                Some(Err(error)) => refused(error)?,
                None => CommandResult::NotFound,
            };
            if matches!(result, CommandResult::Refused(_)) {
                // The phone shows its own version: it must be told the true one.
                self.generation.dirty.insert(&item);
            }
            for at in askers.get(&item).into_iter().flatten() {
                commands.settle(*at, result.clone());
            }
        }
        Ok(())
    }

    /// The result of a change of marks that is not to be carried out.
    fn without_setting(&mut self, item: &ItemId, patch: &FlagPatch) -> Option<CommandResult> {
        if !self.holds(item) {
            return Some(CommandResult::NotFound);
        }
        if patch.is_empty() {
            return Some(CommandResult::Done);
        }
        if !self.generation.dirty.contains(item) {
            return None;
        }
        // Changed on both sides, unless both want the same.
        let marks = self.marks.get(item)?;
        if patch.apply(marks) == *marks {
            return Some(CommandResult::Done);
        }
        // Nor where the one changed what the other left alone: a reply marks its original, which
        // must not keep the phone from marking it read.
        if !patch.may_contradict() {
            return None;
        }
        self.overruled(item, describe(patch))
    }
}

/// What the later patch sets counts.
fn overlay(earlier: &mut FlagPatch, later: &FlagPatch) {
    let FlagPatch { seen, answered, forwarded, followup, categories } = later;
    earlier.seen = seen.or(earlier.seen);
    earlier.answered = answered.or(earlier.answered);
    earlier.forwarded = forwarded.or(earlier.forwarded);
    earlier.followup = followup.or(earlier.followup);
    if categories.is_some() {
        earlier.categories.clone_from(categories);
    }
}

/// A patch in words, without the categories' names: those are content.
fn describe(patch: &FlagPatch) -> String {
    let mark =
        |set: Option<bool>, yes: &str, no: &str| set.map(|on| if on { yes } else { no }.to_owned());
    let words = [
        mark(patch.seen, "read", "unread"),
        mark(patch.answered, "answered", "not answered"),
        mark(patch.forwarded, "forwarded", "not forwarded"),
        patch.followup.map(|followup| format!("follow-up {followup:?}").to_lowercase()),
        patch.categories.as_ref().map(|set| format!("{} categories", set.len())),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
