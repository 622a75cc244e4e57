//! Finding messages (RFC 9051 §6.4.4), newest first, across folders.

use crate::changes::{dates, search_with, sequences};
use crate::date;
use crate::error::WireError;
use crate::mailbox::{ImapMailbox, item, on_session};
use crate::session::Session;
use crate::wire::command::Command;
use crate::wire::response::Untagged;
use dme_mailbox::{ErrorKind, Hit, Result, SearchPage, SearchQuery};
use dme_model::{CollectionId, ConversationId, ItemSet, Role, Timestamp};

/// Of one folder, at most so many of the newest hits are looked at.
const MAX_HITS: usize = 20_000;

/// What may be told, in bytes, where some hundred runs of messages are asked for what tells their
/// conversation; none of it is kept.
const HEADS: usize = 256 << 20;

impl ImapMailbox {
    pub(crate) async fn find(&self, query: &SearchQuery) -> Result<SearchPage> {
        let mut hits: Vec<(Timestamp, u32, CollectionId)> = Vec::new();
        for collection in self.searched(query).await? {
            let name = collection.as_str();
            let found = on_session!(self, Some(name), "search", |session| {
                session.select(name).await?;
                search_one(session, query).await
            });
            match found {
                Ok(found) => hits.extend(
                    found.into_iter().map(|(uid, received)| (received, uid, collection.clone())),
                ),
                // Deleted meanwhile by someone else; unless it was what was asked for.
                Err(error) if error.kind == ErrorKind::NotFound && query.collections.is_empty() => {
                }
                Err(error) => return Err(error),
            }
        }
        hits.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.cmp(&b.2)));
        let total = hits.len() as u64;
        let page = hits.into_iter().skip(query.offset as usize).take(query.limit as usize);
        let hits = page.map(|(_, uid, collection)| Hit { collection, item: item(uid) }).collect();
        Ok(SearchPage { hits, total })
    }

    /// The folders a query is about.
    async fn searched(&self, query: &SearchQuery) -> Result<Vec<CollectionId>> {
        if !query.collections.is_empty() && !query.deep {
            return Ok(query.collections.clone());
        }
        let folders = self.folders().await?;
        let mut wanted: Vec<CollectionId> = Vec::new();
        for folder in folders {
            let it = folder.collection;
            let within = it.parent.as_ref().is_some_and(|parent| wanted.contains(parent));
            let asked = match query.collections.is_empty() {
                true => !matches!(it.role, Some(Role::Trash | Role::Junk)),
                false => query.collections.contains(&it.id) || within,
            };
            if asked && folder.selectable {
                wanted.push(it.id);
            }
        }
        Ok(wanted)
    }
}

/// The hits in the selected folder with the time each arrived.
async fn search_one(
    session: &mut Session,
    query: &SearchQuery,
) -> Result<Vec<(u32, Timestamp)>, WireError> {
    let mut found = search_with(session, criteria(query)).await?;
    let surplus = found.len().saturating_sub(MAX_HITS);
    if surplus > 0 {
        found = found.iter().skip(surplus).collect();
    }
    if let Some(conversation) = query.conversation {
        found = in_conversation(session, &found, conversation).await?;
    }
    let mut hits = dates(session, &found).await?;
    hits.retain(|(_, received)| {
        query.since.is_none_or(|since| *received >= since)
            && query.before.is_none_or(|before| *received < before)
    });
    Ok(hits)
}

/// The query as IMAP asks it. Days are widened by one on either side, because the server reckons
/// them in its own zone; the hits are then looked at by the second.
fn criteria(query: &SearchQuery) -> Command {
    let ascii = query.words.iter().all(|word| word.is_ascii());
    let mut command = Command::new(if ascii { "ALL" } else { "CHARSET UTF-8 ALL" });
    if let Some(since) = query.since {
        command = command.text(&format!(" SINCE {}", date::write_day(since.as_days() - 1)));
    }
    if let Some(before) = query.before {
        command = command.text(&format!(" BEFORE {}", date::write_day(before.as_days() + 2)));
    }
    for word in &query.words {
        command = command.text(" TEXT").string(word);
    }
    command
}

/// Those of the messages that belong to a conversation, by their headers.
async fn in_conversation(
    session: &mut Session,
    among: &ItemSet,
    conversation: ConversationId,
) -> Result<ItemSet, WireError> {
    const HEADERS: &str = "BODY.PEEK[HEADER.FIELDS (References In-Reply-To Message-ID Subject)]";
    let mut found = ItemSet::new();
    for set in sequences(among) {
        session
            .run(Command::new(format!("UID FETCH {set} (UID {HEADERS})")).allowing(HEADS), |told| {
                if let Untagged::Fetch(fetch) = told
                    && let (Some(uid), Some((_, header))) = (fetch.uid, fetch.bodies.first())
                    && dme_mime::conversation_of(header) == Some(conversation)
                {
                    found.insert_run(uid, uid);
                }
            })
            .await?;
    }
    Ok(found)
}
