//! What is in a folder, and what changed since a token: one round trip where nothing did.

use crate::date;
use crate::error::WireError;
use crate::mailbox::{ImapMailbox, item, local, on_session};
use crate::marks;
use crate::session::{Memory, Session, same_mailbox};
use crate::token::{Marked, Token, compare};
use crate::wire::command::Command;
use crate::wire::name;
use crate::wire::response::{StatusOf, Untagged};
use dme_mailbox::{ChangeToken, Changes, ErrorKind, ItemFilter, ItemState, Listing, Result};
use dme_model::{CollectionId, Flags, ItemSet, Timestamp};
use std::collections::BTreeMap;

/// What may be told, in bytes, where every message of a folder may be told of: a million with
/// their dates and some flags fit.
const WHOLE_FOLDER: usize = 256 << 20;
/// What may be told of one message without its content.
pub(crate) const FIGURES: usize = 8 << 10;

impl ImapMailbox {
    pub(crate) async fn list_items(
        &self,
        collection: &CollectionId,
        filter: &ItemFilter,
    ) -> Result<Listing> {
        let name = collection.as_str();
        on_session!(self, Some(name), "list a folder", |session| {
            let Some(status) = one_status(session, name).await? else {
                no_select(session, name).await?;
                return Ok(Listing { items: ItemSet::new(), token: Token::NoSelect.write() });
            };
            // The token is older than the list: what happens between is told as a change.
            let token = match Token::of(session.memory, &status) {
                Some(token) => token,
                None => Token::snapshot(&status, &snapshot(session, name, &status).await?),
            };
            let selected = session.select(name).await?;
            if Some(selected.uid_validity) != status.uid_validity {
                session.reselect(name).await?;
            }
            let mut items = match filter.since {
                None => search(session, "ALL").await?,
                Some(since) => search_since(session, since).await?,
            };
            if token.is_of_unused_folder() {
                // The first messages came just now. They are told as changes: who has this token
                // holds nothing.
                items = ItemSet::new();
            }
            Ok(Listing { items, token: token.write() })
        })
    }

    pub(crate) async fn changes_since(
        &self,
        collection: &CollectionId,
        since: &ChangeToken,
    ) -> Result<Changes> {
        let name = collection.as_str();
        let token = Token::read(since)
            .ok_or_else(|| invalid("the change token is not one of this release").told(""))?;
        on_session!(self, Some(name), "ask for changes", |session| {
            let unchanged = || Changes {
                upserted: Vec::new(),
                removed: ItemSet::new(),
                present: None,
                token: since.clone(),
            };
            let Some(status) = one_status(session, name).await? else {
                no_select(session, name).await?;
                return match token {
                    Token::NoSelect => Ok(unchanged()),
                    _ => Err(invalid("the folder holds no messages any longer")),
                };
            };
            if token.validity() != status.uid_validity {
                if !token.is_of_unused_folder() {
                    return Err(invalid("the folder was made anew"));
                }
                // Dovecot gives some folders their lasting UIDVALIDITY with the first message.
                // Nobody holds an item that could be taken for another.
                let (upserted, token) = everything(session, name, &status).await?;
                return Ok(Changes { upserted, removed: ItemSet::new(), present: None, token });
            }
            let now = Token::of(session.memory, &status);
            if now.as_ref() == Some(&token) {
                return Ok(unchanged());
            }
            match (&token, now) {
                (Token::Qresync { next, modseq, .. }, Some(now @ Token::Qresync { .. })) => {
                    remembered(session, name, &status, *next, *modseq, now).await
                }
                (
                    Token::Condstore { next, modseq, messages, .. },
                    Some(now @ Token::Condstore { .. }),
                ) => {
                    let mut changes =
                        remembered(session, name, &status, *next, *modseq, now).await?;
                    forgotten(session, *next, *messages, &mut changes).await?;
                    Ok(changes)
                }
                (Token::Snapshot { next, chunks, .. }, None) => {
                    let all = snapshot(session, name, &status).await?;
                    let now = Token::snapshot(&status, &all);
                    if now == token {
                        return Ok(unchanged());
                    }
                    let (upserted, suspect) = compare(chunks, *next, &all);
                    let mut removed = ItemSet::new();
                    for (first, last) in suspect {
                        removed.insert_run(first, last);
                    }
                    let removed = removed.difference(&uids(all.iter().map(|(uid, _)| *uid)));
                    let upserted = states(session, &uids(upserted.into_iter())).await?;
                    let upserted = told(upserted).collect();
                    Ok(Changes { upserted, removed, present: None, token: now.write() })
                }
                _ => Err(invalid("the server remembers changes in another way than before")),
            }
        })
    }

