//! MeetingResponse (MS-ASCMD 2.2.1.11): the user comes, may come, or does not.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::{item_of, item_of_long_id, server_id};
use dme_eas::meeting_response::{Answer as Said, Invitation, Outcome, Request, Response, Status};
use dme_eas::{ProtocolVersion, calendar};
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, ItemId, Timestamp};
use dme_sync::{FolderNo, Meant, RespondError, RespondRequest};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let request = Request::from_element(body)?;
    let mut outcomes = Vec::with_capacity(request.answers.len());
    for said in request.answers {
        outcomes.push(one(exchange, said).await?);
    }
    Ok(Response { outcomes }.to_element())
}

async fn one(exchange: &Exchange<'_>, said: Said) -> Result<Outcome, Failure> {
    let (request_id, place) = match &said.invitation {
        Invitation::Item { request_id, .. } => (Some(request_id.clone()), item_of(request_id)),
        Invitation::LongId(long_id) => (None, item_of_long_id(long_id)),
    };
    let outcome = |status, calendar_id| Outcome { request_id, status, calendar_id };
    let (Some((folder, item)), Some(answer)) = (place, said.to_model(exchange.version)) else {
        return Ok(outcome(Status::InvalidRequest, None));
    };
    let mut meaning = answer.clone();
    if let Some(moment) = answer.instance {
        meaning.instance = Some(original(exchange, folder, &item, moment).await?);
    }
    // An answer always has a JSON form.
    let words = serde_json::to_vec(&answer).unwrap_or_default();
    let answer = Meant::new(&words, meaning);
    let notify = exchange.version >= ProtocolVersion::V16_0;
    let request = RespondRequest { folder, item, answer, notify };
    let answered = exchange
        .to_its_end(move |engine, session| {
            Box::pin(async move { engine.respond(session, &request).await })
        })
        .await?;
    Ok(match answered {
        Ok(event) => {
            let calendar_id = event.map(|(folder, item)| server_id(folder, &item));
            outcome(Status::Success, calendar_id)
        }
        Err(RespondError::NoInvitation(why)) => {
            tracing::info!(request = %exchange.request, device = %exchange.device.device, why,
                "an invitation was not answered");
            outcome(Status::InvalidRequest, None)
        }
        Err(RespondError::Engine(dme_sync::Error::FolderNotFound(_))) => {
            outcome(Status::InvalidRequest, None)
        }
        Err(RespondError::Engine(dme_sync::Error::Mailbox(error))) if !error.is_transient() => {
            tracing::info!(request = %exchange.request, device = %exchange.device.device, %error,
                "an answer to an invitation was refused");
            outcome(Status::MailboxError, None)
        }
        Err(RespondError::Engine(error)) => return Err(exchange.failed(error)),
    })
}

/// Which instance is meant: phones before 16.0 name a day by the midnight of the user's own clock.
async fn original(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    item: &ItemId,
    moment: Timestamp,
) -> Result<Timestamp, Failure> {
    let (engine, session) = (exchange.engine(), exchange.session());
    let items = std::slice::from_ref(item);
    let asked = match engine.fetch_items(session, folder, items, &BodyView::default()).await {
        // The engine says so when it is to answer.
        Err(dme_sync::Error::FolderNotFound(_)) => Vec::new(),
        fetched => fetched.map_err(|error| exchange.failed(error))?,
    };
    Ok(match asked.first().map(|one| &one.outcome) {
        Some(FetchOutcome::Item(asked)) => {
            calendar::original(moment, asked, exchange.version, &exchange.front().home)
        }
        // Gone with an earlier attempt, which is remembered by what the phone said.
        _ => moment,
    })
}
