//! MoveItems (MS-ASCMD 2.2.1.12).

use crate::{Engine, FolderNo, Result, Session};
use dme_model::ItemId;

/// One item to move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoveRequest {
    /// Which.
    pub item: ItemId,
    /// Where it lies.
    pub from: FolderNo,
    /// Where it shall lie.
    pub to: FolderNo,
}

/// Why an item was not moved.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoveError {
    /// No such source folder or item (status 1).
    #[error("the item to move is not there")]
    SourceNotFound,
    /// No such destination (status 2).
    #[error("the folder to move to is not there")]
    DestinationNotFound,
    /// Both folders are the same (status 4).
    #[error("the item is in that folder already")]
    SameFolder,
    /// The mail system did not do it (status 5, or 7 when it may later).
    #[error("the mail system did not move it: {0}")]
    Mailbox(dme_mailbox::Error),
}

impl Engine {
    /// Moves items; answers each one's id in its new folder, where the mail system tells, in the
    /// order asked. A move that is repeated is answered as the first time.
    ///
    /// # Errors
    /// The store's. The mail system's stand with each item.
    pub async fn move_items(
        &self,
        session: Session<'_>,
        moves: &[MoveRequest],
    ) -> Result<Vec<Result<Option<ItemId>, MoveError>>> {
        let _ = (session, moves);
        todo!()
    }
}
