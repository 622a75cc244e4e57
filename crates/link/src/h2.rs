//! How both ends set up HTTP/2: the same windows, frames and keepalive.

use hyper_util::rt::TokioTimer;
use std::time::Duration;
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

/// The server's half: HTTP/2's client.
pub(crate) fn client(
    executor: Executor,
    pulse: Pulse,
) -> hyper::client::conn::http2::Builder<Executor> {
    let mut builder = hyper::client::conn::http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(pulse.interval)
        .keep_alive_timeout(pulse.timeout)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADERS)
        .max_concurrent_reset_streams(RESETS);
    builder
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
