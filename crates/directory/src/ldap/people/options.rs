//! The settings of the address list, `[people.ldap.address_list]`, with defaults for OpenLDAP and
//! Active Directory.

use super::super::config::{ConfigError, Kind};
use crate::PersonKind;
use dme_model::Span;
use serde::Deserialize;
use std::time::Duration;

/// Whom an address search offers, to whom, and what it shows of them. What is not set is as `kind`
/// has it. People themselves are found by `users.list_filter`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressListOptions {
    /// The subtrees it is made of; those of the people if none is set.
    pub bases: Vec<String>,
    /// The filter for distribution lists; empty for none.
    pub groups: Option<String>,
    /// The filter for rooms; empty for none. A room that the people's filter finds too is a room.
    pub rooms: Option<String>,
    /// The filter for equipment that can be booked; empty for none.
    pub resources: Option<String>,
    /// Entries in which this attribute is `TRUE` are left out; empty for none.
    pub hide: Option<String>,
    /// Filters that must all hold too. `{ATTRIBUTE}` stands for that attribute of whoever
    /// searches: each of its values, one attribute in a filter. Who has none sees nobody.
    pub visible: Vec<String>,
    /// Where in a name what is looked for may stand.
    pub matching: Matching,
    /// The attributes with names and addresses that are looked in. The directory should have an
    /// index for beginnings and parts (`sub`) of each.
    pub search_in: Option<Vec<String>>,
    /// The attributes with telephone numbers that are looked in.
    pub search_in_phones: Option<Vec<String>>,
    /// The attributes with further addresses of a person, with or without `smtp:` before them.
    pub other_addresses: Option<Vec<String>>,
    /// How many are found at most, 1 to 1000.
    pub limit: u32,
    /// How long what was found serves whoever looks for the same, such as the next page.
    pub remember: Span,
    /// The attributes that are shown.
    pub attributes: AttributeOptions,
}

impl Default for AddressListOptions {
    fn default() -> Self {
        Self {
            bases: Vec::new(),
            groups: None,
            rooms: None,
            resources: None,
            hide: None,
            visible: Vec::new(),
            matching: Matching::default(),
            search_in: None,
            search_in_phones: None,
            other_addresses: None,
            limit: 100,
            remember: Span(Duration::from_secs(10)),
            attributes: AttributeOptions::default(),
        }
    }
}

/// Where in a name what is looked for may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// At the beginning.
    Prefix,
    /// Anywhere: those who have it at the beginning come first.
    #[default]
    Contains,
}

/// Which attributes are shown. Of each list the first one counts that the entry has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttributeOptions {
    /// What an entry keeps when it is renamed.
    pub id: Option<Vec<String>>,
    /// The short name.
    pub alias: Option<Vec<String>>,
    /// The first name.
    pub first_name: Option<Vec<String>>,
    /// The last name.
    pub last_name: Option<Vec<String>>,
    /// The position.
    pub title: Option<Vec<String>>,
    /// The company.
    pub company: Option<Vec<String>>,
    /// The department.
    pub department: Option<Vec<String>>,
    /// Where the office is.
    pub office: Option<Vec<String>>,
    /// The office's telephone.
    pub phone: Option<Vec<String>>,
    /// The mobile telephone.
    pub mobile_phone: Option<Vec<String>>,
    /// The telephone at home.
    pub home_phone: Option<Vec<String>>,
    /// The photo.
    pub photo: Option<Vec<String>>,
    /// Certificates; of these all count.
    pub certificates: Option<Vec<String>>,
}

/// The settings with all defaults filled in and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct AddressList {
    pub bases: Vec<String>,
    /// A filter for each kind there is; who is of several is of the first.
    pub kinds: Vec<(PersonKind, String)>,
    pub hide: Option<String>,
    pub visible: Vec<Visible>,
    pub matching: Matching,
    pub search_in: Vec<String>,
    /// The one of these with the mail address.
    pub address: String,
    pub search_in_phones: Vec<String>,
    pub other_addresses: Vec<String>,
    pub limit: u32,
    pub remember: Duration,
    pub attributes: Attributes,
}

/// A filter that holds for those whom somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Visible {
    pub template: String,
    /// The attribute of whoever searches that stands in it.
    pub attribute: Option<String>,
}

/// The attributes to show, the first that is there of each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Attributes {
    pub id: Vec<String>,
    pub alias: Vec<String>,
    pub first_name: Vec<String>,
    pub last_name: Vec<String>,
    pub title: Vec<String>,
    pub company: Vec<String>,
    pub department: Vec<String>,
    pub office: Vec<String>,
    pub phone: Vec<String>,
    pub mobile_phone: Vec<String>,
    pub home_phone: Vec<String>,
    pub photo: Vec<String>,
    pub certificates: Vec<String>,
}

/// What the rest of the directory's settings says.
pub(in super::super) struct Context<'a> {
    pub kind: Kind,
    pub bases: &'a [String],
    pub people: &'a str,
    pub name: &'a str,
    pub address: &'a str,
    pub display_name: &'a str,
}

