//! Being told of changes: one connection for all watches of a user. With NOTIFY (RFC 5465) the
//! server tells of every folder; without it, IDLE (RFC 2177) covers one, and the others are
//! looked at every now and then.

use crate::error::WireError;
use crate::folders::MAX_FOLDERS;
use crate::mailbox::ImapMailbox;
use crate::pool::Pool;
use crate::session::Session;
use crate::wire::command::Command;
use crate::wire::name;
use crate::wire::response::{Response, StatusOf, Untagged};
use dme_mailbox::{Error, ErrorKind, Result, WatchEvent};
use dme_model::{CollectionId, UserId};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A silent connection is tried after this time. Well below the 29 minutes after which servers
/// may hang up (RFC 2177 §3), so that a dead line is noticed.
const RENEW: Duration = Duration::from_secs(240);
/// How long the server may take to answer when tried.
const PATIENCE: Duration = Duration::from_secs(30);
/// Events kept for a slow reader; beyond it, it is told that everything may have changed.
const BACKLOG: usize = 256;

const NOTIFY: &str = "NOTIFY SET (personal (MailboxName MessageNew MessageExpunge FlagChange))";

/// The watches that stand, by user.
#[derive(Default)]
pub(crate) struct Watches(Mutex<HashMap<UserId, Weak<Hub>>>);

/// What a user's watches share. The connection ends with the last of them.
struct Hub {
    shared: Arc<HubState>,
    user: UserId,
    /// Of those that opened it, as [`Pool::fingerprint`] has it.
    credentials: u64,
    task: JoinHandle<()>,
}

struct HubState {
    /// What was seen, for all watches.
    seen: broadcast::Sender<Seen>,
    /// The folders asked for; a number that grows with each new one.
    wanted: watch::Sender<(u64, BTreeSet<String>)>,
    /// Up to which of those numbers folders are being watched.
    standing: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
enum Seen {
    Changed(String),
    Hierarchy,
    Lost(Error),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ImapMailbox {
    pub(crate) async fn watch_folders(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let wanted: BTreeSet<String> =
            collections.iter().map(|collection| collection.as_str().to_owned()).collect();
        let credentials = self.shared.pool.fingerprint(&self.account.credentials);
        let hub = match self.shared.watches.of(&self.account.user, credentials) {
            Some(hub) => hub,
            None => self.new_hub(credentials).await?,
        };
        let seen = hub.shared.seen.subscribe();
        let number = hub.shared.want(&wanted);
        let mut standing = hub.shared.standing.subscribe();
        let ready = tokio::time::timeout_at(self.deadline, standing.wait_for(|at| *at >= number));
        match ready.await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(lost()),
            Err(_) => return Err(WireError::Timeout.told("watch")),
        }
        let reader = WatchReader {
            _hub: hub,
            seen,
            wanted,
            waiting: VecDeque::from([Ok(WatchEvent::Ready)]),
            over: false,
        };
        Ok(stream::unfold(reader, |mut reader| async move {
            reader.next().await.map(|event| (event, reader))
        })
        .boxed())
    }

    async fn new_hub(&self, credentials: u64) -> Result<Arc<Hub>> {
        let pool = self.shared.pool.clone();
        let mut session = pool
            .connect(&self.account, self.deadline)
            .await
            .map_err(|error| error.told("watch"))?;
        let notify = session.capabilities.has("NOTIFY");
        if notify {
            session.run(NOTIFY, drop).await.map_err(|error| error.told("watch"))?;
        }
        let state = Arc::new(HubState {
            seen: broadcast::Sender::new(BACKLOG),
            wanted: watch::Sender::new((0, BTreeSet::new())),
            standing: watch::Sender::new(0),
        });
        let watched = state.clone();
        let task = tokio::spawn(async move {
            let ended = match notify {
                true => watch_all(session, &watched).await,
                false => watch_some(session, &pool, &watched).await,
            };
            if let Err(error) = ended {
                // Nobody may be listening any longer.
                let _ = watched.seen.send(Seen::Lost(error.told("watch")));
            }
        });
        let user = self.account.user.clone();
        let hub = Arc::new(Hub { shared: state, user, credentials, task });
        self.shared.watches.put(&hub);
        Ok(hub)
    }
}

impl Watches {
    /// The user's hub, if it stands and was opened with the same credentials.
    fn of(&self, user: &UserId, credentials: u64) -> Option<Arc<Hub>> {
        let hub = lock(&self.0).get(user)?.upgrade()?;
        (hub.credentials == credentials && !hub.task.is_finished()).then_some(hub)
    }

    fn put(&self, hub: &Arc<Hub>) {
        let mut hubs = lock(&self.0);
        if hubs.len() >= 64 && hubs.len().is_power_of_two() {
            hubs.retain(|_, hub| hub.strong_count() > 0);
        }
        hubs.insert(hub.user.clone(), Arc::downgrade(hub));
    }
}

impl HubState {
    /// Adds folders; answers the number at which they are watched.
    fn want(&self, names: &BTreeSet<String>) -> u64 {
        let mut number = 0;
        self.wanted.send_if_modified(|(last, known)| {
            let new = !names.is_subset(known) || *last == 0;
            if new {
                known.extend(names.iter().cloned());
                *last += 1;
            }
            number = *last;
            new
        });
        number
    }

