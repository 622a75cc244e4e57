//! Makes a phone's message fit to be sent (RFC 5322 §3.6, RFC 6409 §8).

use super::{draft::DRAFT_KEY, write};
use crate::{
    Error, MAX_MESSAGE, conversation,
    header::{self, Fields, Of, RawField},
};
use bytes::Bytes;
use dme_model::{Address, Timestamp};
use std::collections::HashSet;

/// What a message lacks is taken from here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finish {
    /// The author, where the message names none.
    pub from: Address,
    /// The time, where it has no `Date`.
    pub now: Timestamp,
    /// Makes the `Message-ID` where it has none: the same seed and author give the same id, so
    /// that a repeated request is known (rule S2). The submission's key is a good one.
    pub seed: String,
}

/// A message ready to go out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// What is transmitted: without `Bcc`.
    pub message: Bytes,
    /// What is filed in Sent: with `Bcc`. Shares memory with `message` where there is none.
    pub sent_copy: Bytes,
    /// Its `Message-ID` without the brackets.
    pub message_id: String,
    /// The first author's address.
    pub from: String,
    /// To, Cc and Bcc, each once, in that order. Never empty.
    pub recipients: Vec<String>,
}

/// The longest address (RFC 5321 §4.5.3.1.3, the path with its brackets).
const MAX_ADDRESS: usize = 254;

/// Adds what is missing, takes out `Bcc`, ends every line with CRLF, encodes names and subject
/// where they are not ASCII. What follows the header is otherwise left as it is, so that
/// signatures hold.
///
/// # Errors
/// [`Error::NoRecipient`], [`Error::BadHeader`], [`Error::HeaderTooLarge`], [`Error::Empty`],
/// [`Error::TooLarge`].
pub fn finish(raw: &Bytes, finish: &Finish) -> Result<Finished, Error> {
    if raw.is_empty() {
        return Err(Error::Empty);
    }
    if raw.len() > MAX_MESSAGE {
        return Err(Error::TooLarge(raw.len() as u64));
    }
    let (fields, body) = Fields::parse(raw, 0, Of::Message);
    all_is_read(&fields, raw)?;
    let from = author(&fields, raw, &finish.from)?;
    let recipients = recipients(&fields, raw)?;
    let known = conversation::message_id(&fields, raw).filter(|id| is_id(id));
    let message_id = known.clone().unwrap_or_else(|| write::new_message_id(&finish.seed, &from));

    let mut head = Vec::with_capacity(body + 512);
    let mut bcc = Vec::new();
    for field in fields.iter(raw) {
        let replaced = (field.is("Message-ID") && known.is_none())
            || (field.is("From") && !names_author(&fields, raw))
            || (field.is("Date") && fields.date(raw, "Date").is_none())
            // What only a delivering server may say (RFC 5321 §4.4).
            || field.is("Return-Path")
            // Between us and the folder of drafts only.
            || field.is(DRAFT_KEY);
        if field.is("Bcc") {
            bcc.extend_from_slice(&sendable(field));
        } else if !replaced {
            head.extend_from_slice(&sendable(field));
        }
    }
    if !names_author(&fields, raw) {
        write::address_field("From", std::slice::from_ref(&finish.from), &mut head);
    }
    if fields.date(raw, "Date").is_none() {
        write::date_field(finish.now.as_seconds(), &mut head);
    }
    if known.is_none() {
        write::ids_field("Message-ID", std::slice::from_ref(&message_id), &mut head);
    }
    if fields.find(raw, "MIME-Version").is_none() {
        write::raw_field("MIME-Version", "1.0", &mut head);
    }
    let body = crlf(&raw[body..]);
    let join = |parts: [&[u8]; 4]| Bytes::from(parts.concat());
    let message = join([&head, b"", b"\r\n", &body]);
    let sent_copy =
        if bcc.is_empty() { message.clone() } else { join([&head, &bcc, b"\r\n", &body]) };
    Ok(Finished { message, sent_copy, message_id, from, recipients })
}

/// Refuses what would be lost or cut: fields beyond the limit, and the ends of long ones that are
/// not sent as they stand. An address cut short may be somebody else's.
fn all_is_read(fields: &Fields, raw: &[u8]) -> Result<(), Error> {
    let cut = |field: &RawField<'_>| {
        field.is_cut() && (field.holds_addresses() || !is_plain(field.whole))
    };
    if !fields.are_all() || fields.iter(raw).any(|field| cut(&field)) {
        return Err(Error::HeaderTooLarge);
    }
    Ok(())
}

fn names_author(fields: &Fields, raw: &[u8]) -> bool {
    fields.addresses(raw, "From").iter().any(|author| !author.email.is_empty())
}

fn author(fields: &Fields, raw: &[u8], default: &Address) -> Result<String, Error> {
    let named = fields.addresses(raw, "From").into_iter().find(|one| !one.email.is_empty());
    let email = named.map_or_else(|| default.email.clone(), |author| author.email);
    if is_address(&email) { Ok(email) } else { Err(Error::BadHeader("From")) }
}

pub(crate) fn recipients(fields: &Fields, raw: &[u8]) -> Result<Vec<String>, Error> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for name in ["To", "Cc", "Bcc"] {
        for address in fields.addresses(raw, name) {
            // A name that is nobody's address would be left out in silence.
            if !is_address(&address.email) {
                return Err(Error::BadHeader(name));
            }
            if seen.insert(address.email.to_lowercase()) {
                all.push(address.email);
            }
        }
    }
    if all.is_empty() { Err(Error::NoRecipient) } else { Ok(all) }
}

/// Whether it can stand in an SMTP command. Quoted local parts with spaces cannot.
pub(crate) fn is_address(email: &str) -> bool {
    let bad = |c: char| c.is_control() || c.is_whitespace() || "<>()[]\\,;:\"".contains(c);
    // Without a domain it is for the mail system to say whom it means.
    let halves = email.rsplit_once('@').unwrap_or((email, email));
    let whole = !halves.0.is_empty() && !halves.1.is_empty();
    whole && email.len() <= MAX_ADDRESS && !email.contains(bad)
}

fn is_id(id: &str) -> bool {
    id.len() <= 900 && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// Whether the bytes can go out as they are (RFC 5322 §2.2).
fn is_plain(bytes: &[u8]) -> bool {
    bytes.is_ascii() && memchr::memchr(0, bytes).is_none()
}

/// A field as it may go out: lines ended by CRLF, and where it is not ASCII, encoded as its kind
/// of field wants it.
fn sendable(field: RawField<'_>) -> Vec<u8> {
    let name = String::from_utf8_lossy(field.name);
    let mut out = Vec::with_capacity(field.whole.len() + 2);
    if is_plain(field.whole) {
        out.extend_from_slice(&crlf(field.whole));
    } else if field.holds_addresses() {
        let mut addresses = Vec::new();
        header::addresses(field.value, &mut addresses);
        write::address_field(&name, &addresses, &mut out);
    } else if (field.is("Content-Type") || field.is("Content-Disposition"))
        && let Some((value, parameters)) = header::parameters(field.value)
    {
        // Encoded words over the whole would hide the boundary and the type.
        let parameters: Vec<_> =
            parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        write::parameter_field(&name, &value, &parameters, &mut out);
    } else {
        write::text_field(&name, &header::text(field.value), &mut out);
    }
    out
}

/// The bytes with every line ended by CRLF, the last one too.
pub(crate) fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40 + 2);
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"\r\n");
        let pair = rest[at..].starts_with(b"\r\n");
        rest = &rest[at + if pair { 2 } else { 1 }..];
    }
    if !rest.is_empty() {
        out.extend_from_slice(rest);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