struct Defaults {
    groups: &'static str,
    rooms: &'static str,
    resources: &'static str,
    hide: &'static str,
    other_addresses: &'static [&'static str],
    id: &'static [&'static str],
    alias: &'static [&'static str],
    photo: &'static [&'static str],
    certificates: &'static [&'static str],
}

const fn defaults(kind: Kind) -> Defaults {
    match kind {
        Kind::OpenLdap => Defaults {
            groups: "(&(objectClass=groupOfNames)(mail=*))",
            rooms: "",
            resources: "",
            hide: "",
            other_addresses: &[],
            id: &["entryUUID"],
            alias: &["uid"],
            photo: &["jpegPhoto"],
            certificates: &["userCertificate;binary", "userSMIMECertificate;binary"],
        },
        Kind::ActiveDirectory => Defaults {
            groups: "(&(objectClass=group)(mail=*))",
            rooms: "(&(mail=*)(msExchResourceMetaData=ResourceType:Room))",
            resources: "(&(mail=*)(msExchResourceMetaData=ResourceType:Equipment))",
            hide: "msExchHideFromAddressLists",
            other_addresses: &["proxyAddresses"],
            id: &["objectGUID"],
            alias: &["mailNickname", "sAMAccountName"],
            photo: &["thumbnailPhoto", "jpegPhoto"],
            certificates: &["userCertificate", "userSMIMECertificate"],
        },
    }
}

fn wrong<T>(key: &'static str, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Value { key, problem: problem.into() })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl AddressListOptions {
    /// Fills the defaults in and checks what can be checked without a connection.
    pub(in super::super) fn settings(
        self,
        context: &Context<'_>,
    ) -> Result<AddressList, ConfigError> {
        let defaults = defaults(context.kind);
        let mut kinds = Vec::new();
        for (key, kind, set, default) in [
            ("address_list.rooms", PersonKind::Room, self.rooms, defaults.rooms),
            ("address_list.resources", PersonKind::Resource, self.resources, defaults.resources),
            ("address_list.groups", PersonKind::Group, self.groups, defaults.groups),
        ] {
            let filter = set.unwrap_or_else(|| default.to_owned());
            if filter.trim().is_empty() {
                continue;
            }
            if ldap3::parse_filter(&filter).is_err() {
                return wrong(key, format!("{filter:?} is not a filter (RFC 4515)"));
            }
            kinds.push((kind, filter));
        }
        kinds.push((PersonKind::Person, context.people.to_owned()));
        let visible = self.visible.into_iter().map(Visible::parse).collect::<Result<_, _>>()?;
        if !(1..=1000).contains(&self.limit) {
            return wrong(
                "address_list.limit",
                format!("is {}; 1 to 1000 are allowed", self.limit),
            );
        }
        if self.remember > Span::seconds(300) {
            let problem = format!("is {}; 0s to 5m are allowed", self.remember);
            return wrong("address_list.remember", problem);
        }
        let search_in = self.search_in.unwrap_or_else(|| {
            owned(&[context.display_name, "cn", "givenName", "sn", context.name, context.address])
        });
        if search_in.is_empty() {
            return wrong("address_list.search_in", "is empty; nobody could be found");
        }
        let phones = ["telephoneNumber", "mobile", "homePhone"];
        let search_in_phones = self.search_in_phones.unwrap_or_else(|| owned(&phones));
        let other_addresses =
            self.other_addresses.unwrap_or_else(|| owned(defaults.other_addresses));
        let attributes = self.attributes.settings(&defaults);
        let hide = self.hide.unwrap_or_else(|| defaults.hide.to_owned());
        for (key, names) in [
            ("address_list.search_in", &search_in),
            ("address_list.search_in_phones", &search_in_phones),
            ("address_list.other_addresses", &other_addresses),
            ("address_list.attributes", &attributes.all()),
            ("address_list.hide", &Vec::from_iter((!hide.is_empty()).then(|| hide.clone()))),
        ] {
            if let Some(name) = names.iter().find(|name| !is_attribute(name)) {
                return wrong(key, format!("{name:?} is not the name of an attribute"));
            }
        }
        Ok(AddressList {
            bases: if self.bases.is_empty() { context.bases.to_vec() } else { self.bases },
            kinds,
            hide: (!hide.is_empty()).then_some(hide),
            visible,
            matching: self.matching,
            search_in,
            address: context.address.to_owned(),
            search_in_phones,
            other_addresses,
            limit: self.limit,
            remember: self.remember.0,
            attributes,
        })
    }
}

impl AttributeOptions {
    fn settings(self, defaults: &Defaults) -> Attributes {
        let or = |set: Option<Vec<String>>, default: &[&str]| set.unwrap_or_else(|| owned(default));
        Attributes {
            id: or(self.id, defaults.id),
            alias: or(self.alias, defaults.alias),
            first_name: or(self.first_name, &["givenName"]),
            last_name: or(self.last_name, &["sn"]),
            title: or(self.title, &["title"]),
            // Active Directory's own, else the organisation.
            company: or(self.company, &["company", "o"]),
            department: or(self.department, &["department", "departmentNumber", "ou"]),
            office: or(self.office, &["physicalDeliveryOfficeName", "roomNumber"]),
            phone: or(self.phone, &["telephoneNumber"]),
            mobile_phone: or(self.mobile_phone, &["mobile"]),
            home_phone: or(self.home_phone, &["homePhone"]),
            photo: or(self.photo, defaults.photo),
            certificates: or(self.certificates, defaults.certificates),
        }
    }
}

