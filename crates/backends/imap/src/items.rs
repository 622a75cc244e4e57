//! Marks, moves and deletions (RFC 9051 §6.4, RFC 6851, RFC 4315).

use crate::changes::{search, sequences, uids};
use crate::error::{WireError, kind_of_no};
use crate::mailbox::{ImapMailbox, item, local, on_session, uid};
use crate::marks::Stores;
use crate::session::{Selected, Session};
use crate::wire::command::Command;
use crate::wire::response::{Status, Untagged};
use dme_mailbox::{Error, ErrorKind, ItemResult, Result};
use dme_model::{CollectionId, FlagPatch, ItemId, ItemSet};
use std::collections::{BTreeMap, HashMap};

impl ImapMailbox {
    pub(crate) async fn store_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        let name = collection.as_str();
        on_session!(self, Some(name), "set flags", |session| {
            let selected = session.select(name).await?;
            writable(&selected)?;
            let mut current = HashMap::new();
            let asked = uids(patches.iter().filter_map(|(item, _)| uid(item)));
            for set in sequences(&asked) {
                session
                    .run(format!("UID FETCH {set} (UID FLAGS)"), |told| {
                        if let Untagged::Fetch(fetch) = told
                            && let (Some(uid), Some(flags)) = (fetch.uid, fetch.flags)
                            && asked.contains_number(uid)
                        {
                            current.insert(uid, flags);
                        }
                    })
                    .await?;
            }
            // Messages with the same flags to set or to take away share a command.
            let mut steps: BTreeMap<(bool, Vec<String>), ItemSet> = BTreeMap::new();
            let mut results: Vec<ItemResult> = Vec::with_capacity(patches.len());
            for (id, patch) in patches {
                let Some((uid, flags)) = uid(id).and_then(|uid| Some((uid, current.get(&uid)?)))
                else {
                    results.push((id.clone(), Err(gone())));
                    continue;
                };
                let mut stores = Stores::new(patch, flags);
                if stores.needs_keywords() && !selected.keywords {
                    // Where there are no keywords, the system's own marks still hold.
                    stores.add.retain(|flag| flag.starts_with('\\'));
                    let lost = patch.categories.as_ref().is_some_and(|wanted| !wanted.is_empty());
                    if lost {
                        let error = "imap: this mail system keeps no categories";
                        let error = Error::new(ErrorKind::Unsupported, error);
                        results.push((id.clone(), Err(error)));
                        continue;
                    }
                }
                for (add, flags) in [(true, stores.add), (false, stores.remove)] {
                    if !flags.is_empty() {
                        steps.entry((add, flags)).or_default().insert_run(uid, uid);
                    }
                }
                results.push((id.clone(), Ok(())));
            }
            let mut commands = Vec::new();
            let mut concerned = Vec::new();
            for ((add, flags), items) in &steps {
                for set in sequences(items) {
                    let sign = if *add { '+' } else { '-' };
                    let flags = flags.join(" ");
                    commands.push(Command::new(format!(
                        "UID STORE {set} {sign}FLAGS.SILENT ({flags})"
                    )));
                    concerned.push(items);
                }
            }
            let outcomes = session.run_all(commands, drop).await?;
            for (items, outcome) in concerned.into_iter().zip(outcomes) {
                let error = match outcome {
                    Ok(_) => continue,
                    Err(error) => error.told("set flags"),
                };
                for (id, result) in results.iter_mut().filter(|(id, _)| items.contains(id)) {
                    if result.is_ok() {
                        *result = Err(Error::new(error.kind.clone(), format!("{id}: {error}")));
                    }
                }
            }
            Ok(results)
        })
    }

    pub(crate) async fn move_messages(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        let (from, to) = (from.as_str(), to.as_str());
        // Not repeated by itself: after a lost answer nobody knows the new ids.
        let mut lease = self.lease_for_write(Some(from), "move").await?;
        let session = &mut *lease;
        let moved = async {
            let selected = session.select(from).await?;
            writable(&selected)?;
            let asked = uids(items.iter().filter_map(uid));
            let mut there = ItemSet::new();
            for set in sequences(&asked) {
                there.extend_from(&search(session, &format!("UID {set}")).await?);
            }
            let mut new_ids = HashMap::new();
            if from != to {
                for set in sequences(&there) {
                    relocate(session, &set, to, &mut new_ids).await?;
                }
            }
            Ok((there, new_ids))
        };
        let (there, new_ids) = moved.await.map_err(|error: WireError| error.told("move"))?;
        let result = |id: &ItemId| match uid(id).filter(|_| there.contains(id)) {
            None => Err(gone()),
            Some(_) if from == to => Ok(Some(id.clone())),
            Some(uid) => Ok(new_ids.get(&uid).copied().map(item)),
        };
        Ok(items.iter().map(|id| (id.clone(), result(id))).collect())
    }

    pub(crate) async fn delete_messages(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
    ) -> Result<()> {
        let name = collection.as_str();
        on_session!(self, Some(name), "delete", |session| {
            let selected = session.select(name).await?;
            writable(&selected)?;
            expunge(session, &uids(items.iter().filter_map(uid))).await
        })
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "imap: no such message")
}