    pub(crate) async fn changed_folders(
        &self,
        since: &[(CollectionId, ChangeToken)],
    ) -> Result<Vec<CollectionId>> {
        if since.is_empty() {
            return Ok(Vec::new());
        }
        on_session!(self, None, "look for changes", |session| {
            let names: Vec<_> = since.iter().map(|(collection, _)| collection.as_str()).collect();
            let statuses = session.status(&names).await?;
            let mut changed = Vec::new();
            for ((collection, text), status) in since.iter().zip(statuses) {
                let same = match (Token::read(text), status) {
                    (Some(token), Some(status)) => match &token {
                        Token::Snapshot { validity, next, messages, unseen, .. } => {
                            // Flags do not show in figures: where those agree, look closely.
                            let figures = [*validity, *next, *messages, *unseen].map(Some)
                                == [
                                    status.uid_validity,
                                    status.uid_next,
                                    status.messages,
                                    status.unseen,
                                ];
                            figures && {
                                let all = snapshot(session, collection.as_str(), &status).await?;
                                Token::snapshot(&status, &all) == token
                            }
                        }
                        token => Token::of(session.memory, &status).as_ref() == Some(token),
                    },
                    (Some(Token::NoSelect), None) => {
                        no_select(session, collection.as_str()).await.is_ok()
                    }
                    _ => false,
                };
                if !same {
                    changed.push(collection.clone());
                }
            }
            Ok(changed)
        })
    }
}

/// All that is in a folder, and the token from before it was looked at.
async fn everything(
    session: &mut Session,
    name: &str,
    status: &StatusOf,
) -> Result<(Vec<ItemState>, ChangeToken), WireError> {
    let token = match Token::of(session.memory, status) {
        Some(token) => token,
        None => Token::snapshot(status, &snapshot(session, name, status).await?),
    };
    select_same(session, name, status).await?;
    let there = search(session, "ALL").await?;
    Ok((told(states(session, &there).await?).collect(), token.write()))
}

fn invalid(why: &str) -> WireError {
    local(ErrorKind::InvalidToken, why)
}

async fn one_status(session: &mut Session, name: &str) -> Result<Option<StatusOf>, WireError> {
    Ok(session.status(&[name]).await?.into_iter().next().flatten())
}

/// An error unless the name is there and cannot hold messages.
async fn no_select(session: &mut Session, name: &str) -> Result<(), WireError> {
    let mut found = false;
    let command = Command::new("LIST \"\"").string(&name::encode(name));
    session
        .run(command, |told| {
            if let Untagged::List(listed) = told {
                found |= same_mailbox(&listed.name, name)
                    && listed.attributes.iter().any(|attribute| attribute == "\\noselect");
            }
        })
        .await?;
    if found { Ok(()) } else { Err(local(ErrorKind::NotFound, "there is no such folder")) }
}

/// Selects the folder and makes sure that it is the one the token speaks of.
async fn select_same(
    session: &mut Session,
    name: &str,
    status: &StatusOf,
) -> Result<(), WireError> {
    let selected = session.select(name).await?;
    if Some(selected.uid_validity) == status.uid_validity {
        return Ok(());
    }
    let selected = session.reselect(name).await?;
    if Some(selected.uid_validity) == status.uid_validity {
        return Ok(());
    }
    Err(invalid("the folder was made anew"))
}

/// What the server remembers to have changed (RFC 7162 §3.1.4, §3.2.6).
async fn remembered(
    session: &mut Session,
    name: &str,
    status: &StatusOf,
    next: u32,
    modseq: u64,
    now: Token,
) -> Result<Changes, WireError> {
    let (now_next, now_modseq) = match &now {
        Token::Qresync { next, modseq, .. } | Token::Condstore { next, modseq, .. } => {
            (*next, *modseq)
        }
        _ => (next, modseq),
    };
    if now_modseq < modseq || now_next < next {
        return Err(invalid("the server forgot changes it had told of"));
    }
    select_same(session, name, status).await?;
    let vanished = if session.memory == Memory::Qresync { " VANISHED" } else { "" };
    let command =
        format!("UID FETCH 1:* (UID FLAGS INTERNALDATE) (CHANGEDSINCE {modseq}{vanished})");
    let mut states: BTreeMap<u32, (Timestamp, Flags)> = BTreeMap::new();
    let mut removed = ItemSet::new();
    session
        .run(Command::new(command).allowing(WHOLE_FOLDER), |told| match told {
            Untagged::Fetch(fetch) => {
                let (Some(uid), Some(flags)) = (fetch.uid, fetch.flags) else { return };
                let flags = marks::read(&flags);
                match (states.get_mut(&uid), fetch.date) {
                    (Some((_, known)), _) => *known = flags,
                    (None, Some(received)) => {
                        states.insert(uid, (received, flags));
                    }
                    // Told unasked and later than the token: it will be told again.
                    (None, None) => {}
                }
            }
            Untagged::Vanished { uids, .. } => removed.extend_from(&uids),
            _ => {}
        })
        .await?;
    let upserted = told(states).filter(|state| !removed.contains(&state.id)).collect();
    Ok(Changes { upserted, removed, present: None, token: now.write() })
}

