//! Whether the settings make sense, before anything is opened.

use super::{
    CertificatesConfig, DeviceCertificates, DevicePasswords, GateConfig, RealmConfig, TimesConfig,
};
use super::{DevicesConfig, LimitsConfig, LinksConfig, PhonesConfig, PolicyConfig, ServerConfig};
use crate::database::Database;
use crate::home_zone::home_zone;
use crate::host::Host;
use dme_model::{ByteSize, OutOfRange, Realm, Span, within};
use std::collections::BTreeMap;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const DAY: Span = Span::seconds(86_400);
const HOUR: Span = Span::seconds(3_600);

/// What is wrong, collected in the order of the sample.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    pub(super) fn see(&mut self, result: Result<(), OutOfRange>) {
        if let Err(error) = result {
            self.say(error.to_string());
        }
    }

    pub(super) fn span(&mut self, key: &str, value: Span, least: Span, most: Span) {
        self.see(within(key, value, least..=most));
    }

    fn size(&mut self, key: &str, value: ByteSize, least: u64, most: u64) {
        self.see(within(key, value, ByteSize(least)..=ByteSize(most)));
    }
}

impl ServerConfig {
    /// All that is wrong with the settings, each with its key and what is allowed. With any, the
    /// server does not start.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Problems::default();
        store(self, &mut found);
        phones(&self.phones, &mut found);
        super::console::check(&self.console, &mut found);
        links(&self.links, &mut found);
        realms(&self.realms, &mut found);
        logins(&self.logins, &mut found);
        devices(&self.devices, &mut found);
        let kept = self.sending.kept_messages;
        found.see(within("sending.kept_messages", kept, 1..=100_000));
        found.size("sending.kept_size", self.sending.kept_size, MIB, 10 * GIB);
        for (name, settings) in &self.connectors {
            if let Some(problem) = settings.problem() {
                found.say(format!("connectors.{name}: {problem}"));
            }
        }
        certificates(self, &mut found);
        found.span("my.link_life", self.my.link_life, Span::seconds(60), DAY);
        if ![0, 1, 3, 7, 14, 31].contains(&self.my.days_of_mail) {
            found.say("my.days_of_mail is 0 (all), 1, 3, 7, 14 or 31, as iOS has it");
        }
        policy(&self.policy, &mut found);
        super::records::check(&self.records, &self.webhooks, &mut found);
        limits(&self.limits, &mut found);
        times(&self.times, &mut found);
        found.0
    }
}

fn store(config: &ServerConfig, found: &mut Problems) {
    let store = &config.store;
    // One is kept for whoever looks while all others wait.
    found.see(within("store.connections", store.connections, 2..=1_000));
    match config.database() {
        Database::Postgres(_) if store.path.is_some() => {
            found.say("store: path is SQLite's and url PostgreSQL's; leave one of them out");
        }
        Database::Postgres(postgres) => {
            if let Some(problem) = postgres.problem() {
                found.say(format!("store.url: {problem}"));
            }
        }
        Database::Sqlite(_) => {
            let given =
                [("password", store.password.is_some()), ("ca_file", store.ca_file.is_some())];
            for (key, _) in given.iter().filter(|(_, given)| *given) {
                found.say(format!("store.{key} needs store.url: SQLite has none"));
            }
        }
    }
}

fn phones(phones: &PhonesConfig, found: &mut Problems) {
    if let Err(what) = Host::parse(&phones.host) {
        found.say(format!("phones.host {what}"));
    }
    if let Err(what) = home_zone(phones) {
        found.say(format!("phones.time_zone {what}"));
    }
    if phones.plain_http && phones.proxies.is_empty() {
        found.say(
            "phones.plain_http needs phones.proxies: passwords must not cross the network in \
             plain text; name the proxy that ends TLS, or remove plain_http",
        );
    }
    if phones.proxy_protocol && phones.proxies.is_empty() {
        found.say(
            "phones.proxy_protocol needs phones.proxies: name the proxies that send the header",
        );
    }
    if phones.key.is_some() && phones.certificate.is_none() {
        found.say("phones.key needs phones.certificate");
    }
}

