//! One search or one bind on one connection, and what its result code means.
//!
//! The LDAP library panics on some answers that are not LDAP; that is caught here, so that a
//! broken server costs a connection and nothing else.

use super::standing::{Denial, POLICY_CONTROL, denial_of_text, standing_of_policy};
use crate::{Error, Standing};
use futures_util::FutureExt;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::controls::RawControl;
use ldap3::{Ldap, LdapError, LdapResult, Scope, SearchEntry, SearchOptions};
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// The most entries that are taken of any search.
pub(super) const MAX_ENTRIES: usize = 500_000;
/// The most values of one attribute that are asked for piece by piece.
const MAX_VALUES: usize = 1_000_000;
/// Whatever is there.
pub(super) const ANYTHING: &str = "(objectClass=*)";

/// An entry of the directory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Entry {
    /// Its name, as the server writes it.
    pub dn: String,
    /// What is text.
    attributes: HashMap<String, Vec<String>>,
    /// What is not.
    binary: HashMap<String, Vec<Vec<u8>>>,
}

/// Why a call on a connection came to nothing; the connection must not be used again.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is gone. It may have been for long: a new one may do.
    Broken(String),
    /// No answer in time.
    Late(String),
    /// The answer makes no sense.
    Nonsense(String),
}

/// How much of a search is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Amount {
    /// Everything, in pages of this size.
    All(u16),
    /// As many as this, whatever else there is.
    First(u32),
    /// As many as this, in pages: more than a server gives at once.
    UpTo { count: usize, page: u16 },
}

/// A search of all that is below a base.
#[derive(Clone, Debug)]
pub(super) struct Query<'a> {
    pub base: &'a str,
    pub filter: &'a str,
    pub attributes: &'a [String],
    pub amount: Amount,
}

/// The answer to a bind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Bound {
    /// The password is right; the policy may say something of the account.
    Yes(Option<Standing>),
    /// It is not.
    No(Denial),
}

impl Entry {
    #[cfg(test)]
    pub(super) fn new<'a>(dn: &str, values: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut entry = Self { dn: dn.into(), ..Self::default() };
        for (name, value) in values {
            entry.attributes.entry(name.to_lowercase()).or_default().push(value.into());
        }
        entry
    }

    /// The values of an attribute; all of them, also where a part was asked for.
    pub(super) fn all(&self, name: &str) -> &[String] {
        let name = name.split_once(";range=").map_or(name, |(name, _)| name);
        self.attributes.get(&name.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The first value of an attribute that is not blank.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).iter().map(|value| value.trim()).find(|value| !value.is_empty())
    }

    /// The first value of an attribute that need not be text.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let name = name.to_lowercase();
        // What happens to be UTF-8 is taken for text.
        let text = || self.attributes.get(&name)?.first().map(String::as_bytes);
        self.binary.get(&name).and_then(|values| values.first()).map(Vec::as_slice).or_else(text)
    }

    /// Takes out an attribute of which the server gave only a part of the values, as Active
    /// Directory does with more than 1500 (MS-ADTS 3.1.1.3.1.3.3).
    fn take_part(&mut self) -> Option<Part> {
        let part = self.attributes.keys().find_map(|key| Part::of(key))?;
        let values = self.attributes.remove(&part.key)?;
        self.attributes.entry(part.name.clone()).or_default().extend(values);
        Some(part)
    }
}

/// A part of an attribute's values: `member;range=0-1499`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    key: String,
    name: String,
    /// Where the next part begins; none where this is the last.
    next: Option<u32>,
}

impl Part {
    fn of(key: &str) -> Option<Self> {
        let (name, range) = key.split_once(";range=")?;
        let (_, last) = range.split_once('-')?;
        let next = match last {
            "*" => None,
            last => Some(last.parse::<u32>().ok()?.checked_add(1)?),
        };
        Some(Self { key: key.to_owned(), name: name.to_owned(), next })
    }
}

impl From<SearchEntry> for Entry {
    fn from(found: SearchEntry) -> Self {
        fn lower<T>(attributes: HashMap<String, T>) -> HashMap<String, T> {
            attributes.into_iter().map(|(name, values)| (name.to_lowercase(), values)).collect()
        }
        Self { dn: found.dn, attributes: lower(found.attrs), binary: lower(found.bin_attrs) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(text) | Failure::Late(text) => Self::Unavailable(text),
            Failure::Nonsense(text) => Self::Protocol(text),
        }
    }
}

