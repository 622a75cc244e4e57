//! Being told of changes: no server tells by itself, so it is asked at intervals, once for all
//! watches of a user. One question for each home set tells of all collections in it.

use crate::client::Login;
use crate::collections::{Place, Remote};
use crate::error::WireError;
use crate::href::Path;
use crate::mailbox::{DavMailbox, Shared};
use crate::owner::Belongs;
use crate::standing::Tag;
use dme_mailbox::{Account, Error, ErrorKind, Result, WatchEvent};
use dme_model::{Access, Class, CollectionId, UserId, ZoneId};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Events kept for a slow reader; beyond it, it is told that everything may have changed.
const BACKLOG: usize = 256;
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Questions that may fail one after the other before the watch is given up.
const FAILURES: u32 = 3;

/// The watches that stand, by user.
#[derive(Default)]
pub(crate) struct Watches(Mutex<HashMap<UserId, Weak<Hub>>>);

/// What a user's watches share. The questions end with the last of them.
struct Hub {
    user: UserId,
    /// Of those that opened it.
    fingerprint: u64,
    seen: broadcast::Sender<Seen>,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug)]
enum Seen {
    Changed(Path),
    Hierarchy,
    Lost(Error),
}

/// What was seen at the last question: of each collection what its name is, and where it stands.
type Stand = BTreeMap<Path, (Face, Tag)>;
/// What of a collection phones are shown.
type Face = (String, Access, Belongs, Vec<Class>);

impl Drop for Hub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DavMailbox {
    pub(crate) async fn watch_collections(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let fingerprint = self.shared.fingerprint(&self.account.credentials);
        let hub = match self.shared.watches.of(&self.account.user, fingerprint) {
            Some(hub) => hub,
            None => self.new_hub(fingerprint).await?,
        };
        let mut wanted: BTreeMap<Path, BTreeSet<CollectionId>> = BTreeMap::new();
        for id in collections {
            // What does not exist never changes.
            if let Ok(place) = Place::read(id) {
                wanted.entry(place.path).or_default().insert(id.clone());
            }
        }
        let reader = Reader {
            seen: hub.seen.subscribe(),
            _hub: hub,
            wanted,
            waiting: VecDeque::from([Ok(WatchEvent::Ready)]),
            over: false,
        };
        let events = stream::unfold(reader, |mut reader| async move {
            reader.next().await.map(|event| (event, reader))
        });
        Ok(events.boxed())
    }

    async fn new_hub(&self, fingerprint: u64) -> Result<Arc<Hub>> {
        let stand = stand(self.standings().await.map_err(|error| error.told("watch"))?);
        let seen = broadcast::Sender::new(BACKLOG);
        let teller = seen.clone();
        let asker = Asker {
            shared: Arc::downgrade(&self.shared),
            account: self.account.clone(),
            login: self.login.clone(),
        };
        let task = tokio::spawn(async move {
            let error = asker.ask_again_and_again(stand, &teller).await;
            // Nobody may be listening any longer.
            let _ = teller.send(Seen::Lost(error.told("watch")));
        });
        let user = self.account.user.clone();
        let hub = Arc::new(Hub { user, fingerprint, seen, task });
        self.shared.watches.put(&hub);
        Ok(hub)
    }
}

impl Watches {
    /// The user's hub, if it stands and was opened with the same credentials.
    fn of(&self, user: &UserId, fingerprint: u64) -> Option<Arc<Hub>> {
        let hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.get(user)?.upgrade()?;
        (hub.fingerprint == fingerprint && !hub.task.is_finished()).then_some(hub)
    }

    fn put(&self, hub: &Arc<Hub>) {
        let mut hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hubs.len() >= 64 && hubs.len().is_power_of_two() {
            hubs.retain(|_, hub| hub.strong_count() > 0);
        }
        hubs.insert(hub.user.clone(), Arc::downgrade(hub));
    }
}

/// What asks on behalf of a user's watches.
struct Asker {
    shared: Weak<Shared>,
    account: Account,
    login: Login,
}