/// What went, where the server does not remember it: all that is not there. Nothing did where as
/// many old messages are there as were.
async fn forgotten(
    session: &mut Session,
    next: u32,
    messages: u32,
    changes: &mut Changes,
) -> Result<(), WireError> {
    let there = search(session, "ALL").await?;
    let mut old = ItemSet::new();
    old.insert_run(1, next.saturating_sub(1));
    let still_there = old.intersection(&there);
    if still_there.len() != usize::try_from(messages).unwrap_or(usize::MAX) {
        changes.removed = old.difference(&there);
    }
    changes.upserted.retain(|state| there.contains(&state.id));
    Ok(())
}

pub(crate) fn uids(uids: impl Iterator<Item = u32>) -> ItemSet {
    let mut set = ItemSet::new();
    for uid in uids {
        set.insert_run(uid, uid);
    }
    set
}

/// The UIDs that meet a criterion.
pub(crate) async fn search(session: &mut Session, criterion: &str) -> Result<ItemSet, WireError> {
    search_with(session, Command::new(criterion)).await
}

/// The UIDs that meet criteria with strings in them.
pub(crate) async fn search_with(
    session: &mut Session,
    criteria: Command,
) -> Result<ItemSet, WireError> {
    let begin = match session.capabilities.has("ESEARCH") {
        true => "UID SEARCH RETURN (ALL) ",
        false => "UID SEARCH ",
    };
    let mut command = Command::new(begin);
    for piece in criteria.pieces {
        match piece {
            crate::wire::command::Piece::Text(text) => command = command.text(&text),
            literal => command.pieces.push(literal),
        }
    }
    let mut found = ItemSet::new();
    session
        .run(command.allowing(WHOLE_FOLDER), |told| match told {
            Untagged::Esearch(uids) => found.extend_from(&uids),
            Untagged::Search(list) => found.extend_from(&uids(list.into_iter())),
            _ => {}
        })
        .await?;
    Ok(found)
}

/// What arrived at or after the begin of a moment's day in UTC. The server reckons days in a zone
/// of its own, at most a day away: the days around the border are looked at by the second.
async fn search_since(session: &mut Session, since: Timestamp) -> Result<ItemSet, WireError> {
    let day = since.as_days();
    let sure = format!("SINCE {}", date::write_day(day + 2));
    let doubtful =
        format!("SINCE {} BEFORE {}", date::write_day(day - 1), date::write_day(day + 2));
    let mut found = search(session, &sure).await?;
    let doubtful = search(session, &doubtful).await?;
    for (uid, received) in dates(session, &doubtful).await? {
        if received.as_days() >= day {
            found.insert_run(uid, uid);
        }
    }
    Ok(found)
}

/// When each of these messages arrived.
pub(crate) async fn dates(
    session: &mut Session,
    items: &ItemSet,
) -> Result<Vec<(u32, Timestamp)>, WireError> {
    let states = states(session, items).await?;
    Ok(states.into_iter().map(|(uid, (received, _))| (uid, received)).collect())
}

/// The state of these messages, ascending.
async fn states(
    session: &mut Session,
    items: &ItemSet,
) -> Result<BTreeMap<u32, (Timestamp, Flags)>, WireError> {
    let mut states: BTreeMap<u32, (Timestamp, Flags)> = BTreeMap::new();
    for set in sequences(items) {
        let command = format!("UID FETCH {set} (UID FLAGS INTERNALDATE)");
        session
            .run(Command::new(command).allowing(WHOLE_FOLDER), |told| {
                if let Untagged::Fetch(fetch) = told
                    && let (Some(uid), Some(flags), Some(received)) =
                        (fetch.uid, &fetch.flags, fetch.date)
                    && items.contains_number(uid)
                {
                    let flags = marks::read(flags);
                    states.insert(uid, (received, flags));
                }
            })
            .await?;
    }
    Ok(states)
}

fn told(states: BTreeMap<u32, (Timestamp, Flags)>) -> impl Iterator<Item = ItemState> {
    let told = |(uid, (received, flags))| ItemState::mail(item(uid), received, flags);
    states.into_iter().map(told)
}

/// A set as sequence sets that are short enough for a command line (RFC 7162 §4).
pub(crate) fn sequences(items: &ItemSet) -> Vec<String> {
    let mut all = Vec::new();
    let mut part = ItemSet::new();
    let mut runs = 0;
    for (first, last) in items.runs() {
        part.insert_run(first, last);
        runs += 1;
        if runs == 300 {
            all.push(part.to_sequence());
            part = ItemSet::new();
            runs = 0;
        }
    }
    if runs > 0 {
        all.push(part.to_sequence());
    }
    all
}

/// All messages with their flags, ascending.
async fn snapshot(
    session: &mut Session,
    name: &str,
    status: &StatusOf,
) -> Result<Vec<Marked>, WireError> {
    select_same(session, name, status).await?;
    if status.messages == Some(0) {
        return Ok(Vec::new());
    }
    let mut all: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    session
        .run(Command::new("UID FETCH 1:* (UID FLAGS)").allowing(WHOLE_FOLDER), |told| {
            if let Untagged::Fetch(fetch) = told
                && let (Some(uid), Some(flags)) = (fetch.uid, fetch.flags)
            {
                all.insert(uid, flags);
            }
        })
        .await?;
    Ok(all.into_iter().collect())
}
