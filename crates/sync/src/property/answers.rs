//! Invitations in a life: what the phone's user answers is what the calendar has in the end.

use super::Fate;
use super::driver::{Life, meet, pick, wrong};
use crate::{Error, Meant, RespondError, RespondRequest, Session};
use dme_model::{Answer, Class, Participation};

/// An answer that the phone has not heard of.
#[derive(Clone)]
pub(super) struct Reply {
    pub subject: String,
    pub request: RespondRequest,
}

impl Life<'_> {
    /// What the user says to one of the invitations in the phone's calendar.
    pub(super) fn plan_answer(&mut self, item: u8, says: u8) -> Option<Reply> {
        let mut folders = self.phone.folders.values();
        let calendar = folders.find(|folder| folder.entry.class == Class::Calendar)?;
        let asked: Vec<_> = calendar.items.iter().filter(|(_, shown)| shown.plan.asked).collect();
        let (item, shown) = *pick(&asked, item)?;
        let all = [Participation::Accepted, Participation::Tentative, Participation::Declined];
        let participation = *pick(&all, says)?;
        let answer =
            Answer { participation, instance: None, comment: None, proposal: None, send: true };
        // A phone says the same whenever the user does.
        let answer = Meant::new(format!("{participation:?}").as_bytes(), answer);
        let (folder, item) = (calendar.entry.no, item.clone());
        let subject = shown.subject.clone();
        if participation == Participation::Declined {
            self.throw_away(subject.clone());
        }
        Some(Reply { subject, request: RespondRequest { folder, item, answer, notify: true } })
    }

    /// Tells the answer that the phone has not heard of.
    pub(super) async fn try_answer(&mut self, fate: Fate) -> Result<(), String> {
        let Some(Reply { subject, request }) = self.unanswered_reply.clone() else { return Ok(()) };
        let session = Session { device: &self.device, mailbox: &*self.faulty, now: self.now };
        let answer = meet(self.world, fate, self.engine.respond(session, &request)).await;
        match answer {
            None => return Ok(()),
            Some(Err(RespondError::Engine(Error::Mailbox(error)))) if error.is_transient() => {
                return Ok(());
            }
            Some(Ok(_)) => {
                self.answers.insert(subject, request.answer.meaning.participation);
            }
            Some(Err(RespondError::NoInvitation(why))) => {
                let collection = self.collection_of(request.folder).await?;
                let collection = collection.ok_or("the calendar is no folder")?;
                let there = self.contents(&collection).await?;
                if there.iter().any(|(item, ..)| *item == request.item) {
                    return Err(format!("{subject} cannot be answered: {why}"));
                }
            }
            Some(Err(error)) => return Err(wrong(error)),
        }
        self.unanswered_reply = None;
        Ok(())
    }
}
