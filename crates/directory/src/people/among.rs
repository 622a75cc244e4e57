//! An address search among people who are all at hand.

use super::{Album, Binary, DirectoryEntry, PeopleFound, PeopleSearch, Terms};

/// What is read of people only where somebody asks for it.
pub trait Attached {
    /// Somebody's photo.
    fn photo(&self, entry: &DirectoryEntry) -> Option<Vec<u8>>;

    /// Their certificates, as [`DirectoryEntry::certificates`] has them.
    fn certificates(&self, entry: &DirectoryEntry) -> Vec<Binary>;
}

/// Those of a list who fit, the best first, with the details that are asked for.
pub fn find_among<'a>(
    list: impl IntoIterator<Item = &'a DirectoryEntry>,
    search: &PeopleSearch,
    attached: &impl Attached,
) -> PeopleFound {
    let Some(terms) = Terms::parse(&search.text) else { return PeopleFound::default() };
    let mut found: Vec<&DirectoryEntry> =
        list.into_iter().filter(|entry| terms.relevance(entry).is_some()).collect();
    found.sort_by_cached_key(|entry| terms.rank(entry));
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let page = found.into_iter().skip(whole(search.first)).take(whole(search.limit));
    let mut entries: Vec<DirectoryEntry> = page.cloned().collect();
    let mut album = search.details.photos.map(Album::new);
    for entry in &mut entries {
        if let Some(album) = &mut album {
            entry.photo = Some(album.take(attached.photo(entry)));
        }
        if search.details.certificates {
            entry.certificates = attached.certificates(entry);
        }
    }
    PeopleFound { entries, total }
}
