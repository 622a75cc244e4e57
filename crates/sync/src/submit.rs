//! Sending, once (rules S2 and S3).

use crate::{Engine, FolderNo, Result, Session};
use bytes::Bytes;
use dme_mailbox::{Submitted, Verb};
use dme_model::ItemId;

/// What names an act of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubmitId {
    /// The phone's own name for it (`ClientId`, 14.0 on).
    Client(String),
    /// The phone gives none (12.1): the same bytes within ten minutes are the same act.
    Content,
}

/// A message to send (SendMail, SmartReply, SmartForward; MS-ASCMD 2.2.1.17 to 2.2.1.19).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubmitRequest {
    /// What names this act.
    pub id: SubmitId,
    /// The message as the phone gave it.
    pub message: Bytes,
    /// The original it answers or sends on: where, which, how.
    pub reference: Option<(FolderNo, ItemId, Verb)>,
    /// The message is whole; nothing of the original is to be added (`ReplaceMime`).
    pub replace_mime: bool,
    /// Whether a copy goes to Sent.
    pub save_in_sent: bool,
}

impl Engine {
    /// Sends a message. A repeated request whose first one succeeded is answered the same and
    /// nothing is sent; one whose first end is unknown is handed to the mail system as uncertain.
    ///
    /// # Errors
    /// [`Error::FolderNotFound`](crate::Error::FolderNotFound) for the reference's folder, the
    /// mail system's, the store's.
    pub async fn submit(&self, session: Session<'_>, request: &SubmitRequest) -> Result<Submitted> {
        let _ = (session, request);
        todo!()
    }
}
