//! An LDAP directory: OpenLDAP, Active Directory and their kin.
//!
//! A person is found with the service account and then the password is tried by binding as that
//! person on another connection. Groups are read whole, page by page, and where the directory tells
//! what has changed, only that from then on. References to other servers are never followed: a
//! password must not go where the configuration does not send it.

mod changes;
mod check;
mod config;
mod connection;
mod dirsync;
mod dn;
mod follow;
mod groups;
mod people;
mod primary;
mod query;
mod standing;
mod url;

pub use check::{Finding, Severity};
pub use config::{
    ConfigError, Follow, GroupOptions, Kind, LdapConfig, Memberships, Nesting, Transport,
    UserOptions,
};
pub use groups::{Extent, GroupReading};
pub use people::{AddressListOptions, AttributeOptions, Matching};

use crate::{
    DirectoryService, Error, Everyone, GroupId, GroupSnapshot, PeopleFound, PeopleSearch, Person,
    Result, Standing, Verdict,
};
use async_trait::async_trait;
use config::{Settings, fill};
use connection::{Pool, Purpose};
use dme_model::{Secret, Timestamp, UserId};
use people::{Candidates, REMEMBERED, Recent};
use primary::PrimaryGroups;
use query::{Amount, Bound, Entry, Failure, Query};
use standing::Denial;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;

/// The attribute with the groups an entry is in, where the directory keeps it.
const MEMBER_OF: &str = "memberOf";

/// One LDAP directory. Connections are opened when they are needed.
pub struct LdapDirectory {
    settings: Arc<Settings>,
    searching: Pool,
    binding: Pool,
    /// What is asked of a person's entry.
    person_attributes: Vec<String>,
    /// What an empty base stands for, once the server has said so.
    root: OnceCell<String>,
    /// What is known of the groups from one reading to the next.
    memory: tokio::sync::Mutex<groups::Memory>,
    primary: PrimaryGroups,
    /// Who was found for what, among those that a filter allows.
    found: Recent<(String, String), Candidates>,
    /// Which filter tells whom somebody may see; none where that is nobody.
    visible: Recent<UserId, Option<String>>,
}

impl LdapDirectory {
    /// A directory with these settings; nothing is connected yet.
    ///
    /// # Errors
    /// When a setting cannot be, or the authorities cannot be read.
    pub fn new(config: LdapConfig) -> Result<Self, ConfigError> {
        let settings = Arc::new(config.settings()?);
        let tls = connection::tls(&settings)?;
        let mut person_attributes: Vec<String> =
            [&settings.name, &settings.address, &settings.display_name].map(Clone::clone).into();
        person_attributes.extend(["cn", MEMBER_OF].map(str::to_owned));
        person_attributes.extend(standing::ATTRIBUTES.map(str::to_owned));
        person_attributes.extend(primary::ATTRIBUTES.map(str::to_owned));
        let remember = settings.address_list.remember;
        Ok(Self {
            searching: Pool::new(settings.clone(), tls.clone(), Purpose::Search),
            binding: Pool::new(settings.clone(), tls, Purpose::Bind),
            found: Recent::new(remember, REMEMBERED),
            visible: Recent::new(remember, REMEMBERED),
            settings,
            person_attributes,
            root: OnceCell::new(),
            memory: tokio::sync::Mutex::default(),
            primary: PrimaryGroups::default(),
        })
    }

