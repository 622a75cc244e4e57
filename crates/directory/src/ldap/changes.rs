//! What has changed in an Active Directory domain since a mark, by DirSync or by `uSNChanged`.
//!
//! A mark is a domain controller's own: its update sequence numbers mean nothing to another, and
//! another may be behind it. So a controller is known by its `invocationId`, which also changes when
//! it is restored from a backup (MS-ADTS 3.1.1.1.9).

use super::config::{Follow, Settings};
use super::follow::{Change, What};
use super::query::{
    Amount, Entry, Failure, MAX_ENTRIES, Query, collect, entry, guarded, judge, paged, plain,
};
use super::{dirsync, dn};
use crate::{Error, GroupId};
use ldap3::controls::RawControl;
use ldap3::{Ldap, Scope, SearchOptions};

/// What groups may lie in and can be renamed.
pub(super) const CONTAINERS: &str = "(|(objectClass=organizationalUnit)(objectClass=container))";
/// The attribute that names an object for ever.
pub(super) const GUID: &str = "objectGUID";

/// What is deleted, the container of it included.
const DELETED: &str = "(isDeleted=TRUE)";
/// LDAP_SERVER_SHOW_DELETED_OID (MS-ADTS 3.1.1.3.4.1.14).
const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
/// More answers than this to one question are no answer.
const MAX_ANSWERS: usize = 10_000;

/// A domain controller, as it says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Controller {
    /// The DN of its domain.
    pub domain: String,
    /// Which database it has.
    invocation: Vec<u8>,
    /// The latest change it has made.
    usn: u64,
}

/// Up to where the changes of a controller are known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    invocation: Vec<u8>,
    at: At,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum At {
    /// A cookie of DirSync.
    Cookie(Vec<u8>),
    /// A sequence number.
    Usn(u64),
}

impl Mark {
    /// How changes are learnt of from here.
    pub(super) fn follow(&self) -> Follow {
        match self.at {
            At::Cookie(_) => Follow::DirSync,
            At::Usn(_) => Follow::Usn,
        }
    }
}

impl Controller {
    /// Asks a server what it is; none where it is no domain controller, or does not say.
    pub(super) async fn ask(ldap: &mut Ldap, settings: &Settings) -> Result<Option<Self>, Failure> {
        let limit = settings.timeout;
        let attributes =
            ["defaultNamingContext", "dsServiceName", "highestCommittedUSN"].map(str::to_owned);
        let Some(root) = entry(ldap, "", &attributes, limit).await? else { return Ok(None) };
        let [domain, service, usn] = attributes.each_ref().map(|name| root.first(name));
        let (Some(domain), Some(service), Some(Ok(usn))) =
            (domain, service, usn.map(str::parse::<u64>))
        else {
            return Ok(None);
        };
        let service = entry(ldap, service, &["invocationId".to_owned()], limit).await?;
        let invocation = service.as_ref().and_then(|service| service.bytes("invocationId"));
        Ok(invocation.map(|invocation| Self {
            domain: domain.to_owned(),
            invocation: invocation.to_vec(),
            usn,
        }))
    }

    /// Whether a mark is this one's.
    pub(super) fn is_of(&self, mark: &Mark) -> bool {
        mark.invocation == self.invocation
    }

    /// A mark at what is now, to be taken before anything is read; or why there can be none.
    ///
    /// A server leaves out what an account may not see without a word, so an account that sees no
    /// deleted object would never learn of a deleted group. It must have seen one.
    pub(super) async fn mark(
        &self,
        ldap: &mut Ldap,
        settings: &Settings,
        follow: Follow,
    ) -> Result<Result<Mark, Error>, Failure> {
        let mark = |at| Mark { invocation: self.invocation.clone(), at };
        let container = format!("CN=Deleted Objects,{}", self.domain);
        if matches!(follow, Follow::Auto | Follow::DirSync) {
            match self.beginning(ldap, settings, &container).await? {
                Ok(cookie) => return Ok(Ok(mark(At::Cookie(cookie)))),
                Err(error) if follow == Follow::DirSync => return Ok(Err(error)),
                Err(_) => {}
            }
        }
        let seen = guarded("deleted objects", settings.timeout, async {
            ldap.with_controls(show_deleted())
                .with_search_options(SearchOptions::new().sizelimit(1));
            let attributes = [GUID.to_owned()];
            collect(ldap, plain(), &container, Scope::OneLevel, DELETED, &attributes, 1).await
        });
        if seen.await?.entries.is_empty() {
            return Ok(Err(Error::Refused(format!("the account sees nothing in {container}"))));
        }
        Ok(Ok(mark(At::Usn(self.usn))))
    }

