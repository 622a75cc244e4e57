//! Searching: the messages of the folders in question are read one by one. There is no index of
//! words; a Maildir has none.

use crate::Shared;
use crate::folder::{Folder, item_id};
use crate::home::Home;
use dme_mailbox::{ErrorKind, Hit, Result, SearchPage, SearchQuery};
use dme_model::{CollectionId, Role, Timestamp};
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when nobody waits for the answer any more.
#[derive(Clone, Default)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

/// Sets the mark when dropped.
pub(crate) struct Waiting(Abandoned);

impl Abandoned {
    pub(crate) fn when_dropped(&self) -> Waiting {
        Waiting(self.clone())
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn search(
    shared: &Shared,
    home: &Home,
    query: &SearchQuery,
    abandoned: &Abandoned,
) -> Result<SearchPage> {
    let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
    let in_time = |received: Timestamp| {
        query.since.is_none_or(|since| received >= since)
            && query.before.is_none_or(|before| received < before)
    };
    let mut found = Vec::new();
    for id in places(home, query)? {
        let folder = match home.folder(&shared.folders, &id) {
            // Deleted since the folders were listed.
            Err(error) if error.kind == ErrorKind::NotFound && query.collections.is_empty() => {
                continue;
            }
            folder => folder?,
        };
        for (received, number) in folder.received(in_time)? {
            if abandoned.is_set() {
                return Ok(SearchPage::default());
            }
            if matches(&folder, number, query, &words)? {
                found.push((Reverse((received, number)), id.clone()));
            }
        }
    }
    found.sort();
    let total = found.len() as u64;
    let page = found.into_iter().skip(query.offset as usize).take(query.limit as usize);
    let hits =
        page.map(|(Reverse((_, number)), collection)| Hit { collection, item: item_id(number) });
    Ok(SearchPage { hits: hits.collect(), total })
}

fn places(home: &Home, query: &SearchQuery) -> Result<Vec<CollectionId>> {
    if query.collections.is_empty() {
        let hidden = [Some(Role::Trash), Some(Role::Junk)];
        let shown = home.collections()?.into_iter().filter(|it| !hidden.contains(&it.role));
        return Ok(shown.map(|it| it.id).collect());
    }
    let mut places = Vec::new();
    for id in &query.collections {
        match query.deep {
            true => places.extend(home.subtree(id)?),
            false => places.push(id.clone()),
        }
    }
    places.sort();
    places.dedup();
    Ok(places)
}

fn matches(folder: &Folder, number: u32, query: &SearchQuery, words: &[String]) -> Result<bool> {
    if words.is_empty() && query.conversation.is_none() {
        return Ok(true);
    }
    let message = match folder.read(number) {
        Ok(Some(message)) => message,
        Ok(None) => return Ok(false),
        Err(error) if error.kind == ErrorKind::Unconvertible => return Ok(false),
        Err(error) => return Err(error),
    };
    let in_conversation = query
        .conversation
        .is_none_or(|wanted| dme_mime::conversation_of(&message.raw) == Some(wanted));
    if !in_conversation || words.is_empty() {
        return Ok(in_conversation);
    }
    let text = dme_mime::search_text(&message.raw).to_lowercase();
    Ok(words.iter().all(|word| text.contains(word)))
}
