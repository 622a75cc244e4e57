//! An LDAP directory: OpenLDAP, Active Directory and their kin.
//!
//! A person is found with the service account and then the password is tried by binding as that
//! person on another connection. Groups are read whole, page by page. References to other servers
//! are never followed: a password must not go where the configuration does not send it.

mod check;
mod config;
mod connection;
mod dn;
mod people;
mod query;
mod standing;

pub use check::{Finding, Severity};
pub use config::{
    ConfigError, GroupOptions, Kind, LdapConfig, Memberships, Nesting, Transport, UserOptions,
};
pub use people::{AddressListOptions, AttributeOptions, Matching};

use crate::{
    DirectoryService, Error, Everyone, Group, GroupId, GroupSnapshot, PeopleFound, PeopleSearch,
    Person, Result, Standing, Verdict,
};
use async_trait::async_trait;
use config::{Settings, fill};
use connection::{Pool, Purpose};
use dme_model::{Secret, Timestamp, UserId};
use people::{Candidates, REMEMBERED, Recent};
use query::{Amount, Bound, Entry, Failure, Query};
use standing::Denial;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The attribute with the groups an entry is in, where the directory keeps it.
const MEMBER_OF: &str = "memberOf";

/// One LDAP directory. Connections are opened when they are needed.
pub struct LdapDirectory {
    settings: Arc<Settings>,
    searching: Pool,
    binding: Pool,
    /// What is asked of a person's entry.
    person_attributes: Vec<String>,
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
        let remember = settings.address_list.remember;
        Ok(Self {
            searching: Pool::new(settings.clone(), tls.clone(), Purpose::Search),
            binding: Pool::new(settings.clone(), tls, Purpose::Bind),
            found: Recent::new(remember, REMEMBERED),
            visible: Recent::new(remember, REMEMBERED),
            settings,
            person_attributes,
        })
    }

    /// Searches on a connection of the service account, on a new one where an old one has died.
    async fn read(&self, query: &Query<'_>, limit: Duration) -> Result<Vec<Entry>> {
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
        if user.realm().is_none_or(|realm| realm.as_str() != self.settings.realm) {
            return Ok(None);
        }
        let filter = fill(&self.settings.user_filter, user.local_part(), user.as_str());
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
                "several entries are {user}; make users.filter tell them apart"
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
        if !search {
            return Ok(listed.iter().map(|dn| GroupId(dn::normalise(dn))).collect());
        }
        let Settings { group_filter, member, .. } = &*self.settings;
        let filter = format!("(&{group_filter}({member}={}))", ldap3::ldap_escape(&*entry.dn));
        let groups = self.all_groups(&filter, vec!["1.1".to_owned()]).await?;
        let groups: BTreeSet<_> = groups.iter().map(|entry| dn::normalise(&entry.dn)).collect();
        Ok(groups.into_iter().map(GroupId).collect())
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
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
        let as_of = now();
        let Settings { group_filter, group_name, member, nesting, .. } = &*self.settings;
        let links = match nesting {
            Nesting::Member => member.as_str(),
            Nesting::MemberOf => MEMBER_OF,
        };
        let attributes = vec![group_name.clone(), links.to_owned()];
        let entries = self.all_groups(group_filter, attributes).await?;
        let mut index: HashMap<GroupId, usize> = HashMap::with_capacity(entries.len());
        let mut groups: Vec<Group> = Vec::with_capacity(entries.len());
        for entry in &entries {
            if entry.is_partial(links) {
                return Err(Error::Refused(format!(
                    "the server gives only a part of {links} of {}; set groups.nesting to \
                     \"member_of\"",
                    entry.dn
                )));
            }
            let id = GroupId(dn::normalise(&entry.dn));
            let name = entry.first(group_name).unwrap_or(&id.0).to_owned();
            // Bases may overlap.
            index.entry(id.clone()).or_insert_with(|| {
                groups.push(Group { id, name, parents: Vec::new() });
                groups.len() - 1
            });
        }
        for entry in &entries {
            let id = GroupId(dn::normalise(&entry.dn));
            for other in entry.all(links).iter().map(|dn| GroupId(dn::normalise(dn))) {
                let (child, parent) = match nesting {
                    Nesting::Member => (other, id.clone()),
                    Nesting::MemberOf => (id.clone(), other),
                };
                // A member that is not a group is a person.
                if let Some(child) = index.get(&child).and_then(|n| groups.get_mut(*n))
                    && !child.parents.contains(&parent)
                {
                    child.parents.push(parent);
                }
            }
        }
        Ok(GroupSnapshot { groups, as_of })
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        self.search_people(search).await
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        self.list_everyone(asking, limit).await
    }
}
