//! Carrying out what a phone did (rules S2 and S4).
//!
//! The mail system was asked for its changes just before, so that a command meets what is there.
//! Every command may be carried out twice without harm: the process can die between the mail
//! system's yes and our own note of it.

use super::state::{Applied, Base};
use super::work::{Echo, Work};
use super::{
    ClientCommand, ClientId, CommandResult, ConflictRule, Deletion, Outgoing, Saved, Window,
    Written,
};
use crate::fingerprint::fingerprint;
use crate::hierarchy::Trash;
use crate::submit::Act;
use crate::{Result, TraceEvent};
use dme_mailbox::{Draft, ErrorKind, SubmissionKey};
use dme_model::{BodyView, Class, FlagPatch, ItemId};
use std::collections::HashMap;

/// The phone's commands on their way.
pub(super) struct Commands<'r> {
    /// Each with its result, once it has one.
    steps: Vec<(&'r ClientCommand, Option<CommandResult>)>,
    /// What was done, for which the phone needs no word from us.
    pub echoes: HashMap<ItemId, Echo>,
    /// The mail system was changed.
    pub effective: bool,
    /// Bytes of mail that still fit into the answer.
    pub left: u64,
}

impl ClientCommand {
    /// Tells one command from another; none for those that change nothing.
    pub(super) fn fingerprint(&self) -> Option<String> {
        let draft = |kind: &[u8], id: &str, written: &Written| {
            Some(fingerprint(&[kind, id.as_bytes(), written.words()]))
        };
        match self {
            Self::Change(item, patch) => {
                // A patch always has a JSON form.
                let patch = serde_json::to_vec(patch).unwrap_or_default();
                Some(fingerprint(&[b"change", item.as_str().as_bytes(), &patch]))
            }
            Self::Delete(item) => Some(fingerprint(&[b"delete", item.as_str().as_bytes()])),
            Self::Fetch(_) => None,
            Self::AddDraft(id, written) => draft(b"add", &id.0, written),
            Self::ChangeDraft(item, written) => draft(b"edit", item.as_str(), written),
            // The same act whatever the message: it must not go out in two versions.
            Self::Send(Outgoing::New(id), _) => Some(fingerprint(&[b"send", id.0.as_bytes()])),
            Self::Send(Outgoing::Draft(item), _) => {
                Some(fingerprint(&[b"send draft", item.as_str().as_bytes()]))
            }
            Self::Create(id, said) => {
                Some(fingerprint(&[b"create", id.0.as_bytes(), said.words()]))
            }
            Self::Edit(item, said) => {
                Some(fingerprint(&[b"revise", item.as_str().as_bytes(), said.words()]))
            }
        }
    }
}

impl<'r> Commands<'r> {
    /// The commands; those that an earlier, identical request had carried out have their results.
    pub fn new(
        commands: &'r [ClientCommand],
        base: Base,
        applied: &[Applied],
        window: Window,
    ) -> Self {
        let recorded = |command: &ClientCommand| match base {
            Base::Current => None,
            Base::Previous => {
                let print = command.fingerprint()?;
                let known = applied.iter().find(|known| known.command == print)?;
                Some(known.result.clone().into())
            }
        };
        let steps = commands.iter().map(|command| (command, recorded(command))).collect();
        Self { steps, echoes: HashMap::new(), effective: false, left: window.bytes }
    }

    /// What to remember, so that none is carried out again.
    pub fn applied(&self) -> Vec<Applied> {
        let known = self.steps.iter().filter_map(|(command, result)| {
            let result = super::state::Recorded::of(result.as_ref()?)?;
            Some(Applied { command: command.fingerprint()?, result })
        });
        known.collect()
    }

    /// The results, in the order of the commands.
    pub fn results(self) -> Vec<CommandResult> {
        self.steps
            .into_iter()
            .map(|(_, result)| result.unwrap_or(CommandResult::NotFound))
            .collect()
    }

    /// Whether anything is to be done that was not done before.
    pub fn any_new(&self) -> bool {
        self.steps.iter().any(|(_, result)| result.is_none())
    }

