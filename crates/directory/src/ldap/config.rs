//! The settings of an LDAP directory, with defaults for OpenLDAP and Active Directory.

use super::people::{AddressList, AddressListOptions, Context};
use super::url::Url;
use dme_model::{Realm, Secret, Span};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// One LDAP directory, the source of one realm.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// The realm it is the source of: the part after `@` of its users.
    pub realm: String,
    /// Where it is: `ldaps://dc1.example.org` or `ldap://…`, with or without a port. The next is
    /// tried when one cannot be reached. Names or IPv4 addresses; the certificate must have them.
    pub urls: Vec<String>,
    /// What it is; decides the defaults below.
    #[serde(default)]
    pub kind: Kind,
    /// How `ldap://` is secured; `ldaps://` always is.
    #[serde(default)]
    pub transport: Transport,
    /// The authorities to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The account that searches: its DN, or with Active Directory also `name@domain` or
    /// `DOMAIN\name`. It needs to read people and groups, nothing else.
    pub bind_dn: String,
    /// Its password.
    pub bind_password: Secret,
    /// The subtrees with people, and with groups where `groups.bases` is not set. Where none is, all
    /// that the server has by its root entry: its `defaultNamingContext`, else its only
    /// `namingContexts` (RFC 4512 §5.1).
    #[serde(default)]
    pub bases: Vec<String>,
    /// How people are found and read.
    #[serde(default)]
    pub users: UserOptions,
    /// How groups are found and read.
    #[serde(default)]
    pub groups: GroupOptions,
    /// Whom an address search offers, and what it shows of them.
    #[serde(default)]
    pub address_list: AddressListOptions,
    /// The longest time for connecting, and for each answer.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// The longest time for reading all groups.
    #[serde(default = "groups_timeout")]
    pub groups_timeout: Span,
    /// How many entries a page has (RFC 2696). Active Directory gives 1000 at most.
    #[serde(default = "page_size")]
    pub page_size: u16,
    /// How many connections are open at once for searching, and as many for checking passwords.
    #[serde(default = "connections")]
    pub connections: usize,
}

/// What kind of server it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// OpenLDAP and others with the schema of RFC 2798 and RFC 4519.
    #[default]
    OpenLdap,
    /// Active Directory, also Samba's.
    ActiveDirectory,
}

/// How an `ldap://` connection is secured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// By StartTLS (RFC 4511 §4.14), always.
    #[default]
    StartTls,
    /// Not at all, and only to a server on this machine.
    PlainOnLoopback,
    /// Not at all. Everybody's passwords can be read on the way.
    PlainAnywhere,
}

/// How people are found and read. What is not set is as `kind` has it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserOptions {
    /// The filter that finds one person. `{user}` stands for the name without realm, `{address}`
    /// for `name@realm`; both are escaped.
    pub filter: Option<String>,
    /// The filter that finds a person by a name in another domain than the realm's: an address, or
    /// a user principal name with another suffix. `{address}` stands for it.
    pub address_filter: Option<String>,
    /// The filter for all people that the address search offers.
    pub list_filter: Option<String>,
    /// The attribute with the account's name: what the canonical user is made of.
    pub name: Option<String>,
    /// The attribute with the primary mail address.
    pub address: Option<String>,
    /// The attribute with the name for people; `cn` where a person has none.
    pub display_name: Option<String>,
    /// Where a person's own groups are read.
    pub memberships: Memberships,
}

/// Where a person's own groups are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memberships {
    /// From the person's `memberOf` where there is one, else by searching the groups.
    #[default]
    Auto,
    /// From `memberOf` only.
    MemberOf,
    /// By searching the groups that list the person.
    Search,
}

/// How groups are found and read. What is not set is as `kind` has it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupOptions {
    /// The subtrees with groups; those of the people if none is set.
    pub bases: Vec<String>,
    /// The filter for all groups.
    pub filter: Option<String>,
    /// The attribute with a group's short name.
    pub name: Option<String>,
    /// The attribute with a group's members, as DNs.
    pub member: Option<String>,
    /// Where the groups a group is in are read.
    pub nesting: Option<Nesting>,
    /// How changes are learnt of, with Active Directory and `nesting = "member_of"`.
    pub follow: Follow,
    /// How often all groups are read again even so.
    pub reread: Span,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self {
            bases: Vec::new(),
            filter: None,
            name: None,
            member: None,
            nesting: None,
            follow: Follow::default(),
            reread: Span(Duration::from_secs(3600)),
        }
    }
}

/// Where the groups a group is in are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nesting {
    /// From the members of every group. All members cross the line at each refresh.
    Member,
    /// From each group's `memberOf`, which the directory must keep for groups too.
    MemberOf,
}