fn certificates(config: &ServerConfig, found: &mut Problems) {
    let CertificatesConfig { authority, key, life, notice } = &config.certificates;
    if authority.is_some() != key.is_some() {
        found.say("certificates.authority and certificates.key go together");
    }
    found.span("certificates.life", *life, DAY, Span::seconds(3650 * 86_400));
    found.span("certificates.notice", *notice, Span::seconds(0), *life);
    let phones = &config.phones;
    if phones.certificate_header.is_some() && phones.proxies.is_empty() {
        found.say(
            "phones.certificate_header needs phones.proxies: name the proxies that end TLS and \
             set the header; anybody else's is not believed",
        );
    }
    if phones.certificate_header.is_some() && phones.proxy_protocol {
        found.say(
            "phones.certificate_header and phones.proxy_protocol do not go together: behind the \
             PROXY header it is not seen who set the other; have TLS passed through, or the phone's \
             address written into X-Forwarded-For",
        );
    }
    if let Some(name) = &phones.certificate_header
        && http::HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        found.say(format!("phones.certificate_header is \"{name}\", which is no header's name"));
    }
    let hidden = phones.plain_http && phones.certificate_header.is_none();
    for realm in &config.realms {
        let (name, certificates) = (&realm.name, realm.device_certificates);
        if certificates == DeviceCertificates::Required
            && realm.device_passwords == DevicePasswords::Required
        {
            found.say(format!(
                "realms: {name} has device_passwords and device_certificates required, and each \
                 lets phones in without the other; for both set device_certificates = \
                 \"with_password\""
            ));
        }
        if certificates != DeviceCertificates::Off && hidden {
            found.say(format!(
                "realms: {name} has device_certificates, and with phones.plain_http the proxy sees \
                 them and nobody else; set phones.certificate_header, or let the proxy pass TLS \
                 through"
            ));
        }
        if certificates.are_required() && !config.my.enabled {
            found.say(format!(
                "realms: {name} has device_certificates required, which are made at /my; set \
                 my.enabled = true"
            ));
        }
    }
}

/// More addresses than that of one server are a slip of the hand.
pub const MOST_ADDRESSES: usize = 8;

/// Reads an address at which connectors reach a server.
///
/// # Errors
/// In words that fit after the setting's name.
pub fn link_address(text: &str) -> Result<Host, String> {
    match Host::parse(text)? {
        Host { name, port: None } => {
            Err(format!("is \"{name}\": the port is missing, as in {name}:8443"))
        }
        host => Ok(host),
    }
}

fn links(links: &LinksConfig, found: &mut Problems) {
    let addresses = &links.address.0;
    for (at, address) in addresses.iter().enumerate() {
        match link_address(address) {
            Err(what) => found.say(format!("links.address {what}")),
            Ok(_) if addresses.iter().take(at).any(|before| before == address) => {
                found.say(format!("links.address has \"{address}\" twice; write it once"));
            }
            Ok(_) => {}
        }
    }
    if addresses.len() > MOST_ADDRESSES {
        found.say(format!("links.address has more than {MOST_ADDRESSES} addresses"));
    }
    found.see(within("links.parallel_calls", links.parallel_calls, 1..=10_000));
    found.see(within("links.calls_per_user", links.calls_per_user, 1..=10_000));
    found.see(within("links.queued_calls", links.queued_calls, 0..=1_000_000));
    found.see(within("links.parallel_fetches", links.parallel_fetches, 1..=10_000));
    found.see(within("links.watches", links.watches, 1..=100_000_000));
    found.see(within("links.handshakes", links.handshakes, 1..=1_000_000));
    found.span(
        "links.certificate_life",
        links.certificate_life,
        Span::seconds(60),
        Span::seconds(3650 * 86_400),
    );
}

fn realms(realms: &[RealmConfig], found: &mut Problems) {
    if realms.is_empty() {
        found.say("realms: at least one realm is needed");
    }
    let mut names = BTreeMap::<Realm, usize>::new();
    for realm in realms {
        *names.entry(Realm::named(realm.name.as_str())).or_default() += 1;
    }
    for (name, times) in names.iter().filter(|(_, times)| **times > 1) {
        found.say(format!("realms: {name} is there {times} times; write it once"));
    }
    realms.iter().for_each(|realm| super::tokens::check(realm, found));
    let mut suffixes = BTreeMap::<Realm, &Realm>::new();
    for realm in realms {
        for suffix in realm.suffixes.iter().map(|suffix| Realm::named(suffix.trim())) {
            let is_name = |realm: &RealmConfig| {
                let names = realm.aliases.iter().map(|alias| Realm::named(alias.trim()));
                names.chain([Realm::named(realm.name.as_str())]).any(|name| name == suffix)
            };
            if realms.iter().any(is_name) {
                found.say(format!("realms.suffixes: {suffix} is a realm's name or alias already"));
            } else if let Some(other) = suffixes.insert(suffix.clone(), &realm.name) {
                found.say(format!("realms.suffixes: {suffix} is one of {other} already"));
            }
        }
    }
}

fn logins(logins: &GateConfig, found: &mut Problems) {
    let none = Span::seconds(0);
    let month = Span::seconds(30 * 86_400);
    found.span("logins.password_life", logins.password_life, none, month);
    found.span("logins.wrong_password_life", logins.wrong_password_life, none, month);
    found.span("logins.grace", logins.grace, none, month);
    found.span("logins.refresh", logins.refresh, Span::millis(100), DAY);
    found.span("logins.check_timeout", logins.check_timeout, Span::millis(100), HOUR);
    found.see(within("logins.attempts", logins.attempts, 1..=1_000_000));
    found.span("logins.attempt_every", logins.attempt_every, Span::millis(100), DAY);
    found.see(within("logins.parallel_checks", logins.parallel_checks, 1..=100_000));
    found.see(within("logins.remembered_users", logins.remembered_users, 1..=100_000_000));
}

