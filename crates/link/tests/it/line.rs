//! A line that can be cut, frozen and counted: a TCP relay between connector and server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Frozen,
    /// How often the line was cut before; connections of an earlier count end.
    Cut,
}

pub struct Line {
    pub address: SocketAddr,
    state: watch::Sender<(State, u64)>,
    pub bytes: Arc<AtomicU64>,
    open: Arc<AtomicUsize>,
    latest: Arc<Mutex<Option<AbortHandle>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Line {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new((State::Open, 0));
        let bytes = Arc::new(AtomicU64::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let latest = Arc::<Mutex<Option<AbortHandle>>>::default();
        let (states, counted) = (state.subscribe(), bytes.clone());
        let (count, newest) = (open.clone(), latest.clone());
        let task = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                if states.borrow().0 == State::Cut {
                    continue;
                }
                let Ok(far) = TcpStream::connect(server).await else { continue };
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = far.into_split();
                let there = pump(near_read, far_write, states.clone(), counted.clone());
                let back = pump(far_read, near_write, states.clone(), counted.clone());
                let counting = Counting::one(&count);
                let pumping = tokio::spawn(async move {
                    let _counting = counting;
                    tokio::join!(there, back);
                });
                *newest.lock().unwrap() = Some(pumping.abort_handle());
            }
        });
        Self { address, state, bytes, open, latest, task }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Ends the connection that was made last, and no other.
    pub fn cut_latest(&self) {
        self.latest.lock().unwrap().take().unwrap().abort();
    }

    /// Ends every connection; new ones are taken again.
    pub fn cut(&self) {
        self.state.send_modify(|(_, cuts)| *cuts += 1);
    }

    /// Ends every connection and takes no new ones until opened.
    pub fn break_down(&self) {
        self.state.send_modify(|(state, cuts)| (*state, *cuts) = (State::Cut, *cuts + 1));
    }

    /// Lets nothing through, and says so to nobody.
    pub fn freeze(&self) {
        self.state.send_modify(|(state, _)| *state = State::Frozen);
    }

    pub fn open(&self) {
        self.state.send_modify(|(state, _)| *state = State::Open);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection among those that are open.
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn one(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut states: watch::Receiver<(State, u64)>,
    counted: Arc<AtomicU64>,
) {
    let cuts = states.borrow().1;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let (state, now) = *states.borrow_and_update();
        if now != cuts {
            return;
        }
        if state == State::Frozen {
            if states.changed().await.is_err() {
                return;
            }
            continue;
        }
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    counted.fetch_add(count as u64, Ordering::Relaxed);
                    if to.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            },
            changed = states.changed() => if changed.is_err() { return },
        }
    }
}
