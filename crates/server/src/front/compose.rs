//! SendMail, SmartReply, SmartForward (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20): they differ only in
//! what they refer to.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::{folder_no, item_of, item_of_long_id};
use super::reply::Reply;
use super::telling::about;
use crate::meeting_word;
use crate::records::EventKind;
use bytes::Bytes;
use dme_eas::compose::{Message, SaveInSent, Source};
use dme_eas::query::Command;
use dme_eas::{CommonStatus, ProtocolVersion, send_mail, smart_forward, smart_reply};
use dme_mailbox::{ErrorKind, Verb};
use dme_model::ItemId;
use dme_sync::{FolderNo, SubmitId, SubmitRequest};
use dme_wbxml::Element;

/// What came: the document from 14.0 on, the bare message in 12.1.
pub(super) enum Body<'a> {
    Document(&'a Element),
    Message(Bytes),
}

pub(super) async fn handle(exchange: &Exchange<'_>, body: Body<'_>) -> Result<Reply, Failure> {
    let (message, source, replace_mime) = read(exchange, body)?;
    if message.account_id.is_some() {
        return Err(other_account(exchange.version).into());
    }
    if !begins_with_field(&message.mime) {
        return Err(CommonStatus::InvalidMime.into());
    }
    let verb = match exchange.line.command {
        Command::SmartForward => Verb::Forward,
        _ => Verb::Reply,
    };
    let reference = match source {
        Some(source) => {
            let (folder, item) = original(&source).ok_or(CommonStatus::ItemNotFound)?;
            Some((folder, item, verb))
        }
        None => None,
    };
    let meeting = meeting_word::of(&message.mime, reference.as_ref().map(|_| verb));
    let request = SubmitRequest {
        id: message.client_id.map_or(SubmitId::Content, SubmitId::Client),
        message: message.mime,
        reference,
        replace_mime,
        save_in_sent: message.save_in_sent == SaveInSent::Yes,
        meeting,
    };
    let sent = exchange
        .to_its_end(move |engine, session| {
            Box::pin(async move { engine.submit(session, &request).await })
        })
        .await?
        .map_err(|error| refusal(exchange, error))?;
    if sent.before && exchange.version >= ProtocolVersion::V14_0 {
        // The phone lost the first answer; 118 tells it that there is nothing left to do
        // (docs/decisions/0010).
        return Err(CommonStatus::MessagePreviouslySent.into());
    }
    let sent = sent.submitted;
    for warning in &sent.warnings {
        tracing::warn!(request = %exchange.request, user = %exchange.device.user, warning,
            "the message was sent, but not all that follows was done");
    }
    let happened = match sent.refused.len() {
        0 => about(exchange, EventKind::MailSent, "a message is sent"),
        some => {
            let words = format!("a message is sent, but {some} of its recipients are refused");
            about(exchange, EventKind::MailRefused, words)
        }
    };
    exchange.front().events.note(happened);
    if !sent.refused.is_empty() {
        tracing::warn!(request = %exchange.request, user = %exchange.device.user,
            refused = sent.refused.len(), "some recipients were refused");
    }
    Ok(Reply::Empty)
}

/// Whether there is a message at all: a field's name and a colon (RFC 5322 §2.2).
fn begins_with_field(mime: &[u8]) -> bool {
    let name = mime.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    name > 0 && mime.get(name) == Some(&b':')
}

