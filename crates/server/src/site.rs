//! What people see in a browser, where phones see the front: the place that the console takes.

use crate::front::Front;
use async_trait::async_trait;
use bytes::Bytes;
use dme_link::Links;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// An answer that may go on for as long as somebody reads it.
pub type SiteBody = UnsyncBoxBody<Bytes, Infallible>;

/// Answers people.
#[async_trait]
pub trait Site: Send + Sync {
    /// A request at the administration listener (`admin.listen`).
    async fn administration(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<SiteBody>;
}

/// What a site is made of.
pub struct Parts {
    /// The phones' side, with all it knows.
    pub front: Arc<Front>,
    /// The connectors.
    pub links: Links,
    /// `host:port` as connectors reach the link port; none where it is not listened on.
    pub link_address: Option<String>,
    /// The server's own directory.
    pub directory: PathBuf,
}
