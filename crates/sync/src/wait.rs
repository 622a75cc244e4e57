//! Has anything changed? What Ping and waiting Sync ask before and after they wait (MS-ASCMD
//! 2.2.1.13).

use crate::{Engine, Error, FolderNo, Result, Session};
use dme_model::CollectionId;

impl Engine {
    /// Those of the folders for which a Sync may tell something: what did not fit into the last
    /// answer, or what changed since. A folder the phone has not begun counts as changed, and so
    /// does one that is gone. One call to the mail system.
    ///
    /// # Errors
    /// The mail system's, the store's.
    pub async fn changed_folders(
        &self,
        session: Session<'_>,
        folders: &[FolderNo],
    ) -> Result<Vec<FolderNo>> {
        let mut changed = Vec::new();
        let mut asked = Vec::new();
        let mut since = Vec::new();
        for folder in folders {
            match self.load_state(session, *folder).await {
                Ok((collection, Some(state))) if state.current.is_settled() => {
                    match state.current.token {
                        Some(token) => {
                            asked.push((*folder, collection.clone()));
                            since.push((collection, token));
                        }
                        None => changed.push(*folder),
                    }
                }
                Ok(_) | Err(Error::FolderNotFound(_)) => changed.push(*folder),
                Err(error) => return Err(error),
            }
        }
        if !since.is_empty() {
            let moved = session.mailbox.changed(&since).await?;
            let moved = asked.into_iter().filter(|(_, collection)| moved.contains(collection));
            changed.extend(moved.map(|(folder, _)| folder));
        }
        Ok(changed)
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
        let mut known = self.store.folders(&session.device.user).await?;
        known.retain(|(no, _)| folders.contains(no));
        Ok(known)
    }
}
