use super::*;
use dme_model::Span;

fn problems(more: &str) -> Vec<String> {
    let all = format!(
        "directory = '/nowhere'\nphones.host = 'mail.example.org'\n{more}\n[[realms]]\n\
         name = 'example.org'\naccess.users = 'everyone'\n"
    );
    toml::from_str::<ServerConfig>(&all).unwrap().problems()
}

#[test]
fn the_defaults_make_sense() {
    assert_eq!(problems(""), Vec::<String>::new());
}

#[test]
fn a_value_that_makes_no_sense_is_named_with_what_is_allowed() {
    for (more, told) in [
        ("limits.connections = 0", "limits.connections is 0: 1 to 100000000 are allowed"),
        ("limits.head = '1KiB'", "limits.head is 1KiB: 8KiB to 16MiB are allowed"),
        ("limits.window = 513", "limits.window is 513: 1 to 512 are allowed"),
        ("limits.folders = 0", "limits.folders is 0: 1 to 10000 are allowed"),
        ("limits.parallel_requests = 0", "limits.parallel_requests is 0: 2 to 10000"),
        ("limits.bodies = '1MiB'", "limits.bodies is 1MiB: at least limits.body"),
        ("links.parallel_calls = 0", "links.parallel_calls is 0"),
        ("links.calls_per_user = 0", "links.calls_per_user is 0: 1 to 10000 are allowed"),
        ("links.calls_per_user = 10001", "links.calls_per_user is 10001: 1 to 10000"),
        ("links.certificate_life = '0s'", "links.certificate_life is 0s"),
        ("links.address = 'mail.example.org'", "links.address is \"mail.example.org\": the port"),
        (
            "links.address = ['a.example.org:8443', 'b.example.org']",
            "links.address is \"b.example.org\": the port",
        ),
        (
            "links.address = ['a.example.org:8443', 'a.example.org:8443']",
            "links.address has \"a.example.org:8443\" twice",
        ),
        ("logins.attempts = 0", "logins.attempts is 0"),
        ("devices.per_user = 0", "devices.per_user is 0"),
        ("devices.administrators = ['admin']", "devices.administrators: mail addresses"),
        ("policy.password_length = 17", "policy.password_length is 17: 1 to 16 are allowed"),
        (
            "policy.failed_attempts = 3",
            "policy.failed_attempts is 3: 4 to 16 are allowed, or \"never\"",
        ),
        ("policy.lock_after = '3h'", "policy.lock_after is 3h: 1s to 9998s are allowed, or"),
        ("policy.attachment_size = '8GiB'", "or \"unlimited\""),
        ("times.call = '0s'", "times.call is 0s: 100ms to 1h are allowed"),
        ("times.longest_wait = '2h'", "times.longest_wait is 2h: 1s to 59m are allowed"),
        ("records.events = 10", "records.events is 10: 1000 to 100000000 are allowed"),
        ("records.statistics_for = '1d'", "records.statistics_for is 1d: 7d to 3650d"),
        (
            "webhooks.a = { url = 'https://a.test/', secret = '0123456789abcdef', kinds = ['x'] }",
            "webhooks.a.kinds: no kind of event is called x",
        ),
        (
            "webhooks.a = { url = 'https://a.test/', secret = 'short', kinds = ['device_new'] }",
            "webhooks.a.secret has less than 16 signs",
        ),
        (
            "webhooks.a = { url = 'http://a.test/', secret = '0123456789abcdef', kinds = ['device_new'] }",
            "webhooks.a.url is not https",
        ),
        ("phones.proxy_protocol = true", "phones.proxy_protocol needs phones.proxies"),
    ] {
        let said = problems(more);
        assert!(said.len() == 1 && said[0].contains(told), "{more}: {said:?}");
    }
}

#[test]
fn a_database_is_one_or_the_other_and_no_password_is_told() {
    for (more, told) in [
        ("store.url = 'postgres://dme@db/dme'\nstore.path = '/dme.db'", "leave one of them out"),
        ("store.url = 'mysql://dme:Zq-1@db/dme'", "does not begin with postgres://"),
        ("store.password = 'Zq-1'", "store.password needs store.url"),
        ("store.connections = 1", "store.connections is 1: 2 to 1000 are allowed"),
    ] {
        let said = problems(more);
        assert!(said.len() == 1 && said[0].contains(told), "{more}: {said:?}");
        assert!(!said[0].contains("Zq-1"), "{said:?}");
    }
    let postgres = "store.url = 'postgres://dme@db/dme'\nstore.password = 'Zq-1'";
    assert_eq!(problems(postgres), Vec::<String>::new());
}

