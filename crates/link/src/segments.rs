//! How many of a connection's segments had to be sent again, as the kernel counts them: what TCP
//! makes good nobody else sees. Asked by netlink's `sock_diag`, as `ss -i` does, for one socket at a
//! time; the answer is there when the question is.

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as Port};
use std::io;
use std::net::SocketAddr;

/// More than an answer about one socket takes.
const ANSWER: usize = 8 << 10;

/// Where `tcpi_total_retrans` and `tcpi_data_segs_out` stand in `struct tcp_info`.
const TOTAL_RETRANSMITTED: usize = 100;
const DATA_SEGMENTS_OUT: usize = 156;

/// Segments with data that this end has sent, and those of them that it sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Segments {
    /// All, each as often as it was sent.
    pub sent: u64,
    /// Those that were sent before.
    pub again: u64,
}

impl Segments {
    /// Of both.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        let (sent, again) = (self.sent + other.sent, self.again + other.again);
        Self { sent, again }
    }

    /// From `struct tcp_info` of `linux/tcp.h`, which has grown with the years and never changed.
    fn read(info: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes: [u8; 4] = info.get(at..at + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_ne_bytes(bytes)))
        };
        Some(Self { sent: word(DATA_SEGMENTS_OUT)?, again: word(TOTAL_RETRANSMITTED)? })
    }

    /// Of a connection of this process, by its two addresses.
    ///
    /// # Errors
    /// When the kernel does not tell, because there is no such connection any more or it must not be
    /// asked.
    pub(crate) fn of(own: SocketAddr, peer: SocketAddr) -> io::Result<Self> {
        let mut netlink = Socket::new(NETLINK_SOCK_DIAG)?;
        netlink.bind_auto()?;
        netlink.connect(&Port::new(0, 0))?;
        netlink.set_non_blocking(true)?;
        let request = InetRequest {
            family: if own.is_ipv4() { AF_INET } else { AF_INET6 },
            protocol: IPPROTO_TCP,
            extensions: ExtensionFlags::INFO,
            states: StateFlags::all(),
            socket_id: SocketId {
                source_port: own.port(),
                destination_port: peer.port(),
                source_address: own.ip(),
                destination_address: peer.ip(),
                interface_id: 0,
                cookie: [0xff; 8],
            },
        };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        let request = SockDiagMessage::InetRequest(request);
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        netlink.send(&bytes, 0)?;
        let mut answer = Vec::with_capacity(ANSWER);
        netlink.recv(&mut answer, 0)?;
        let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer)
            .map_err(|error| wrong(error.to_string()))?;
        match answer.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                let told = response.nlas.iter().find_map(|told| match told {
                    Nla::TcpInfo(info) => Self::read(info),
                    _ => None,
                });
                told.ok_or_else(|| wrong("the kernel does not count segments".into()))
            }
            NetlinkPayload::Error(error) => Err(error.to_io()),
            other => Err(wrong(format!("{other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn what_a_connection_has_sent_is_counted_and_of_no_connection_nothing() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut far, _) = listener.accept().unwrap();
            let (own, peer) = (near.local_addr().unwrap(), near.peer_addr().unwrap());
            let before = Segments::of(own, peer).unwrap();
            assert_eq!(before, Segments::default());
            near.write_all(b"one segment").unwrap();
            far.read_exact(&mut [0; 11]).unwrap();
            assert_eq!(Segments::of(own, peer).unwrap(), Segments { sent: 1, again: 0 });
            assert_eq!(Segments::of(peer, own).unwrap().sent, 0, "the other end sent nothing");
        }
        let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert!(Segments::of(nobody, nobody).is_err());
    }
}
