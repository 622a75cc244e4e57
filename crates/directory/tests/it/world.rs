//! A small organisation in a directory.

use dme_directory::{
    Details, DirectoryService, LdapConfig, LdapDirectory, PeopleSearch, Person, Verdict,
};
use dme_model::{Secret, UserId};
use dme_testkit::slapd::{SERVICE_DN, SERVICE_PASSWORD, SUFFIX, Slapd};

/// People in two branches, groups in a third, with a nesting that runs in a circle:
/// `sales` is in `staff`, `staff` in `mobile`, `mobile` in `sales`.
pub fn entries() -> String {
    let mut ldif = String::new();
    for unit in ["people", "guests", "groups"] {
        ldif += &format!("dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n");
    }
    for (unit, uid, cn, password) in [
        ("people", "ann", "Ann Smith", "ann's secret"),
        ("people", "bob", "Bob\\, the Builder", "bob's secret"),
        ("people", "jürgen", "Jürgen Müller", "pä€ßwörd 密码"),
        ("guests", "guest", "A Guest", "guest's secret"),
    ] {
        ldif += &person(unit, uid, cn, password);
    }
    ldif + &groups()
}

/// One person, named by `cn` in the DN so that its escaping matters.
pub fn person(unit: &str, uid: &str, cn: &str, password: &str) -> String {
    format!(
        "dn: cn={cn},ou={unit},{SUFFIX}\nobjectClass: inetOrgPerson\ncn: {}\nsn: {uid}\n\
         uid: {uid}\nmail: {uid}.mail@example.org\nuserPassword: {password}\n\n",
        cn.replace('\\', "")
    )
}

/// The groups alone.
pub fn groups() -> String {
    group(
        "sales",
        &["cn=Ann Smith,ou=people", "CN=Bob\\2C the  Builder, OU=People", "cn=mobile,ou=groups"],
    ) + &group("staff", &["cn=Jürgen Müller,ou=people", "cn=SALES, ou=groups"])
        + &group("mobile", &["cn=staff,ou=groups"])
        + &group("others", &["cn=A Guest,ou=guests"])
}

/// One group with members below the suffix.
pub fn group(cn: &str, members: &[&str]) -> String {
    let mut ldif = format!("dn: cn={cn},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: {cn}\n");
    for member in members {
        ldif += &format!("member: {member},{SUFFIX}\n");
    }
    ldif + "\n"
}

/// The settings for a server, spoken to without TLS.
pub fn config(slapd: &Slapd) -> LdapConfig {
    parse(&format!(
        "urls = ['{}']\ntransport = 'plain_on_loopback'\nbases = ['{SUFFIX}']\n",
        slapd.ldap_url()
    ))
}

/// Settings with what every test needs filled in.
pub fn parse(more: &str) -> LdapConfig {
    let text = format!(
        "realm = 'example.org'\nbind_dn = '{SERVICE_DN}'\nbind_password = '{SERVICE_PASSWORD}'\n\
         timeout = '3s'\n{more}"
    );
    toml::from_str(&text).unwrap()
}

/// A directory with these settings.
pub fn directory(config: LdapConfig) -> LdapDirectory {
    LdapDirectory::new(config).unwrap()
}

/// What Ann looks for in the address list.
pub fn looking_for(text: &str, first: u32, limit: u32) -> PeopleSearch {
    let details = Details::default();
    PeopleSearch { asking: user("ann"), text: text.into(), first, limit, details }
}

/// The addresses of those who are found, without the domain.
pub async fn found(directory: &LdapDirectory, text: &str) -> Vec<String> {
    let found = directory.search(&looking_for(text, 0, 100)).await.unwrap();
    let local = |address: &str| address.split('@').next().unwrap_or_default().to_owned();
    found.entries.iter().map(|entry| local(&entry.address)).collect()
}

/// The user of the test realm.
pub fn user(name: &str) -> UserId {
    UserId::new(format!("{name}@example.org"))
}

/// A password.
pub fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// The person of a verdict that must be good.
pub fn accepted(verdict: Verdict) -> Person {
    match verdict {
        Verdict::Accepted(person) => *person,
        other => panic!("not accepted: {other:?}"),
    }
}
