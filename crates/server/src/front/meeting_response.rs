//! MeetingResponse (MS-ASCMD 2.2.1.11). There is no calendar to answer into yet, so every answer is
//! refused as one that cannot be carried out; the phone then offers to answer by mail.

use super::failure::Failure;
use dme_eas::meeting_response::{Invitation, Outcome, Request, Response, Status};
use dme_wbxml::Element;

pub(super) fn handle(body: &Element) -> Result<Element, Failure> {
    let request = Request::from_element(body)?;
    let outcomes = request.answers.into_iter().map(|answer| Outcome {
        request_id: match answer.invitation {
            Invitation::Item { request_id, .. } => Some(request_id),
            Invitation::LongId(_) => None,
        },
        status: Status::InvalidRequest,
        calendar_id: None,
    });
    Ok(Response { outcomes: outcomes.collect() }.to_element())
}