    pub fn open(&self) -> impl Iterator<Item = (usize, &'r ClientCommand)> + '_ {
        let open = self.steps.iter().enumerate().filter(|(_, (_, result))| result.is_none());
        open.map(|(at, (command, _))| (at, *command))
    }

    pub fn settle(&mut self, at: usize, result: CommandResult) {
        if let Some((_, place)) = self.steps.get_mut(at) {
            *place = Some(result);
        }
    }
}

/// A permanent refusal is the command's result; what may pass is the whole request's error, so
/// that the phone repeats it.
pub(super) fn refused(error: dme_mailbox::Error) -> Result<CommandResult> {
    match error.kind {
        ErrorKind::NotFound => Ok(CommandResult::NotFound),
        ErrorKind::Auth => Err(error.into()),
        _ if error.is_transient() => Err(error.into()),
        _ => Ok(CommandResult::Refused(error)),
    }
}

impl Work<'_> {
    /// Lets the generation know what the commands that were carried out before changed in it.
    pub fn recall(&mut self, commands: &Commands<'_>) {
        for (command, result) in &commands.steps {
            match (command, result) {
                (_, Some(CommandResult::Added(saved))) => {
                    self.generation.known.insert(&saved.item);
                }
                (ClientCommand::Delete(item), Some(CommandResult::Done)) => {
                    self.generation.forget(item);
                    self.generation.pending.remove(item);
                }
                _ => {}
            }
        }
    }

    /// Carries out those commands that have no result yet.
    pub async fn carry_out(
        &mut self,
        commands: &mut Commands<'_>,
        deletion: Deletion,
        view: &BodyView,
    ) -> Result<()> {
        self.set_marks(commands).await?;
        self.save_drafts(commands).await?;
        // Rare and large: not a part of every Sync.
        Box::pin(self.write(commands)).await?;
        Box::pin(self.send(commands)).await?;
        self.delete(commands, deletion).await?;
        self.fetch(commands, view).await
    }

    async fn set_marks(&mut self, commands: &mut Commands<'_>) -> Result<()> {
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

    /// The result of a command on an item that the mail system changed too, where the phone is the
    /// one to yield; none where the command is to be carried out. Notes who was overruled.
    pub fn overruled(&mut self, item: &ItemId, wanted: String) -> Option<CommandResult> {
        let item = item.clone();
        match self.conflict {
            ConflictRule::ServerWins => {
                self.note(TraceEvent::PhoneOverruled { item, wanted });
                Some(CommandResult::Conflict)
            }
            ConflictRule::ClientWins => {
                self.note(TraceEvent::MailSystemOverruled { item, wanted });
                None
            }
        }
    }

    /// Whether the phone has the item and the mail system too.
    pub fn holds(&self, item: &ItemId) -> bool {
        let g = &self.generation;
        // In `pending` too: only its placeholder is to go.
        g.known.contains(item) && (!g.gone.contains(item) || g.pending.contains(item))
    }

    async fn save_drafts(&mut self, commands: &mut Commands<'_>) -> Result<()> {
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

    async fn send(&mut self, commands: &mut Commands<'_>) -> Result<()> {
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
                Err(crate::Error::Mailbox(error)) => refused(error)?,
                Err(error) => return Err(error),
            };
            commands.settle(at, result);
        }
        Ok(())
    }

    /// Names the act a command asks for to the mail system.
    pub(super) fn act_key(&self, kind: &str, command: &ClientCommand) -> SubmissionKey {
        let act = self.act_name(kind, &command.fingerprint().unwrap_or_default());
        let device = self.session.device;
        SubmissionKey(format!("{}/{}/{act}", device.user, device.device))
    }

    /// The name of an act: the same for every repetition of the request, because a repeated
    /// request comes with the same key, and never for another.
    pub(super) fn act_name(&self, kind: &str, id: &str) -> String {
        let no = self.generation.no;
        format!("{kind}/{}/{:x}-{}/{id}", self.folder, no.epoch, no.number)
    }

    async fn delete(&mut self, commands: &mut Commands<'_>, deletion: Deletion) -> Result<()> {
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
