//! Sync of one collection (rules S1 to S6).

mod request;

pub use request::{
    Changes, ClientCommand, ClientId, CollectionAnswer, CollectionOptions, CollectionRequest,
    CommandResult, ConflictRule, Deletion, FilterAge, Outgoing, ServerChange, Window,
};

use crate::{Engine, FolderNo, Result, Session, SyncKey};

impl Engine {
    /// Carries out what the phone did in a collection and tells it what changed there.
    ///
    /// With key 0 the answer is only a new key. With nothing new and no commands it costs one
    /// call to the mail system and no write, and the key stays. With the key before the last one
    /// (the phone lost an answer) the same is answered again and no command is carried out twice.
    ///
    /// # Errors
    /// [`Error::InvalidKey`](crate::Error::InvalidKey) and
    /// [`Error::FolderNotFound`](crate::Error::FolderNotFound) concern this collection alone. With
    /// any other error the phone may repeat the very same request.
    pub async fn sync_collection(
        &self,
        session: Session<'_>,
        request: &CollectionRequest,
    ) -> Result<CollectionAnswer> {
        let _ = (session, request);
        todo!()
    }

    /// How many changes a Sync would tell (`GetItemEstimate`, MS-ASCMD 2.2.1.9). `filter` as in
    /// the request's options; none: as remembered.
    ///
    /// # Errors
    /// As [`Engine::sync_collection`].
    pub async fn estimate(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        key: &SyncKey,
        filter: Option<FilterAge>,
    ) -> Result<u64> {
        let _ = (session, folder, key, filter);
        todo!()
    }

    /// The key a folder is at, for requests that leave it out (empty and `Partial` Sync). None
    /// where the phone never began the folder.
    ///
    /// # Errors
    /// The store's.
    pub async fn current_key(
        &self,
        session: Session<'_>,
        folder: FolderNo,
    ) -> Result<Option<SyncKey>> {
        let _ = (session, folder);
        todo!()
    }
}
