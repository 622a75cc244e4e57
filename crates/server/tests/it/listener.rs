//! What the listener lets through before anybody has logged in, on loopback sockets.

use bytes::Bytes;
use dme_server::client_address::TrustedProxies;
use dme_server::listener::{self, Limits, Security, Transport};
use http::Response;
use http_body_util::Full;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn limits() -> Limits {
    Limits {
        connections: 100,
        handshakes: 4,
        handshake: Duration::from_secs(5),
        head: Duration::from_secs(1),
        send: Duration::from_secs(1),
        head_size: 8 << 10,
        headers: 10,
    }
}

fn plain() -> Transport {
    Transport {
        security: Security::Plain,
        proxy_protocol: false,
        proxies: TrustedProxies::default(),
    }
}

fn loopback() -> TrustedProxies {
    TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// Answers every request with the peer's address; `/slow` after half a second, `/never` never,
/// `/large` with more than any socket holds.
async fn serve(transport: Transport, limits: Limits) -> Served {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let stop = CancellationToken::new();
    let grace = Duration::from_secs(2);
    let served = listener::serve(
        socket,
        transport,
        limits,
        stop.clone(),
        grace,
        |request, peer| async move {
            let body = match request.uri().path() {
                "/slow" => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    Bytes::from("slow")
                }
                "/never" => std::future::pending().await,
                "/large" => Bytes::from(vec![b'x'; 64 << 20]),
                _ => Bytes::from(peer.ip().to_string()),
            };
            Response::new(Full::new(body))
        },
    );
    Served { address, stop, task: tokio::spawn(served) }
}

async fn ask(address: SocketAddr, sent: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let _ = tcp.write_all(sent).await;
    read_all(&mut tcp).await
}

/// All that comes until the connection ends, which it must.
async fn read_all(tcp: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, tcp.read_to_end(&mut answer)).await;
    read.expect("the connection was not ended in time").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn heads_beyond_the_limits_are_refused() {
    let served = serve(plain(), limits()).await;
    assert!(ask(served.address, GET).await.starts_with("HTTP/1.1 200"));
    let fields = (0..11).map(|number| format!("X-{number}: y\r\n")).collect::<String>();
    let many = format!("GET / HTTP/1.1\r\n{fields}\r\n");
    assert!(ask(served.address, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let large = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(20 << 10));
    assert!(ask(served.address, large.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn nonsense_is_refused_and_the_connection_ended() {
    let served = serve(plain(), limits()).await;
    let two_lengths =
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    let length = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n";
    for sent in [
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 nonsense\r\n\r\n".as_slice(),
        two_lengths,
        length,
    ] {
        let answer = ask(served.address, sent).await;
        assert!(
            answer.starts_with("HTTP/1.1 400"),
            "{:?}: {answer}",
            String::from_utf8_lossy(sent)
        );
    }
    // What follows a good request is not taken for a part of it.
    let pipelined = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\0\0nonsense\r\n\r\n";
    let answer = ask(served.address, pipelined).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let served = serve(plain(), limits()).await;
    let mut tcp = TcpStream::connect(served.address).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if tcp.write_all(b"X").await.is_err() {
            return;
        }
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_millis(100), tcp.read(&mut byte)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            return;
        }
    }
    panic!("the connection was still open after {PATIENCE:?}");
}

#[tokio::test]
async fn half_open_handshakes_keep_nobody_out() {
    let transport = Transport { proxy_protocol: true, proxies: loopback(), ..plain() };
    let patient = Limits { handshake: Duration::from_secs(600), ..limits() };
    let served = serve(transport, patient).await;
    let mut half_open = Vec::new();
    for _ in 0..50 {
        half_open.push(TcpStream::connect(served.address).await.unwrap());
    }
    let sent = [b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n".as_slice(), GET].concat();
    let answer = tokio::time::timeout(PATIENCE, ask(served.address, &sent)).await.unwrap();
    assert!(answer.ends_with("203.0.113.7"), "{answer}");
}

#[tokio::test]
async fn without_tls_only_the_proxies_are_spoken_to() {
    let to = |proxies| Transport { security: Security::PlainFromProxies, proxies, ..plain() };
    let strangers = TrustedProxies::new(vec!["192.0.2.0/24".parse().unwrap()]);
    let refusing = serve(to(strangers), limits()).await;
    assert_eq!(ask(refusing.address, GET).await, "");
    let serving = serve(to(loopback()), limits()).await;
    assert!(ask(serving.address, GET).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let served = serve(plain(), limits()).await;
    let mut tcp = TcpStream::connect(served.address).await.unwrap();
    tcp.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let taken = read_all(&mut tcp).await.len();
    assert!(taken < 64 << 20, "the whole answer was kept for a peer that did not take it");
}

#[tokio::test]
async fn at_the_end_running_requests_are_answered_and_the_rest_is_cut() {
    let one = Limits { connections: 3, ..limits() };
    let served = serve(plain(), one).await;
    let open = |path: &'static str| async move {
        let mut tcp = TcpStream::connect(served.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        tcp.write_all(head.as_bytes()).await.unwrap();
        tcp
    };
    let (mut slow, mut never, _silent) =
        (open("/slow").await, open("/never").await, open("").await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    served.stop.cancel();
    assert!(read_all(&mut slow).await.ends_with("slow"));
    assert_eq!(read_all(&mut never).await, "");
    served.task.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
