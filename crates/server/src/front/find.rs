//! Find (MS-ASCMD 2.2.1.2; 16.1): the newer way to search.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::{folder_no, server_id};
use super::people;
use super::search::{mails, page, words};
use dme_eas::find::{Criterion, Found, FoundMail, Request, Response, Status, Store};
use dme_eas::sync::ItemClass;
use dme_eas::{CommonStatus, address};
use dme_model::{BodyKind, BodyPreference, BodyView, Mail, MimeSupport};
use dme_sync::{FolderHit, FolderSearch};
use dme_wbxml::Element;

/// Characters of a mail shown with its result (MS-ASCMD 2.2.3.139).
const PREVIEW: u16 = 255;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    if exchange.version < exchange.line.command.since() {
        return Err(CommonStatus::CommandNotSupported.into());
    }
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::failed(Status::InvalidRequest).to_element());
    };
    let (first, limit) = page(request.range);
    let response = match &request.criterion {
        // Each page of people can be had by itself.
        Criterion::Directory { text, picture } => {
            let (people, first, total) =
                match people::page(exchange, text, request.range, *picture).await? {
                    Some(page) => (page.people, page.first, page.total),
                    None => (Vec::new(), first, 0),
                };
            let results = people.into_iter().map(|person| Found::Person(Box::new(person)));
            Response::results(Store::Directory, results.collect(), first, total)
        }
        // MS-ASCMD 2.2.3.177.2: whoever wants more mail asks for more from the beginning.
        Criterion::Mailbox { .. } if first != 0 => Response::failed(Status::StartWithRangeZero),
        Criterion::Mailbox { free_text, class, collection_id, deep_traversal } => {
            let other = class
                .as_deref()
                .is_some_and(|class| !class.eq_ignore_ascii_case(ItemClass::Email.name()));
            if other {
                Response::results(Store::Mailbox, Vec::new(), first, 0)
            } else {
                let mut folders = Vec::new();
                if let Some(id) = collection_id.as_deref().filter(|id| *id != "0") {
                    match folder_no(id) {
                        Some(folder) => folders.push(folder),
                        None => {
                            return Ok(Response::failed(Status::FolderSyncRequired).to_element());
                        }
                    }
                }
                let search = FolderSearch {
                    folders,
                    deep: *deep_traversal,
                    words: words(free_text),
                    offset: first,
                    limit,
                    ..FolderSearch::default()
                };
                mailbox(exchange, &search).await?
            }
        }
    };
    Ok(response.to_element())
}

async fn mailbox(exchange: &Exchange<'_>, search: &FolderSearch) -> Result<Response, Failure> {
    let (hits, total) = match exchange.engine().search(exchange.session(), search).await {
        Ok(found) => found,
        Err(dme_sync::Error::FolderNotFound(_)) => {
            return Ok(Response::failed(Status::FolderSyncRequired));
        }
        Err(error) => return Err(exchange.failed(error)),
    };
    let view = BodyView {
        preferences: vec![BodyPreference {
            kind: BodyKind::Plain,
            truncation: Some(0),
            all_or_none: false,
            preview: Some(PREVIEW),
        }],
        mime: MimeSupport::Never,
        part_preference: None,
    };
    let mails = mails(exchange, hits, &view).await?;
    let results = mails.into_iter().map(|(hit, mail)| Found::Mail(Box::new(short(&hit, *mail))));
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    Ok(Response::results(Store::Mailbox, results.collect(), search.offset, total))
}

/// A mail in short.
fn short(hit: &FolderHit, mail: Mail) -> FoundMail {
    let names =
        |list: &[dme_model::Address]| (!list.is_empty()).then(|| address::format_names(list));
    FoundMail {
        server_id: server_id(hit.folder, &hit.item),
        collection_id: hit.folder.to_string(),
        display_to: names(&mail.to).unwrap_or_default(),
        display_cc: names(&mail.cc),
        display_bcc: names(&mail.bcc),
        from: address::format_list(&mail.from),
        received: mail.received,
        importance: mail.importance,
        read: mail.flags.seen,
        draft: mail.flags.draft,
        preview: mail.preview,
        has_attachments: mail.attachments.iter().any(|attachment| !attachment.inline),
        subject: mail.subject,
    }
}
