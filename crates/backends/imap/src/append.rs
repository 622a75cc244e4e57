//! Putting messages into folders (RFC 9051 §6.3.12).

use crate::changes::search_with;
use crate::error::{WireError, kind_of_no};
use crate::items::expunge;
use crate::mailbox::{ImapMailbox, item, local, on_session, uid};
use crate::session::Session;
use crate::wire::command::Command;
use bytes::Bytes;
use dme_mailbox::{Draft, ErrorKind, Result, hash};
use dme_mime::compose::DRAFT_KEY;
use dme_model::{CollectionId, ItemId, ItemSet};

impl ImapMailbox {
    pub(crate) async fn append_message(
        &self,
        collection: &CollectionId,
        message: &[u8],
    ) -> Result<ItemId> {
        self.check_size(message.len())?;
        let message = crlf(message);
        let name = collection.as_str();
        let mut lease = self.lease_for_write(Some(name), "deliver").await?;
        let appended = append(&mut lease, name, "", message).await;
        appended.map(item).map_err(|error| error.told("deliver"))
    }

    pub(crate) async fn append_draft(
        &self,
        collection: &CollectionId,
        draft: &Draft,
    ) -> Result<ItemId> {
        self.check_size(draft.message.len())?;
        let name = collection.as_str();
        let key = hash::name_of(&draft.key.0);
        on_session!(self, Some(name), "save a draft", |session| {
            session.select(name).await?;
            let saved = newest(session, DRAFT_KEY, &key).await?;
            let saved = match saved {
                Some(saved) => saved,
                None => {
                    let mut message = format!("{DRAFT_KEY}: {key}\r\n").into_bytes();
                    message.extend_from_slice(&crlf(&draft.message));
                    append(session, name, "(\\Draft \\Seen) ", message.into()).await?
                }
            };
            if let Some(old) = draft.replaces.as_ref().and_then(uid).filter(|old| *old != saved) {
                session.select(name).await?;
                let mut old_one = ItemSet::new();
                old_one.insert_run(old, old);
                expunge(session, &old_one).await?;
            }
            Ok(item(saved))
        })
    }

    /// Files a sent message, unless one with its Message-ID is there already.
    pub(crate) async fn file_sent(
        &self,
        sent: &str,
        message_id: &str,
        message: &Bytes,
    ) -> Result<()> {
        on_session!(self, Some(sent), "file in Sent", |session| {
            session.select(sent).await?;
            if newest(session, "Message-ID", message_id).await?.is_none() {
                append(session, sent, "(\\Seen) ", message.clone()).await?;
            }
            Ok(())
        })
    }

    /// Whether a message with this Message-ID is in a folder.
    pub(crate) async fn has_message(&self, name: &str, message_id: &str) -> Result<bool> {
        on_session!(self, Some(name), "look for a message", |session| {
            session.select(name).await?;
            Ok(newest(session, "Message-ID", message_id).await?.is_some())
        })
    }

    fn check_size(&self, size: usize) -> Result<()> {
        let max = self.shared.pool.config.max_message_size.0;
        if size as u64 <= max {
            return Ok(());
        }
        let why = format!("the message has {size} bytes, max_message_size allows {max}");
        Err(local(ErrorKind::MessageTooLarge, &why).told(""))
    }
}

/// The newest message with this header field in the selected folder.
async fn newest(session: &mut Session, field: &str, value: &str) -> Result<Option<u32>, WireError> {
    let found = search_with(session, Command::new(format!("HEADER {field}")).string(value)).await?;
    Ok(found.runs().last().map(|(_, last)| last))
}

/// Appends, and answers the new UID.
async fn append(
    session: &mut Session,
    name: &str,
    flags: &str,
    message: Bytes,
) -> Result<u32, WireError> {
    let id = dme_mime::message_id(&message);
    let command = Command::new("APPEND").mailbox(name);
    let command = match flags.trim() {
        "" => command.literal(message),
        flags => command.text(&format!(" {flags}")).literal(message),
    };
    let status = match session.run(command, |_| {}).await {
        Err(WireError::No { code, text })
            if kind_of_no(code.as_deref(), &text) == ErrorKind::NotFound =>
        {
            return Err(local(ErrorKind::NotFound, "there is no such folder"));
        }
        status => status?,
    };
    let told = status.argument("APPENDUID").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    if let Some(uid) = told {
        return Ok(uid);
    }
    // Without UIDPLUS it must be looked for: by its Message-ID, else it is the newest.
    session.reselect(name).await?;
    let by_id = match id {
        Some(id) => newest(session, "Message-ID", &id).await?,
        None => None,
    };
    let found = match by_id {
        Some(uid) => Some(uid),
        None => crate::changes::search(session, "UID *").await?.runs().last().map(|run| run.1),
    };
    found.ok_or_else(|| local(ErrorKind::Protocol, "an appended message is not there"))
}

/// With CRLF at every line end, as IMAP wants messages.
fn crlf(message: &[u8]) -> Bytes {
    let mut before = 0;
    let bare = |byte: &u8| {
        let bare = *byte == b'\n' && before != b'\r';
        before = *byte;
        bare
    };
    let count = message.iter().filter(|byte| **byte == b'\n').count();
    if !message.iter().any(bare) {
        return Bytes::copy_from_slice(message);
    }
    let mut out = Vec::with_capacity(message.len() + count);
    let mut before = 0;
    for byte in message {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_made_whole() {
        for (given, wanted) in
            [("a\nb\r\nc\n", "a\r\nb\r\nc\r\n"), ("a\r\n", "a\r\n"), ("\n", "\r\n")]
        {
            assert_eq!(crlf(given.as_bytes()), wanted.as_bytes());
        }
    }
}
