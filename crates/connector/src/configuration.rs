//! A configuration of services as it goes from the server to a connector: TOML in which each secret
//! is a mark, and the secrets beside it, sealed.
//!
//! It has the tables of a connector's own file that say what it serves. A text given indirectly,
//! `{ file = … }` or `{ env = … }`, stays so and is read on the connector.

use crate::config::EmbeddedConfig;
use crate::fit::check;
use crate::role::StartError;
use crate::services::Offered;
use dme_link::{SealingKey, Secrets};
use dme_model::Secret;
use serde::Deserialize;
use toml::{Table, Value};

/// Where secrets stand. What is here and written out is sealed; a test holds it to the settings
/// there are.
const SECRETS: [&str; 6] = [
    "mail.imap.auth.master.secret",
    "mail.imap.smtp.auth.account.secret",
    "dav.auth.master.secret",
    "people.ldap.bind_password",
    "address_list.password",
    "proxy.password",
];
/// The one key of the table that stands where a sealed secret stood.
const MARK: &str = "sealed";
/// What is shown in the place of a secret, or of a user's name.
pub(crate) const HIDDEN: &str = "***";
/// What a text that is read on the connector is taken for, where only the form is looked at.
const READ_THERE: &str = "read-on-the-connector";

/// Why a configuration cannot be.
#[derive(Debug, thiserror::Error)]
pub enum WrongConfiguration {
    /// A setting that is not there, or of another form.
    #[error("{0}")]
    Form(String),
    /// What it says cannot work.
    #[error("{0}")]
    Settings(#[from] StartError),
    /// Its secrets cannot be sealed or opened.
    #[error("{0}")]
    Sealing(#[from] dme_link::Error),
}

/// A configuration whose secrets only one connector can read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedConfiguration {
    /// TOML, with marks.
    pub text: String,
    /// The secrets.
    pub sealed: String,
}

/// Checks a configuration as far as that is possible away from the connector, and seals it.
///
/// # Errors
/// When a key is unknown, or the settings cannot work, in words that name what to mend.
pub fn seal(mut table: Table, key: &SealingKey) -> Result<SealedConfiguration, WrongConfiguration> {
    looked_at(&table)?;
    let mut secrets = Secrets::new();
    for path in SECRETS {
        let Some(value) = find(&mut table, path) else { continue };
        if let Value::String(secret) = value {
            secrets.insert(path.to_owned(), Secret::new(std::mem::take(secret)));
            *value = Value::Table(Table::from_iter([(MARK.to_owned(), Value::Boolean(true))]));
        }
    }
    let text = written(&table)?;
    let sealed = key.seal(&secrets, &text)?;
    Ok(SealedConfiguration { text, sealed })
}

/// Puts the secrets back where they stood.
///
/// # Errors
/// When the text is not TOML, or a mark has no secret.
pub(crate) fn put_back(text: &str, secrets: &Secrets) -> Result<Table, WrongConfiguration> {
    let mut table: Table = read(text)?;
    for (path, secret) in secrets {
        match find(&mut table, path) {
            Some(value) if is_mark(value) => *value = Value::String(secret.expose().to_owned()),
            _ => return Err(form(format!("{path} has a secret, but no mark for it"))),
        }
    }
    let marked =
        SECRETS.into_iter().find(|path| find(&mut table, path).is_some_and(|it| is_mark(it)));
    match marked {
        Some(path) => Err(form(format!("{path} is marked, but its secret did not come"))),
        None => Ok(table),
    }
}

/// A configuration of which every text is known.
///
/// # Errors
/// When a key is unknown or a value of another form.
pub(crate) fn services_of(table: Table) -> Result<EmbeddedConfig, WrongConfiguration> {
    EmbeddedConfig::deserialize(Value::Table(table)).map_err(|error| form(error.message()))
}

/// Settings with nothing in the place of secrets, for people to look at.
pub(crate) fn hidden(mut table: Table) -> String {
    for path in SECRETS {
        if let Some(value) = find(&mut table, path).filter(|value| value.is_str()) {
            *value = Value::String(HIDDEN.to_owned());
        }
    }
    toml::to_string(&table).unwrap_or_default()
}

/// The secrets that stand in settings, so that they can be kept out of what is shown.
pub fn secrets_in(table: &Table) -> Vec<Secret> {
    let mut table = table.clone();
    let text = |value: &mut Value| value.as_str().map(Secret::new);
    SECRETS.iter().filter_map(|path| find(&mut table, path).and_then(text)).collect()
}

/// Reads a text, without quoting it in errors: it may hold a secret.
pub(crate) fn read(text: &str) -> Result<Table, WrongConfiguration> {
    toml::from_str(text).map_err(|error: toml::de::Error| form(error.message()))
}

fn written(table: &Table) -> Result<String, WrongConfiguration> {
    toml::to_string(table).map_err(|error| form(error.to_string()))
}

fn form(what: impl Into<String>) -> WrongConfiguration {
    WrongConfiguration::Form(what.into())
}

/// Whether it would do, whatever the texts are that are read on the connector.
fn looked_at(table: &Table) -> Result<(), WrongConfiguration> {
    let mut table = table.clone();
    let indirect = stand_in(&mut table);
    let config = services_of(table)?;
    match check(&Offered::from(&config)) {
        // Whether such a text is a good one is found out where it is read.
        Err(_) if indirect => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Puts a word in the place of texts that are read on the connector; answers whether one of them is
/// no secret, and so could matter for whether the rest makes sense.
fn stand_in(table: &mut Table) -> bool {
    for path in SECRETS {
        if let Some(value) = find(table, path).filter(|value| is_indirect(value)) {
            *value = Value::String(READ_THERE.to_owned());
        }
    }
    let mut found = false;
    for (_, value) in table.iter_mut() {
        found |= stand_in_value(value);
    }
    found
}

fn stand_in_value(value: &mut Value) -> bool {
    if is_indirect(value) {
        *value = Value::String(READ_THERE.to_owned());
        return true;
    }
    let mut found = false;
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(_, one)| found |= stand_in_value(one)),
        Value::Array(all) => all.iter_mut().for_each(|one| found |= stand_in_value(one)),
        _ => {}
    }
    found
}

/// Whether it is `{ file = "…" }` or `{ env = "…" }`.
fn is_indirect(value: &Value) -> bool {
    let Value::Table(table) = value else { return false };
    let named = |key: &str| table.get(key).is_some_and(Value::is_str);
    table.len() == 1 && (named("file") || named("env"))
}

fn is_mark(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.len() == 1 && table.contains_key(MARK))
}

