//! ItemOperations (MS-ASCMD 2.2.1.10): whole items, attachments, emptying a folder, moving a
//! conversation.

use super::exchange::Exchange;
use super::failure::Failure;
use super::fetch::{attachment, check_parts, item_elements};
use super::ids::{folder_no, item_of, item_of_long_id};
use super::reply::Reply;
use super::room::{Room, size};
use bytes::Bytes;
use dme_eas::CommonStatus;
use dme_eas::item_operations::{
    Fetch, FetchContent, FetchResponse, FetchTarget, Operation, OperationResponse, Request,
    Response, Status, Store,
};
use dme_eas::multipart;
use dme_eas::range::Range;
use dme_eas::sync::ItemClass;
use dme_mailbox::{ByteRange, ErrorKind, FetchOutcome, Subcollections};
use dme_model::{ConversationId, ItemId};
use dme_sync::FolderNo;
use dme_wbxml::{Element, encode};

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Reply, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Reply::Element(Response::status(Status::ProtocolError).into_element()));
    };
    for operation in &request.operations {
        if let Operation::Fetch(fetch) = operation {
            check_parts(exchange, &fetch.content)?;
        }
    }
    let mut operations = Vec::with_capacity(request.operations.len());
    let room = Room::new(exchange.front().limits.answer.0);
    let mut fetches = Fetches { left: room, asked: Vec::new() };
    for operation in request.operations {
        let response = match operation {
            Operation::Fetch(fetch) => {
                OperationResponse::Fetch(fetches.one(exchange, fetch, &operations).await?)
            }
            Operation::EmptyFolder { collection_id, delete_subfolders } => {
                let status = empty(exchange, &collection_id, delete_subfolders).await?;
                OperationResponse::EmptyFolder { status, collection_id }
            }
            Operation::Move { conversation_id, destination, always } => {
                let status = move_all(exchange, &conversation_id, &destination, always).await?;
                OperationResponse::Move { status, conversation_id }
            }
        };
        operations.push(response);
    }
    let response = Response { status: Status::Success, operations };
    if !exchange.accepts_multipart() {
        return Ok(Reply::Element(response.into_element()));
    }
    let (element, contents) = response.into_parts();
    let parts: Vec<Bytes> =
        std::iter::once(Bytes::from(encode(&element))).chain(contents).collect();
    match multipart::join(&parts) {
        Ok(data) => Ok(Reply::Bytes { content_type: multipart::CONTENT_TYPE.to_owned(), data }),
        Err(error) => {
            tracing::warn!(%error, "the parts of an answer do not fit together");
            Err(CommonStatus::ServerError.into())
        }
    }
}

/// The fetches of one request: where the answer to each is, for those that ask the same again.
struct Fetches {
    left: Room,
    asked: Vec<(Fetch, usize)>,
}

impl Fetches {
    /// Answers a fetch that stands after these operations.
    async fn one(
        &mut self,
        exchange: &Exchange<'_>,
        fetch: Fetch,
        before: &[OperationResponse],
    ) -> Result<FetchResponse, Failure> {
        if self.left.is_none() {
            return Ok(FetchResponse::failed(Status::TooLarge, fetch.target));
        }
        let known = self.asked.iter().find(|(asked, _)| *asked == fetch).map(|(_, place)| *place);
        let response = match known.and_then(|place| before.get(place)) {
            Some(OperationResponse::Fetch(response)) => response.clone(),
            _ => {
                self.asked.push((fetch.clone(), before.len()));
                one_fetch(exchange, fetch).await?
            }
        };
        self.left.take(match &response.content {
            Some(FetchContent::Item(elements)) => elements.iter().map(size).sum(),
            Some(FetchContent::File { data, .. }) => data.len() as u64,
            None => 0,
        });
        Ok(response)
    }
}

async fn one_fetch(exchange: &Exchange<'_>, fetch: Fetch) -> Result<FetchResponse, Failure> {
    let status = match fetch.store {
        Store::Mailbox => None,
        // There are no file shares behind this server.
        Store::DocumentLibrary | Store::Unknown(_) => Some(Status::UnknownStore),
    };
    if let Some(status) = status {
        return Ok(FetchResponse::failed(status, fetch.target));
    }
    let fetched = match &fetch.target {
        FetchTarget::Item { server_id, .. } => match item_of(server_id) {
            Some((folder, item)) => one_item(exchange, &fetch, folder, &item).await,
            None => Err(Trouble::Status(Status::NotFound)),
        },
        FetchTarget::LongId(long_id) => match item_of_long_id(long_id) {
            Some((folder, item)) => one_item(exchange, &fetch, folder, &item).await,
            None => Err(Trouble::Status(Status::NotFound)),
        },
        FetchTarget::FileReference(reference) => {
            one_file(exchange, reference, fetch.range).await.map(|file| (file, None))
        }
        FetchTarget::Link(_) | FetchTarget::Unknown => Err(Trouble::Status(Status::UnknownStore)),
    };
    match fetched {
        Ok((content, class)) => {
            let class = class.map(|class: ItemClass| class.name().to_owned());
            let target = Some(fetch.target);
            Ok(FetchResponse { status: Status::Success, target, class, content: Some(content) })
        }
        Err(Trouble::Status(status)) => Ok(FetchResponse::failed(status, fetch.target)),
        Err(Trouble::Whole(failure)) => Err(failure),
    }
}