pub(crate) fn writable(selected: &Selected) -> Result<(), WireError> {
    match selected.read_only {
        false => Ok(()),
        true => Err(local(ErrorKind::Forbidden, "the folder is read-only")),
    }
}

/// Moves messages and notes their new UIDs.
async fn relocate(
    session: &mut Session,
    set: &str,
    to: &str,
    new_ids: &mut HashMap<u32, u32>,
) -> Result<(), WireError> {
    let moves = session.capabilities.has("MOVE");
    let verb = if moves { "UID MOVE" } else { "UID COPY" };
    let mut told_early = None;
    let status = session
        .run(Command::new(format!("{verb} {set}")).mailbox(to), |told| {
            // MOVE tells before the end (RFC 6851 §4.3).
            if let Untagged::Status(status) = told {
                told_early = copied(&status).or(told_early.take());
            }
        })
        .await;
    let status = match status {
        Err(WireError::No { code, text })
            if kind_of_no(code.as_deref(), &text) == ErrorKind::NotFound =>
        {
            return Err(local(ErrorKind::NotFound, "there is no such folder to move to"));
        }
        status => status?,
    };
    if let Some(pairs) = copied(&status).or(told_early) {
        new_ids.extend(pairs);
    }
    if !moves {
        expunge(session, &ItemSet::from_sequence(set).unwrap_or_default()).await?;
    }
    Ok(())
}

/// Old and new UIDs of a `COPYUID` (RFC 4315 §3).
fn copied(status: &Status) -> Option<Vec<(u32, u32)>> {
    let mut words = status.argument("COPYUID")?.split(' ').skip(1);
    let (old, new) = (expand(words.next()?)?, expand(words.next()?)?);
    (old.len() == new.len()).then(|| old.into_iter().zip(new).collect())
}

/// The numbers of a sequence set in the order written; none where they are too many to be true.
fn expand(set: &str) -> Option<Vec<u32>> {
    const MOST: u32 = 1_000_000;
    let mut all = Vec::new();
    for run in set.split(',') {
        let (a, b) = run.split_once(':').unwrap_or((run, run));
        let (a, b): (u32, u32) = (a.parse().ok()?, b.parse().ok()?);
        if a.abs_diff(b) > MOST || all.len() > MOST as usize {
            return None;
        }
        if a <= b {
            all.extend(a..=b);
        } else {
            all.extend((b..=a).rev());
        }
    }
    Some(all)
}

/// Deletes these messages for good, and no others.
pub(crate) async fn expunge(session: &mut Session, items: &ItemSet) -> Result<(), WireError> {
    let uidplus = session.capabilities.has("UIDPLUS");
    for set in sequences(items) {
        let store = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        if uidplus {
            session.run(store, drop).await?;
            session.run(format!("UID EXPUNGE {set}"), drop).await?;
            continue;
        }
        // EXPUNGE takes all that are marked: what others marked is unmarked for the moment.
        let others = search(session, &format!("DELETED NOT UID {set}")).await?;
        let others = sequences(&others);
        for others in &others {
            session.run(format!("UID STORE {others} -FLAGS.SILENT (\\Deleted)"), drop).await?;
        }
        session.run(store, drop).await?;
        session.run("EXPUNGE", drop).await?;
        for others in &others {
            session.run(format!("UID STORE {others} +FLAGS.SILENT (\\Deleted)"), drop).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::response::StatusKind;

    #[test]
    fn new_ids_are_paired_in_the_order_told() {
        let status = |code: &str| Status {
            kind: StatusKind::Ok,
            code: Some(code.to_owned()),
            text: String::new(),
        };
        let pairs = copied(&status("COPYUID 7 3:5,9 10:12,1"));
        assert_eq!(pairs, Some(vec![(3, 10), (4, 11), (5, 12), (9, 1)]));
        assert_eq!(copied(&status("COPYUID 7 3:5 1:2")), None);
        assert_eq!(copied(&status("COPYUID 7 1:4294967295 1:4294967295")), None);
    }
}
