//! Ping: the phone waits for a change (MS-ASCMD 2.2.1.13; rule S7).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use super::wait::{Outcome, wait_for_change};
use dme_eas::ping::{Request, Response, Status};
use dme_eas::sync::ItemClass;
use dme_model::Class;
use dme_sync::{FolderNo, LastPing};
use dme_wbxml::Element;
use std::time::Duration;

pub(super) async fn handle(
    exchange: &Exchange<'_>,
    body: Option<Element>,
) -> Result<Element, Failure> {
    Ok(answer(exchange, body).await?.to_element())
}

async fn answer(exchange: &Exchange<'_>, body: Option<Element>) -> Result<Response, Failure> {
    let request = match body.as_ref().map(Request::from_element).transpose() {
        Ok(request) => request.unwrap_or_default(),
        Err(_) => return Ok(Response::Failed(Status::ProtocolError)),
    };
    drop(body);
    let times = &exchange.front().times;
    let (shortest, longest) = (times.shortest_wait.0, times.longest_wait.0);
    if let Some(heartbeat) = request.heartbeat
        && !(shortest..=longest).contains(&heartbeat)
    {
        return Ok(Response::HeartbeatOutOfRange(heartbeat.clamp(shortest, longest)));
    }
    let limit = exchange.front().limits.folders;
    if request.folders.as_ref().is_some_and(|folders| folders.len() > limit) {
        return Ok(Response::TooManyFolders(u32::try_from(limit).unwrap_or(u32::MAX)));
    }
    let Some((heartbeat, folders)) = Box::pin(complete(exchange, request)).await? else {
        return Ok(Response::Failed(Status::MissingParameters));
    };
    let known = Box::pin(exchange.known_folder_numbers()).await?;
    if folders.iter().any(|no| !known.contains(no)) {
        return Ok(Response::Failed(Status::FolderSyncRequired));
    }
    drop(known);
    Ok(match wait_for_change(exchange, &folders, heartbeat).await? {
        Outcome::Changed(folders) => {
            Response::Changed(folders.iter().map(FolderNo::to_string).collect())
        }
        Outcome::Hierarchy => Response::Failed(Status::FolderSyncRequired),
        Outcome::Expired => Response::Expired,
    })
}

/// What the phone left out is taken from its last Ping; the whole is remembered for the next.
async fn complete(
    exchange: &Exchange<'_>,
    request: Request,
) -> Result<Option<(Duration, Vec<FolderNo>)>, Failure> {
    let engine = exchange.engine();
    let last = match (&request.heartbeat, &request.folders) {
        (Some(_), Some(_)) => LastPing::default(),
        _ => engine
            .last_ping(exchange.session())
            .await
            .map_err(|error| exchange.failed(error))?
            .unwrap_or_default(),
    };
    let folders = match request.folders {
        Some(folders) => folders
            .iter()
            .map(|folder| {
                let class = folder.class.map_or(Class::Mail, class_of);
                (folder_no(&folder.id).unwrap_or(FolderNo(0)), class)
            })
            .collect(),
        None => last.folders,
    };
    let ping = LastPing { heartbeat: request.heartbeat.or(last.heartbeat), folders };
    let Some(heartbeat) = ping.heartbeat.filter(|_| !ping.folders.is_empty()) else {
        return Ok(None);
    };
    engine
        .remember_ping(exchange.session(), &ping)
        .await
        .map_err(|error| exchange.failed(error))?;
    Ok(Some((heartbeat, ping.folders.iter().map(|(no, _)| *no).collect())))
}

fn class_of(class: ItemClass) -> Class {
    match class {
        ItemClass::Calendar => Class::Calendar,
        ItemClass::Contacts => Class::Contacts,
        ItemClass::Tasks => Class::Tasks,
        ItemClass::Notes => Class::Notes,
        _ => Class::Mail,
    }
}
