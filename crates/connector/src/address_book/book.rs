//! The people whom one user sees, as items of a collection.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_directory::{DirectoryEntry, Everyone};
use dme_mailbox::{
    ChangeToken, Changes, ContentMark, Error, ErrorKind, ItemState, Result, StateNow,
};
use dme_model::{Contact, ContactText, ItemId, ItemSet};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Before a token's hashes.
const HASHES: &str = "g2:";
/// Characters of each person's hash, 36 bits: 10,000 people fit into a token, and among so many a
/// change is overlooked once in seven million.
const HASH: usize = 6;

/// All whom a user sees at one moment.
#[derive(PartialEq, Debug)]
pub(super) struct Book {
    /// By what the directory knows them by.
    people: BTreeMap<ItemId, DirectoryEntry>,
    /// Whether there is nobody else.
    complete: bool,
    token: ChangeToken,
}

impl Book {
    /// What the directory answered.
    pub fn of(everyone: Everyone) -> Self {
        let named = everyone.entries.into_iter().filter(|entry| !entry.id.is_empty());
        let people: BTreeMap<ItemId, DirectoryEntry> =
            named.map(|entry| (ItemId::new(entry.id.clone()), entry)).collect();
        let mut token = String::from(HASHES);
        token.extend(people.values().map(hash));
        Self { people, complete: everyone.complete, token: ChangeToken(token) }
    }

    /// Equal where the people and all they show are; it holds a hash of each.
    pub fn token(&self) -> &ChangeToken {
        &self.token
    }

    /// Whether the directory has nobody else whom the user might see.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Everybody.
    pub fn ids(&self) -> ItemSet {
        let mut ids = ItemSet::new();
        for id in self.people.keys() {
            ids.insert(id);
        }
        ids
    }

    /// Who is new or changed since a token. Whoever is missing goes, also who is only left out by the
    /// limit: else a phone would have more people than that, and keep those who left.
    pub fn changes(&self, since: &ChangeToken) -> Result<Changes> {
        let known = hashes(since)
            .ok_or_else(|| Error::new(ErrorKind::InvalidToken, "no token of an address list"))?;
        let is_new = |entry: &&DirectoryEntry| !known.contains(hash(entry).as_bytes());
        let state = |entry: &DirectoryEntry| ItemState {
            id: ItemId::new(entry.id.clone()),
            now: StateNow::Other(Some(ContentMark(format!("{:016x}", entry.change_mark())))),
        };
        Ok(Changes {
            upserted: self.people.values().filter(is_new).map(state).collect(),
            removed: ItemSet::new(),
            present: Some(self.ids()),
            token: self.token.clone(),
        })
    }

    /// One of them as a phone has people.
    pub fn contact(&self, id: &ItemId) -> Option<Contact> {
        self.people.get(id).map(contact)
    }
}

fn hash(entry: &DirectoryEntry) -> String {
    // The mark has a fixed length, so that nothing of it passes for a part of the id.
    let hash = Sha256::new().chain_update(entry.change_mark().to_be_bytes());
    let hash = hash.chain_update(entry.id.as_bytes()).finalize();
    URL_SAFE_NO_PAD.encode(hash).chars().take(HASH).collect()
}

/// The hashes in a token; none where it is not one of ours.
fn hashes(token: &ChangeToken) -> Option<HashSet<&[u8]>> {
    let each = token.0.strip_prefix(HASHES)?.as_bytes().chunks_exact(HASH);
    each.remainder().is_empty().then(|| each.collect())
}

fn contact(entry: &DirectoryEntry) -> Contact {
    let card = &entry.card;
    // Half a name would be all that a phone shows: many ignore what a person is filed as.
    let (first, last) = match (&card.first_name, &card.last_name) {
        (Some(first), Some(last)) => (first.as_str(), last.as_str()),
        _ => ("", entry.name()),
    };
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let mut contact = Contact { uid: entry.id.clone(), ..Contact::default() };
    for (field, value) in [
        (ContactText::FileAs, entry.name().to_owned()),
        (ContactText::FirstName, first.to_owned()),
        (ContactText::LastName, last.to_owned()),
        (ContactText::Email1, entry.address.clone()),
        (ContactText::Alias, text(&entry.alias)),
        (ContactText::JobTitle, text(&card.title)),
        (ContactText::CompanyName, text(&card.company)),
        (ContactText::Department, text(&card.department)),
        (ContactText::OfficeLocation, text(&card.office)),
        (ContactText::BusinessPhone, text(&card.phone)),
        (ContactText::MobilePhone, text(&card.mobile_phone)),
        (ContactText::HomePhone, text(&card.home_phone)),
    ] {
        contact.set_text(field, &value);
    }
    contact
}