#[test]
fn a_realm_is_written_once() {
    let again =
        |name: &str| problems(&format!("[[realms]]\nname = '{name}'\naccess.users = 'everyone'"));
    assert_eq!(again("other.example"), Vec::<String>::new());
    let told = "realms: example.org is there 2 times; write it once";
    assert_eq!(again("example.org"), [told]);
    assert_eq!(again(" Example.ORG"), [told]);
}

#[test]
fn a_suffix_belongs_to_one_realm_and_is_none() {
    let other = |suffixes: &str| {
        problems(&format!(
            "[[realms]]\nname = 'other.example'\naliases = ['OTHER']\n\
             suffixes = {suffixes}\naccess.users = 'everyone'"
        ))
    };
    assert_eq!(other("['people.example']"), Vec::<String>::new());
    for (suffixes, told) in [
        ("['Example.org']", "example.org is a realm's name or alias"),
        ("['other']", "other is a realm's name or alias"),
        ("['a.test', 'A.test']", "a.test is one of other.example already"),
    ] {
        let said = other(suffixes);
        assert!(said.len() == 1 && said[0].contains(told), "{suffixes}: {said:?}");
    }
}

#[test]
fn who_says_who_administers_is_asked_about_the_realm() {
    let realm = |more: &str| {
        problems(&format!("[[realms]]\nname = 'other.example'\n{more}\naccess.users = 'everyone'"))
    };
    let from = "administrators_from = ['head', 'south']";
    assert_eq!(realm(from), Vec::<String>::new(), "whoever says so is asked");
    assert_eq!(realm(&format!("{from}\nconnector = ['south', 'head']")), Vec::<String>::new());
    let said = realm(&format!("{from}\nconnector = 'head'"));
    assert!(said.len() == 1 && said[0].contains("south is not in `connector`"), "{said:?}");
}

#[test]
fn certificates_and_passwords_that_shut_each_other_out_are_named() {
    let realm = |realm: &str, more: &str| {
        problems(&format!(
            "{more}\n[[realms]]\nname = 'other.example'\n{realm}\naccess.users = 'everyone'"
        ))
    };
    let proxy = "phones.plain_http = true\nphones.proxies = ['10.0.0.1/32']";
    let header = format!("{proxy}\nphones.certificate_header = 'Client-Cert'");
    assert_eq!(realm("device_certificates = 'with_password'", ""), Vec::<String>::new());
    assert_eq!(realm("device_certificates = 'required'", &header), Vec::<String>::new());
    let both = "device_certificates = 'required'\ndevice_passwords = 'required'";
    for (settings, more, told) in [
        (both, "", "device_certificates = \"with_password\""),
        ("device_certificates = 'allowed'", proxy, "set phones.certificate_header"),
        ("device_certificates = 'required'", "my.enabled = false", "set my.enabled = true"),
        ("", "phones.certificate_header = 'Client-Cert'", "needs phones.proxies"),
        ("", "certificates.key = '/a.pem'", "go together"),
        ("", "certificates.life = '1h'\ncertificates.notice = '0s'", "certificates.life is 1h"),
        ("", "certificates.notice = '400d'", "certificates.notice is 400d"),
    ] {
        let said = realm(settings, more);
        assert!(said.len() == 1 && said[0].contains(told), "{settings} {more}: {said:?}");
    }
}

#[test]
fn never_can_be_written() {
    let policy: PolicyConfig = toml::from_str(
        "failed_attempts = 'never'\nlock_after = 'never'\nattachment_size = 'unlimited'",
    )
    .unwrap();
    let meant = (policy.failed_attempts, policy.lock_after, policy.attachment_size);
    assert_eq!(meant, (None, None, None));
    let policy: PolicyConfig = toml::from_str("failed_attempts = 8\nlock_after = '1m'").unwrap();
    assert_eq!(policy.failed_attempts, Some(8));
    assert_eq!(policy.lock_after, Some(Span::seconds(60)));
    for (wrong, told) in [
        ("failed_attempts = 'none'", "\"never\""),
        ("failed_attempts = 1000", "\"never\""),
        ("lock_after = 'soon'", "such as \"30s\", or \"never\""),
    ] {
        let said = toml::from_str::<PolicyConfig>(wrong).unwrap_err().to_string();
        assert!(said.contains(told), "{wrong}: {said}");
    }
}

#[test]
fn a_realms_connector_is_one_name_or_several() {
    let read = |text: &str| serde_json::from_str::<ConnectorNames>(text);
    assert_eq!(read(r#""a""#).unwrap().0, ["a"]);
    assert_eq!(read(r#"["a", "b"]"#).unwrap().0, ["a", "b"]);
    assert!(read("1").unwrap_err().to_string().contains("a list of names"));
}