/// How changes of groups are learnt of. What an account may not do is replaced by the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// By the first of the following that the account may.
    #[default]
    Auto,
    /// By DirSync (MS-ADTS 3.1.1.3.4.1.3): the account needs "Replicating Directory Changes" on the
    /// domain, with Samba also what the next needs.
    DirSync,
    /// By `uSNChanged` (MS-ADTS 3.1.1.1.9): the account must see what is in the domain's "Deleted
    /// Objects", where something must be.
    Usn,
    /// Not at all: all groups are read at each refresh.
    Never,
}

/// What is wrong with the settings.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value cannot be.
    #[error("{key}: {problem}")]
    Value {
        /// Which setting.
        key: &'static str,
        /// What is wrong, and how to mend it.
        problem: String,
    },
    /// The authorities cannot be read.
    #[error("the certificate authorities in {from} cannot be used: {problem}")]
    Authorities {
        /// The file, or the system's store.
        from: String,
        /// What is wrong.
        problem: String,
    },
}

const fn timeout() -> Span {
    Span(Duration::from_secs(10))
}

const fn groups_timeout() -> Span {
    Span(Duration::from_secs(60))
}

const fn page_size() -> u16 {
    500
}

const fn connections() -> usize {
    8
}

/// The settings with all defaults filled in and checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub realm: String,
    pub kind: Kind,
    pub urls: Vec<Url>,
    pub ca_file: Option<PathBuf>,
    pub bind_dn: String,
    pub bind_password: Secret,
    pub bases: Vec<String>,
    pub group_bases: Vec<String>,
    pub user_filter: String,
    pub address_filter: String,
    pub list_filter: String,
    pub name: String,
    pub address: String,
    pub display_name: String,
    pub memberships: Memberships,
    pub group_filter: String,
    pub group_name: String,
    pub member: String,
    pub nesting: Nesting,
    /// None where groups are read whole only.
    pub follow: Option<Follow>,
    pub reread: Duration,
    pub address_list: AddressList,
    pub timeout: Duration,
    pub groups_timeout: Duration,
    pub page_size: u16,
    pub connections: usize,
}

struct Defaults {
    user_filter: &'static str,
    address_filter: &'static str,
    memberships: Memberships,
    list_filter: &'static str,
    name: &'static str,
    group_filter: &'static str,
    nesting: Nesting,
}

impl Kind {
    const fn defaults(self) -> Defaults {
        match self {
            Self::OpenLdap => Defaults {
                user_filter: "(&(objectClass=person)(|(uid={user})(mail={address})))",
                address_filter: "(&(objectClass=person)(mail={address}))",
                memberships: Memberships::Auto,
                list_filter: "(&(objectClass=person)(mail=*))",
                name: "uid",
                group_filter: "(objectClass=groupOfNames)",
                nesting: Nesting::Member,
            },
            Self::ActiveDirectory => Defaults {
                user_filter: "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={user})\
                              (userPrincipalName={address})(mail={address})))",
                address_filter: "(&(objectCategory=person)(objectClass=user)\
                                 (|(userPrincipalName={address})(mail={address})\
                                 (proxyAddresses=smtp:{address})))",
                // A person without it is in no group but the primary one.
                memberships: Memberships::MemberOf,
                list_filter: "(&(objectCategory=person)(objectClass=user)(mail=*)\
                              (!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
                name: "sAMAccountName",
                group_filter: "(objectClass=group)",
                nesting: Nesting::MemberOf,
            },
        }
    }
}

pub(super) fn wrong<T>(key: &'static str, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Value { key, problem: problem.into() })
}