/// Does a thing on a connection, within a time and whatever the library makes of the answer.
pub(super) async fn guarded<T>(
    what: &str,
    limit: Duration,
    work: impl Future<Output = Result<T, LdapError>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(error))) => Err(Failure::Broken(format!("{what}: {error}"))),
        Ok(Err(_)) => Err(Failure::Nonsense(format!("{what}: the answer is not LDAP"))),
        Err(_) => Err(Failure::Late(format!("{what}: no answer within {} s", limit.as_secs_f32()))),
    }
}

/// Searches. References to other servers are passed over, never followed.
pub(super) async fn search(
    ldap: &mut Ldap,
    query: &Query<'_>,
    limit: Duration,
) -> Result<Result<Vec<Entry>, Error>, Failure> {
    let found = guarded("search", limit, async {
        let adapters = match query.amount {
            Amount::All(page) | Amount::UpTo { page, .. } => paged(page),
            Amount::First(count) => {
                let count = i32::try_from(count).unwrap_or(i32::MAX);
                ldap.with_search_options(SearchOptions::new().sizelimit(count));
                plain()
            }
        };
        let most = match query.amount {
            Amount::UpTo { count, .. } => count,
            Amount::All(_) | Amount::First(_) => MAX_ENTRIES,
        };
        let Query { base, filter, attributes, .. } = query;
        let found = collect(ldap, adapters, base, Scope::Subtree, filter, attributes, most);
        let mut entries = match judge(query, found.await?) {
            Ok(entries) => entries,
            refused => return Ok(refused),
        };
        for entry in &mut entries {
            if let Err(refused) = complete(ldap, entry).await? {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(entries))
    });
    found.await
}

/// Reads one entry; none where it is not there or may not be seen.
pub(super) async fn entry(
    ldap: &mut Ldap,
    dn: &str,
    attributes: &[String],
    limit: Duration,
) -> Result<Option<Entry>, Failure> {
    let read = async {
        let found = collect(ldap, plain(), dn, Scope::Base, ANYTHING, attributes, 1).await?;
        let is_given = found.result.is_none_or(|result| result.rc == 0);
        Ok(found.entries.into_iter().next().filter(|_| is_given))
    };
    guarded(dn, limit, read).await
}

/// What a search gave.
pub(super) struct Found {
    pub entries: Vec<Entry>,
    /// None where there was more than was wanted, and the rest was not waited for.
    pub result: Option<LdapResult>,
}

type Adapters<'a> = Vec<Box<dyn Adapter<'a, String, Vec<String>> + 'a>>;

/// References to other servers are passed over, and that is all.
pub(super) fn plain<'a>() -> Adapters<'a> {
    vec![Box::new(EntriesOnly::new())]
}

/// The same, in pages.
pub(super) fn paged<'a>(page: u16) -> Adapters<'a> {
    vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(i32::from(page)))]
}

/// Searches, and takes so many entries at most.
pub(super) async fn collect<'a>(
    ldap: &mut Ldap,
    adapters: Adapters<'a>,
    base: &str,
    scope: Scope,
    filter: &str,
    attributes: &[String],
    most: usize,
) -> Result<Found, LdapError> {
    let mut stream =
        ldap.streaming_search_with(adapters, base, scope, filter, attributes.to_vec()).await?;
    let mut entries = Vec::new();
    while let Some(entry) = stream.next().await? {
        if entries.len() >= most {
            let id = stream.ldap_handle().last_id();
            ldap.abandon(id).await?;
            return Ok(Found { entries, result: None });
        }
        entries.push(Entry::from(SearchEntry::construct(entry)));
    }
    Ok(Found { entries, result: Some(stream.finish().await) })
}

/// Asks for what is missing of attributes with more values than the server gives at once.
async fn complete(ldap: &mut Ldap, entry: &mut Entry) -> Result<Result<(), Error>, LdapError> {
    while let Some(Part { name, next, .. }) = entry.take_part() {
        let Some(next) = next else { continue };
        let attributes = [format!("{name};range={next}-*")];
        let more = collect(ldap, plain(), &entry.dn, Scope::Base, ANYTHING, &attributes, 1).await?;
        let parts = more.entries.into_iter().next().map(|entry| entry.attributes);
        let parts = parts.unwrap_or_default();
        let parts = parts.into_iter().filter(|(key, _)| {
            Part::of(key)
                .is_some_and(|part| part.name == name && part.next.is_none_or(|n| n > next))
        });
        let before = entry.attributes.len();
        entry.attributes.extend(parts);
        if entry.attributes.len() == before || entry.all(&name).len() > MAX_VALUES {
            return Ok(Err(Error::Protocol(format!(
                "the server gives only a part of {name} of {}",
                entry.dn
            ))));
        }
    }
    match entry.attributes.keys().find(|key| key.contains(";range=")) {
        None => Ok(Ok(())),
        Some(key) => Ok(Err(Error::Protocol(format!("{key} of {} is no range", entry.dn)))),
    }
}

