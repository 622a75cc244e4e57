//! What people see in a browser, where phones see the front: the place that the console takes.

use crate::front::Front;
use crate::tls::ReloadingCertificate;
use async_trait::async_trait;
use bytes::Bytes;
use dme_link::Links;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An answer that may go on for as long as somebody reads it.
pub type SiteBody = UnsyncBoxBody<Bytes, CutOff>;

/// Why an answer that has begun does not go on: its connection ends in the midst of it, so that nobody
/// takes it for whole (RFC 9112 §8).
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off: {0}")]
pub struct CutOff(pub String);

/// An answer that is there from the beginning.
pub fn whole(bytes: impl Into<Bytes>) -> SiteBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Answers people.
#[async_trait]
pub trait Site: Send + Sync {
    /// A request at the administration listener (`admin.listen`).
    async fn administration(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<SiteBody>;

    /// A request for the users' own page, at the phones' listener: of those that [`is_own`] tells.
    async fn own(self: Arc<Self>, request: Request<Incoming>, client: IpAddr)
    -> Response<SiteBody>;
}

/// Whether a path is of the users' own page. Nothing else of a site is reached at the phones'
/// listener (rule O2).
pub fn is_own(path: &str) -> bool {
    ["/my", "/api/my"].iter().any(|place| {
        let below = path.strip_prefix(place);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    })
}

/// An answer at the phones' listener: a phone's, or a page.
pub(crate) enum Answer {
    /// For a phone.
    Phone(Full<Bytes>),
    /// For a person.
    Site(SiteBody),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match self.get_mut() {
            Self::Phone(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Site(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Phone(body) => body.is_end_stream(),
            Self::Site(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Phone(body) => body.size_hint(),
            Self::Site(body) => body.size_hint(),
        }
    }
}

/// What a site is made of.
pub struct Parts {
    /// The phones' side, with all it knows.
    pub front: Arc<Front>,
    /// The connectors.
    pub links: Links,
    /// `host:port` as connectors reach the link port, in the order to try them; none where it is not
    /// listened on.
    pub link_addresses: Vec<String>,
    /// The server's own directory.
    pub directory: PathBuf,
    /// The phones' certificate; none where a proxy ends their TLS.
    pub certificate: Option<Arc<ReloadingCertificate>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_users_own_page_is_reached_where_phones_are() {
        for own in ["/my", "/my/", "/my/devices", "/api/my", "/api/my/devices"] {
            assert!(is_own(own), "{own}");
        }
        for other in ["/", "/myself", "/api/devices", "/api/mydevices", "/admin", "/My"] {
            assert!(!is_own(other), "{other}");
        }
    }
}
