//! Deleting items.

use super::commands::{Commands, refused};
use super::work::Work;
use super::{ClientCommand, CommandResult, Deletion};
use crate::hierarchy::Trash;
use crate::{Result, TraceEvent};
use dme_mailbox::ErrorKind;
use dme_model::{Class, ItemId};
use std::collections::HashMap;

impl Work<'_> {
    pub async fn delete(&mut self, commands: &mut Commands<'_>, deletion: Deletion) -> Result<()> {
        let mut wanted: HashMap<ItemId, Vec<usize>> = HashMap::new();
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        for (at, command) in open {
            let ClientCommand::Delete(item) = command else { continue };
            if self.holds(item) {
                if self.generation.dirty.contains(item) {
                    // A mark set elsewhere is no reason to keep what the user threw away.
                    let wanted = "to delete it".into();
                    self.note(TraceEvent::MailSystemOverruled { item: item.clone(), wanted });
                }
                wanted.entry(item.clone()).or_default().push(at);
            } else if self.generation.known.contains(item) {
                self.generation.forget(item);
                commands.settle(at, CommandResult::Done);
            } else {
                commands.settle(at, CommandResult::NotFound);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        commands.effective = true;
        let items: Vec<ItemId> = wanted.keys().cloned().collect();
        if self.class == Class::Calendar {
            Box::pin(self.call_off(&items)).await?;
        }
        for (item, result) in self.delete_in_mailbox(items, deletion).await? {
            let result = match result.map_or_else(refused, |()| Ok(CommandResult::Done))? {
                // Gone already is as good as deleted.
                CommandResult::Done | CommandResult::NotFound => {
                    self.generation.pending.remove(&item);
                    self.generation.forget(&item);
                    CommandResult::Done
                }
                refused => {
                    // The phone does not show it any more: it comes back as new.
                    self.generation.forget(&item);
                    self.generation.pending.insert(&item);
                    refused
                }
            };
            for at in wanted.remove(&item).into_iter().flatten() {
                commands.settle(at, result.clone());
            }
        }
        Ok(())
    }

    async fn delete_in_mailbox(
        &mut self,
        items: Vec<ItemId>,
        deletion: Deletion,
    ) -> Result<Vec<(ItemId, dme_mailbox::Result<()>)>> {
        let mailbox = self.session.mailbox;
        let trash = match deletion {
            // The Trash holds mail.
            _ if self.class != Class::Mail => Trash::Here,
            Deletion::ForGood => Trash::Here,
            Deletion::ToTrash => self.engine.trash(self.session, self.folder).await?,
        };
        let answer = match trash {
            Trash::Here => {
                let deleted = mailbox.delete_items(self.collection, &items).await;
                deleted.map(|()| items.iter().map(|item| (item.clone(), Ok(()))).collect())
            }
            Trash::At(trash) => {
                let moved = mailbox.move_items(self.collection, &trash, &items).await;
                moved.map(|all| all.into_iter().map(|(item, to)| (item, to.map(drop))).collect())
            }
        };
        match answer {
            // One of the folders is gone, not the items: nothing was deleted.
            Err(error) if error.kind == ErrorKind::NotFound => Err(self.collection_error(error)),
            Err(error) => Ok(items.into_iter().map(|item| (item, Err(error.clone()))).collect()),
            Ok(results) => Ok(results),
        }
    }
}
