//! `dme check`: tries everything the directory is needed for, and says what it found.

use super::config::{Follow, Kind};
use super::query::{Amount, Entry, Query};
use super::{GroupReading, LdapDirectory};
use crate::{DirectoryService, Error, Standing};
use dme_model::UserId;

/// How serious a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Failure,
}

/// One thing that was tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How serious.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub advice: Option<&'static str>,
}

impl Finding {
    fn fine(what: String) -> Self {
        Self { severity: Severity::Fine, what, advice: None }
    }

    fn warning(what: String, advice: &'static str) -> Self {
        Self { severity: Severity::Warning, what, advice: Some(advice) }
    }

    fn failure(error: &Error, what: &str) -> Self {
        let text = error.to_string();
        let advice = match error {
            Error::Unavailable(_) if text.contains("certificate") => {
                "trust the authority that signed the server's certificate with ca_file, and use a \
                 name in urls that the certificate has"
            }
            Error::Unavailable(_) => {
                "check name, port and firewall, and that the server runs and speaks TLS there"
            }
            Error::Refused(_) => "correct the setting that is named, or the account's rights",
            Error::Busy(_) | Error::OffHours { .. } => "try again later",
            Error::Protocol(_) | Error::NotChosen(_) => "check that the port is LDAP's",
        };
        let severity = Severity::Failure;
        Self { severity, what: format!("{what}: {text}"), advice: Some(advice) }
    }
}

impl LdapDirectory {
    /// Connects to every server, binds, searches every base, reads the groups, and looks one person
    /// up where one is given.
    pub async fn check(&self, person: Option<&UserId>) -> Vec<Finding> {
        let mut findings = self.check_servers().await;
        if findings.iter().all(|finding| finding.severity == Severity::Failure) {
            return findings;
        }
        for base in &self.settings.bases {
            findings.push(self.check_people(base).await);
        }
        findings.extend(self.check_groups().await);
        if let Some(person) = person {
            findings.push(self.check_person(person).await);
            findings.push(self.check_address_list(person).await);
        }
        findings
    }

    async fn check_servers(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, url) in self.settings.urls.iter().enumerate() {
            findings.push(match self.searching.open_at(index).await {
                Ok(_) => Finding::fine(format!("{}: connected and bound", url.text)),
                Err(error) => Finding::failure(&error, &url.text),
            });
            if url.text.starts_with("ldap://") && !url.start_tls {
                findings.push(Finding::warning(
                    format!("{}: the connection is not encrypted", url.text),
                    "use ldaps:// or transport = \"start_tls\", unless it stays on this machine",
                ));
            }
        }
        findings
    }

    async fn check_people(&self, base: &str) -> Finding {
        // An empty one stands for what the server says.
        let base = match base {
            "" => match self.root().await {
                Ok(root) => root,
                Err(error) => return Finding::failure(&error, "bases"),
            },
            base => base,
        };
        let standing = "userAccountControl";
        let query = Query {
            base,
            filter: &self.settings.list_filter,
            attributes: &[self.settings.name.clone(), standing.to_owned()],
            amount: Amount::First(1),
        };
        let is_hidden = |entry: &Entry| {
            self.settings.kind == Kind::ActiveDirectory && entry.first(standing).is_none()
        };
        match self.read(&query, self.settings.timeout).await {
            Ok(entries) if entries.is_empty() => Finding::warning(
                format!("{base}: nobody matches users.list_filter"),
                "correct the base or the filter, or give the account the right to read people",
            ),
            Ok(entries) if entries.iter().any(is_hidden) => Finding::warning(
                format!("{base}: the account may not read {standing} of people"),
                "let it, or somebody who is disabled keeps access until the password is checked",
            ),
            Ok(_) => Finding::fine(format!("{base}: people can be read")),
            Err(error) => Finding::failure(&error, base),
        }
    }

    async fn check_groups(&self) -> Vec<Finding> {
        let GroupReading { snapshot, follow, obstacle, .. } = match self.read_groups().await {
            Ok(reading) => reading,
            Err(error) => return vec![Finding::failure(&error, "groups")],
        };
        let mut findings = vec![if snapshot.groups.is_empty() {
            Finding::warning(
                "no group matches groups.filter".to_owned(),
                "correct groups.bases or groups.filter, or give the account the right to read them",
            )
        } else {
            let nested = snapshot.groups.iter().filter(|group| !group.parents.is_empty());
            let (all, nested) = (snapshot.groups.len(), nested.count());
            Finding::fine(format!("{all} groups, {nested} of them in another"))
        }];
        match (follow, obstacle) {
            (_, Some(obstacle)) => findings.push(Finding::warning(
                format!("all groups are read at each refresh: {obstacle}"),
                "give the account \"Replicating Directory Changes\" on the domain, or let it list \
                 \"Deleted Objects\"; or set groups.follow = \"never\" if it is meant so",
            )),
            (Follow::DirSync, _) => {
                findings.push(Finding::fine("changes of groups are told by DirSync".to_owned()));
            }
            (Follow::Usn, _) => {
                findings.push(Finding::fine("changes of groups are told by uSNChanged".to_owned()));
            }
            (Follow::Auto | Follow::Never, None) => {}
        }
        findings
    }

    /// Whether a person sees anybody at all in the address list.
    async fn check_address_list(&self, person: &UserId) -> Finding {
        match self.everyone(person, 1).await {
            Ok(everyone) if everyone.entries.is_empty() => Finding::warning(
                format!("{person} sees nobody in the address list"),
                "correct address_list.visible and users.list_filter, or the person's entry",
            ),
            Ok(_) => Finding::fine(format!("{person} sees people in the address list")),
            Err(error) => Finding::failure(&error, "the address list"),
        }
    }

    async fn check_person(&self, user: &UserId) -> Finding {
        match self.find(user).await {
            Ok(Some(person)) if person.standing != Standing::Active => Finding::warning(
                format!("{user}: {}", person.standing.as_str()),
                "mend the account in the directory",
            ),
            Ok(Some(person)) => Finding::fine(format!(
                "{user}: found as {}, {}, in {} groups",
                person.user,
                person.address,
                person.groups.len()
            )),
            Ok(None) => Finding {
                severity: Severity::Failure,
                what: format!("{user}: nobody is found"),
                advice: Some("correct users.filter or the bases, or the name"),
            },
            Err(error) => Finding::failure(&error, user.as_str()),
        }
    }
}