fn devices(devices: &DevicesConfig, found: &mut Problems) {
    found.see(within("devices.per_user", devices.per_user, 1..=1_000_000));
    found.see(within("devices.wipes_per_hour", devices.wipes_per_hour, 0..=1_000_000));
    if devices.administrators.iter().any(|one| !one.contains('@') || one.contains(['<', '>', '\n']))
    {
        found.say("devices.administrators: mail addresses, such as \"admin@example.org\"");
    }
}

/// As far as the protocol can carry it (MS-ASPROV 2.2.2).
fn policy(policy: &PolicyConfig, found: &mut Problems) {
    found.see(within("policy.password_length", policy.password_length, 1..=16));
    let or_never = |result: Result<(), OutOfRange>, found: &mut Problems, never: &str| {
        if let Err(error) = result {
            found.say(format!("{error}, or \"{never}\""));
        }
    };
    if let Some(attempts) = policy.failed_attempts {
        or_never(within("policy.failed_attempts", attempts, 4..=16), found, "never");
    }
    if let Some(after) = policy.lock_after {
        let allowed = Span::seconds(1)..=Span::seconds(9998);
        or_never(within("policy.lock_after", after, allowed), found, "never");
    }
    if let Some(size) = policy.attachment_size {
        let allowed = ByteSize(1)..=ByteSize(u64::from(u32::MAX));
        or_never(within("policy.attachment_size", size, allowed), found, "unlimited");
    }
}

fn limits(limits: &LimitsConfig, found: &mut Problems) {
    found.see(within("limits.connections", limits.connections, 1..=100_000_000));
    found.see(within("limits.handshakes", limits.handshakes, 1..=1_000_000));
    // The HTTP library reads no less at once.
    found.size("limits.head", limits.head, 8 * KIB, 16 * MIB);
    found.see(within("limits.headers", limits.headers, 8..=10_000));
    found.size("limits.body_before_login", limits.body_before_login, 256, 16 * MIB);
    found.size("limits.body", limits.body, KIB, GIB);
    if limits.bodies < limits.body {
        found.say(format!(
            "limits.bodies is {}: at least limits.body, which is {}",
            limits.bodies, limits.body
        ));
    }
    found.see(within("limits.wbxml_depth", limits.wbxml_depth, 6..=256));
    found.see(within("limits.wbxml_elements", limits.wbxml_elements, 16..=100_000_000));
    found.size("limits.wbxml_text", limits.wbxml_text, KIB, GIB);
    found.see(within("limits.folders", limits.folders, 1..=10_000));
    found.see(within("limits.commands", limits.commands, 1..=1_000_000));
    found.see(within("limits.mailbox_folders", limits.mailbox_folders, 10..=1_000_000));
    found.see(within("limits.unreadable", limits.unreadable, 0..=512));
    found.see(within("limits.conversation", limits.conversation, 1..=1_000_000));
    found.see(within("limits.window", limits.window, 1..=512));
    found.size("limits.answer", limits.answer, KIB, GIB);
    found.size("limits.attachment", limits.attachment, KIB, GIB);
    // A phone that waits for mail sends at the same time.
    found.see(within("limits.parallel_requests", limits.parallel_requests, 2..=10_000));
    let most = 1_000_000_000;
    found.see(within("limits.requests_per_minute", limits.requests_per_minute, 10..=most));
}

fn times(times: &TimesConfig, found: &mut Problems) {
    let least = Span::millis(100);
    let wait = Span::seconds(59 * 60);
    found.span("times.handshake", times.handshake, least, HOUR);
    found.span("times.head", times.head, least, HOUR);
    found.span("times.body", times.body, least, HOUR);
    found.span("times.request", times.request, least, HOUR);
    found.span("times.call", times.call, least, HOUR);
    found.span("times.shortest_wait", times.shortest_wait, Span::seconds(1), wait);
    found.span("times.longest_wait", times.longest_wait, Span::seconds(1), wait);
    if times.shortest_wait > times.longest_wait {
        found.say("times.shortest_wait is longer than times.longest_wait");
    }
    found.span("times.watch_linger", times.watch_linger, Span::seconds(0), DAY);
    found.span("times.shutdown", times.shutdown, Span::seconds(0), HOUR);
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (
                "links.address = 'mail.example.org'",
                "links.address is \"mail.example.org\": the port",
            ),
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
            (
                "store.url = 'postgres://dme@db/dme'\nstore.path = '/dme.db'",
                "leave one of them out",
            ),
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
        let again = |name: &str| {
            problems(&format!("[[realms]]\nname = '{name}'\naccess.users = 'everyone'"))
        };
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
        let policy: PolicyConfig =
            toml::from_str("failed_attempts = 8\nlock_after = '1m'").unwrap();
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
}
