//! Finding items.

use dme_model::{CollectionId, ConversationId, ItemId, Timestamp};
use serde::{Deserialize, Serialize};

/// What to look for; all that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    /// Only here; empty means everywhere but Trash and Junk.
    pub collections: Vec<CollectionId>,
    /// With `collections`: in the collections within them too.
    pub deep: bool,
    /// Words that must stand in the headers or the text, in any order.
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// Where.
    pub collection: CollectionId,
    /// Which.
    pub item: ItemId,
}

/// A page of what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SearchPage {
    /// The page's hits, newest first.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total: u64,
}
