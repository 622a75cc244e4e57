//! MoveItems (MS-ASCMD 2.2.1.12).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::{folder_no, item_of, server_id};
use dme_eas::move_items::{Move, Moved, Request, Response, Status};
use dme_sync::{MoveError, MoveRequest};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let request = Request::from_element(body)?;
    // Ids that are not ours never reach the engine; the others keep their order.
    let parsed: Vec<Result<MoveRequest, Status>> = request.moves.iter().map(parse).collect();
    let moves: Vec<MoveRequest> = parsed.iter().filter_map(|one| one.clone().ok()).collect();
    let mut results = exchange
        .to_its_end(move |engine, session| {
            Box::pin(async move { engine.move_items(session, &moves).await })
        })
        .await?
        .map_err(|error| exchange.failed(error))?
        .into_iter();
    let mut moved = Vec::with_capacity(parsed.len());
    for (asked, parsed) in request.moves.into_iter().zip(parsed) {
        let (status, destination) = match parsed {
            Err(status) => (status, None),
            Ok(parsed) => match results.next() {
                // A mail system that does not tell the new id leaves the old one standing; the
                // item comes as new with the destination's next Sync.
                Some(Ok(id)) => {
                    let id = id.map(|id| server_id(parsed.to, &id));
                    (Status::Success, Some(id.unwrap_or_else(|| asked.source.clone())))
                }
                Some(Err(error)) => (status_of(&error), None),
                None => (Status::Failed, None),
            },
        };
        moved.push(Moved { source: asked.source, status, destination });
    }
    Ok(Response { status: None, moved }.to_element())
}

fn parse(asked: &Move) -> Result<MoveRequest, Status> {
    let (_, item) = item_of(&asked.source).ok_or(Status::InvalidSource)?;
    Ok(MoveRequest {
        item,
        from: folder_no(&asked.source_folder).ok_or(Status::InvalidSource)?,
        to: folder_no(&asked.destination_folder).ok_or(Status::InvalidDestination)?,
    })
}

fn status_of(error: &MoveError) -> Status {
    match error {
        MoveError::SourceNotFound => Status::InvalidSource,
        MoveError::DestinationNotFound => Status::InvalidDestination,
        MoveError::SameFolder => Status::SameFolder,
        MoveError::Mailbox(error) if error.is_transient() => Status::Locked,
        MoveError::Mailbox(_) => Status::Failed,
    }
}
