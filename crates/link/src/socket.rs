//! What is asked of the kernel for a link's connections, and of TLS on them.
//!
//! Whatever waits to be sent below HTTP/2 can't be overtaken, by the answer to a keepalive as little
//! as by a small call. On a thin line the usual buffers hold half a minute of it, and the other end
//! would be taken for dead. So little waits there: what HTTP/2 has cut into frames and TLS has
//! sealed, and in the kernel what is on its way.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tracing::debug;

/// Bytes that the kernel takes beyond what it has sent; those on their way do not count.
const UNSENT: u32 = 16 << 10;
/// Unanswered questions of the kernel after which a connection is lost.
const PROBES: u32 = 2;
/// Bytes that TLS has sealed and the kernel has not taken.
pub(crate) const SEALED: usize = 16 << 10;

/// Prepares a connection, with this congestion control where the kernel has it and lets us.
pub(crate) fn prepare(tcp: &TcpStream, congestion: Option<&str>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let socket = SockRef::from(tcp);
    socket.set_tcp_notsent_lowat(UNSENT)?;
    // Of little that was sent into a line that is gone, the kernel then tries at one interval, and
    // not ever more rarely, whether the line is back. It is no more than a wish.
    if let Err(error) = socket.set_tcp_thin_linear_timeouts(true) {
        debug!(%error, "the kernel does not know thin streams");
    }
    if let Some(name) = congestion
        && let Err(error) = socket.set_tcp_congestion(name.as_bytes())
    {
        debug!(name, %error, "the kernel does not lend this congestion control");
    }
    Ok(())
}

/// Has the kernel ask after the other end of a connection on which nothing is said: at this interval,
/// and for so long without an answer until it is taken for lost.
pub(crate) fn keep_alive(
    tcp: &TcpStream,
    (interval, timeout): (Duration, Duration),
) -> io::Result<()> {
    let again = (timeout / PROBES).max(Duration::from_secs(1));
    let asking = TcpKeepalive::new().with_time(interval).with_interval(again);
    SockRef::from(tcp).set_tcp_keepalive(&asking.with_retries(PROBES))
}
