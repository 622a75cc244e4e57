//! Trying a configuration out, step by step, in words for an administrator.

use crate::mailbox::{DavMailSystem, DavMailbox};
use crate::principal::Principal;
use dme_dial::Finding;
use dme_mailbox::{Account, CallContext, Error, ErrorKind};
use dme_model::{Access, Class};
use tokio::time::Instant;

impl DavMailSystem {
    /// Connects to the server as far as that goes without a user: name, address, TCP and TLS.
    pub async fn reach(&self) -> Finding {
        let deadline = Instant::now() + self.server.config().timeouts.connect.0;
        let outcome = match self.server.shared(deadline).await {
            Ok(shared) => shared.client.reach().await,
            Err(error) => Err(advised(&error)),
        };
        Finding { step: "calendars and contacts: connection and TLS", outcome }
    }

    /// Connects, logs in as this user, looks for the principal and at the collections. Changes
    /// nothing. Ends at the first step that fails.
    pub async fn check(&self, account: &Account, context: &CallContext) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |step, outcome| findings.push(Finding { step, outcome });
        match self.server.told(Instant::from_std(context.deadline)).await {
            Ok(None) => {}
            Ok(Some(place)) => found("calendars and contacts: DNS", Ok(place)),
            Err(error) => {
                found("calendars and contacts: DNS", Err(advised(&error)));
                return findings;
            }
        }
        let asked = async {
            let mailbox = self.mailbox(account, context).await?;
            let principal = mailbox.find_principal().await;
            let principal = principal.map_err(|error| error.told("find the user"))?;
            Ok((mailbox, principal))
        };
        let (mailbox, principal) = match asked.await {
            Ok(asked) => asked,
            Err(error) => {
                found("calendars and contacts: connection, TLS and login", Err(advised(&error)));
                return findings;
            }
        };
        found("calendars and contacts: connection, TLS and login", Ok(said_of(&principal)));
        found("meetings", Ok(scheduling(&principal).to_owned()));
        found("calendars and address books", collections(&mailbox).await);
        findings
    }
}

fn said_of(principal: &Principal) -> String {
    let (calendars, contacts) = (principal.calendar_homes.len(), principal.contact_homes.len());
    format!("{calendars} places with calendars, {contacts} with address books")
}

fn scheduling(principal: &Principal) -> &'static str {
    match (principal.schedules, &principal.outbox) {
        (true, _) => "the server itself sends invitations and answers (RFC 6638)",
        (false, Some(_)) => "invitations and answers go by mail; the server tells free/busy",
        (false, None) => "invitations and answers go by mail; nobody tells free/busy",
    }
}

async fn collections(mailbox: &DavMailbox) -> Result<String, String> {
    let all = mailbox.list_collections().await.map_err(|error| advised(&error))?;
    let config = &mailbox.shared.config;
    let classes: &[Class] = match (config.calendars, config.contacts) {
        (true, true) => &[Class::Calendar, Class::Contacts, Class::Tasks, Class::Notes],
        (true, false) => &[Class::Calendar, Class::Tasks, Class::Notes],
        _ => &[Class::Contacts],
    };
    let mut said = Vec::new();
    let mut missing = Vec::new();
    for class in classes {
        let of_class = || all.iter().filter(|it| it.class == *class);
        let name = format!("{class:?}").to_lowercase();
        said.push(format!("{} of {name}", of_class().count()));
        if !of_class().any(|it| it.access == Access::ReadWrite && it.owner.is_user()) {
            missing.push(name);
        }
    }
    let said = said.join(", ");
    Ok(match missing.is_empty() {
        true => said,
        false => format!(
            "{said}; nothing of the user's own to write {} to: it can be made on a phone or with \
             another program",
            missing.join(", ")
        ),
    })
}

/// What is wrong, and what an administrator may look at.
pub(crate) fn advised(error: &Error) -> String {
    let said = error.to_string();
    let advice = match error.kind {
        ErrorKind::Auth => {
            "check the password, and that `login` makes the name the server knows the user by"
        }
        ErrorKind::NotFound => {
            "give `url` the path of the server's DAV tree, such as https://dav.example.org/dav/"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout if said.contains("DNS") => {
            "give the server's address as `url`, or mend what DNS says of `domain`"
        }
        ErrorKind::Unavailable if said.contains("certificate") => {
            "the host in `url` must be a name in the certificate; if its authority is your own, \
             name it in `ca_file`"
        }
        ErrorKind::Unavailable if said.contains("the server said 500") => {
            "look into the server's log; Cyrus has no place for a user's calendars before the \
             user's first login by IMAP"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout => {
            "check `url`, and that nothing between refuses the connection"
        }
        _ => return said,
    };
    format!("{said}; {advice}")
}
