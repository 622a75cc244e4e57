//! Sending: to the users of the same tree, each exactly once, however often it is asked for.
//!
//! What is delivered bears a name made of sender, act and recipient, so that a delivery which was
//! done but not written down before a crash is found and not repeated.

use crate::Shared;
use crate::clock::now;
use crate::error::no_item;
use crate::folder::number;
use crate::home::Home;
use crate::journal::{Journal, Step};
use crate::maildir::fingerprint;
use dme_mailbox::{Account, Error, ErrorKind, Reference, Result, Submission, Submitted, Verb};
use dme_mime::compose::{self, Finish, Finished};
use dme_model::{Address, FlagPatch, Flags, Role};

/// One act of sending by one user.
pub(crate) struct Sender<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) home: &'a Home,
    pub(crate) account: &'a Account,
}

impl Sender<'_> {
    pub(crate) fn submit(&self, submission: &Submission) -> Result<Submitted> {
        if !self.home.exists() {
            return Err(Error::new(ErrorKind::NotFound, "the sender has no mailbox"));
        }
        let mut journal = Journal::open(&self.home.maildir(), &submission.key)?;
        let mut warnings = Vec::new();
        // What cannot be filed is a warning here and never tried again.
        if !journal.progress.done {
            let finished = self.compose(submission)?;
            match submission.taken {
                true => begin(&finished, &mut journal)?,
                false => self.send(&finished, &mut journal)?,
            }
            if !journal.progress.filed {
                match self.file(submission, &finished, &journal) {
                    Ok(()) => journal.note(&Step::Filed)?,
                    Err(error) => warnings.push(format!("no copy in Sent: {error}")),
                }
            }
            if warnings.is_empty() {
                journal.note(&Step::Done)?;
            }
        }
        self.finish_up(submission, &mut warnings);
        let progress = &journal.progress;
        let message_id = progress.begun.clone().unwrap_or_default();
        let refused = progress.refused.clone();
        Ok(Submitted { message_id, refused, warnings, unfinished: false })
    }

    /// The message as it goes out: with the original where the phone left it to us, and the
    /// headers it lacks.
    fn compose(&self, submission: &Submission) -> Result<Finished> {
        let mut message = submission.message.clone();
        if let Some(reference) = &submission.reference {
            let verb = match reference.verb {
                Verb::Reply => compose::Verb::Reply,
                Verb::Forward => compose::Verb::Forward,
            };
            let original = self.original(reference)?;
            message = compose::reply(&original, &message, verb, reference.replace_mime)
                .map_err(|error| unsendable(&error))?;
        }
        let finish = Finish {
            from: Address {
                name: self.account.display_name.clone(),
                email: self.account.address.clone(),
            },
            now: now(),
            seed: submission.key.0.clone(),
        };
        let finished = compose::finish(&message, &finish).map_err(|error| unsendable(&error))?;
        let (size, limit) = (finished.message.len() as u64, self.shared.config.max_message_size.0);
        if size > limit {
            let context = format!("the message has {size} bytes, the limit is {limit}");
            return Err(Error::new(ErrorKind::MessageTooLarge, context));
        }
        Ok(finished)
    }

    fn original(&self, reference: &Reference) -> Result<bytes::Bytes> {
        let item = number(&reference.item).ok_or_else(|| no_item(&reference.item))?;
        let folder = self.home.folder(&self.shared.folders, &reference.collection)?;
        let message = folder.read(item)?.ok_or_else(|| no_item(&reference.item))?;
        Ok(message.raw)
    }

    fn send(&self, finished: &Finished, journal: &mut Journal) -> Result<()> {
        let (here, refused): (Vec<_>, Vec<_>) = finished
            .recipients
            .iter()
            .map(|it| (it, self.recipient(it)))
            .partition(|it| it.1.is_some());
        if here.is_empty() {
            let all: Vec<&str> = refused.iter().map(|(address, _)| address.as_str()).collect();
            let context = format!("no mailbox on this system: {}", all.join(", "));
            return Err(Error::new(ErrorKind::RecipientRefused, context));
        }
        begin(finished, journal)?;
        for (address, home) in here {
            let Some(home) = home else { continue };
            if !journal.progress.delivered.contains(address) {
                self.deliver(&home, address, finished, journal.act())?;
                journal.note(&Step::To(address))?;
            }
        }
        for (address, _) in refused {
            if !journal.progress.refused.contains(address) {
                journal.note(&Step::Refused(address))?;
            }
        }
        Ok(())
    }

    /// The mailbox that receives mail to the address, if it is one of ours.
    fn recipient(&self, address: &str) -> Option<Home> {
        self.shared.home(&address.to_lowercase()).ok().filter(Home::exists)
    }

    fn deliver(&self, home: &Home, address: &str, finished: &Finished, act: &str) -> Result<()> {
        let base = self.base(&["to", address, act, &finished.message_id]);
        let inbox = home.folder(&self.shared.folders, &home.with_role(Role::Inbox)?)?;
        // In `cur` too: someone may have looked at it since the crash.
        if inbox.find_base(&base)?.is_none() {
            inbox.deliver(&finished.message, Some(&base))?;
        }
        Ok(())
    }

    fn file(&self, submission: &Submission, finished: &Finished, journal: &Journal) -> Result<()> {
        if !submission.save_in_sent {
            return Ok(());
        }
        let sent = self.home.folder(&self.shared.folders, &self.home.with_role(Role::Sent)?)?;
        let base = self.base(&["sent", journal.act()]);
        if sent.find_base(&base)?.is_none() {
            let flags = Flags { seen: true, ..Flags::default() };
            sent.insert_as(&base, &finished.sent_copy, &flags)?;
        }
        Ok(())
    }

    fn base(&self, parts: &[&str]) -> String {
        let all = [&[self.account.user.as_str()], parts].concat();
        format!("dme-{}", fingerprint(&all))
    }

    /// What comes after the message is on its way can no longer fail it.
    fn finish_up(&self, submission: &Submission, warnings: &mut Vec<String>) {
        if let Some(reference) = &submission.reference
            && let Err(error) = self.mark(reference)
        {
            warnings.push(format!("the original was not marked: {error}"));
        }
        if let Some((collection, item)) = &submission.draft {
            let folder = self.home.folder(&self.shared.folders, collection);
            let deleted = folder.and_then(|folder| folder.delete(std::slice::from_ref(item)));
            if let Err(error) = deleted {
                warnings.push(format!("the draft was not deleted: {error}"));
            }
        }
    }

    fn mark(&self, reference: &Reference) -> Result<()> {
        let patch = match reference.verb {
            Verb::Reply => FlagPatch { answered: Some(true), ..FlagPatch::default() },
            Verb::Forward => FlagPatch { forwarded: Some(true), ..FlagPatch::default() },
        };
        let folder = self.home.folder(&self.shared.folders, &reference.collection)?;
        let results = folder.set_flags(&[(reference.item.clone(), patch)])?;
        results.into_iter().try_for_each(|(_, result)| result)
    }
}

fn begin(finished: &Finished, journal: &mut Journal) -> Result<()> {
    match journal.progress.begun {
        Some(_) => Ok(()),
        None => journal.note(&Step::Begun(&finished.message_id)),
    }
}

fn unsendable(error: &dme_mime::Error) -> Error {
    let kind = match error {
        dme_mime::Error::TooLarge(_) | dme_mime::Error::HeaderTooLarge => {
            ErrorKind::MessageTooLarge
        }
        _ => ErrorKind::Invalid,
    };
    Error::new(kind, format!("the message cannot be sent: {error}"))
}
