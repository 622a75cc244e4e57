//! MoveItems (MS-ASCMD 2.2.1.12).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::{folder_no, item_of, server_id};
use dme_eas::move_items::{Move, Moved, Request, Response, Status};
use dme_sync::{MoveError, MoveRequest};
use dme_wbxml::Element;
use std::collections::HashMap;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let request = Request::from_element(body)?;
    // Ids that are not ours never reach the engine; the others keep their order.
    let parsed: Vec<Result<MoveRequest, Status>> = parse_all(&request.moves);
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

/// All of them. An item can go to one folder: to where it is asked for a second time it cannot be
/// moved (status 5, "the same item to more than one destination", MS-ASCMD 2.2.3.177.10).
fn parse_all(moves: &[Move]) -> Vec<Result<MoveRequest, Status>> {
    let mut ways: HashMap<&str, &str> = HashMap::new();
    let mut parsed = Vec::with_capacity(moves.len());
    for asked in moves {
        let to = asked.destination_folder.as_str();
        let first = *ways.entry(&asked.source).or_insert(to);
        parsed.push(if first == to { parse(asked) } else { Err(Status::Failed) });
    }
    parsed
}

/// An item's id names its folder, and outside of that folder it is of no item or of another one:
/// a phone with an old idea of where the item lies is told so (MS-ASCMD 2.2.3.177.10), lest another
/// mail is moved.
fn parse(asked: &Move) -> Result<MoveRequest, Status> {
    let from = folder_no(&asked.source_folder).ok_or(Status::InvalidSource)?;
    let (_, item) =
        item_of(&asked.source).filter(|(of, _)| *of == from).ok_or(Status::InvalidSource)?;
    Ok(MoveRequest {
        item,
        from,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(source: &str, from: &str, to: &str) -> Move {
        Move { source: source.into(), source_folder: from.into(), destination_folder: to.into() }
    }

    fn statuses(moves: &[Move]) -> Vec<Option<Status>> {
        parse_all(moves).into_iter().map(Result::err).collect()
    }

    #[test]
    fn an_item_is_only_moved_from_the_folder_its_id_names() {
        for (source, from, to, status) in [
            ("5:12", "5", "1", None),
            ("5:12", "1", "5", Some(Status::InvalidSource)),
            ("12", "5", "1", Some(Status::InvalidSource)),
            ("5:12", "five", "1", Some(Status::InvalidSource)),
            ("5:12", "5", "one", Some(Status::InvalidDestination)),
        ] {
            assert_eq!(statuses(&[asked(source, from, to)]), [status], "{source} {from} {to}");
        }
    }

    #[test]
    fn an_item_that_shall_go_to_two_folders_goes_to_the_first() {
        let moves = [("5:1", "2"), ("5:1", "3"), ("5:2", "3"), ("5:1", "2")];
        let moves = moves.map(|(source, to)| asked(source, "5", to));
        assert_eq!(statuses(&moves), [None, Some(Status::Failed), None, None]);
    }
}
