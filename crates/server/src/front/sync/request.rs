//! A Sync request made whole: what it leaves out is as in the last one (empty and `Partial`
//! requests, MS-ASCMD 2.2.3.131).

use crate::front::exchange::Exchange;
use crate::front::failure::Failure;
use crate::front::fetch::check_parts;
use crate::front::ids::folder_no;
use dme_eas::sync::{Collection, FilterType, ItemClass, Limit, Request, Status};
use dme_model::Class;
use dme_sync::{Changes, Deletion, LastSync, RememberedCollection};
use dme_wbxml::Element;
use std::time::Duration;

/// What is asked, whole.
pub(super) struct Asked {
    pub collections: Vec<Collection>,
    pub wait: Option<Duration>,
    /// Changes in all collections together.
    pub window: u32,
}

/// Why a request is refused as a whole.
pub(super) enum Refusal {
    Status(Status),
    Limited(Status, Limit),
}

pub(super) async fn read(
    exchange: &Exchange<'_>,
    body: Option<&Element>,
) -> Result<Result<Asked, Refusal>, Failure> {
    let request = match body.map(Request::from_element).transpose() {
        Ok(request) => request,
        Err(error) => {
            tracing::info!(request = %exchange.request, device = %exchange.device.device, %error,
                "Sync refused");
            return Ok(Err(Refusal::Status(Status::ProtocolError)));
        }
    };
    let collections = request.iter().flat_map(|request| &request.collections);
    for options in collections.flat_map(|collection| &collection.options) {
        if let Err(status) = check_parts(exchange, &options.content) {
            return Ok(Err(Refusal::Status(status.into())));
        }
    }
    if let Some(request) = &request
        && filters_otherwise(exchange, request).await?
    {
        return Ok(Err(Refusal::Status(Status::ProtocolError)));
    }
    let longest = exchange.front().times.longest_wait.0;
    let wait = match request.as_ref().and_then(|request| request.wait) {
        Some(wait) => match wait.duration(longest) {
            Ok(wait) => Some(wait),
            Err(limit) => return Ok(Err(Refusal::Limited(Status::InvalidWait, limit))),
        },
        None => None,
    };
    let complete = match request {
        Some(request) if !request.partial => {
            if request.collections.is_empty() {
                return Ok(Err(Refusal::Status(Status::ProtocolError)));
            }
            Some((request.collections, wait, request.window_size))
        }
        partial => merge(exchange, partial.unwrap_or_default(), wait).await?,
    };
    let Some((collections, wait, window)) = complete else {
        return Ok(Err(Refusal::Status(Status::IncompleteRequest)));
    };
    let limit = exchange.front().limits.folders;
    if collections.len() > limit {
        let limit = Limit(u32::try_from(limit).unwrap_or(u32::MAX));
        return Ok(Err(Refusal::Limited(Status::TooManyCollections, limit)));
    }
    remember(exchange, &collections, wait, window).await?;
    let window = match window {
        None | Some(0) => super::LARGEST_WINDOW,
        Some(window) => window,
    };
    Ok(Ok(Asked { collections, wait, window }))
}

/// Whether mail is to be filtered as only calendars and tasks can be (MS-ASCMD 2.2.3.68.2).
async fn filters_otherwise(exchange: &Exchange<'_>, request: &Request) -> Result<bool, Failure> {
    for collection in &request.collections {
        let options = collection.options_for(ItemClass::Email);
        if options.and_then(|options| options.filter).is_none_or(is_of_mail) {
            continue;
        }
        let Some(folder) = folder_no(&collection.collection_id) else { return Ok(true) };
        let class = exchange.engine().folder_class(exchange.session(), folder).await;
        if class.map_err(|error| exchange.failed(error))? == Class::Mail {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether mail can be filtered so: the others are for calendars and tasks.
pub(in crate::front) fn is_of_mail(filter: FilterType) -> bool {
    filter <= FilterType::OneMonth
}

type Complete = (Vec<Collection>, Option<Duration>, Option<u32>);

/// The last request with what this one says otherwise; none where there was no last one.
async fn merge(
    exchange: &Exchange<'_>,
    request: Request,
    wait: Option<Duration>,
) -> Result<Option<Complete>, Failure> {
    let engine = exchange.engine();
    let last =
        engine.last_sync(exchange.session()).await.map_err(|error| exchange.failed(error))?;
    let Some(last) = last else { return Ok(None) };
    let mut collections = request.collections;
    for remembered in &last.collections {
        let id = remembered.folder.to_string();
        if collections.iter().any(|collection| collection.collection_id == id) {
            continue;
        }
        let key = engine.current_key(exchange.session(), remembered.folder).await;
        // A folder that has no state (any more) must be named with its key.
        let Some(key) = key.map_err(|error| exchange.failed(error))? else { return Ok(None) };
        let mut collection = Collection::new(id, key.as_str());
        collection.window_size = remembered.window;
        collection.get_changes = Some(remembered.changes == Changes::Send);
        collection.deletes_as_moves = Some(remembered.deletion == Deletion::ToTrash);
        collections.push(collection);
    }
    Ok(Some((collections, wait.or(last.wait), request.window_size.or(last.window))))
}

/// Remembers the request for the next that leaves something out.
async fn remember(
    exchange: &Exchange<'_>,
    collections: &[Collection],
    wait: Option<Duration>,
    window: Option<u32>,
) -> Result<(), Failure> {
    let remembered = collections.iter().filter_map(|collection| {
        Some(RememberedCollection {
            folder: folder_no(&collection.collection_id)?,
            changes: if collection.get_changes.unwrap_or(true) {
                Changes::Send
            } else {
                Changes::Hold
            },
            window: collection.window_size,
            deletion: super::deletion(collection),
        })
    });
    let last = LastSync { collections: remembered.collect(), wait, window };
    let remembered = exchange.engine().remember_sync(exchange.session(), &last).await;
    remembered.map_err(|error| exchange.failed(error))
}
