//! Requests that have no state: the engine only finds the folder a number stands for
//! (ItemOperations, Search, Find; MS-ASCMD 2.2.1.10, 2.2.1.16, 2.2.1.2).

use crate::{Engine, FolderNo, Result, Session};
use dme_mailbox::{ByteRange, Fetched, PartContent, Subcollections};
use dme_model::{BodyView, ConversationId, ItemId, PartId, Timestamp};

/// What to look for; all that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FolderSearch {
    /// Only here; empty means everywhere but Trash and Junk.
    pub folders: Vec<FolderNo>,
    /// With `folders`: in the folders within them too.
    pub deep: bool,
    /// Words that must stand in the headers or the text.
    pub words: Vec<String>,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub before: Option<Timestamp>,
    /// Belongs to this conversation.
    pub conversation: Option<ConversationId>,
    /// How many hits to pass over.
    pub offset: u32,
    /// How many hits at the most.
    pub limit: u32,
}

/// One item found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderHit {
    /// Where.
    pub folder: FolderNo,
    /// Which.
    pub item: ItemId,
}

impl Engine {
    /// Items of one folder in a view, in the order asked, each exactly once.
    ///
    /// # Errors
    /// [`Error::FolderNotFound`](crate::Error::FolderNotFound), the mail system's, the store's.
    pub async fn fetch_items(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<Vec<Fetched>> {
        let _ = (session, folder, items, view);
        todo!()
    }

    /// A part of an item, or a range of it; with no part the whole message.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`].
    pub async fn fetch_part(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let _ = (session, folder, item, part, range);
        todo!()
    }

    /// Deletes every item of a folder for good, and the folders in it if asked.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`].
    pub async fn empty_folder(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        subfolders: Subcollections,
    ) -> Result<()> {
        let _ = (session, folder, subfolders);
        todo!()
    }

    /// Moves all of a conversation's items, wherever they lie, except sent ones, drafts and what
    /// is in Trash or Junk. Answers how many were moved.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`].
    pub async fn move_conversation(
        &self,
        session: Session<'_>,
        conversation: ConversationId,
        to: FolderNo,
    ) -> Result<u64> {
        let _ = (session, conversation, to);
        todo!()
    }

    /// Finds items, newest first; answers a page and how many there are in all.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`].
    pub async fn search(
        &self,
        session: Session<'_>,
        search: &FolderSearch,
    ) -> Result<(Vec<FolderHit>, u64)> {
        let _ = (session, search);
        todo!()
    }
}