/// Why one fetch has no content.
enum Trouble {
    /// It has a status of its own.
    Status(Status),
    /// The whole request fails.
    Whole(Failure),
}

async fn one_item(
    exchange: &Exchange<'_>,
    fetch: &Fetch,
    folder: FolderNo,
    item: &ItemId,
) -> Result<(FetchContent, Option<ItemClass>), Trouble> {
    let view = fetch.content.view().or_native(None);
    let items = std::slice::from_ref(item);
    let fetched = exchange.engine().fetch_items(exchange.session(), folder, items, &view).await;
    let fetched = match fetched {
        Ok(fetched) => fetched.into_iter().next(),
        Err(dme_sync::Error::FolderNotFound(_)) => return Err(Trouble::Status(Status::NotFound)),
        Err(error) => return Err(Trouble::Whole(exchange.failed(error))),
    };
    match fetched.map(|fetched| fetched.outcome) {
        Some(FetchOutcome::Item(found)) => {
            if dme_sync::item_size(&found) > exchange.front().limits.attachment.0 {
                return Err(Trouble::Status(Status::TooLarge));
            }
            let mut elements = item_elements(exchange, folder, item, &found);
            if !fetch.schema.is_empty() {
                elements.retain(|element| fetch.schema.contains(&element.tag));
            }
            Ok((FetchContent::Item(elements), Some(found.class().into())))
        }
        Some(FetchOutcome::Unconvertible(_)) => Err(Trouble::Status(Status::ConversionFailed)),
        Some(FetchOutcome::Gone) | None => Err(Trouble::Status(Status::NotFound)),
    }
}

async fn one_file(
    exchange: &Exchange<'_>,
    reference: &str,
    range: Option<Range>,
) -> Result<FetchContent, Trouble> {
    let bytes =
        range.map(|range| ByteRange { start: u64::from(range.first()), length: range.count() });
    let part = match attachment(exchange, reference, bytes).await {
        Ok(part) => part,
        Err(Failure::Status(CommonStatus::ItemNotFound)) => {
            return Err(Trouble::Status(Status::InvalidAttachment));
        }
        Err(Failure::Status(CommonStatus::AttachmentIsTooLarge)) => {
            return Err(Trouble::Status(Status::TooLarge));
        }
        // Of a known part only the range can be wrong.
        Err(Failure::Status(CommonStatus::InvalidContent)) if range.is_some() => {
            return Err(Trouble::Status(Status::InvalidRange));
        }
        Err(failure) => return Err(Trouble::Whole(failure)),
    };
    if range.is_some_and(|range| u64::from(range.first()) >= part.full_size.max(1)) {
        return Err(Trouble::Status(Status::InvalidRange));
    }
    let given = range.and_then(|range| {
        let length = u32::try_from(part.data.len()).unwrap_or(u32::MAX);
        Range::new(range.first(), range.first().saturating_add(length.saturating_sub(1)))
    });
    Ok(FetchContent::File {
        content_type: Some(part.media_type),
        range: given,
        total: given.map(|_| part.full_size),
        data: part.data,
    })
}

async fn empty(
    exchange: &Exchange<'_>,
    collection_id: &str,
    delete_subfolders: bool,
) -> Result<Status, Failure> {
    let Some(folder) = folder_no(collection_id) else { return Ok(Status::NotFound) };
    let within = if delete_subfolders { Subcollections::Delete } else { Subcollections::Keep };
    let emptied = exchange
        .to_its_end(move |engine, session| Box::pin(engine.empty_folder(session, folder, within)))
        .await?;
    outcome(exchange, emptied)
}

/// Moves the mails there are. What comes to the conversation later stays where it is delivered:
/// that is for the mail system's own filters, of which connectors know nothing yet.
async fn move_all(
    exchange: &Exchange<'_>,
    conversation_id: &Bytes,
    destination: &str,
    always: bool,
) -> Result<Status, Failure> {
    if !always {
        // MS-ASCMD 2.2.3.118: there is no other move of a conversation.
        return Ok(CommonStatus::MoveCommandDisallowedForNonPersistentMoveAction.into());
    }
    let id = <[u8; 16]>::try_from(&conversation_id[..]).ok();
    let Some((id, to)) = id.zip(folder_no(destination)) else { return Ok(Status::NotFound) };
    let moved = exchange
        .to_its_end(move |engine, session| {
            Box::pin(engine.move_conversation(session, ConversationId(id), to))
        })
        .await?;
    match moved {
        Ok(None) => Ok(Status::NotFound),
        moved => outcome(exchange, moved.map(drop)),
    }
}

/// The status of an operation that has no content.
fn outcome(exchange: &Exchange<'_>, result: dme_sync::Result<()>) -> Result<Status, Failure> {
    match result {
        Ok(()) => Ok(Status::Success),
        Err(dme_sync::Error::FolderNotFound(_)) => Ok(Status::NotFound),
        Err(dme_sync::Error::Mailbox(error)) if error.kind == ErrorKind::Forbidden => {
            Ok(Status::ResourceAccessDenied)
        }
        Err(error) => Err(exchange.failed(error)),
    }
}