fn read(
    exchange: &Exchange<'_>,
    body: Body<'_>,
) -> Result<(Message, Option<Source>, bool), Failure> {
    match (body, exchange.line.command) {
        (Body::Document(element), Command::SmartReply) => {
            let request = smart_reply::Request::from_element(element)?;
            Ok((request.message, Some(request.source), request.replace_mime))
        }
        (Body::Document(element), Command::SmartForward) => {
            let request = smart_forward::Request::from_element(element)?;
            check_forwardees(exchange.version, &request)?;
            Ok((request.message, Some(request.source), request.replace_mime))
        }
        (Body::Document(element), _) => {
            Ok((send_mail::Request::from_element(element)?.message, None, false))
        }
        (Body::Message(mime), command) => {
            let line = &exchange.line.parameters;
            let message = Message::from_mime(mime, SaveInSent::from(line.save_in_sent));
            let source = Source::from_parameters(
                line.collection_id.as_deref(),
                line.item_id.as_deref(),
                line.long_id.as_deref(),
                line.occurrence.as_deref(),
            );
            if command != Command::SendMail && source.is_none() {
                return Err(CommonStatus::ItemNotFound.into());
            }
            Ok((message, source.filter(|_| command != Command::SendMail), false))
        }
    }
}

/// A mail is sent from the user's own account: Settings tells of no other, so that no other can be
/// asked for (MS-ASCMD 2.2.3.3.1), and the element is known from 14.1 on only.
fn other_account(version: ProtocolVersion) -> CommonStatus {
    if version < ProtocolVersion::V14_1 {
        CommonStatus::InvalidXml
    } else {
        CommonStatus::InvalidAccountId
    }
}

/// Forwardees are of a meeting, which a calendar would send on; a mail says in its own head to
/// whom it goes (16.0 on).
fn check_forwardees(
    version: ProtocolVersion,
    request: &smart_forward::Request,
) -> Result<(), CommonStatus> {
    if version < ProtocolVersion::V16_0 || request.forwardees.is_empty() {
        Ok(())
    } else if request.message.mime.is_empty() {
        Err(CommonStatus::InvalidSmartForwardParameters)
    } else {
        Err(CommonStatus::InvalidMimeBodyCombination)
    }
}

/// The mail that is answered or sent on. The item's own id names its folder too, so that a phone
/// that leaves the folder out, or names one the item was moved from, is understood.
fn original(source: &Source) -> Option<(FolderNo, ItemId)> {
    match source {
        Source::Item { folder_id, item_id, .. } => item_of(item_id).or_else(|| {
            let folder = folder_no(folder_id.as_deref()?)?;
            Some((folder, ItemId::from(item_id.as_str())))
        }),
        Source::LongId { long_id, .. } => item_of_long_id(long_id),
    }
}

/// Why it was not sent. What is final gets a status, so that the phone tells its user instead of
/// trying for ever.
fn refusal(exchange: &Exchange<'_>, error: dme_sync::Error) -> Failure {
    let status = match &error {
        dme_sync::Error::FolderNotFound(_) => CommonStatus::ItemNotFound,
        dme_sync::Error::Mailbox(inner) => match inner.kind {
            ErrorKind::MessageTooLarge => CommonStatus::MailSubmissionFailed,
            ErrorKind::Invalid => CommonStatus::MessageHasNoRecipient,
            ErrorKind::Unconvertible => CommonStatus::InvalidMime,
            _ => return exchange.failed(error),
        },
        _ => return exchange.failed(error),
    };
    let words = format!("a message is refused: {error}");
    exchange.front().events.note(about(exchange, EventKind::MailRefused, words));
    let _ = exchange.failed(error);
    // 12.1 has no statuses; of the HTTP ones its phones stop trying at 4xx only.
    if exchange.version == ProtocolVersion::V12_1 {
        return Failure::Http(http::StatusCode::FORBIDDEN);
    }
    status.into()
}

#[cfg(test)]
mod tests {
    use super::begins_with_field;

    #[test]
    fn a_message_begins_with_a_field() {
        for (mime, is_one) in [
            ("From: ann@example.org\r\n\r\nHello", true),
            ("X-Odd_1:\r\n", true),
            ("", false),
            ("no message: at all", false),
            (": nameless", false),
            ("\r\nFrom: too late", false),
        ] {
            assert_eq!(begins_with_field(mime.as_bytes()), is_one, "{mime:?}");
        }
    }
}
