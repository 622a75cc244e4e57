//! Making and changing events, contacts, tasks and notes.

use super::commands::{Commands, refused};
use super::work::{Echo, Work};
use super::{ClientCommand, CommandResult, Saved};
use crate::Result;
use dme_mailbox::{Edit, ErrorKind, NewItem, SubmissionKey, Written};
use dme_model::{Class, ItemEdit, ItemId, ItemPatch};

impl Work<'_> {
    /// One after the other: each is an item of its own to the mail system.
    pub async fn write(&mut self, commands: &mut Commands<'_>) -> Result<()> {
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        for (at, command) in open {
            let (result, written) = match command {
                ClientCommand::Create(_, said) => {
                    let key = self.act_key("new", command);
                    let item = NewItem { key, patch: (*said.meaning).clone() };
                    (self.session.mailbox.create_item(self.collection, &item).await, None)
                }
                ClientCommand::Edit(item, said) => {
                    if let Some(result) = self.without_writing(item, &said.meaning) {
                        let told = self.tell_again(item, command, &result).await?;
                        commands.settle(at, if told { CommandResult::Done } else { result });
                        continue;
                    }
                    let edit = (*said.meaning).clone();
                    let edit = Edit { key: self.act_key("edit", command), edit };
                    let changed = self.session.mailbox.change_item(self.collection, item, &edit);
                    (changed.await, Some(item))
                }
                _ => continue,
            };
            commands.effective = true;
            let result = match (result, written) {
                (Ok(written), edited) => self.take_note(written, edited, commands).await?,
                (Err(error), edited) => {
                    let result = refused(error)?;
                    if let (Some(item), CommandResult::Refused(_)) = (edited, &result) {
                        // The phone shows its own version: it must be told the true one.
                        self.generation.dirty.insert(item);
                    }
                    result
                }
            };
            commands.settle(at, result);
        }
        Ok(())
    }

    /// The result of an edit that is not to be carried out.
    fn without_writing(&mut self, item: &ItemId, edit: &ItemEdit) -> Option<CommandResult> {
        if !self.holds(item) {
            return Some(CommandResult::NotFound);
        }
        if matches!(edit, ItemEdit::Patch(patch) if patch.is_empty()) {
            return Some(CommandResult::Done);
        }
        if self.generation.failed.contains(item) || self.generation.gone.contains(item) {
            // What the phone changed is not the item but what stood in its place.
            return Some(CommandResult::Conflict);
        }
        if !self.generation.dirty.contains(item) {
            return None;
        }
        self.overruled(item, "new content".into())
    }

    /// Of an edit that is not carried out (any more): sends what others are to be told of it, where
    /// an earlier attempt carried it out and did not come so far. Says whether there was any.
    async fn tell_again(
        &mut self,
        item: &ItemId,
        command: &ClientCommand,
        result: &CommandResult,
    ) -> Result<bool> {
        if self.class != Class::Calendar || !self.notify || *result == CommandResult::NotFound {
            return Ok(false);
        }
        let nothing = ItemEdit::Patch(ItemPatch::Event(Box::default()));
        let edit = Edit { key: self.act_key("edit", command), edit: nothing };
        match self.session.mailbox.change_item(self.collection, item, &edit).await {
            Ok(written) if written.notices.is_empty() => Ok(false),
            Ok(written) => {
                self.engine.send_notices(self.session, written.notices).await?;
                Ok(true)
            }
            Err(error) => {
                // What is gone or cannot be read has nothing to tell; what may pass does.
                refused(error)?;
                Ok(false)
            }
        }
    }

    /// The mail system took it: what the phone holds now, and whom to tell of it.
    async fn take_note(
        &mut self,
        written: Written,
        edited: Option<&ItemId>,
        commands: &mut Commands<'_>,
    ) -> Result<CommandResult> {
        let Written { item, mark, notices, attached } = written;
        if self.notify {
            self.engine.send_notices(self.session, notices).await?;
        }
        commands.echoes.insert(item.clone(), Echo::Content(mark));
        let saved = Saved { item: item.clone(), attached };
        Ok(match edited {
            Some(edited) if *edited == item && saved.attached.is_empty() => CommandResult::Done,
            Some(_) => CommandResult::Replaced(saved),
            None => {
                // If it is older than this request, it was made in an earlier attempt and may have
                // changed since.
                if self.generation.pending.remove(&item) {
                    self.generation.dirty.insert(&item);
                }
                self.generation.known.insert(&item);
                CommandResult::Added(saved)
            }
        })
    }

    /// Tells those who were asked to a meeting that it does not take place, before it is deleted.
    pub async fn call_off(&mut self, items: &[ItemId]) -> Result<()> {
        if !self.notify {
            return Ok(());
        }
        for item in items {
            let device = self.session.device;
            let act = self.act_name("cancel", item.as_str());
            let edit = Edit {
                key: SubmissionKey(format!("{}/{}/{act}", device.user, device.device)),
                edit: ItemEdit::Cancel,
            };
            match self.session.mailbox.change_item(self.collection, item, &edit).await {
                Ok(written) => self.engine.send_notices(self.session, written.notices).await?,
                Err(error) if error.is_transient() || error.kind == ErrorKind::Auth => {
                    return Err(error.into());
                }
                // What cannot be called off is deleted all the same.
                Err(error) => tracing::debug!(%error, "a meeting was not called off"),
            }
        }
        Ok(())
    }
}