impl LdapConfig {
    /// Whether it can work at all; nothing is read or contacted.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.clone().settings().map(drop)
    }

    /// Fills the defaults in and checks everything that can be checked without a connection.
    pub(super) fn settings(self) -> Result<Settings, ConfigError> {
        let defaults = self.kind.defaults();
        let realm = Realm::named(&self.realm).to_string();
        if realm.is_empty() {
            return wrong("realm", "is empty; write what stands after the @ of its users");
        }
        if self.urls.is_empty() {
            return wrong("urls", "is empty; write \"ldaps://\" and the server's name");
        }
        let urls: Result<Vec<_>, _> =
            self.urls.iter().map(|url| Url::parse(url, self.transport)).collect();
        if self.bind_dn.trim().is_empty() {
            return wrong("bind_dn", "is empty; an account that may search is needed");
        }
        if self.bind_password.expose().is_empty() {
            return wrong("bind_password", "is empty; with it the bind would be anonymous");
        }
        if self.bases.iter().chain(&self.groups.bases).any(|base| base.trim().is_empty()) {
            return wrong("bases", "has an empty one; leave bases out for all the server has");
        }
        if self.page_size == 0 {
            return wrong("page_size", "is 0; 500 suits most servers");
        }
        if !(1..=256).contains(&self.connections) {
            return wrong("connections", format!("is {}; 1 to 256 are allowed", self.connections));
        }
        let times = [("timeout", self.timeout), ("groups_timeout", self.groups_timeout)];
        for (key, time) in times {
            if !(Span::millis(100)..=Span::seconds(3_600)).contains(&time) {
                return wrong(key, format!("is {time}; 100ms to 1h are allowed"));
            }
        }
        let reread = self.groups.reread;
        if !(Span::seconds(1)..=Span::seconds(7 * 86_400)).contains(&reread) {
            return wrong("groups.reread", format!("is {reread}; 1s to 7d are allowed"));
        }
        let or = |set: Option<String>, default: &str| set.unwrap_or_else(|| default.to_owned());
        let (users, groups) = (self.users, self.groups);
        let user_filter = or(users.filter, defaults.user_filter);
        if !user_filter.contains("{user}") && !user_filter.contains("{address}") {
            return wrong("users.filter", "has neither {user} nor {address}: it finds anybody");
        }
        let address_filter = or(users.address_filter, defaults.address_filter);
        if !address_filter.contains("{address}") {
            return wrong("users.address_filter", "has no {address}: it finds anybody");
        }
        let list_filter = or(users.list_filter, defaults.list_filter);
        let group_filter = or(groups.filter, defaults.group_filter);
        for (key, filter) in [
            ("users.filter", &fill(&user_filter, "x", "x@x")),
            ("users.address_filter", &fill(&address_filter, "x", "x@x")),
            ("users.list_filter", &list_filter),
            ("groups.filter", &group_filter),
        ] {
            if filter.contains(['{', '}']) {
                return wrong(key, "has a placeholder that is unknown; {user} and {address} are");
            }
            if ldap3::parse_filter(filter).is_err() {
                return wrong(key, format!("{filter:?} is not a filter (RFC 4515)"));
            }
        }
        // An empty base stands for all that the server has.
        let bases = if self.bases.is_empty() { vec![String::new()] } else { self.bases };
        let nesting = groups.nesting.unwrap_or(defaults.nesting);
        let is_followed = self.kind == Kind::ActiveDirectory
            && nesting == Nesting::MemberOf
            && groups.follow != Follow::Never;
        if !is_followed && matches!(groups.follow, Follow::DirSync | Follow::Usn) {
            return wrong(
                "groups.follow",
                "needs kind = \"active_directory\" and groups.nesting = \"member_of\"",
            );
        }
        let memberships = match users.memberships {
            Memberships::Auto => defaults.memberships,
            set => set,
        };
        let name = or(users.name, defaults.name);
        let address = or(users.address, "mail");
        let display_name = or(users.display_name, "displayName");
        let address_list = self.address_list.settings(&Context {
            kind: self.kind,
            bases: &bases,
            people: &list_filter,
            name: &name,
            address: &address,
            display_name: &display_name,
        })?;
        Ok(Settings {
            address_list,
            realm,
            kind: self.kind,
            urls: urls?,
            ca_file: self.ca_file,
            bind_dn: self.bind_dn,
            bind_password: self.bind_password,
            group_bases: if groups.bases.is_empty() { bases.clone() } else { groups.bases },
            bases,
            user_filter,
            address_filter,
            list_filter,
            name,
            address,
            display_name,
            memberships,
            group_filter,
            group_name: or(groups.name, "cn"),
            member: or(groups.member, "member"),
            nesting,
            follow: is_followed.then_some(groups.follow),
            reread: groups.reread.0,
            timeout: self.timeout.0,
            groups_timeout: self.groups_timeout.0,
            page_size: self.page_size,
            connections: self.connections,
        })
    }
}

/// A filter with its placeholders filled in; the values are escaped (RFC 4515 §3).
pub(super) fn fill(template: &str, user: &str, address: &str) -> String {
    let mut filter = String::with_capacity(template.len() + user.len() + address.len());
    let mut rest = template;
    // One pass, so that a value with a placeholder in it is not filled in a second time.
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        filter.push_str(before);
        rest = if let Some(after) = after.strip_prefix("{user}") {
            filter.push_str(&ldap3::ldap_escape(user));
            after
        } else if let Some(after) = after.strip_prefix("{address}") {
            filter.push_str(&ldap3::ldap_escape(address));
            after
        } else {
            filter.push('{');
            after.strip_prefix('{').unwrap_or_default()
        };
    }
    filter.push_str(rest);
    filter
}

#[cfg(test)]
mod tests;
