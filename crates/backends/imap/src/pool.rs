//! Sessions, kept per user: bounded, reused, closed when they are no longer needed.

use crate::config::ImapConfig;
use crate::dial::{Dialer, Protocol};
use crate::error::{ConfigError, WireError};
use crate::login::log_in;
use crate::session::Session;
use dme_dial::{Login, opens_until};
use dme_mailbox::{Account, Credentials, Error, ErrorKind};
use dme_model::UserId;
use std::collections::HashMap;
use std::hash::RandomState;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// All sessions to one server.
pub(crate) struct Pool {
    pub(crate) config: ImapConfig,
    dialer: Arc<Dialer>,
    total: Arc<Semaphore>,
    users: Mutex<HashMap<UserId, Arc<Slot>>>,
    /// Keys the hashes by which sessions know whose credentials opened them.
    hasher: RandomState,
    swept: AtomicBool,
}

/// One user's sessions.
struct Slot {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    session: Session,
    /// A keyed hash of the credentials that opened it: nobody gets a session that another
    /// password opened.
    credentials: u64,
    since: Instant,
    permit: OwnedSemaphorePermit,
}

/// A session in use. Dropped clean, it goes back to the pool; otherwise it is closed.
pub(crate) struct Lease {
    session: Option<Session>,
    credentials: u64,
    slot: Arc<Slot>,
    total: Option<OwnedSemaphorePermit>,
    _user: OwnedSemaphorePermit,
}

/// Whether a session must be a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Freshness {
    /// A kept one will do.
    Any,
    /// A kept one has just failed.
    New,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(crate) fn new(config: ImapConfig) -> Result<Self, ConfigError> {
        let dialer = Dialer::new(
            "imap",
            &config.server,
            config.imap_port(),
            Protocol::Imap,
            config.timeouts.connect.0,
        )?;
        Ok(Self {
            dialer: Arc::new(dialer),
            total: Arc::new(Semaphore::new(config.pool.total.min(Semaphore::MAX_PERMITS))),
            users: Mutex::default(),
            hasher: RandomState::new(),
            swept: AtomicBool::new(false),
            config,
        })
    }

    /// Finds the server and connects, without logging in; says how that went.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        self.dialer.reach().await
    }

    /// A session for the user, if possible one on which `mailbox` is selected.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        account: &Account,
        mailbox: Option<&str>,
        freshness: Freshness,
        deadline: Instant,
    ) -> Result<Lease, WireError> {
        self.sweep_from_now_on();
        let slot = self.slot(&account.user);
        let user = timeout_at(deadline, slot.permits.clone().acquire_owned());
        let user = user.await.map_err(|_| WireError::Local(busy("the user's sessions")))?;
        let user = user.map_err(|_| WireError::Local(busy("the user's sessions")))?;
        let credentials = self.fingerprint(&account.credentials);
        let lease = |session, total| Lease {
            session: Some(session),
            credentials,
            slot: slot.clone(),
            total: Some(total),
            _user: user,
        };
        if freshness == Freshness::Any {
            while let Some(mut idle) = slot.take(credentials, mailbox) {
                idle.session.set_deadline(deadline);
                if idle.session.is_alive().await {
                    return Ok(lease(idle.session, idle.permit));
                }
            }
        } else {
            // Where one session was lost, the others most likely are too.
            lock(&slot.idle).clear();
        }
        let total = self.place(deadline).await?;
        let session = self.connect(account, deadline).await?;
        Ok(lease(session, total))
    }

    /// A session apart from all limits, for watching.
    pub(crate) async fn connect(
        &self,
        account: &Account,
        deadline: Instant,
    ) -> Result<Session, WireError> {
        let login =
            Login::new(&self.config.auth, self.config.login, account).map_err(WireError::Local)?;
        let opens = opens_until(deadline, self.config.timeouts.silence.0);
        let connected = async {
            let dialled = self.dialer.dial().await?;
            log_in(dialled, &self.dialer, &login, &self.config, opens).await
        };
        let mut session = timeout_at(opens, connected).await.map_err(|_| WireError::Timeout)??;
        session.set_deadline(deadline);
        Ok(session)
    }

    /// Closes the user's unused sessions that are on one of these mailboxes: their names are to
    /// mean something else.
    pub(crate) fn forget(&self, user: &UserId, concerns: impl Fn(&str) -> bool) {
        if let Some(slot) = lock(&self.users).get(user) {
            lock(&slot.idle).retain(|idle| {
                idle.session.selected.as_ref().is_none_or(|selected| !concerns(&selected.name))
            });
        }
    }

    fn slot(&self, user: &UserId) -> Arc<Slot> {
        let mut users = lock(&self.users);
        let new = || {
            Arc::new(Slot {
                permits: Arc::new(Semaphore::new(
                    self.config.pool.per_user.min(Semaphore::MAX_PERMITS),
                )),
                idle: Mutex::default(),
            })
        };
        users.entry(user.clone()).or_insert_with(new).clone()
    }

    /// A keyed hash that tells credentials apart without keeping them.
    pub(crate) fn fingerprint(&self, credentials: &Credentials) -> u64 {
        credentials.fingerprint(&self.hasher)
    }

    /// Room for one more session, made by closing another user's unused one if need be.
    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, WireError> {
        if let Ok(permit) = self.total.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let slots: Vec<_> = lock(&self.users).values().cloned().collect();
        let oldest = slots
            .iter()
            .filter_map(|slot| Some((lock(&slot.idle).first()?.since, slot)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, slot)) = oldest {
            let mut idle = lock(&slot.idle);
            if !idle.is_empty() {
                idle.remove(0);
            }
        }
        match timeout_at(deadline, self.total.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(WireError::Local(busy("all sessions"))),
        }
    }

    /// Starts, once, what closes sessions that were not used for long.
    fn sweep_from_now_on(self: &Arc<Self>) {
        if self.swept.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::downgrade(self);
        let idle = self.config.pool.idle.0;
        tokio::spawn(async move {
            let pause = (idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(60));
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = pool.upgrade() else { return };
                lock(&pool.users).retain(|_, slot| {
                    let mut kept = lock(&slot.idle);
                    kept.retain(|kept| kept.since.elapsed() < idle);
                    !kept.is_empty() || Arc::strong_count(slot) > 1
                });
            }
        });
    }
}

fn busy(what: &str) -> Error {
    let after = Duration::from_secs(5);
    Error::new(ErrorKind::Busy { after }, format!("imap: {what} are in use"))
}

impl Slot {
    /// The best unused session: one on this mailbox, else the one used last. Sessions opened
    /// with other credentials are closed.
    fn take(&self, credentials: u64, mailbox: Option<&str>) -> Option<Idle> {
        let mut idle = lock(&self.idle);
        idle.retain(|idle| idle.credentials == credentials);
        let on_it = |idle: &Idle| {
            idle.session.selected.as_ref().map(|selected| selected.name.as_str()) == mailbox
        };
        let place = idle.iter().rposition(on_it).or_else(|| idle.len().checked_sub(1))?;
        Some(idle.remove(place))
    }
}

impl Deref for Lease {
    type Target = Session;

    #[expect(clippy::expect_used, reason = "taken only when dropped")]
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a lease has its session until dropped")
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "taken only when dropped")]
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lease has its session until dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(mut session), Some(permit)) = (self.session.take(), self.total.take())
            && session.is_clean()
        {
            session.rest();
            let (credentials, since) = (self.credentials, Instant::now());
            lock(&self.slot.idle).push(Idle { session, credentials, since, permit });
        }
    }
}
