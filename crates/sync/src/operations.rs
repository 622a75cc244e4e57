//! Requests that have no state: the engine only finds the folder a number stands for
//! (ItemOperations, Search, Find; MS-ASCMD 2.2.1.10, 2.2.1.16, 2.2.1.2).

use crate::{Engine, Error, FolderNo, Result, Session, item_size};
use dme_mailbox::{
    ByteRange, ErrorKind, FetchOutcome, Fetched, ItemResult, PartContent, SearchPage, SearchQuery,
    Subcollections,
};
use dme_model::{BodyView, CollectionId, ConversationId, ItemId, PartId, Role, Timestamp};
use futures_util::TryStreamExt;
use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// The collection a folder number stands for.
    pub(crate) async fn collection(
        &self,
        session: Session<'_>,
        folder: FolderNo,
    ) -> Result<CollectionId> {
        let found = self.store.folder(&session.device.user, folder).await?;
        found.ok_or(Error::FolderNotFound(folder))
    }

    /// Items of one folder in a view, in the order asked, each exactly once.
    ///
    /// # Errors
    /// [`Error::FolderNotFound`], the mail system's, the store's.
    pub async fn fetch_items(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<Vec<Fetched>> {
        self.fetch_within(session, folder, items, view, u64::MAX).await
    }

    /// The same until so many bytes of mail have been read; the item with which they are is the
    /// last.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`].
    pub async fn fetch_within(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        items: &[ItemId],
        view: &BodyView,
        bytes: u64,
    ) -> Result<Vec<Fetched>> {
        let collection = self.collection(session, folder).await?;
        let mut stream = session.mailbox.fetch(&collection, items, view).await?;
        let mut fetched = Vec::new();
        let mut left = bytes;
        while left > 0
            && let Some(one) = stream.try_next().await?
        {
            if let FetchOutcome::Item(item) = &one.outcome {
                left = left.saturating_sub(item_size(item));
            }
            fetched.push(one);
        }
        Ok(fetched)
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
        let collection = self.collection(session, folder).await?;
        Ok(session.mailbox.fetch_part(&collection, item, part, range).await?)
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
        let collection = self.collection(session, folder).await?;
        Ok(session.mailbox.empty_collection(&collection, subfolders).await?)
    }

    /// Moves all of a conversation's items, wherever they lie, except sent ones, drafts and what
    /// is in Trash or Junk. Answers how many were moved; none where no mail is of it. One whose
    /// mails are where they shall be is moved: a phone may repeat itself.
    ///
    /// # Errors
    /// As [`Engine::fetch_items`], and that of a mail which stays where it is: the others are moved
    /// all the same.
    pub async fn move_conversation(
        &self,
        session: Session<'_>,
        conversation: ConversationId,
        to: FolderNo,
    ) -> Result<Option<u64>> {
        let to = self.collection(session, to).await?;
        let stays: HashSet<CollectionId> = session
            .mailbox
            .collections()
            .await?
            .into_iter()
            .filter(|collection| {
                matches!(
                    collection.role,
                    Some(Role::Sent | Role::Drafts | Role::Trash | Role::Junk)
                ) || collection.id == to
            })
            .map(|collection| collection.id)
            .collect();
        let query = SearchQuery {
            conversation: Some(conversation),
            limit: self.limits.conversation,
            ..SearchQuery::default()
        };
        let mut places: BTreeMap<CollectionId, Vec<ItemId>> = BTreeMap::new();
        let hits = session.mailbox.search(&query).await?.hits;
        if hits.is_empty() {
            return Ok(None);
        }
        for hit in hits {
            if !stays.contains(&hit.collection) {
                places.entry(hit.collection).or_default().push(hit.item);
            }
        }
        let mut results = Vec::new();
        for (from, items) in places {
            results.extend(session.mailbox.move_items(&from, &to, &items).await?);
        }
        Ok(Some(count_moved(results)?))
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
        let mut collections = Vec::with_capacity(search.folders.len());
        for folder in &search.folders {
            collections.push(self.collection(session, *folder).await?);
        }
        let query = SearchQuery {
            collections,
            deep: search.deep,
            words: search.words.clone(),
            since: search.since,
            before: search.before,
            conversation: search.conversation,
            offset: search.offset,
            limit: search.limit,
        };
        let page = match session.mailbox.search(&query).await {
            // Where nothing can be looked for nothing is found.
            Err(error) if error.kind == ErrorKind::Unsupported => SearchPage::default(),
            page => page?,
        };
        let found: Vec<CollectionId> = page.hits.iter().map(|hit| hit.collection.clone()).collect();
        let numbers = self.numbers(session, &found).await?;
        let hits = numbers
            .into_iter()
            .zip(page.hits)
            .map(|(folder, hit)| FolderHit { folder, item: hit.item })
            .collect();
        Ok((hits, page.total))
    }

    /// The numbers of collections, in their order; only those that have none cost a write.
    pub(crate) async fn numbers(
        &self,
        session: Session<'_>,
        collections: &[CollectionId],
    ) -> Result<Vec<FolderNo>> {
        let user = &session.device.user;
        let known: HashMap<CollectionId, FolderNo> =
            self.store.folders(user).await?.into_iter().map(|(no, id)| (id, no)).collect();
        let numbers = collections.iter().map(|id| known.get(id).copied());
        match numbers.collect() {
            Some(numbers) => Ok(numbers),
            None => Ok(self.store.number_folders(user, collections).await?),
        }
    }
}

/// How many were moved; the first error of one that was not. What is gone meanwhile is none.
fn count_moved(results: Vec<ItemResult<Option<ItemId>>>) -> dme_mailbox::Result<u64> {
    let mut moved = 0;
    for (_, result) in results {
        match result {
            Ok(_) => moved += 1,
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_not_moved_where_one_of_its_mails_stays() {
        let failed = |kind| Err(dme_mailbox::Error::new(kind, "no"));
        let moved = |results: Vec<dme_mailbox::Result<Option<ItemId>>>| {
            count_moved(results.into_iter().map(|result| (ItemId::from("1"), result)).collect())
                .map_err(|error| error.kind)
        };
        assert_eq!(moved(vec![Ok(None), failed(ErrorKind::NotFound)]), Ok(1));
        let refused = moved(vec![Ok(None), failed(ErrorKind::QuotaExceeded), Ok(None)]);
        assert_eq!(refused, Err(ErrorKind::QuotaExceeded));
    }
}
