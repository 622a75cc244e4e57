//! Any document, path and query that somebody may send without having logged in is read or refused.
//! What is read of a request can be written; freed of what XML cannot carry, it is then read the
//! same again and again.

#![no_main]

use dme_eas::autodiscover::{JsonRequest, JsonResponse, Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::from_xml(data) {
        let _ = request.wants_mobilesync();
        if let Ok(request) = Request::from_xml(request.to_xml().as_bytes()) {
            let again = Request::from_xml(request.to_xml().as_bytes());
            assert_eq!(again.as_ref(), Ok(&request));
        }
    }
    if let Ok(response) = Response::from_xml(data) {
        let _ = (response.mobile_sync_url(), response.to_xml());
    }
    let _ = JsonResponse::from_json(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if let Ok(request) = JsonRequest::from_target(path, query) {
            let _ = (request.wants_active_sync(), request.to_target());
        }
    }
});