fn find<'a>(table: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let value = table.get_mut(first)?;
    match rest {
        None => Some(value),
        Some(rest) => find(value.as_table_mut()?, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_link::SealingPair;

    /// Every secret there can be, each a word of its own.
    const ALL: &str = r#"
        [mail.imap]
        auth = { master = { user = "dme-1", secret = "Zq-imap" } }
        [mail.imap.server]
        host = "imap.example.org"
        [mail.imap.smtp]
        auth = { account = { user = "dme-2", secret = "Zq-smtp" } }
        [mail.imap.smtp.server]
        host = "smtp.example.org"
        [dav]
        url = "https://dav.example.org/"
        auth = { master = { user = "dme-3", secret = "Zq-dav" } }
        principal = "/dav/principals/{login}/"
        [people.ldap]
        realm = "example.org"
        urls = ["ldaps://ldap.example.org"]
        bind_dn = "cn=dme,dc=example,dc=org"
        bind_password = "Zq-ldap"
        [address_list]
        url = "https://dav.example.org/company/"
        user = "dme-4"
        password = "Zq-list"
    "#;

    fn pair() -> (tempfile::TempDir, SealingPair) {
        let dir = tempfile::tempdir().unwrap();
        let pair = SealingPair::open(dir.path()).unwrap();
        (dir, pair)
    }

    #[test]
    fn what_is_sealed_holds_no_secret_and_comes_back_whole() {
        let (_dir, pair) = pair();
        let sealed = seal(read(ALL).unwrap(), pair.key()).unwrap();
        assert!(!sealed.text.contains("Zq-") && !sealed.sealed.contains("Zq-"), "{}", sealed.text);
        let secrets = pair.unseal(&sealed.sealed, &sealed.text).unwrap();
        assert_eq!(put_back(&sealed.text, &secrets).unwrap(), read(ALL).unwrap());
    }

    /// Whatever the settings themselves hide when they are shown is sealed, and nothing else.
    #[test]
    fn all_that_the_settings_hide_is_sealed() {
        let mut table = read(ALL).unwrap();
        let shown = format!("{:?}", services_of(table.clone()).unwrap());
        let mut texts = Vec::new();
        collect("", &Value::Table(table.clone()), &mut texts);
        for (path, text) in texts {
            let hides = !shown.contains(&text);
            assert_eq!(hides, SECRETS.contains(&path.as_str()), "{path}");
        }
        for path in SECRETS.iter().filter(|path| !path.starts_with("proxy")) {
            assert!(find(&mut table, path).is_some(), "{path} is not in the sample here");
        }
    }

    fn collect(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
        match value {
            Value::Table(table) => table.iter().for_each(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, into);
            }),
            Value::String(text) => into.push((path.to_owned(), text.clone())),
            _ => {}
        }
    }

    #[test]
    fn texts_read_on_the_connector_stay_as_they_are() {
        let (_dir, pair) = pair();
        let text = ALL.replace("\"Zq-ldap\"", "{ file = \"/etc/dme/ldap.password\" }");
        let sealed = seal(read(&text).unwrap(), pair.key()).unwrap();
        assert!(sealed.text.contains("/etc/dme/ldap.password"), "{}", sealed.text);
        let secrets = pair.unseal(&sealed.sealed, &sealed.text).unwrap();
        assert!(!secrets.contains_key("people.ldap.bind_password"));
    }

    #[test]
    fn what_cannot_work_is_said_before_it_is_sent() {
        let (_dir, pair) = pair();
        for (text, words) in [
            (ALL.replace("bind_dn", "bind_nd"), "bind_nd"),
            (ALL.replace("principal", "#"), "principal"),
            ("[sieve]\nhost = \"s\"".to_owned(), "[mail.imap]"),
            (String::new(), "serve nothing"),
            ("servers = [\"a:1\"]".to_owned(), "servers"),
        ] {
            let error = seal(read(&text).unwrap(), pair.key()).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn a_mark_without_its_secret_is_refused() {
        let text = "[people.ldap]\nbind_password = { sealed = true }";
        let error = put_back(text, &Secrets::new()).unwrap_err().to_string();
        assert!(error.contains("people.ldap.bind_password"), "{error}");
        let secrets = Secrets::from([("proxy.password".to_owned(), Secret::new("x"))]);
        assert!(put_back("", &secrets).is_err());
    }

    #[test]
    fn what_is_shown_has_stars() {
        let shown = hidden(read(&format!("[proxy]\npassword = 'Zq-proxy'\n{ALL}")).unwrap());
        assert!(!shown.contains("Zq-") && shown.contains(HIDDEN), "{shown}");
        assert_eq!(secrets_in(&read(ALL).unwrap()).len(), 5);
    }
}