    /// A cookie of DirSync at what is now.
    async fn beginning(
        &self,
        ldap: &mut Ldap,
        settings: &Settings,
        container: &str,
    ) -> Result<Result<Vec<u8>, Error>, Failure> {
        let container = dn::normalise(container);
        // Of groups there are fewer than of others; where none was ever deleted, others must do.
        for filter in [&format!("(&(objectClass=group){DELETED})"), DELETED] {
            let (seen, cookie) = match self.by_dir_sync(ldap, settings, &[], filter).await? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            if seen.iter().any(|entry| dn::normalise(&entry.dn) != container) {
                return Ok(Ok(cookie));
            }
        }
        Ok(Err(Error::Refused(format!("the account is told of nothing in {container}"))))
    }

    /// The groups and containers that have changed since the mark, and the mark after them.
    pub(super) async fn since(
        &self,
        ldap: &mut Ldap,
        settings: &Settings,
        mark: &Mark,
    ) -> Result<Result<(Vec<Change>, Mark), Error>, Failure> {
        // A group that no longer matches the filter is one that has changed, too.
        let wanted = format!("(|(objectClass=group){}{CONTAINERS})", settings.group_filter);
        let found = match &mark.at {
            At::Cookie(cookie) => {
                let found = self.by_dir_sync(ldap, settings, cookie, &wanted).await?;
                found.map(|(entries, cookie)| (entries, At::Cookie(cookie)))
            }
            At::Usn(usn) => {
                let next = usn.saturating_add(1);
                let filter = format!("(&(uSNChanged>={next}){wanted})");
                let entries = self.by_usn(ldap, settings, &filter).await?;
                entries.map(|entries| (entries, At::Usn(self.usn)))
            }
        };
        Ok(found.and_then(|(entries, at)| {
            let changes: Result<Vec<Change>, Error> = entries.iter().map(change).collect();
            Ok((changes?, Mark { invocation: self.invocation.clone(), at }))
        }))
    }

    async fn by_dir_sync(
        &self,
        ldap: &mut Ldap,
        settings: &Settings,
        cookie: &[u8],
        filter: &str,
    ) -> Result<Result<(Vec<Entry>, Vec<u8>), Error>, Failure> {
        // A change of what is not asked for is not told of. (Samba does not take "*" here.)
        let of_filter = attributes_in(&settings.group_filter).map(str::to_owned);
        let mut attributes =
            ["name", "member", "isDeleted", "objectClass"].map(str::to_owned).to_vec();
        attributes.extend(of_filter.chain([settings.group_name.clone()]));
        let query = self.query(filter, &attributes, settings);
        let mut cookie = cookie.to_vec();
        let mut entries = Vec::new();
        for _ in 0..MAX_ANSWERS {
            let asked = guarded("DirSync", settings.groups_timeout, async {
                ldap.with_controls(dirsync::request(&cookie));
                collect(ldap, plain(), query.base, Scope::Subtree, filter, &attributes, MAX_ENTRIES)
                    .await
            });
            let found = asked.await?;
            let answer = found.result.as_ref().and_then(|result| {
                let mut controls = result.ctrls.iter();
                let control = controls.find(|control| control.1.ctype == dirsync::CONTROL)?;
                dirsync::answer(control.1.val.as_deref()?)
            });
            match judge(&query, found) {
                Ok(found) => entries.extend(found),
                Err(error) => return Ok(Err(error)),
            }
            let Some(answer) = answer else {
                return Ok(Err(Error::Protocol("DirSync was answered without a cookie".into())));
            };
            cookie = answer.cookie;
            if !answer.more {
                return Ok(Ok((entries, cookie)));
            }
        }
        Ok(Err(Error::Protocol("DirSync never ends".into())))
    }

