//! MoveItems (MS-ASCMD 2.2.1.12).

use crate::locks::Lock;
use crate::{Engine, FolderNo, Result, Session, Slot};
use dme_mailbox::ErrorKind;
use dme_model::{CollectionId, ItemId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

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

/// So many moves of a device are remembered.
const REMEMBERED: usize = 512;

/// A move that was carried out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Moved {
    item: ItemId,
    from: FolderNo,
    to: FolderNo,
    /// Its id since, where the mail system told.
    now: Option<ItemId>,
}

impl Moved {
    fn answers(&self, request: &MoveRequest) -> bool {
        (&self.item, self.from, self.to) == (&request.item, request.from, request.to)
    }
}

impl Engine {
    /// Moves items; answers each one's id in its new folder, where the mail system tells, in the
    /// order asked. A move that is repeated is answered as the first time.
    ///
    /// What the phone holds of the two folders is left as it was: the next Sync tells it that the
    /// item is gone from the one, which it knows, and new in the other. Were it taken for granted
    /// that the phone knows, a phone that lost this answer would show the item in the old folder
    /// for ever.
    ///
    /// # Errors
    /// The store's. The mail system's stand with each item.
    pub async fn move_items(
        &self,
        session: Session<'_>,
        moves: &[MoveRequest],
    ) -> Result<Vec<Result<Option<ItemId>, MoveError>>> {
        let lock = Lock::State(session.device.clone(), Slot::Moves);
        let _one_at_a_time = self.locks.lock(lock).await;
        let known = self.store.load(session.device, Slot::Moves).await?;
        let known = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut remembered: Vec<Moved> = known.unwrap_or_default();

        let mut results: Vec<Option<Result<Option<ItemId>, MoveError>>> = vec![None; moves.len()];
        let mut ways: BTreeMap<(FolderNo, FolderNo), Vec<usize>> = BTreeMap::new();
        for (at, request) in moves.iter().enumerate() {
            ways.entry((request.from, request.to)).or_default().push(at);
        }
        // Asked before anything is moved: what was moved is noted whatever else fails.
        let folders = self.store.folders(&session.device.user).await?.into_iter().collect();
        let mut new = Vec::new();
        for ((from, to), places) in ways {
            let wanted = places.iter().filter_map(|at| moves.get(*at));
            let items: Vec<ItemId> = wanted.map(|request| request.item.clone()).collect();
            let moved = move_one_way(session, &folders, (from, to), &items).await;
            for (at, result) in places.into_iter().zip(moved) {
                let (Some(request), Some(place)) = (moves.get(at), results.get_mut(at)) else {
                    continue;
                };
                // Asked after the mail system: the id may be another item's by now.
                let earlier = remembered.iter().rev().find(|moved| moved.answers(request));
                *place = Some(match (result, earlier) {
                    (Err(MoveError::SourceNotFound), Some(earlier)) => Ok(earlier.now.clone()),
                    (result, _) => {
                        if let Ok(now) = &result {
                            let (item, now) = (request.item.clone(), now.clone());
                            new.push(Moved { item, from, to, now });
                        }
                        result
                    }
                });
            }
        }
        if !new.is_empty() {
            remembered.extend(new);
            let surplus = remembered.len().saturating_sub(REMEMBERED);
            remembered.drain(..surplus);
            // Numbers and texts always have a JSON form.
            let bytes = serde_json::to_vec(&remembered).unwrap_or_default();
            self.store.save(session.device, Slot::Moves, bytes).await?;
        }
        Ok(results.into_iter().map(|r| r.unwrap_or(Err(MoveError::SourceNotFound))).collect())
    }
}

/// Moves items from one folder to one other; a result for each, in their order.
async fn move_one_way(
    session: Session<'_>,
    folders: &HashMap<FolderNo, CollectionId>,
    (from, to): (FolderNo, FolderNo),
    items: &[ItemId],
) -> Vec<Result<Option<ItemId>, MoveError>> {
    let all = |error: MoveError| vec![Err(error); items.len()];
    if from == to {
        return all(MoveError::SameFolder);
    }
    let Some(source) = folders.get(&from) else { return all(MoveError::SourceNotFound) };
    let Some(destination) = folders.get(&to) else { return all(MoveError::DestinationNotFound) };
    let moved = match session.mailbox.move_items(source, destination, items).await {
        Ok(moved) => moved,
        Err(error) if error.kind == ErrorKind::NotFound => {
            let there = session.mailbox.collections().await;
            return all(match there {
                Ok(all) if all.iter().any(|one| one.id == *destination) => {
                    MoveError::SourceNotFound
                }
                _ => MoveError::DestinationNotFound,
            });
        }
        Err(error) => return all(MoveError::Mailbox(error)),
    };
    let mut moved: HashMap<ItemId, _> = moved.into_iter().collect();
    let result = |item| match moved.remove(item) {
        Some(Ok(now)) => Ok(now),
        Some(Err(error)) if error.kind != ErrorKind::NotFound => Err(MoveError::Mailbox(error)),
        Some(Err(_)) | None => Err(MoveError::SourceNotFound),
    };
    items.iter().map(result).collect()
}
