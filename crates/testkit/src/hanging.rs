//! A way to a mail server on which some users' connections can be made to hang, or all of them:
//! nothing is lost and nothing is closed, it just does not go on. Or it lets nobody through any more.

use anyhow::Context;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The way, for connections without TLS. It is there until the test's process ends.
#[derive(Clone, Debug)]
pub struct Hanging {
    /// Who connects here reaches the server.
    pub port: u16,
    hung: Arc<Hung>,
}

/// The words by which connections are known that hang now.
#[derive(Debug, Default)]
struct Hung {
    marks: Mutex<BTreeSet<String>>,
    changed: Condvar,
    turns_away: AtomicBool,
}

/// What the client of one connection has said so far, as long as that tells whose it is.
const WHOSE: usize = 4096;

impl Hanging {
    /// A way to this loopback port, from another.
    ///
    /// # Errors
    /// When no port is free.
    pub fn to(server: u16) -> anyhow::Result<Self> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self::between(loopback(0), loopback(server))
    }

    /// A way from one address of this host to another place.
    ///
    /// # Errors
    /// When the address is not this host's, or the port is taken.
    pub fn between(at: SocketAddr, server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(at).with_context(|| format!("cannot listen on {at}"))?;
        let port = listener.local_addr()?.port();
        let hung = Arc::new(Hung::default());
        let shared = hung.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.turns_away.load(Ordering::SeqCst) {
                    continue;
                }
                if let Ok(far) = TcpStream::connect(server) {
                    let _ = carry(near, far, &shared);
                }
            }
        });
        Ok(Self { port, hung })
    }

    /// From now on every connection hangs whose client says, or has said, this at its beginning.
    pub fn hang(&self, mark: &str) {
        self.hung.lock().insert(mark.to_owned());
    }

    /// From now on every connection hangs, as behind a firewall that drops all.
    pub fn hang_all(&self) {
        self.hang("");
    }

    /// From now on whoever connects is hung up on. What is under way goes on.
    pub fn turn_away(&self) {
        self.hung.turns_away.store(true, Ordering::SeqCst);
    }

    /// They go on, and all are let through.
    pub fn go_on(&self) {
        self.hung.turns_away.store(false, Ordering::SeqCst);
        self.hung.lock().clear();
        self.hung.changed.notify_all();
    }
}

impl Hung {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while a connection hangs whose client said this.
    fn wait(&self, said: &Mutex<String>) {
        let mut marks = self.lock();
        loop {
            let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if !marks.iter().any(|mark| said.contains(mark)) {
                return;
            }
            marks = self.changed.wait(marks).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn carry(near: TcpStream, far: TcpStream, hung: &Arc<Hung>) -> std::io::Result<()> {
    let said = Arc::new(Mutex::new(String::new()));
    let to_server = (near.try_clone()?, far.try_clone()?);
    for (from, to, is_client) in [(to_server.0, to_server.1, true), (far, near, false)] {
        let (hung, said) = (hung.clone(), said.clone());
        std::thread::spawn(move || one_way(from, to, &hung, &said, is_client));
    }
    Ok(())
}

fn one_way(
    mut from: TcpStream,
    mut to: TcpStream,
    hung: &Hung,
    said: &Mutex<String>,
    is_client: bool,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let piece = bytes.get(..length).unwrap_or_default();
        if is_client {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < WHOSE {
                said.push_str(&String::from_utf8_lossy(piece));
            }
        }
        hung.wait(said);
        if to.write_all(piece).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
