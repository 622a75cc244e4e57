//! Search (MS-ASCMD 2.2.1.16): in the mailbox, and for people.

use super::exchange::Exchange;
use super::failure::Failure;
use super::fetch::{check_parts, item_elements};
use super::ids::{folder_no, server_id};
use super::people;
use super::room::Room;
use dme_eas::ProtocolVersion;
use dme_eas::range::Range;
use dme_eas::search::{Found, MailboxQuery, Query, Request, Response, Status};
use dme_eas::sync::ItemClass;
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, ConversationId, Item, Mail};
use dme_sync::{FolderHit, FolderNo, FolderSearch};
use dme_wbxml::Element;

/// Results in an answer where the phone does not say (MS-ASCMD 2.2.3.143.4).
pub(super) const RESULTS: u32 = 100;
/// Bytes of a result's body where the phone does not say how much it wants.
const UNASKED: u64 = 4 * 1024;
/// Results in an answer at the most.
pub(super) const MOST: u32 = 500;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        // Under Search itself only 1 and 3 may stand (MS-ASCMD 2.2.3.177.13).
        return Ok(Response::store_failed(Status::InvalidRequest).into_element());
    };
    check_parts(exchange, &request.content)?;
    let response = match &request.query {
        Query::Mailbox(query) => {
            let (first, limit) = page(request.range);
            mailbox(exchange, query, &request, first, limit).await?
        }
        Query::Directory(text) => {
            // The element is 14.1's.
            let picture = request.picture.filter(|_| exchange.version >= ProtocolVersion::V14_1);
            match people::page(exchange, text, request.range, picture).await? {
                Some(page) => {
                    let results = page.people.into_iter().map(Found::Person).collect();
                    Response::results(results, page.first, page.total)
                }
                None => Response::store_failed(Status::EndOfRange),
            }
        }
        Query::TooComplex => Response::store_failed(Status::TooComplex),
        Query::DocumentLibrary(_) => Response::store_failed(Status::NotFound),
    };
    Ok(response.into_element())
}

/// The first result wanted, and how many.
pub(super) fn page(range: Option<Range>) -> (u32, u32) {
    match range {
        Some(range) => (range.first(), u32::try_from(range.count()).unwrap_or(MOST).clamp(1, MOST)),
        None => (0, RESULTS),
    }
}

async fn mailbox(
    exchange: &Exchange<'_>,
    query: &MailboxQuery,
    request: &Request,
    first: u32,
    limit: u32,
) -> Result<Response, Failure> {
    let mail = ItemClass::Email.name();
    if !query.classes.is_empty() && !query.classes.iter().any(|c| c.eq_ignore_ascii_case(mail)) {
        return Ok(Response::results(Vec::new(), first, 0));
    }
    let folders: Option<Vec<FolderNo>> = query
        .collection_ids
        .iter()
        // "0" is the top: everywhere.
        .filter(|id| id.as_str() != "0")
        .map(|id| folder_no(id))
        .collect();
    let Some(folders) = folders else {
        return Ok(Response::store_failed(Status::FolderSyncRequired));
    };
    let conversation = match &query.conversation_id {
        Some(id) => match <[u8; 16]>::try_from(&id[..]) {
            Ok(id) => Some(ConversationId(id)),
            Err(_) => return Ok(Response::results(Vec::new(), first, 0)),
        },
        None => None,
    };
    let search = FolderSearch {
        folders,
        deep: request.deep_traversal,
        words: words(query.free_text.as_deref().unwrap_or_default()),
        since: query.received_after,
        before: query.received_before,
        conversation,
        offset: first,
        limit,
    };
    let found = match exchange.engine().search(exchange.session(), &search).await {
        Ok(found) => found,
        Err(dme_sync::Error::FolderNotFound(_)) => {
            return Ok(Response::store_failed(Status::FolderSyncRequired));
        }
        Err(error) => return Err(exchange.failed(error)),
    };
    let (hits, total) = found;
    let view = request.content.view().or_native(Some(UNASKED));
    let mails = mails(exchange, hits, &view).await?;
    let results = mails.into_iter().map(|(hit, mail)| Found::Item {
        class: mail_class(),
        long_id: server_id(hit.folder, &hit.item),
        collection_id: hit.folder.to_string(),
        properties: item_elements(exchange, hit.folder, &hit.item, &Item::Mail(mail)),
    });
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    Ok(Response::results(results.collect(), first, total))
}

fn mail_class() -> String {
    ItemClass::Email.name().to_owned()
}

/// The words of a free text: what is in quotation marks stays together.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in text.split('"').enumerate() {
        if place % 2 == 1 {
            words.extend((!piece.trim().is_empty()).then(|| piece.trim().to_owned()));
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The mails of some hits, in their order, as far as they fit into an answer; the phone asks for
/// those after them by their range. What is gone or cannot be read is left out.
pub(super) async fn mails(
    exchange: &Exchange<'_>,
    hits: Vec<FolderHit>,
    view: &BodyView,
) -> Result<Vec<(FolderHit, Box<Mail>)>, Failure> {
    // In the order of their first hits, so that the first of all is always among the mails.
    let mut folders: Vec<FolderNo> = Vec::new();
    for hit in &hits {
        if !folders.contains(&hit.folder) {
            folders.push(hit.folder);
        }
    }
    let mut room = Room::new(exchange.front().limits.answer.0);
    let mut found: Vec<Option<FetchOutcome>> = hits.iter().map(|_| None).collect();
    for folder in folders {
        if room.is_none() {
            break;
        }
        let places: Vec<usize> = (0..hits.len()).filter(|i| hits[*i].folder == folder).collect();
        let items: Vec<_> = places.iter().map(|i| hits[*i].item.clone()).collect();
        let fetched = exchange
            .engine()
            .fetch_within(exchange.session(), folder, &items, view, room.bytes())
            .await
            .map_err(|error| exchange.failed(error))?;
        for (place, one) in places.into_iter().zip(fetched) {
            if let FetchOutcome::Item(item) = &one.outcome {
                room.take(dme_sync::item_size(item));
            }
            found[place] = Some(one.outcome);
        }
    }
    // Without a gap: the range that is answered is one.
    let pairs = hits.into_iter().zip(found).map_while(|(hit, outcome)| Some((hit, outcome?)));
    Ok(pairs
        .filter_map(|(hit, outcome)| match outcome {
            FetchOutcome::Item(Item::Mail(mail)) => Some((hit, mail)),
            // Mail alone is looked for.
            FetchOutcome::Item(_) | FetchOutcome::Gone | FetchOutcome::Unconvertible(_) => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quoted_words_stay_together() {
        assert_eq!(words("budget \"annual report\"  2026"), ["budget", "annual report", "2026"]);
        assert_eq!(words("\"unfinished business"), ["unfinished business"]);
        assert!(words(" \"\" ").is_empty());
    }
}
