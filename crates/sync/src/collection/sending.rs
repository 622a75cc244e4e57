//! Drafts that a phone wrote, and mails that it sends in a Sync (16.0 on).

use super::commands::{Commands, refused};
use super::work::{Echo, Work};
use super::{ClientCommand, ClientId, CommandResult, Outgoing, Saved};
use crate::submit::Act;
use crate::{Error, Result, TraceEvent};
use dme_mailbox::Draft;
use dme_model::FlagPatch;

impl Work<'_> {
    pub async fn save_drafts(&mut self, commands: &mut Commands<'_>) -> Result<()> {
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        for (at, command) in open {
            let (written, replaces) = match command {
                ClientCommand::AddDraft(_, written) => (written, None),
                ClientCommand::ChangeDraft(item, written) => (written, Some(item)),
                _ => continue,
            };
            let there = replaces.is_none_or(|item| self.holds(item));
            let Some(message) = written.message.as_ref().filter(|_| there) else {
                if let Some(item) = replaces.cloned() {
                    let wanted = "a new version of a draft that is gone".into();
                    self.note(TraceEvent::PhoneOverruled { item, wanted });
                }
                commands.settle(at, CommandResult::NotFound);
                continue;
            };
            let draft = Draft {
                key: self.act_key("draft", command),
                message: message.clone(),
                replaces: replaces.cloned(),
            };
            let saved = |item| Saved { item, attached: written.attached.clone() };
            let result = match self.session.mailbox.save_draft(self.collection, &draft).await {
                Err(error) => refused(error)?,
                Ok(item) if replaces.is_some() => CommandResult::Replaced(saved(item)),
                Ok(item) => {
                    // The phone has it already, under a name of its own. If it is older than
                    // this request, it was saved in an earlier attempt and may have been marked
                    // since.
                    if self.generation.pending.remove(&item) {
                        self.generation.dirty.insert(&item);
                    }
                    self.generation.known.insert(&item);
                    commands.echoes.insert(item.clone(), Echo::Marks(FlagPatch::default()));
                    CommandResult::Added(saved(item))
                }
            };
            commands.effective = true;
            commands.settle(at, result);
        }
        Ok(())
    }

    pub async fn send(&mut self, commands: &mut Commands<'_>) -> Result<()> {
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        for (at, command) in open {
            let ClientCommand::Send(outgoing, written) = command else { continue };
            let (name, draft) = match outgoing {
                Outgoing::New(ClientId(id)) => (self.act_name("new", id), None),
                Outgoing::Draft(item) => {
                    let there = self.holds(item).then(|| (self.collection.clone(), item.clone()));
                    (self.act_name("sent", item.as_str()), there)
                }
            };
            let Some(message) = &written.message else {
                let sent = self.engine.is_sent(self.session, &name).await?;
                let result = if sent { CommandResult::Sent } else { CommandResult::NotFound };
                commands.settle(at, result);
                continue;
            };
            let act = Act::of_client(&name, message.clone()).with_draft(draft);
            commands.effective = true;
            let result = match self.engine.send_once(self.session, act).await {
                Ok(_) => CommandResult::Sent,
                Err(Error::Mailbox(error)) => refused(error)?,
                Err(error) => return Err(error),
            };
            commands.settle(at, result);
        }
        Ok(())
    }
}
