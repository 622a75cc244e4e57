//! What a command answers, and how that becomes an HTTP response.

use super::failure::Failure;
use super::options;
use bytes::Bytes;
use dme_eas::query::Command;
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_wbxml::pages;
use dme_wbxml::{Element, Tag, encode};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;

/// WBXML as ActiveSync labels it (MS-ASHTTP 2.2.1.1.2.2).
pub(super) const WBXML: &str = "application/vnd.ms-sync.wbxml";

/// What a command answers.
pub(super) enum Reply {
    /// Nothing: all went well and there is nothing to say.
    Empty,
    /// A document.
    Element(Element),
    /// One with which the phone begins anew: it is told what the server speaks, so that one set up
    /// before an upgrade learns of it (MS-ASHTTP 3.2.5.1).
    Beginning(Element),
    /// Bytes of another type: an attachment, a multipart answer, an autodiscover document.
    Bytes {
        /// Their media type.
        content_type: String,
        /// The bytes.
        data: Bytes,
    },
}

impl Reply {
    pub fn into_response(self) -> Response<Full<Bytes>> {
        match self {
            Self::Empty => Response::new(Full::default()),
            Self::Element(element) => with_body(WBXML, Bytes::from(encode(&element))),
            Self::Beginning(element) => {
                let mut response = with_body(WBXML, Bytes::from(encode(&element)));
                options::add_versions(response.headers_mut());
                response
            }
            Self::Bytes { content_type, data } => with_body(&content_type, data),
        }
    }
}

fn with_body(content_type: &str, data: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(data));
    let value = HeaderValue::from_str(content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

/// The response to a request that failed before or within a command.
pub(super) fn failed(
    failure: &Failure,
    asked: Option<(Command, ProtocolVersion)>,
) -> Response<Full<Bytes>> {
    if let Some((command, version)) = asked
        && let Some(status) = failure.status_in(version)
        && let Some(element) = status_alone(command, status)
    {
        return Reply::Element(element).into_response();
    }
    let (status, after) = failure.http();
    let mut response = match failure.words() {
        Some(words) => with_body("text/plain; charset=utf-8", Bytes::from_static(words.as_bytes())),
        None => Response::new(Full::default()),
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(after) = after {
        let seconds = after.as_secs().max(1);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        // Older phones read this one only (MS-ASHTTP 2.2.1.2.1.1.16).
        headers.insert(
            HeaderName::from_static("x-ms-asthrottle"),
            HeaderValue::from_static("CommandFrequency"),
        );
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"DME\", charset=\"UTF-8\"");
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A command's answer that holds a status and nothing else; none for commands without WBXML.
fn status_alone(command: Command, status: CommonStatus) -> Option<Element> {
    let (root, tag): (Tag, Tag) = match command {
        Command::Sync => (pages::air_sync::SYNC, pages::air_sync::STATUS),
        Command::SendMail => (pages::compose_mail::SEND_MAIL, pages::compose_mail::STATUS),
        Command::SmartForward => (pages::compose_mail::SMART_FORWARD, pages::compose_mail::STATUS),
        Command::SmartReply => (pages::compose_mail::SMART_REPLY, pages::compose_mail::STATUS),
        Command::FolderSync => {
            (pages::folder_hierarchy::FOLDER_SYNC, pages::folder_hierarchy::STATUS)
        }
        Command::FolderCreate => {
            (pages::folder_hierarchy::FOLDER_CREATE, pages::folder_hierarchy::STATUS)
        }
        Command::FolderDelete => {
            (pages::folder_hierarchy::FOLDER_DELETE, pages::folder_hierarchy::STATUS)
        }
        Command::FolderUpdate => {
            (pages::folder_hierarchy::FOLDER_UPDATE, pages::folder_hierarchy::STATUS)
        }
        Command::MoveItems => (pages::move_items::MOVE_ITEMS, pages::move_items::STATUS),
        Command::GetItemEstimate => {
            (pages::get_item_estimate::GET_ITEM_ESTIMATE, pages::get_item_estimate::STATUS)
        }
        Command::MeetingResponse => {
            (pages::meeting_response::MEETING_RESPONSE, pages::meeting_response::STATUS)
        }
        Command::Search => (pages::search::SEARCH, pages::search::STATUS),
        Command::Settings => (pages::settings::SETTINGS, pages::settings::STATUS),
        Command::Ping => (pages::ping::PING, pages::ping::STATUS),
        Command::ItemOperations => {
            (pages::item_operations::ITEM_OPERATIONS, pages::item_operations::STATUS)
        }
        Command::Provision => (pages::provision::PROVISION, pages::provision::STATUS),
        Command::ResolveRecipients => {
            (pages::resolve_recipients::RESOLVE_RECIPIENTS, pages::resolve_recipients::STATUS)
        }
        Command::ValidateCert => {
            (pages::validate_cert::VALIDATE_CERT, pages::validate_cert::STATUS)
        }
        Command::Find => (pages::find::FIND, pages::find::STATUS),
        _ => return None,
    };
    Some(Element::parent(root, vec![Element::text(tag, status.code().to_string())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_directory::Standing;
    use http_body_util::BodyExt;

    async fn said(failure: &Failure, asked: Option<(Command, ProtocolVersion)>) -> (u16, Bytes) {
        let response = failed(failure, asked);
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn who_is_barred_is_told_why_where_no_status_says_it() {
        let locked = Failure::Barred(Standing::LockedOut);
        let must_change = Failure::Barred(Standing::MustChangePassword);
        let (status, words) = said(&locked, None).await;
        assert_eq!(status, 403);
        assert!(words.starts_with(b"the account is locked"), "{words:?}");
        let asked = Some((Command::FolderSync, ProtocolVersion::V16_1));
        let (status, document) = said(&locked, asked).await;
        let status_alone = status_alone(Command::FolderSync, CommonStatus::AccountDisabled);
        assert_eq!((status, document), (200, Bytes::from(encode(&status_alone.unwrap()))));
        let (status, words) = said(&must_change, asked).await;
        assert_eq!((status, &*words), (401, &b"the password must be changed first"[..]));
        assert_eq!(said(&Failure::Password, asked).await, (401, Bytes::new()));
    }
}