    async fn by_usn(
        &self,
        ldap: &mut Ldap,
        settings: &Settings,
        filter: &str,
    ) -> Result<Result<Vec<Entry>, Error>, Failure> {
        let attributes = [GUID, "isDeleted", "objectClass"].map(str::to_owned);
        let query = self.query(filter, &attributes, settings);
        let found = guarded("changes", settings.groups_timeout, async {
            ldap.with_controls(show_deleted());
            let pages = paged(settings.page_size);
            collect(ldap, pages, query.base, Scope::Subtree, filter, &attributes, MAX_ENTRIES).await
        });
        Ok(judge(&query, found.await?))
    }

    fn query<'a>(
        &'a self,
        filter: &'a str,
        attributes: &'a [String],
        settings: &Settings,
    ) -> Query<'a> {
        Query { base: &self.domain, filter, attributes, amount: Amount::All(settings.page_size) }
    }
}

/// The attributes that a filter looks at (RFC 4515 §3).
fn attributes_in(filter: &str) -> impl Iterator<Item = &str> {
    let item = |text: &'_ str| text.find(['=', '~', '<', '>', ':']);
    filter
        .split('(')
        .filter_map(move |text| text.get(..item(text)?))
        .filter(|name| !name.is_empty())
}

fn show_deleted() -> RawControl {
    RawControl { ctype: SHOW_DELETED.to_owned(), crit: true, val: None }
}

fn change(entry: &Entry) -> Result<Change, Error> {
    let guid = entry.bytes(GUID).ok_or_else(|| {
        Error::Protocol(format!("the server told that {} has changed without its {GUID}", entry.dn))
    })?;
    let is = |class: &&String| {
        class.eq_ignore_ascii_case("organizationalUnit") || class.eq_ignore_ascii_case("container")
    };
    let what = if entry.first("isDeleted").is_some_and(|said| said.eq_ignore_ascii_case("true")) {
        What::Deleted
    } else if entry.all("objectClass").iter().any(|class| is(&class)) {
        What::Container
    } else {
        What::Present
    };
    Ok(Change {
        guid: guid.to_vec(),
        dn: entry.dn.clone(),
        id: GroupId(dn::normalise(&entry.dn)),
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_of_a_filter_are_found() {
        for (filter, names) in [
            ("(objectClass=group)", &["objectClass"][..]),
            ("(&(cn>=a)(!(mail=*))(|(x~=1)(y:1.2.3:=2)))", &["cn", "mail", "x", "y"]),
            (r"(cn=a\28b=c\29)", &["cn"]),
            ("(:dn:2.4.6:=x)", &[]),
        ] {
            assert_eq!(attributes_in(filter).collect::<Vec<_>>(), names, "{filter}");
        }
    }

    #[test]
    fn a_change_tells_what_its_object_is_now() {
        for (attributes, what) in [
            (&[("objectGUID", "1")][..], What::Present),
            (&[("objectGUID", "1"), ("objectClass", "group")], What::Present),
            (&[("objectGUID", "1"), ("objectClass", "organizationalUnit")], What::Container),
            (&[("objectGUID", "1"), ("objectClass", "Container")], What::Container),
            (
                &[("objectGUID", "1"), ("objectClass", "container"), ("isDeleted", "TRUE")],
                What::Deleted,
            ),
            (&[("objectGUID", "1"), ("isDeleted", "FALSE")], What::Present),
        ] {
            let found = change(&Entry::new("CN=X", attributes.iter().copied())).unwrap();
            assert_eq!((found.what, found.id.0.as_str()), (what, "cn=x"), "{attributes:?}");
        }
        let nameless = Entry::new("CN=X", [("isDeleted", "TRUE")].into_iter());
        assert!(matches!(change(&nameless), Err(Error::Protocol(_))));
    }
}
