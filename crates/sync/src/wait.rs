//! Has anything changed? What Ping and waiting Sync ask before and after they wait (MS-ASCMD
//! 2.2.1.13).

use crate::{Engine, FolderNo, Result, Session};
use dme_model::CollectionId;

impl Engine {
    /// Those of the folders for which a Sync may tell something: what did not fit into the last
    /// answer, or what changed since. A folder the phone has not begun counts as changed, and so
    /// does one that is gone.
    ///
    /// # Errors
    /// The mail system's, the store's.
    pub async fn changed_folders(
        &self,
        session: Session<'_>,
        folders: &[FolderNo],
    ) -> Result<Vec<FolderNo>> {
        let _ = (session, folders);
        todo!()
    }

    /// The collections these numbers stand for, to watch them. Unknown numbers are left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn collections_of(
        &self,
        session: Session<'_>,
        folders: &[FolderNo],
    ) -> Result<Vec<(FolderNo, CollectionId)>> {
        let _ = (session, folders);
        todo!()
    }
}
