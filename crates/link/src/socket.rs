//! What is asked of the kernel for a link's connections, and of TLS on them.
//!
//! Whatever waits to be sent below HTTP/2 can't be overtaken, by the answer to a keepalive as little
//! as by a small call. On a thin line the usual buffers hold half a minute of it, and the other end
//! would be taken for dead. So little waits there: what HTTP/2 has cut into frames and TLS has
//! sealed, and in the kernel what is on its way.

use socket2::SockRef;
use std::io;
use tokio::net::TcpStream;
use tracing::debug;

/// Bytes that the kernel takes beyond what it has sent; those on their way do not count.
const UNSENT: u32 = 16 << 10;
/// Bytes that TLS has sealed and the kernel has not taken.
pub(crate) const SEALED: usize = 16 << 10;

/// Prepares a connection, with this congestion control where the kernel has it and lets us.
pub(crate) fn prepare(tcp: &TcpStream, congestion: Option<&str>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let socket = SockRef::from(tcp);
    socket.set_tcp_notsent_lowat(UNSENT)?;
    if let Some(name) = congestion
        && let Err(error) = socket.set_tcp_congestion(name.as_bytes())
    {
        debug!(name, %error, "the kernel does not lend this congestion control");
    }
    Ok(())
}
