//! Autodiscover: from a mail address to this server (MS-ASCMD 2.2.1.1, MS-OXDSCLI).

use super::reply::{self, Reply};
use super::{Front, Visitor, login};
use bytes::Bytes;
use dme_directory::Admitted;
use dme_eas::autodiscover::{self as words, ErrorCode, JsonRequest, JsonResponse, User};
use dme_model::Timestamp;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;

impl Front {
    pub(super) async fn autodiscover(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let answer = async {
            let (parts, body) = request.into_parts();
            // The document is small; a phone that sends it before it was asked for the password
            // keeps its connection.
            let body = self.read_small_body(body).await?;
            let (who, _) = login::log_in(self, &parts.headers, None, visitor).await?;
            Ok(xml(self, &who, &body))
        };
        let response = match answer.await {
            Ok(reply) => reply.into_response(),
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("autodiscover", visitor.client, response)
    }

    /// Some phones look first whether there is anything, before they know how to log in or to try
    /// whether they do. There is nothing to be had but by a POST: to a good password that is told
    /// as Exchange does, by a document that says that the request is invalid.
    pub(super) async fn autodiscover_looked_at(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let response = match login::log_in(self, request.headers(), None, visitor).await {
            Ok((who, _)) => xml(self, &who, &Bytes::new()).into_response(),
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("autodiscover", visitor.client, response)
    }
}

/// The XML dialect; the login was checked. The answer names the address asked for, as phones
/// compare it, and never redirects: this server is where it ends.
fn xml(front: &Front, who: &Admitted, body: &Bytes) -> Reply {
    let failed = |code| words::Response::Rejected {
        code,
        // The schema wants a time of day and a number to find it in the log by.
        time: clock_time((front.clock)()),
        id: front.run,
    };
    let response = match words::Request::from_xml(body) {
        Ok(request) if request.wants_mobilesync() => {
            let display_name = who.person.display_name.clone();
            words::Response::mobile_sync(User { display_name, email: request.email }, front.url())
        }
        Ok(_) => failed(ErrorCode::NoProvider),
        Err(error) => {
            tracing::info!(%error, "autodiscover request refused");
            failed(ErrorCode::InvalidRequest)
        }
    };
    Reply::Bytes {
        content_type: "text/xml; charset=utf-8".into(),
        data: Bytes::from(response.to_xml()),
    }
}

/// The JSON dialect: asked before there is a password, so it tells nothing that depends on whether
/// the address exists. A failure has its words with HTTP 400.
pub(super) fn json(front: &Front, uri: &Uri) -> Response<Full<Bytes>> {
    let refused = |code: &str, message: &str| {
        let response = JsonResponse::Failed { code: code.into(), message: message.into() };
        (StatusCode::BAD_REQUEST, response)
    };
    let asked = JsonRequest::from_target(uri.path(), uri.query().unwrap_or_default());
    let (status, document) = match asked {
        Ok(request) if request.wants_active_sync() => {
            (StatusCode::OK, JsonResponse::active_sync(front.url()))
        }
        Ok(_) => refused("ProtocolNotSupported", "only ActiveSync is offered here"),
        Err(error) => refused("MandatoryParameterMissing", &error.to_string()),
    };
    let content_type = "application/json; charset=utf-8".into();
    let reply = Reply::Bytes { content_type, data: Bytes::from(document.to_json()) };
    let mut response = reply.into_response();
    *response.status_mut() = status;
    response
}

/// The time of day, UTC, as `hh:mm:ss.0000000`.
fn clock_time(now: Timestamp) -> String {
    let seconds = now.as_seconds().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}.0000000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
