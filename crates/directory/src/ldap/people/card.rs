//! What is shown of an entry, from the attributes that LDAP (RFC 4519, RFC 4524, RFC 2798) and
//! Active Directory have for it.

use super::super::config::Settings;
use super::super::dn;
use super::super::query::Entry;
use crate::{Card, DirectoryEntry};

/// The attributes an entry of the address list is made of. A directory gives those it has and lets
/// be read.
pub(super) fn attributes(settings: &Settings) -> Vec<String> {
    let list = &settings.address_list;
    let mut names: Vec<String> =
        [&settings.name, &settings.address, &settings.display_name].map(Clone::clone).into();
    names.push("cn".to_owned());
    names.extend(list.hide.clone());
    names.extend(list.attributes.of_card().cloned());
    names.sort();
    names.dedup();
    names
}

/// Names, card and id of an entry. What kind it is, its account and its address are left out.
pub(super) fn of_entry(entry: &Entry, settings: &Settings) -> DirectoryEntry {
    let attributes = &settings.address_list.attributes;
    let first = |names: &[String]| names.iter().find_map(|name| entry.first(name));
    let text = |names: &[String]| first(names).map(str::to_owned);
    let display_name = entry.first(&settings.display_name).or_else(|| entry.first("cn"));
    let id = attributes.id.iter().find_map(|name| entry.bytes(name));
    DirectoryEntry {
        id: id.map_or_else(|| dn::normalise(&entry.dn), id_of),
        display_name: display_name.map(str::to_owned),
        alias: text(&attributes.alias),
        card: Card {
            first_name: text(&attributes.first_name),
            last_name: text(&attributes.last_name),
            title: text(&attributes.title),
            company: text(&attributes.company),
            department: text(&attributes.department),
            office: text(&attributes.office),
            phone: text(&attributes.phone),
            mobile_phone: text(&attributes.mobile_phone),
            home_phone: text(&attributes.home_phone),
        },
        ..DirectoryEntry::default()
    }
}

/// An id that is text as it is, another one, such as a GUID, in hexadecimal.
fn id_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => text.to_owned(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LdapConfig;

    fn settings() -> Settings {
        let config: LdapConfig = toml::from_str(
            "realm = 'example.org'\nurls = ['ldaps://ldap.example.org']\nbind_dn = 'cn=reader'\n\
             bind_password = 'secret'\nbases = ['dc=example,dc=org']\n",
        )
        .unwrap();
        config.settings().unwrap()
    }

    #[test]
    fn an_entry_shows_what_the_directory_gives_and_nothing_else() {
        let given = [
            ("entryUUID", "1-2-3"),
            ("cn", "Ann Smith"),
            ("uid", "ann"),
            ("givenName", "Ann"),
            ("sn", "Smith"),
            ("title", "Engineer"),
            ("o", "Example"),
            ("departmentNumber", "R&D"),
            ("physicalDeliveryOfficeName", "Room 1"),
            ("telephoneNumber", "+1 555 1"),
            ("mobile", "+1 555 2"),
            ("homePhone", "  "),
        ];
        let some = |text: &str| Some(text.to_owned());
        let expected = DirectoryEntry {
            id: "1-2-3".into(),
            display_name: some("Ann Smith"),
            alias: some("ann"),
            card: Card {
                first_name: some("Ann"),
                last_name: some("Smith"),
                title: some("Engineer"),
                company: some("Example"),
                department: some("R&D"),
                office: some("Room 1"),
                phone: some("+1 555 1"),
                mobile_phone: some("+1 555 2"),
                home_phone: None,
            },
            ..DirectoryEntry::default()
        };
        let shown = of_entry(&Entry::new("uid=ann", given.into_iter()), &settings());
        assert_eq!(shown, expected);
        for (name, _) in given {
            assert!(attributes(&settings()).iter().any(|asked| asked == name), "{name}");
        }
    }

    #[test]
    fn an_id_that_is_no_text_is_hexadecimal() {
        assert_eq!(id_of(b"1f-2e"), "1f-2e");
        assert_eq!(id_of(&[0xC3, 0xA4, 0x20]), "c3a420");
    }

    #[test]
    fn of_several_attributes_the_first_that_is_there_counts() {
        let given = [("company", "Example Ltd"), ("o", "Example")];
        let shown = of_entry(&Entry::new("UID=Ann, dc=x", given.into_iter()), &settings());
        assert_eq!(shown.card.company.as_deref(), Some("Example Ltd"));
        assert_eq!(shown.id, "uid=ann,dc=x", "the name serves where there is no other id");
    }
}
