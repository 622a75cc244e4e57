//! Autodiscover: from a mail address to this server (MS-ASCMD 2.2.1.1, MS-OXDSCLI).

use super::Front;
use super::reply::Reply;
use bytes::Bytes;
use dme_directory::Admitted;
use dme_eas::autodiscover::{ErrorCode, JsonRequest, JsonResponse, Request, Response, User};
use dme_model::Timestamp;
use http::StatusCode;

/// The XML dialect; the login was checked. The answer names the address asked for, as phones
/// compare it, and never redirects: this server is where it ends.
pub(super) fn xml(front: &Front, who: &Admitted, body: &Bytes) -> Reply {
    let failed = |code| Response::Rejected {
        code,
        // The schema wants a time of day and a number to find it in the log by.
        time: clock_time((front.clock)()),
        id: front.run,
    };
    let response = match Request::from_xml(body) {
        Ok(request) if request.wants_mobilesync() => {
            let display_name = who.person.display_name.clone();
            Response::mobile_sync(User { display_name, email: request.email }, front.url())
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
pub(super) fn json(front: &Front, path: &str, query: &str) -> (StatusCode, Reply) {
    let refused = |code: &str, message: &str| {
        let response = JsonResponse::Failed { code: code.into(), message: message.into() };
        (StatusCode::BAD_REQUEST, response)
    };
    let (status, response) = match JsonRequest::from_target(path, query) {
        Ok(request) if request.wants_active_sync() => {
            (StatusCode::OK, JsonResponse::active_sync(front.url()))
        }
        Ok(_) => refused("ProtocolNotSupported", "only ActiveSync is offered here"),
        Err(error) => refused("MandatoryParameterMissing", &error.to_string()),
    };
    let data = Bytes::from(response.to_json());
    (status, Reply::Bytes { content_type: "application/json; charset=utf-8".into(), data })
}

/// The time of day, UTC, as `hh:mm:ss.0000000`.
fn clock_time(now: Timestamp) -> String {
    let seconds = now.as_seconds().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}.0000000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
