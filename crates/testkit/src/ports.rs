//! Free loopback ports for the servers of a test.

use anyhow::Context;
use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port on 127.0.0.1 on which nothing listens, never given twice by one process. Another
/// process may still take it before the server of this one does; starters try again then.
///
/// # Errors
/// When the system has no port left.
pub fn free_port() -> anyhow::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..1000 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free loopback port")?;
        let port = listener.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
    anyhow::bail!("no free loopback port that this process has not used already")
}

/// Whether something accepts connections on this loopback port.
pub fn accepts(port: u16) -> bool {
    accepts_at(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// Whether something accepts connections there.
pub fn accepts_at(place: SocketAddr) -> bool {
    TcpStream::connect_timeout(&place, Duration::from_millis(500)).is_ok()
}

/// Waits until `ready` says yes, looking every few milliseconds.
///
/// # Errors
/// When it has not after `limit`; `what` names it.
pub fn wait_until(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let end = Instant::now() + limit;
    while !ready()? {
        anyhow::ensure!(Instant::now() < end, "{what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