impl Attributes {
    /// All that are text.
    pub(in super::super) fn of_card(&self) -> impl Iterator<Item = &String> {
        [
            &self.id,
            &self.alias,
            &self.first_name,
            &self.last_name,
            &self.title,
            &self.company,
            &self.department,
            &self.office,
            &self.phone,
            &self.mobile_phone,
            &self.home_phone,
        ]
        .into_iter()
        .flatten()
    }

    fn all(&self) -> Vec<String> {
        self.of_card().chain(&self.photo).chain(&self.certificates).cloned().collect()
    }
}

impl Visible {
    fn parse(template: String) -> Result<Self, ConfigError> {
        const KEY: &str = "address_list.visible";
        let mut attribute: Option<String> = None;
        for piece in template.split('{').skip(1) {
            let Some((name, _)) = piece.split_once('}') else {
                return wrong(KEY, format!("{template:?} has a {{ without its }}"));
            };
            if !is_attribute(name) {
                return wrong(KEY, format!("{name:?} is not the name of an attribute"));
            }
            if attribute.as_deref().is_some_and(|other| other != name) {
                let advice = "has two attributes; write a filter for each, all of them must hold";
                return wrong(KEY, format!("{template:?} {advice}"));
            }
            attribute = Some(name.to_owned());
        }
        let visible = Self { template, attribute };
        let filled = visible.with("x");
        if ldap3::parse_filter(&filled).is_err() {
            return wrong(KEY, format!("{:?} is not a filter (RFC 4515)", visible.template));
        }
        Ok(visible)
    }

    /// The filter with a value of the attribute, escaped (RFC 4515 §3).
    pub(in super::super) fn with(&self, value: &str) -> String {
        match &self.attribute {
            None => self.template.clone(),
            Some(name) => {
                // The text between the places is ours, so no value is filled in twice.
                let place = format!("{{{name}}}");
                let pieces: Vec<&str> = self.template.split(&place).collect();
                pieces.join(&ldap3::ldap_escape(value))
            }
        }
    }
}

/// A name or number of an attribute, with options such as `;binary` (RFC 4512 §2.5).
fn is_attribute(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.;".contains(c);
    !name.is_empty() && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(kind: Kind, text: &str) -> Result<AddressList, String> {
        let options: AddressListOptions =
            toml::from_str(text).map_err(|error| error.to_string())?;
        let context = Context {
            kind,
            bases: &["dc=example".to_owned()],
            people: "(mail=*)",
            name: "uid",
            address: "mail",
            display_name: "displayName",
        };
        options.settings(&context).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_directory_has_its_own_defaults_and_all_can_be_changed() {
        let open = settings(Kind::OpenLdap, "").unwrap();
        assert_eq!(open.bases, ["dc=example"]);
        assert_eq!(open.kinds.len(), 2, "people and groups");
        assert_eq!(open.attributes.photo, ["jpegPhoto"]);
        let active = settings(
            Kind::ActiveDirectory,
            "rooms = '(ou=rooms)'\nresources = ''\nhide = ''\nlimit = 20\nremember = '0s'\n\
             matching = 'prefix'\n[attributes]\nphoto = ['thumbnailPhoto']\ntitle = []",
        )
        .unwrap();
        let kinds: Vec<_> = active.kinds.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [PersonKind::Room, PersonKind::Group, PersonKind::Person]);
        assert_eq!((active.limit, active.hide), (20, None));
        assert_eq!(active.other_addresses, ["proxyAddresses"]);
        assert!(active.attributes.title.is_empty());
    }

    #[test]
    fn what_cannot_be_is_told_with_the_settings_name() {
        for (text, told) in [
            ("rooms = 'room'", "address_list.rooms"),
            ("visible = ['(ou={ou)']", "address_list.visible"),
            ("visible = ['(&(ou={ou})(l={l}))']", "a filter for each"),
            ("visible = ['ou={ou}=(']", "not a filter"),
            ("visible = ['(ou={})']", "name of an attribute"),
            ("search_in = []", "address_list.search_in"),
            ("search_in = ['mail)(x']", "address_list.search_in"),
            ("limit = 0", "1 to 1000"),
            ("remember = '1h'", "address_list.remember"),
            ("hide = 'a=b'", "address_list.hide"),
            ("[attributes]\nfoto = ['jpegPhoto']", "foto"),
        ] {
            let error = settings(Kind::OpenLdap, text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn values_of_whoever_searches_are_escaped_and_filled_in_once() {
        let visible = Visible::parse("(|(ou={ou})(l={ou}))".into()).unwrap();
        assert_eq!(
            visible.with("a)(b=*{ou}"),
            "(|(ou=a\\29\\28b=\\2a{ou})(l=a\\29\\28b=\\2a{ou}))"
        );
    }
}
