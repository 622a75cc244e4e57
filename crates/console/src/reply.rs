//! Answers as HTTP carries them.

use crate::{Refusal, api};
use bytes::Bytes;
use dme_server::site::SiteBody;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::Serialize;

/// An answer of these bytes. What it says may be another's business an hour later: nobody keeps it.
pub(crate) fn answer(kind: &'static str, body: impl Into<Bytes>) -> Response<SiteBody> {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
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