    fn tell(&self, seen: Seen) {
        // Nobody may be listening at the moment.
        let _ = self.seen.send(seen);
    }
}

/// One watch's view of what its hub sees.
struct WatchReader {
    _hub: Arc<Hub>,
    seen: broadcast::Receiver<Seen>,
    wanted: BTreeSet<String>,
    waiting: VecDeque<Result<WatchEvent>>,
    over: bool,
}

impl WatchReader {
    async fn next(&mut self) -> Option<Result<WatchEvent>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            match self.seen.recv().await {
                Ok(Seen::Changed(name)) if self.wanted.contains(&name) => {
                    return Some(Ok(WatchEvent::Changed(CollectionId::from(name))));
                }
                Ok(Seen::Changed(_)) => {}
                Ok(Seen::Hierarchy) => return Some(Ok(WatchEvent::Hierarchy)),
                Ok(Seen::Lost(error)) => {
                    self.over = true;
                    return Some(Err(error));
                }
                Err(broadcast::error::RecvError::Closed) => {
                    self.over = true;
                    return Some(Err(lost()));
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let all = self.wanted.iter().map(|name| CollectionId::from(name.as_str()));
                    self.waiting.extend(all.map(|it| Ok(WatchEvent::Changed(it))));
                    self.waiting.push_back(Ok(WatchEvent::Hierarchy));
                }
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "imap: watch: the connection is lost")
}

/// With NOTIFY: reads what the server tells of all folders.
async fn watch_all(mut session: Session, hub: &HubState) -> std::result::Result<(), WireError> {
    let mut wanted = hub.wanted.subscribe();
    session.set_unhurried();
    let mut try_at = Instant::now() + RENEW;
    loop {
        // Every folder is watched from the start.
        let number = wanted.borrow_and_update().0;
        hub.standing.send_replace(number);
        session.rest();
        tokio::select! {
            response = session.next() => {
                if let Response::Untagged(told) = response? {
                    tell(hub, told)?;
                }
            }
            _ = wanted.changed() => {}
            () = tokio::time::sleep_until(try_at) => {
                session.set_deadline(Instant::now() + PATIENCE);
                let mut ended = Ok(());
                session
                    .run("NOOP", |told| {
                        if let Err(error) = tell(hub, told) {
                            ended = Err(error);
                        }
                    })
                    .await?;
                ended?;
                session.set_unhurried();
                try_at = Instant::now() + RENEW;
            }
        }
    }
}

/// Hands on one of the server's notices.
fn tell(hub: &HubState, told: Untagged) -> std::result::Result<(), WireError> {
    match told {
        Untagged::StatusOf(StatusOf { name, .. }) => {
            if let Some(name) = name::decode(&name) {
                let inbox = name.eq_ignore_ascii_case("INBOX");
                hub.tell(Seen::Changed(if inbox { "INBOX".to_owned() } else { name }));
            }
        }
        Untagged::List(_) => hub.tell(Seen::Hierarchy),
        Untagged::Status(status) if status.code.as_deref() == Some("NOTIFICATIONOVERFLOW") => {
            // The server gave up watching (RFC 5465 §5.8).
            return Err(WireError::Closed(": it can no longer watch".to_owned()));
        }
        _ => {}
    }
    Ok(())
}

/// Without NOTIFY: IDLE on the inbox or the first folder asked for, figures of the others.
async fn watch_some(
    mut session: Session,
    pool: &Pool,
    hub: &HubState,
) -> std::result::Result<(), WireError> {
    let mut wanted = hub.wanted.subscribe();
    let idle = session.capabilities.has("IDLE");
    let mut figures: BTreeMap<String, Option<StatusOf>> = BTreeMap::new();
    let mut hierarchy = None;
    loop {
        session.set_deadline(Instant::now() + PATIENCE);
        let (number, names) = wanted.borrow_and_update().clone();
        let first = names.get("INBOX").or_else(|| names.first()).cloned();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        for (name, now) in names.iter().zip(session.status(&asked).await?) {
            let before = figures.insert(name.clone(), now.clone());
            if before.is_some_and(|before| before != now) {
                hub.tell(Seen::Changed(name.clone()));
            }
        }
        let mut folders = BTreeSet::new();
        session
            .run("LIST \"\" \"*\"", |told| {
                if let Untagged::List(listed) = told
                    && folders.len() < MAX_FOLDERS
                {
                    folders.insert(listed.name);
                }
            })
            .await?;
        if hierarchy.replace(folders.clone()).is_some_and(|before| before != folders) {
            hub.tell(Seen::Hierarchy);
        }
        // What happens between the figures and here shows in the next figures.
        if let Some(first) = &first {
            match session.reselect(first).await {
                Ok(_) | Err(WireError::No { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        hub.standing.send_replace(number);

        let poll = tokio::time::sleep(pool.config.poll.0.min(RENEW));
        tokio::pin!(poll);
        if !idle || session.selected.is_none() {
            tokio::select! {
                () = &mut poll => {}
                _ = wanted.changed() => {}
            }
            continue;
        }
        session.send(&[Command::new("IDLE")]).await?;
        session.set_unhurried();
        loop {
            tokio::select! {
                response = session.next() => {
                    match response? {
                        Response::Untagged(
                            Untagged::Exists(_)
                            | Untagged::Expunge
                            | Untagged::Fetch(_)
                            | Untagged::Vanished { .. },
                        ) => {
                            if let Some(first) = &first {
                                hub.tell(Seen::Changed(first.clone()));
                            }
                        }
                        Response::Tagged { .. } => {
                                        return Err(WireError::Closed(": it ended IDLE".to_owned()));
                        }
                        _ => {}
                    }
                }
                () = &mut poll => break,
                _ = wanted.changed() => break,
            }
        }
        session.set_deadline(Instant::now() + PATIENCE);
        session.send_raw("DONE").await?;
        session.finish(drop).await??;
    }
}
