//! How both ends set up HTTP/2: the same windows, frames and keepalive.

use ::h2::client::{Connection, SendRequest};
use ::h2::{Ping, PingPong};
use bytes::Bytes;
use hyper_util::rt::TokioTimer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bytes one stream may be ahead of its reader: fills a line of 13 Mbit/s at 600 ms.
const STREAM_WINDOW: u32 = 1 << 20;
/// Bytes all streams of a connection may be ahead of their readers.
const CONNECTION_WINDOW: u32 = 8 << 20;
/// The largest frame. What is small and urgent waits for one of them at most, two seconds at
/// 64 kbit/s.
const FRAME: u32 = 16 << 10;
/// Streams at once on a connection; watches are a stream each.
const STREAMS: u32 = 200_000;
/// Cancelled calls that may wait to be noticed. The guard against rapid reset (CVE-2023-44487) is
/// for strangers; the server has shown its certificate and may cancel what it likes.
const RESETS: usize = 20_000;
/// A head of headers is some 100 bytes.
const HEADERS: u32 = 16 << 10;

/// When the two ends ask after each other (rule L4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pulse {
    pub interval: Duration,
    pub timeout: Duration,
}

/// The server's half: HTTP/2's client. It is h2's own: hyper's has a queue before it, with room for 32
/// requests from the beginning, and a task for each body, which an idle link has to pay for.
pub(crate) async fn client<I>(
    io: I,
) -> Result<(SendRequest<Bytes>, Connection<I, Bytes>), ::h2::Error>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    ::h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADERS)
        .max_concurrent_reset_streams(RESETS)
        .handshake(io)
        .await
}

/// Asks after the other end whenever nothing was heard of it for the interval, and returns when it does
/// not answer in time.
pub(crate) async fn until_silent(mut pings: PingPong, heard: &Heard, pulse: Pulse) -> Silent {
    loop {
        let due = heard.last() + pulse.interval;
        if due > Instant::now() {
            sleep_until(due).await;
            continue;
        }
        match tokio::time::timeout(pulse.timeout, pings.ping(Ping::opaque())).await {
            Ok(Ok(_)) => heard.now(),
            // The connection says itself what is wrong with it.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return Silent,
        }
    }
}

/// The other end does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the other end does not answer")]
pub(crate) struct Silent;

/// When something was heard last.
#[derive(Debug)]
pub(crate) struct Heard {
    begun: Instant,
    /// Milliseconds after that.
    last: AtomicU64,
}

impl Heard {
    /// Nothing yet, from now on.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Something was heard.
    pub(crate) fn now(&self) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// The connector's half: HTTP/2's server.
pub(crate) fn server(
    executor: Executor,
    pulse: Pulse,
) -> hyper::server::conn::http2::Builder<Executor> {
    let mut builder = hyper::server::conn::http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(pulse.interval)
        .keep_alive_timeout(pulse.timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADERS)
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .auto_date_header(false);
    builder
}

/// An HTTP/2 error with its causes, which hyper keeps out of its own words.
pub(crate) fn words(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// Runs what belongs to a connection until the connection is given up.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    /// Cancelled when the connection is given up.
    pub closed: CancellationToken,
    /// All that runs for it.
    pub tasks: TaskTracker,
}

impl Executor {
    pub(crate) fn new(closed: CancellationToken) -> Self {
        Self { closed, tasks: TaskTracker::new() }
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        // Boxed, because an HTTP/2 stream keeps the waker of the task that began it, and with it
        // the task's memory: 5 KB a watch, were the future in it.
        let (closed, future) = (self.closed.clone(), Box::pin(future));
        self.tasks.spawn(async move {
            closed.run_until_cancelled(future).await;
        });
    }
}