impl Asker {
    /// Tells what differs from one question to the next, until the server can no longer be asked.
    async fn ask_again_and_again(
        &self,
        mut before: Stand,
        teller: &broadcast::Sender<Seen>,
    ) -> WireError {
        // Spread over the interval, so that a thousand users' questions do not come at once.
        let jitter = RandomState::new();
        let mut failed = 0;
        for round in 0_u64.. {
            let Some(shared) = self.shared.upgrade() else { break };
            let interval = shared.config.poll.0;
            let share = (jitter.hash_one(round) % 1_024) as u32;
            drop(shared);
            tokio::time::sleep(interval * 3 / 4 + interval * share / 2_048).await;
            let Some(shared) = self.shared.upgrade() else { break };
            let mailbox = DavMailbox {
                shared,
                account: self.account.clone(),
                login: self.login.clone(),
                deadline: Instant::now() + PATIENCE,
                // No times are read.
                clock: ZoneId::utc(),
            };
            let now = match mailbox.standings().await {
                Ok(standings) => stand(standings),
                Err(error) => {
                    failed += 1;
                    if failed >= FAILURES || error.status() == Some(401) {
                        return error;
                    }
                    continue;
                }
            };
            failed = 0;
            for seen in differences(&before, &now) {
                // Nobody may be listening at the moment.
                let _ = teller.send(seen);
            }
            before = now;
        }
        Error::new(ErrorKind::Unavailable, "dav: watch: the connector ends").into()
    }
}

fn stand(standings: BTreeMap<Path, (Remote, Tag)>) -> Stand {
    let standings = standings.into_values();
    standings
        .map(|(it, tag)| (it.path, ((it.name, it.access, it.belongs, it.classes), tag)))
        .collect()
}

fn differences(before: &Stand, now: &Stand) -> Vec<Seen> {
    let mut seen = Vec::new();
    let faces = |stand| Stand::iter(stand).map(|(path, (face, _))| (path, face));
    if !faces(before).eq(faces(now)) {
        seen.push(Seen::Hierarchy);
    }
    for path in before.keys().chain(now.keys().filter(|path| !before.contains_key(*path))) {
        let (old, new) = [before, now].map(|stand| stand.get(path).map(|(_, tag)| tag)).into();
        // Where the server tells nothing to go by, only asking for the changes shows.
        let blind = matches!(new, Some(Tag::Marks(ctag)) if ctag.is_empty());
        if old != new || blind {
            seen.push(Seen::Changed(path.clone()));
        }
    }
    seen
}

/// One watch's view of what its hub sees.
struct Reader {
    _hub: Arc<Hub>,
    seen: broadcast::Receiver<Seen>,
    wanted: BTreeMap<Path, BTreeSet<CollectionId>>,
    waiting: VecDeque<Result<WatchEvent>>,
    over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<WatchEvent>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            match self.seen.recv().await {
                Ok(Seen::Changed(path)) => self.changed(&path),
                Ok(Seen::Hierarchy) => self.waiting.push_back(Ok(WatchEvent::Hierarchy)),
                Ok(Seen::Lost(error)) => {
                    self.over = true;
                    self.waiting.push_back(Err(error));
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.waiting.push_back(Ok(WatchEvent::Hierarchy));
                    let all: Vec<Path> = self.wanted.keys().cloned().collect();
                    all.iter().for_each(|path| self.changed(path));
                }
                Err(broadcast::error::RecvError::Closed) => self.over = true,
            }
        }
    }

    fn changed(&mut self, path: &Path) {
        let ids = self.wanted.get(path).into_iter().flatten();
        self.waiting.extend(ids.map(|id| Ok(WatchEvent::Changed(id.clone()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand_of(collections: &[(&str, &str, &str)]) -> Stand {
        let one = |(path, name, tag): &(&str, &str, &str)| {
            let belongs = Belongs::default();
            let face = ((*name).to_owned(), Access::ReadWrite, belongs, vec![Class::Calendar]);
            (Path::new(path).unwrap(), (face, Tag::Marks((*tag).to_owned())))
        };
        collections.iter().map(one).collect()
    }

    fn told(before: &[(&str, &str, &str)], now: &[(&str, &str, &str)]) -> Vec<String> {
        let seen = differences(&stand_of(before), &stand_of(now));
        let words = |seen: &Seen| match seen {
            Seen::Changed(path) => path.to_string(),
            Seen::Hierarchy => "hierarchy".to_owned(),
            Seen::Lost(error) => error.to_string(),
        };
        seen.iter().map(words).collect()
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let a = ("/a/", "A", "1");
        assert!(told(&[a], &[a]).is_empty());
        assert_eq!(told(&[a], &[("/a/", "A", "2")]), ["/a/"]);
        assert_eq!(told(&[a], &[("/a/", "B", "1")]), ["hierarchy"]);
        assert_eq!(told(&[a], &[a, ("/b/", "B", "1")]), ["hierarchy", "/b/"]);
        assert_eq!(told(&[a], &[]), ["hierarchy", "/a/"]);
        assert_eq!(told(&[("/a/", "A", "")], &[("/a/", "A", "")]), ["/a/"], "nothing to go by");
    }
}