/// What the result code of a search means (RFC 4511 appendix A).
pub(super) fn judge(query: &Query<'_>, found: Found) -> Result<Vec<Entry>, Error> {
    let Query { base, filter, .. } = query;
    let refused = |text: String| Err(Error::Refused(text));
    let Found { entries, result } = found;
    let Some(result) = &result else {
        return match query.amount {
            Amount::UpTo { .. } => Ok(entries),
            Amount::All(_) | Amount::First(_) => refused(format!(
                "{base} has more than {MAX_ENTRIES} entries; write a narrower filter"
            )),
        };
    };
    match (result.rc, query.amount) {
        (0, _) | (4, Amount::First(_)) => Ok(entries),
        (4 | 11, Amount::All(_) | Amount::UpTo { .. }) => refused(format!(
            "the server does not give all of {base}; allow the account searches of any size, in \
             pages"
        )),
        (11, Amount::First(_)) => refused(format!(
            "the server would have to look at too many entries for {filter}; let it have an index \
             for each attribute in it"
        )),
        (32, _) => {
            refused(format!("{base} is not there, or the account may not see it; correct the base"))
        }
        (10, _) => refused(format!("{base} is on another server; name that one in urls")),
        (1 | 8 | 13 | 50, _) => refused(format!("searching {base}: {}", said(result))),
        (3 | 51 | 52 | 80, _) => {
            Err(Error::Unavailable(format!("searching {base}: {}", said(result))))
        }
        _ => Err(Error::Protocol(format!("searching {base} for {filter}: {}", said(result)))),
    }
}

/// Binds with a password, which must not be empty: that would be an anonymous bind, which
/// succeeds whoever it names (RFC 4513 §5.1.2).
pub(super) async fn bind(
    ldap: &mut Ldap,
    dn: &str,
    password: &str,
    limit: Duration,
) -> Result<Result<Bound, Error>, Failure> {
    if password.is_empty() || dn.trim().is_empty() {
        return Ok(Ok(Bound::No(Denial::WrongPassword)));
    }
    let policy = RawControl { ctype: POLICY_CONTROL.to_owned(), crit: false, val: None };
    let work = async { ldap.with_controls(vec![policy]).simple_bind(dn, password).await };
    let result = guarded("bind", limit, work).await?;
    let policy = result
        .ctrls
        .iter()
        .filter(|control| control.1.ctype == POLICY_CONTROL)
        .find_map(|control| standing_of_policy(control.1.val.as_deref()?));
    Ok(match (result.rc, policy) {
        (0, policy) => Ok(Bound::Yes(policy)),
        (49, Some(standing)) => Ok(Bound::No(Denial::Barred(standing))),
        (49, None) => Ok(Bound::No(denial_of_text(&result.text))),
        // inappropriateAuthentication: the entry has no password.
        (48 | 32, _) => Ok(Bound::No(Denial::WrongPassword)),
        // constraintViolation: how some servers answer too many wrong passwords.
        (19, _) => Ok(Bound::No(Denial::Barred(Standing::LockedOut))),
        (51 | 52 | 80, _) => Err(Error::Unavailable(format!("bind: {}", said(&result)))),
        (8 | 13, _) => Err(Error::Refused(format!(
            "the server wants an encrypted connection ({}); use ldaps:// or start_tls",
            said(&result)
        ))),
        _ => Err(Error::Refused(format!("bind: {}", said(&result)))),
    })
}

/// The result in words. The library's names of the codes and the server's own text.
fn said(result: &LdapResult) -> String {
    let mut text = result.to_string();
    text.truncate(text.floor_char_boundary(500));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_attribute_tells_where_the_next_begins() {
        for (key, name_and_next) in [
            ("member;range=0-1499", Some(("member", Some(1500)))),
            ("member;range=1500-*", Some(("member", None))),
            ("member", None),
            ("member;range=0", None),
            ("member;range=0-x", None),
            ("member;range=0-4294967295", None),
            ("usercertificate;binary", None),
        ] {
            let part = Part::of(key);
            let found = part.as_ref().map(|part| (part.name.as_str(), part.next));
            assert_eq!(found, name_and_next, "{key}");
        }
    }
}
