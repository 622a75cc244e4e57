//! Answers as HTTP carries them.

use crate::{Refusal, api};
use askama::Template;
use bytes::Bytes;
use dme_server::site::{CutOff, SiteBody, whole};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde::Serialize;

/// Nothing but what is ours (Content Security Policy Level 3).
const POLICY: &str = "default-src 'none'; object-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// An answer of these bytes. What it says may be another's business an hour later: nobody keeps it.
pub(crate) fn answer(kind: &'static str, body: impl Into<Bytes>) -> Response<SiteBody> {
    let mut response = Response::new(whole(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a page is.
pub(crate) enum Written {
    /// All of it.
    Whole(String),
    /// Part by part, as it is read.
    Parts(BoxStream<'static, Result<Bytes, CutOff>>),
}

impl From<String> for Written {
    fn from(text: String) -> Self {
        Self::Whole(text)
    }
}

/// An answer of what a page is.
pub(crate) fn written(kind: &'static str, page: Written) -> Response<SiteBody> {
    match page {
        Written::Whole(text) => answer(kind, text),
        Written::Parts(parts) => {
            let mut response = answer(kind, "");
            let frames = parts.map_ok(Frame::data);
            *response.body_mut() = StreamBody::new(frames).boxed_unsync();
            response
        }
    }
}

/// A page.
pub(crate) fn html(
    page: &impl Template,
    status: StatusCode,
) -> Result<Response<SiteBody>, Refusal> {
    let text = page.render().map_err(Refusal::failed)?;
    Ok(with_status(answer("text/html; charset=utf-8", text), status))
}

pub(crate) fn json(value: &impl Serialize) -> Response<SiteBody> {
    match serde_json::to_vec(value) {
        Ok(bytes) => answer("application/json", bytes),
        Err(error) => refused(&Refusal::failed(error)),
    }
}

pub(crate) fn refused(refusal: &Refusal) -> Response<SiteBody> {
    let failed = api::Failed { error: refusal.words.clone() };
    let mut response = answer("application/json", serde_json::to_vec(&failed).unwrap_or_default());
    *response.status_mut() = refusal.status;
    response
}

/// Like `response`, with another status.
pub(crate) fn with_status(
    mut response: Response<SiteBody>,
    status: StatusCode,
) -> Response<SiteBody> {
    *response.status_mut() = status;
    response
}

/// With what keeps a browser from being misled (OWASP ASVS 5.0, 3.4.3 to 3.4.6).
pub(crate) fn guarded(mut response: Response<SiteBody>) -> Response<SiteBody> {
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