    /// Searches on a connection of the service account, on a new one where an old one has died. An
    /// empty base stands for all that the server has.
    async fn read(&self, query: &Query<'_>, limit: Duration) -> Result<Vec<Entry>> {
        let query = &match query.base {
            "" => Query { base: self.root().await?, ..query.clone() },
            _ => query.clone(),
        };
        loop {
            let mut lease = self.searching.lease().await?;
            match query::search(&mut lease.connection.ldap, query, limit).await {
                Ok(answer) => {
                    if answer.is_ok() {
                        self.searching.give_back(lease);
                    }
                    return answer;
                }
                Err(Failure::Broken(_)) if lease.reused => self.searching.drop_idle(),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The base of all that the server has, as its root entry says (RFC 4512 §5.1).
    async fn root(&self) -> Result<&str> {
        let asked = self.root.get_or_try_init(async || {
            let mut lease = self.searching.lease().await?;
            let attributes = ["defaultNamingContext", "namingContexts"].map(str::to_owned);
            let limit = self.settings.timeout;
            let root = query::entry(&mut lease.connection.ldap, "", &attributes, limit).await?;
            self.searching.give_back(lease);
            let root = root.unwrap_or_default();
            let contexts = root.all("namingContexts");
            match (root.first("defaultNamingContext"), contexts) {
                (Some(context), _) => Ok(context.to_owned()),
                (None, [context]) => Ok(context.clone()),
                _ => Err(Error::Refused(format!(
                    "the server does not say which of its {} bases is meant; set bases",
                    contexts.len()
                ))),
            }
        });
        asked.await.map(String::as_str)
    }

    /// Tries a password, on a new connection where an old one has died.
    async fn bind(&self, dn: &str, password: &Secret) -> Result<Bound> {
        let limit = self.settings.timeout;
        loop {
            let mut lease = self.binding.lease().await?;
            match query::bind(&mut lease.connection.ldap, dn, password.expose(), limit).await {
                Ok(answer) => {
                    if answer.is_ok() {
                        self.binding.give_back(lease);
                    }
                    return answer;
                }
                Err(Failure::Broken(_)) if lease.reused => self.binding.drop_idle(),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The one entry of a user.
    async fn entry(&self, user: &UserId) -> Result<Option<Entry>> {
        let Settings { realm, user_filter, address_filter, .. } = &*self.settings;
        // A name in another domain is nobody's account name here.
        let is_own = user.realm().is_some_and(|of| of.as_str() == realm);
        let filter = if is_own { user_filter } else { address_filter };
        let filter = fill(filter, user.local_part(), user.as_str());
        let mut found: Vec<Entry> = Vec::new();
        for base in &self.settings.bases {
            let query = Query {
                base,
                filter: &filter,
                attributes: &self.person_attributes,
                amount: Amount::First(2),
            };
            found.extend(self.read(&query, self.settings.timeout).await?);
        }
        // Bases may overlap.
        found.sort_by(|a, b| a.dn.cmp(&b.dn));
        found.dedup_by(|a, b| a.dn == b.dn);
        if found.len() > 1 {
            return Err(Error::Refused(format!(
                "several entries are {user}; make {} tell them apart",
                if is_own { "users.filter" } else { "users.address_filter" }
            )));
        }
        Ok(found.pop())
    }

    /// The person of an entry.
    fn person(&self, entry: &Entry, groups: Vec<GroupId>) -> Result<Person> {
        let settings = &self.settings;
        // Of several names always the same one, in whatever order the server gives them.
        let names = entry.all(&settings.name).iter().map(|name| name.trim().to_lowercase());
        let name = names.filter(|name| !name.is_empty()).min().ok_or_else(|| {
            Error::Refused(format!("{} has no {}; correct users.name", entry.dn, settings.name))
        })?;
        // A user principal name has a realm already.
        let user = match name.rsplit_once('@') {
            None => UserId::new(format!("{name}@{}", settings.realm)),
            Some((_, realm)) if realm == settings.realm => UserId::new(name),
            Some(_) => {
                return Err(Error::Refused(format!(
                    "{} of {} is {name:?}, which is not of the realm {}; set users.name to an \
                     attribute without a realm",
                    settings.name, entry.dn, settings.realm
                )));
            }
        };
        let address = entry.first(&settings.address).unwrap_or(user.as_str()).to_owned();
        let display_name = entry.first(&settings.display_name).or_else(|| entry.first("cn"));
        Ok(Person {
            address,
            display_name: display_name.map(str::to_owned),
            groups,
            standing: standing::of_entry(entry, now()),
            user,
        })
    }

    /// The groups that list an entry themselves.
    async fn groups_of(&self, entry: &Entry) -> Result<Vec<GroupId>> {
        let listed = entry.all(MEMBER_OF);
        let search = match self.settings.memberships {
            Memberships::MemberOf => false,
            Memberships::Search => true,
            Memberships::Auto => listed.is_empty(),
        };
        let mut groups: BTreeSet<_> = if search {
            let Settings { group_filter, member, .. } = &*self.settings;
            let filter = format!("(&{group_filter}({member}={}))", ldap3::ldap_escape(&*entry.dn));
            let groups = self.all_groups(&filter, vec!["1.1".to_owned()]).await?;
            groups.iter().map(|entry| GroupId(dn::normalise(&entry.dn))).collect()
        } else {
            listed.iter().map(|dn| GroupId(dn::normalise(dn))).collect()
        };
        if let Some(sid) = primary::sid(entry) {
            groups.extend(self.primary_group(sid).await?);
        }
        Ok(groups.into_iter().collect())
    }

    /// The group with a security identifier.
    async fn primary_group(&self, sid: Vec<u8>) -> Result<Option<GroupId>> {
        if let Some(group) = self.primary.named(&sid) {
            return Ok(Some(group));
        }
        let filter = format!("(&(objectClass=group)(objectSid={}))", groups::escaped(&sid));
        let found = self.all_groups(&filter, vec!["1.1".to_owned()]).await?;
        let group = found.first().map(|entry| GroupId(dn::normalise(&entry.dn)));
        if let Some(group) = &group {
            self.primary.note(sid, group.clone());
        }
        Ok(group)
    }

    async fn all_groups(&self, filter: &str, attributes: Vec<String>) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for base in &self.settings.group_bases {
            let query = Query {
                base,
                filter,
                attributes: &attributes,
                amount: Amount::All(self.settings.page_size),
            };
            entries.extend(self.read(&query, self.settings.groups_timeout).await?);
        }
        Ok(entries)
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

#[async_trait]
impl DirectoryService for LdapDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        if password.expose().is_empty() {
            return Ok(Verdict::WrongPassword);
        }
        let Some(entry) = self.entry(user).await? else { return Ok(Verdict::Unknown) };
        Ok(match self.bind(&entry.dn, password).await? {
            Bound::Yes(policy) => {
                let mut person = self.person(&entry, self.groups_of(&entry).await?)?;
                person.standing = match (policy, person.standing) {
                    (Some(standing), _) => standing,
                    // The bind is newer than the entry: who was let in is not locked out.
                    (None, Standing::LockedOut) => Standing::Active,
                    (None, standing) => standing,
                };
                Verdict::Accepted(Box::new(person))
            }
            Bound::No(Denial::Unknown) => Verdict::Unknown,
            Bound::No(Denial::Barred(standing)) => Verdict::Barred(standing),
            // Not every server says that it did not even look at the password.
            Bound::No(Denial::WrongPassword) => match standing::of_entry(&entry, now()) {
                Standing::LockedOut => Verdict::Barred(Standing::LockedOut),
                _ => Verdict::WrongPassword,
            },
        })
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        let Some(entry) = self.entry(user).await? else { return Ok(None) };
        let groups = self.groups_of(&entry).await?;
        self.person(&entry, groups).map(Some)
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        Ok(self.read_groups().await?.snapshot)
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        self.search_people(search).await
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        self.list_everyone(asking, limit).await
    }
}
