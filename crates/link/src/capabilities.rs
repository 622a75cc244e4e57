//! What a connector offers, and the services behind it.

use crate::Measured;
use dme_directory::DirectoryService;
use dme_mailbox::{Credentials, MailSystem};
use dme_model::{Class, Function, Realm};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a function needs from the user to open their data (rule A3: nothing more is sent).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsNeeded {
    /// Nothing: the connector acts by right of its own.
    #[default]
    None,
    /// The user's password.
    Password,
    /// An OAuth access token.
    Bearer,
}

impl CredentialsNeeded {
    /// The credentials to send: those given where they are of the needed sort, else none.
    pub fn admit(self, given: &Credentials) -> Credentials {
        match (self, given) {
            (Self::Password, Credentials::Password(_)) | (Self::Bearer, Credentials::Bearer(_)) => {
                given.clone()
            }
            // A phone has one place for what it shows: where its mail system takes tokens, that
            // is a token, and was checked as one.
            (Self::Bearer, Credentials::Password(token)) => Credentials::Bearer(token.clone()),
            _ => Credentials::None,
        }
    }
}

/// The functions a connector offers and what each needs. Functions and needs that this release
/// does not know are left out when read: a newer connector stays usable for the rest (rule L6).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Capabilities(BTreeMap<Function, CredentialsNeeded>);

impl Capabilities {
    /// With these functions.
    pub fn new(functions: impl IntoIterator<Item = (Function, CredentialsNeeded)>) -> Self {
        Self(functions.into_iter().collect())
    }

    /// Whether the function is offered.
    pub fn offers(&self, function: Function) -> bool {
        self.0.contains_key(&function)
    }

    /// What the function needs, where it is offered.
    pub fn needs(&self, function: Function) -> Option<CredentialsNeeded> {
        self.0.get(&function).copied()
    }

    /// What the mailboxes here need, whichever classes are in them; none where there are none.
    pub fn mailbox_needs(&self) -> Option<CredentialsNeeded> {
        Class::ALL.iter().find_map(|class| self.needs(class.function()))
    }

    /// The functions offered.
    pub fn functions(&self) -> impl Iterator<Item = Function> + '_ {
        self.0.keys().copied()
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        let known = written.into_iter().filter_map(|(function, needed)| {
            let function = serde_json::from_value(serde_json::Value::String(function)).ok()?;
            Some((function, serde_json::from_value(needed).ok()?))
        });
        Ok(Self(known.collect()))
    }
}

/// What serves the calls at the connector. A function without its service must not be offered.
#[derive(Clone, Default)]
pub struct Services {
    /// For `mail`, `calendar`, `contacts`, `tasks` and `notes`.
    pub mailboxes: Option<Mailboxes>,
    /// For `authentication`, `directory` and `search`.
    pub directory: Option<Arc<dyn DirectoryService>>,
    /// The realms that directory is the source of: logins of others are never asked here.
    pub realms: BTreeSet<Realm>,
    /// What is counted of the calls on the systems behind them, where anything is.
    pub counts: Option<Arc<dyn Counting>>,
}

/// Whoever counts the calls on the systems behind a connector's services.
pub trait Counting: Send + Sync {
    /// The counts as they are.
    fn counts(&self) -> Vec<Measured>;
}

/// A mail system, and what it is offered for.
#[derive(Clone)]
pub struct Mailboxes {
    /// The system.
    pub system: Arc<dyn MailSystem>,
    /// The credentials it needs.
    pub needs: CredentialsNeeded,
    /// The classes it is offered for. Others that are in its mailboxes are shown where it serves
    /// the user's mail and nobody else serves them.
    pub classes: BTreeSet<Class>,
}

impl Mailboxes {
    /// Offered for mail.
    pub fn of_mail(system: Arc<dyn MailSystem>, needs: CredentialsNeeded) -> Self {
        Self { system, needs, classes: [Class::Mail].into() }
    }

    /// Offered for all there is in a mailbox.
    pub fn of_all(system: Arc<dyn MailSystem>, needs: CredentialsNeeded) -> Self {
        Self { system, needs, classes: Class::ALL.into() }
    }
}

impl Services {
    /// What follows from the services there are.
    pub fn capabilities(&self) -> Capabilities {
        let mailboxes = self.mailboxes.iter().flat_map(|mailboxes| {
            mailboxes.classes.iter().map(|class| (class.function(), mailboxes.needs))
        });
        let directory = self.directory.iter().flat_map(|_| {
            [
                (Function::Authentication, CredentialsNeeded::Password),
                (Function::Directory, CredentialsNeeded::None),
                (Function::Search, CredentialsNeeded::None),
            ]
        });
        Capabilities::new(mailboxes.chain(directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Secret;

    #[test]
    fn functions_of_a_newer_release_are_passed_over() {
        let read: Capabilities = serde_json::from_str(
            r#"{"mail":"password","faxes":"none","notes":"retina","search":"none"}"#,
        )
        .unwrap();
        let expected = Capabilities::new([
            (Function::Mail, CredentialsNeeded::Password),
            (Function::Search, CredentialsNeeded::None),
        ]);
        assert_eq!(read, expected);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"mail":"password","search":"none"}"#);
    }

    #[test]
    fn only_the_needed_sort_of_credentials_is_sent() {
        let password = Credentials::Password(Secret::new("p"));
        let bearer = Credentials::Bearer(Secret::new("b"));
        assert_eq!(CredentialsNeeded::None.admit(&password), Credentials::None);
        assert_eq!(CredentialsNeeded::Password.admit(&password), password);
        assert_eq!(CredentialsNeeded::Password.admit(&bearer), Credentials::None);
        assert_eq!(CredentialsNeeded::Bearer.admit(&bearer), bearer);
        let shown = Credentials::Bearer(Secret::new("p"));
        assert_eq!(CredentialsNeeded::Bearer.admit(&password), shown, "the token a phone shows");
    }
}
