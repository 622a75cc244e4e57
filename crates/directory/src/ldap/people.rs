//! The address list: people, distribution lists, rooms and equipment as colleagues look for them.
//!
//! A search goes in steps, from those whose whole name or address it is to those who have it
//! somewhere, until enough are found. Within a step each kind of entry is searched with its own
//! filter, all at once, because which filter found an entry is what tells its kind. The best of
//! them make the answer's page; photos and certificates are read for that page only.

mod card;
mod details;
mod filter;
mod options;
mod recent;

pub(super) use options::{AddressList, Context};
pub use options::{AddressListOptions, AttributeOptions, Matching};
pub(super) use recent::Recent;

use super::LdapDirectory;
use super::query::{Amount, Entry, Query};
use crate::{DirectoryEntry, Everyone, PeopleFound, PeopleSearch, PersonKind, Result, Terms};
use dme_model::UserId;
use filter::Step;
use futures_util::future;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// How many searches are remembered, and what how many users may see.
pub(super) const REMEMBERED: usize = 256;
/// Of how many values of an attribute of the user's a filter is made.
const MAX_VALUES: usize = 64;

/// Somebody who was found, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    dn: String,
    entry: DirectoryEntry,
}

/// All who were found, the best first.
pub(super) type Candidates = Arc<Vec<Candidate>>;

impl LdapDirectory {
    pub(super) async fn search_people(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        let Some(terms) = Terms::parse(&search.text) else { return Ok(PeopleFound::default()) };
        let Some(visible) = self.visible_to(&search.asking).await? else {
            return Ok(PeopleFound::default());
        };
        let key = (visible, terms.text().to_owned());
        let found = match self.found.get(&key, Instant::now()) {
            Some(found) => found,
            None => {
                let found = Arc::new(self.candidates(&key.0, &terms).await?);
                self.found.put(key, found.clone(), Instant::now());
                found
            }
        };
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let mut page: Vec<_> =
            found.iter().skip(whole(search.first)).take(whole(search.limit)).cloned().collect();
        self.read_details(&mut page, search.details).await?;
        Ok(PeopleFound {
            entries: page.into_iter().map(|candidate| candidate.entry).collect(),
            total: u32::try_from(found.len()).unwrap_or(u32::MAX),
        })
    }

    pub(super) async fn list_everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        let Some(visible) = self.visible_to(asking).await? else {
            return Ok(Everyone { entries: Vec::new(), complete: true });
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // One more tells whether there are more.
        let count = limit.saturating_add(1);
        let amount = Amount::UpTo { count, page: self.settings.page_size };
        let mut found = self.of_all_kinds(&visible, amount).await?;
        let complete = found.len() <= limit;
        found.truncate(limit);
        Ok(Everyone { entries: found.into_iter().map(|one| one.entry).collect(), complete })
    }

    /// The filter for those whom a user may see; none where that is nobody.
    async fn visible_to(&self, asking: &UserId) -> Result<Option<String>> {
        let visible = &self.settings.address_list.visible;
        if visible.iter().all(|visible| visible.attribute.is_none()) {
            let filters = visible.iter().map(|visible| visible.template.as_str());
            return Ok(Some(filters.collect()));
        }
        if let Some(known) = self.visible.get(asking, Instant::now()) {
            return Ok(known);
        }
        let own = self.entry(asking).await?;
        let mut filters = Vec::with_capacity(visible.len());
        for visible in visible {
            let filter = match (&visible.attribute, &own) {
                (None, _) => visible.template.clone(),
                (Some(_), None) => String::new(),
                (Some(attribute), Some(own)) => {
                    let values = self.texts_of(&own.dn, attribute).await?;
                    let values = values.iter().filter(|value| !value.trim().is_empty());
                    values.take(MAX_VALUES).map(|value| visible.with(value)).collect()
                }
            };
            // Without a value there is nobody.
            filters.push((!filter.is_empty()).then(|| format!("(|{filter})")));
        }
        let filter: Option<String> = filters.into_iter().collect();
        self.visible.put(asking.clone(), filter.clone(), Instant::now());
        Ok(filter)
    }

    /// Those who fit, as many as the settings allow.
    async fn candidates(&self, visible: &str, terms: &Terms) -> Result<Vec<Candidate>> {
        let list = &self.settings.address_list;
        let limit = usize::try_from(list.limit).unwrap_or(usize::MAX);
        let mut found: Vec<Candidate> = Vec::new();
        for step in Step::of(terms, list.matching) {
            let fitting = format!("{visible}{}", step.filter(terms, list));
            let mut more = self.of_all_kinds(&fitting, Amount::First(list.limit)).await?;
            more.retain(|one| !found.iter().any(|other| other.entry.id == one.entry.id));
            // Who is found in a later step never comes before those of an earlier one, as which of
            // the later ones were given may be chance.
            more.sort_by_cached_key(|one| terms.rank(&one.entry));
            found.extend(more);
            let is_the_one = step == Step::Whole && terms.is_address() && !found.is_empty();
            if found.len() >= limit || is_the_one {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those of each kind for whom a filter holds, everybody once.
    async fn of_all_kinds(&self, filter: &str, amount: Amount) -> Result<Vec<Candidate>> {
        let list = &self.settings.address_list;
        let attributes = card::attributes(&self.settings);
        let searches = list.kinds.iter().flat_map(|(kind, of_kind)| {
            let attributes = &attributes;
            list.bases.iter().map(move |base| async move {
                let filter = format!("(&{of_kind}{filter})");
                let query = Query { base, filter: &filter, attributes, amount };
                let entries = self.read(&query, self.settings.timeout).await?;
                Ok::<_, crate::Error>((*kind, entries))
            })
        });
        let mut listed = HashSet::new();
        let mut found = Vec::new();
        for (kind, entries) in future::try_join_all(searches).await? {
            for entry in entries {
                if let Some(candidate) = self.candidate(kind, entry)
                    && listed.insert(candidate.entry.id.clone())
                {
                    found.push(candidate);
                }
            }
        }
        Ok(found)
    }

    /// What an entry shows; none where it is hidden or has no address.
    fn candidate(&self, kind: PersonKind, entry: Entry) -> Option<Candidate> {
        let list = &self.settings.address_list;
        let is_true = |name: &String| {
            entry.first(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        if list.hide.as_ref().is_some_and(is_true) {
            return None;
        }
        // An entry without an account name, such as a list, is nobody's account.
        let account = || self.person(&entry, Vec::new()).ok().map(|person| person.user);
        let user = if kind == PersonKind::Group { None } else { account() };
        let address = entry.first(&self.settings.address);
        let address = address.or(user.as_ref().map(UserId::as_str))?.to_owned();
        let shown = card::of_entry(&entry, &self.settings);
        Some(Candidate { entry: DirectoryEntry { kind, user, address, ..shown }, dn: entry.dn })
    }
}
