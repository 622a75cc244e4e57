//! What can be set, and what is told of what cannot.

use super::*;

const MINIMAL: &str = "realm = 'Example.org'\nurls = ['ldaps://ldap.example.org']\n\
    bind_dn = 'cn=reader'\nbind_password = 'secret'\nbases = ['dc=example,dc=org']\n";

fn settings(more: &str) -> Result<Settings, String> {
    let mut table: toml::Table = MINIMAL.parse().unwrap();
    table.extend(more.parse::<toml::Table>().unwrap());
    let config: LdapConfig = table.try_into().map_err(|e: toml::de::Error| e.to_string())?;
    config.settings().map_err(|error| error.to_string())
}

#[test]
fn little_needs_to_be_written() {
    let settings = settings("").unwrap();
    assert_eq!(settings.realm, "example.org");
    assert_eq!(settings.name, "uid");
    assert_eq!(settings.group_bases, ["dc=example,dc=org"]);
    assert_eq!(settings.nesting, Nesting::Member);
}

#[test]
fn active_directory_has_its_own_defaults_and_each_can_be_changed() {
    let settings = settings(
        "kind = 'active_directory'\nusers = { address = 'proxyAddress' }\n\
         groups = { nesting = 'member' }",
    )
    .unwrap();
    assert_eq!(settings.name, "sAMAccountName");
    assert_eq!(settings.address, "proxyAddress");
    assert_eq!(settings.nesting, Nesting::Member);
    assert!(settings.user_filter.contains("(userPrincipalName={address})"));
    assert_eq!(settings.follow, None, "members do not tell of what changes elsewhere");
    assert_eq!(settings.memberships, Memberships::MemberOf);
}

#[test]
fn active_directory_needs_no_base_and_its_groups_are_followed() {
    let text = MINIMAL.replace("bases = ['dc=example,dc=org']", "kind = 'active_directory'");
    let config: LdapConfig = toml::from_str(&text).unwrap();
    let settings = config.settings().unwrap();
    assert_eq!(settings.bases, [""]);
    assert_eq!(settings.group_bases, [""]);
    assert_eq!(settings.follow, Some(Follow::Auto));
}

#[test]
fn what_is_wrong_is_told_by_its_name() {
    for (more, told) in [
        ("url = ['x']", "unknown field `url`"),
        ("users = { fliter = 'x' }", "unknown field `fliter`"),
        ("urls = []", "urls: is empty"),
        ("urls = ['http://x']", "urls: \"http://x\" begins neither"),
        ("urls = ['ldap://a b']", "urls: \"ldap://a b\" is not a server's name"),
        ("urls = ['ldap://a:99999']", "urls: \"ldap://a:99999\" is not a server's name"),
        ("urls = ['ldap://a']\ntransport = 'plain_on_loopback'", "transport: \"ldap://a\""),
        ("bind_dn = ' '", "bind_dn: is empty"),
        ("bind_password = ''", "bind_password: is empty"),
        ("bases = ['']", "bases: has an empty one"),
        ("groups = { bases = [' '] }", "bases: has an empty one"),
        ("groups = { follow = 'usn' }", "groups.follow: needs kind"),
        ("groups = { reread = '0s' }", "groups.reread: is 0s; 1s to 7d are allowed"),
        ("users = { address_filter = '(mail=*)' }", "users.address_filter: has no {address}"),
        ("page_size = 0", "page_size: is 0"),
        ("connections = 0", "connections: is 0; 1 to 256 are allowed"),
        ("timeout = '0s'", "timeout: is 0s; 100ms to 1h are allowed"),
        ("groups_timeout = '2h'", "groups_timeout: is 2h; 100ms to 1h are allowed"),
        ("users = { filter = '(uid=*)' }", "users.filter: has neither"),
        ("users = { filter = '(uid={user}' }", "users.filter: \"(uid=x\" is not a filter"),
        ("users = { filter = '(uid={user}{x})' }", "users.filter: has a placeholder"),
        ("groups = { filter = 'x' }", "groups.filter: \"x\" is not a filter"),
    ] {
        let error = settings(more).unwrap_err();
        assert!(error.contains(told), "{more}: {error}");
    }
}

#[test]
fn plain_connections_are_for_this_machine_unless_wanted_otherwise() {
    let start_tls = |more| settings(more).map(|settings| settings.urls[0].start_tls);
    assert_eq!(start_tls("urls = ['ldap://a.test']"), Ok(true));
    assert_eq!(start_tls("urls = ['ldaps://a.test:1636']"), Ok(false));
    for plain in [
        "urls = ['ldap://127.0.0.1:3389']\ntransport = 'plain_on_loopback'",
        "urls = ['ldap://localhost']\ntransport = 'plain_on_loopback'",
        "urls = ['ldap://a.test']\ntransport = 'plain_anywhere'",
    ] {
        assert_eq!(start_tls(plain), Ok(false));
    }
}

#[test]
fn what_is_filled_in_cannot_change_the_filter() {
    let filter = fill("(|(uid={user})(mail={address}))", "*)(uid=*", "{user}\\@x");
    assert_eq!(filter, r"(|(uid=\2a\29\28uid=\2a)(mail={user}\5c@x))");
}
