//! What is spoken here, told to who asks by OPTIONS and, in part, with every answer (MS-ASHTTP 2.2.3,
//! 2.2.4).

use super::{Front, Visitor, login, reply};
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::options::{Options, RENEGOTIATE};
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::{Arc, LazyLock};

/// The methods of ActiveSync's one path.
pub(super) const METHODS: &str = "OPTIONS,POST";

impl Front {
    /// OPTIONS: which versions and commands there are (MS-ASHTTP 2.2.3); the login is checked, so
    /// that an account's set-up shows a wrong password at once.
    pub(super) async fn options(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let response = match login::log_in(self, request.headers(), None, visitor).await {
            Ok(_) => {
                let mut response = Response::new(Full::default());
                add_protocol_headers(response.headers_mut());
                response
            }
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("options", visitor.client, response)
    }
}

/// What is spoken here: the release, the versions, the commands. Every answer has some of it, so it
/// is written once.
static OFFERED: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| {
    let offered = Options::between(ProtocolVersion::V12_1, ProtocolVersion::V16_1).to_headers();
    let header = |(name, value): (&str, String)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
    };
    offered.into_iter().filter_map(header).collect()
});

/// What every answer to a command carries: the release, and that it is for its asker alone
/// (MS-ASHTTP 2.2.2.1.2).
pub(super) fn add_release(headers: &mut HeaderMap) {
    headers.extend(OFFERED.iter().take(1).cloned());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
}

/// What the answer carries with which a phone begins anew: the versions and commands, and the
/// versions again where phones look whether there are others than they know.
pub(super) fn add_versions(headers: &mut HeaderMap) {
    let [_, (_, spoken), ..] = &OFFERED[..] else { return };
    if let Ok(renegotiate) = HeaderName::from_bytes(RENEGOTIATE.as_bytes()) {
        headers.insert(renegotiate, spoken.clone());
    }
    headers.extend(OFFERED.iter().skip(1).cloned());
}

/// What every answer to OPTIONS carries (MS-ASHTTP 2.2.4).
fn add_protocol_headers(headers: &mut HeaderMap) {
    headers.extend(OFFERED.iter().cloned());
    for (name, value) in [("allow", METHODS), ("public", METHODS), ("cache-control", "private")] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
