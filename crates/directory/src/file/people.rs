//! The address list of the file: who is found, and the files with photos and certificates.

use super::content::{CardEntry, Content};
use crate::people::Album;
use crate::{Binary, DirectoryEntry, PeopleFound, PeopleSearch, PersonKind, Terms};
use dme_model::UserId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::Read;
use std::path::Path;

/// The largest photo or file of certificates that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

impl Content {
    /// Everybody and everything with an address that is not hidden.
    pub(super) fn address_list(&self) -> Vec<DirectoryEntry> {
        let shown = self.users.iter().filter(|(_, entry)| !entry.hidden);
        let people = shown.map(|(name, entry)| {
            let user = UserId::new(format!("{name}@{}", self.realm));
            DirectoryEntry {
                id: format!("user:{name}"),
                kind: entry.kind,
                address: entry.address.clone().unwrap_or_else(|| user.to_string()),
                user: Some(user),
                display_name: entry.display_name.clone(),
                alias: Some(name.clone()),
                card: entry.card.card(),
                ..DirectoryEntry::default()
            }
        });
        let lists = self.groups.iter().filter_map(|(name, group)| {
            Some(DirectoryEntry {
                id: format!("group:{name}"),
                kind: PersonKind::Group,
                address: group.address.clone()?,
                display_name: group.display_name.clone().or_else(|| Some(name.clone())),
                alias: Some(name.clone()),
                ..DirectoryEntry::default()
            })
        });
        people.chain(lists).collect()
    }

    /// Those who fit. Files are looked for in the folder.
    pub(super) fn search(&self, search: &PeopleSearch, folder: &Path) -> PeopleFound {
        let Some(terms) = Terms::parse(&search.text) else { return PeopleFound::default() };
        let mut found = self.address_list();
        found.retain(|entry| terms.relevance(entry).is_some());
        found.sort_by_cached_key(|entry| terms.rank(entry));
        let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let page = found.into_iter().skip(whole(search.first)).take(whole(search.limit));
        let mut entries: Vec<_> = page.collect();
        let mut album = search.details.photos.map(Album::new);
        for entry in &mut entries {
            let card = self.card_of(entry);
            if let Some(album) = &mut album {
                let photo = card.and_then(|card| card.photo.as_deref());
                entry.photo = Some(album.take(photo.and_then(|file| read(&folder.join(file)))));
            }
            if search.details.certificates {
                let files = card.map(|card| &card.certificates[..]).unwrap_or_default();
                let read = files.iter().filter_map(|file| read(&folder.join(file)));
                entry.certificates = read.flat_map(certificates).map(Binary).collect();
            }
        }
        PeopleFound { entries, total }
    }

    fn card_of(&self, entry: &DirectoryEntry) -> Option<&CardEntry> {
        let user = entry.user.as_ref()?;
        self.users.get(user.local_part()).map(|entry| &entry.card)
    }
}

/// A whole file; none, and a word in the log, where that cannot be.
fn read(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file)
        .and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut bytes).map(|_| ()));
    if let Err(error) = read {
        tracing::warn!(file = %file.display(), %error, "the file of a card cannot be read");
        return None;
    }
    if bytes.len() as u64 > MAX_FILE {
        tracing::warn!(file = %file.display(), "the file of a card is larger than {MAX_FILE} bytes");
        return None;
    }
    Some(bytes)
}

/// The certificates in a file: those of a PEM one, else its bytes.
fn certificates(file: Vec<u8>) -> Vec<Vec<u8>> {
    if !file.starts_with(b"-----BEGIN") {
        return vec![file];
    }
    CertificateDer::pem_slice_iter(&file).flatten().map(|one| one.to_vec()).collect()
}
