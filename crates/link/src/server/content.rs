//! The connection for content of a link, which is there when there is content to fetch.
//!
//! Most links carry none for hours, and each connection costs memory, an open file and the bytes of its
//! keepalives. A connector makes it when the server asks, and the server lets go of it when nothing
//! was asked on it for a while. The server may do so at any time: all requests are its own, and what
//! has begun ends first.

use super::half::{Half, Way};
use super::link::Link;
use crate::wire::control::ToConnector;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

/// The way for content over one link.
pub(super) enum Content {
    /// It came with the link, as that of a release before does, and stays as long.
    Standing(Way),
    /// It comes when it is asked for.
    OnDemand(OnDemand),
}

/// A connection that comes when it is asked for.
pub(super) struct OnDemand {
    control: mpsc::Sender<Box<ToConnector>>,
    state: Mutex<State>,
    /// Told whenever the connection comes or will not come any more.
    changed: Notify,
    /// What was asked for and has not come is asked for again after this long.
    patience: Duration,
}

struct State {
    stands: Stands,
    /// When it was asked for, where it has not come yet.
    asked: Option<Instant>,
    /// When somebody last wanted it.
    used: Instant,
    /// The connector goes away.
    goes: bool,
}

enum Stands {
    No,
    Here(Way),
    /// The connector goes away and makes none any more.
    Over,
}

impl OnDemand {
    /// None yet.
    pub fn new(control: mpsc::Sender<Box<ToConnector>>, patience: Duration) -> Self {
        let used = Instant::now();
        let state = State { stands: Stands::No, asked: None, used, goes: false };
        Self { control, state: Mutex::new(state), changed: Notify::new(), patience }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way, as soon as there is one; none where there will not be one any more.
    pub async fn way(&self) -> Option<Way> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.state();
                state.used = Instant::now();
                match &state.stands {
                    Stands::Here(way) => return Some(way.clone()),
                    Stands::Over => return None,
                    Stands::No => self.ask(&mut state),
                }
            }
            // Whoever asks may be the only one to notice that nothing came of it.
            let _ = tokio::time::timeout(self.patience, changed).await;
        }
    }

    /// Has it made for somebody who is likely to want it soon.
    pub fn wanted_soon(&self) {
        let mut state = self.state();
        if matches!(state.stands, Stands::No) {
            self.ask(&mut state);
        }
    }

    fn ask(&self, state: &mut State) {
        if state.asked.is_some_and(|asked| asked.elapsed() < self.patience) {
            return;
        }
        match self.control.try_send(Box::new(ToConnector::Bulk {})) {
            Ok(()) => state.asked = Some(Instant::now()),
            Err(error) => debug!(%error, "no connection for content was asked for"),
        }
    }

    /// Keeps a connection that was asked for, until it ends.
    pub async fn carry(&self, link: &Link, half: Box<Half>) {
        let Half { way, socket, mut driver, .. } = *half;
        if !self.arrived(way) {
            return warn!(connector = link.name, "a connection for content that nobody asked for");
        }
        let rest = link.hello.keepalive().0.saturating_mul(link.gate.limits().content_keepalives);
        link.sockets().extend(socket);
        let mut is_given = true;
        let ended = loop {
            tokio::select! {
                ended = &mut driver => break ended,
                () = link.closed.cancelled() => return,
                () = self.rested(rest), if is_given => match link.gate.outstanding() {
                    0 => {
                        self.let_go();
                        is_given = false;
                    }
                    _ => self.state().used = Instant::now(),
                },
            }
        };
        link.sockets().retain(|one| Some(*one) != socket);
        match ended {
            // We let go of it.
            _ if !is_given => {}
            Err(reason) if !link.is_draining() => link.give_up(reason),
            // The connector drains, or something on the way hung up: then it is asked for anew.
            _ => self.gone(),
        }
    }

    /// It has come. Answers whether it was asked for: one that was not is nobody's.
    fn arrived(&self, way: Way) -> bool {
        let mut state = self.state();
        let due = matches!(state.stands, Stands::No) && state.asked.take().is_some();
        if due {
            state.stands = Stands::Here(way);
            state.used = Instant::now();
            self.changed.notify_waiters();
        }
        due
    }

    /// Waits until nobody wanted it for so long.
    async fn rested(&self, so_long: Duration) {
        loop {
            let due = self.state().used + so_long;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Gives it to nobody any more: it ends after what runs on it, and is asked for anew when it is
    /// wanted.
    fn let_go(&self) {
        let mut state = self.state();
        if matches!(state.stands, Stands::Here(_)) {
            state.stands = Stands::No;
        }
    }

    /// It has ended.
    fn gone(&self) {
        let mut state = self.state();
        state.stands = if state.goes { Stands::Over } else { Stands::No };
        self.changed.notify_waiters();
    }

    /// The connector goes away: where there is none now, none will come. One that is there ends by
    /// itself.
    pub fn connector_goes(&self) {
        let mut state = self.state();
        state.goes = true;
        if matches!(state.stands, Stands::No) {
            state.stands = Stands::Over;
            self.changed.notify_waiters();
        }
    }

    /// Waits until the connection has ended, where there is one.
    pub async fn ended(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if !matches!(self.state().stands, Stands::Here(_)) {
                return;
            }
            changed.await;
        }
    }
}
