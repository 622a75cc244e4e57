//! The address list of the file: who is found, and the files with photos and certificates.

use super::content::{CardEntry, Content};
use crate::{Attached, Binary, DirectoryEntry, PeopleFound, PeopleSearch, PersonKind, find_among};
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
        let list = self.address_list();
        find_among(&list, search, &Files { content: self, folder })
    }

    fn card_of(&self, entry: &DirectoryEntry) -> Option<&CardEntry> {
        let user = entry.user.as_ref()?;
        self.users.get(user.local_part()).map(|entry| &entry.card)
    }
}

/// The files that cards name.
struct Files<'a> {
    content: &'a Content,
    folder: &'a Path,
}

impl Attached for Files<'_> {
    fn photo(&self, entry: &DirectoryEntry) -> Option<Vec<u8>> {
        read(&self.folder.join(self.content.card_of(entry)?.photo.as_deref()?))
    }

    fn certificates(&self, entry: &DirectoryEntry) -> Vec<Binary> {
        let card = self.content.card_of(entry);
        let files = card.map(|card| &card.certificates[..]).unwrap_or_default();
        let read = files.iter().filter_map(|file| read(&self.folder.join(file)));
        read.flat_map(certificates).map(Binary).collect()
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
