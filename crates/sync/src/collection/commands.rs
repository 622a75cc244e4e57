//! Carrying out what a phone did (rules S2 and S4).
//!
//! The mail system was asked for its changes just before, so that a command meets what is there.
//! Every command may be carried out twice without harm: the process can die between the mail
//! system's yes and our own note of it.

use super::state::{Applied, Base};
use super::work::{Echo, Work};
use super::{ClientCommand, CommandResult, ConflictRule, Deletion, Outgoing, Window, Written};
use crate::fingerprint::fingerprint;
use crate::{Result, TraceEvent};
use dme_mailbox::{ErrorKind, SubmissionKey};
use dme_model::{BodyView, ItemId};
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
        // In `pending` too: only the form in which the phone has it is to go.
        g.known.contains(item) && (!g.gone.contains(item) || g.pending.contains(item))
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
}
