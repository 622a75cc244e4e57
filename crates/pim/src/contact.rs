//! Contacts ↔ vCard: 3.0 (RFC 2426), 4.0 (RFC 6350) and the older 2.1.
//!
//! A card is kept as its lines. Reading finds the lines that have a place in the neutral
//! [`Contact`]; writing replaces those whose value differs from what reading gave, and leaves every
//! other line byte for byte. What a phone does not know — further addresses, keys, labels, other
//! programs' properties — so survives its edit.
//!
//! Where one of several lines fills a place (the telephones, the mail addresses), which one it is
//! follows from the card alone, see `slot`. An edit never shifts the others: where it would, the
//! line gets a parameter `X-DME-SLOT` that says which place it has. So what is read after an edit is
//! what was read before it with the edit's fields changed. The name under which a person is listed
//! is the exception: where no one has given it, it follows the name.
//!
//! New cards are 3.0: every CardDAV server must take it (RFC 6352 §5.1), 4.0 only some do. An
//! existing card keeps its version.

mod card;
mod date;
mod embedded;
mod line;
mod name;
mod picture;
mod place;
mod read;
mod slot;
mod value;
mod write;

use crate::calendar::value::utc;
use crate::{Error, uid};
use card::Card;
pub use card::MAX_OBJECT;
use dme_model::{BodyView, Contact, ContactPatch, Timestamp};

/// The largest picture a phone is shown, in bytes: 48 KB of base64 (MS-ASCNTC 2.2.2.58). A larger
/// one stays in the card as it is.
pub const MAX_PICTURE: usize = 36 << 10;

/// How much of one text a phone is shown, in bytes. The rest stays in the card unless the phone
/// changes the text. Notes have no such limit but the view's.
pub const MAX_TEXT: usize = 8 << 10;

/// The largest key read, in bytes: a certificate has some thousand.
const MAX_KEY: usize = 64 << 10;

/// Keys of one card that are read.
const MAX_KEYS: usize = 16;

/// A card that was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The card.
    pub object: Vec<u8>,
    /// Its `UID`.
    pub uid: String,
}

/// A card that was read, with what stands on it beside the contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// Whose it is.
    pub contact: Contact,
    /// What it is of, in lower case (`KIND`, RFC 6350 §6.1.4: `individual`, `org`, `location`; RFC
    /// 6869: `device`); none where it does not say.
    pub kind: Option<String>,
    /// The keys within it (`KEY`, RFC 6350 §6.8.1) as they are: X.509 certificates in DER, or others.
    /// At most 16 of at most 64 KiB; those that lie elsewhere are not fetched.
    pub keys: Vec<Vec<u8>>,
}

/// Reads a card; its notes as the view asks.
///
/// # Errors
/// [`Error::Unconvertible`] if it is no card, [`Error::TooLarge`], and [`Error::Group`] for a list of
/// people.
pub fn read(object: &[u8], view: &BodyView) -> Result<Contact, Error> {
    let card = Card::parse(object)?;
    Ok(read::contact(&card, view))
}

/// Carries out a patch on a card, or makes a new one. `key` names the act: a repeated one makes a
/// card with the same `UID`. `now` is when it was changed (`REV`). A patch that changes nothing
/// leaves the card as it is.
///
/// # Errors
/// Those of [`read`].
pub fn apply(
    object: Option<&[u8]>,
    patch: &ContactPatch,
    key: &str,
    now: Timestamp,
) -> Result<Applied, Error> {
    let mut card = match object {
        Some(object) => Card::parse(object)?,
        None => {
            let uid = patch.value.uid.trim();
            Card::new(if uid.is_empty() { uid::of(key) } else { uid.to_owned() })
        }
    };
    let changed = write::apply(&mut card, patch);
    if !changed && object.is_none() {
        write::complete(&mut card);
    }
    if changed || object.is_none() {
        if card.uid().is_empty() {
            card.append("UID", &[], &uid::of(key));
        }
        card.set_text_of("REV", &utc(now));
    }
    Ok(Applied { uid: card.uid(), object: card.to_bytes() })
}

/// The `UID` of a card; none where it has none.
///
/// # Errors
/// Those of [`read`].
pub fn uid(object: &[u8]) -> Result<Option<String>, Error> {
    let uid = Card::parse(object)?.uid();
    Ok(if uid.is_empty() { None } else { Some(uid) })
}

/// Reads a card as [`read`] does, with what an address list wants of it beside.
///
/// # Errors
/// Those of [`read`].
pub fn described(object: &[u8], view: &BodyView) -> Result<Described, Error> {
    let card = Card::parse(object)?;
    Ok(Described { contact: read::contact(&card, view), kind: kind(&card), keys: keys(&card) })
}

fn kind(card: &Card) -> Option<String> {
    let kind = card.text_of("KIND").trim().to_ascii_lowercase();
    (!kind.is_empty()).then_some(kind)
}

fn keys(card: &Card) -> Vec<Vec<u8>> {
    let keys = card.named("KEY").filter_map(|line| embedded::bytes(line, MAX_KEY));
    keys.take(MAX_KEYS).collect()
}

#[cfg(test)]
mod tests;
