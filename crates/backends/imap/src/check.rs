//! Trying a configuration out, step by step, in words for an administrator.

use crate::mailbox::ImapMailSystem;
use crate::pool::Freshness;
use dme_dial::{Finding, advised};
use dme_mailbox::{Account, CallContext, Credentials, Error};
use dme_model::Role;
use tokio::time::Instant;

impl ImapMailSystem {
    /// Connects, logs in as this user, looks at the folders, and logs in for sending. Changes
    /// nothing. Ends at the first IMAP step that fails; sending is tried in any case.
    pub async fn check(&self, account: &Account, context: &CallContext) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |step, outcome: Result<String, String>| {
            findings.push(Finding { step, outcome });
        };
        let mailbox = self.mailbox(account, context);
        match mailbox.lease(None, Freshness::New, "connect and log in").await {
            Err(error) => found("IMAP connection, TLS and login", Err(advised(&error))),
            Ok(session) => {
                let can = session.capabilities.words().join(" ");
                found("IMAP connection, TLS and login", Ok(format!("the server can {can}")));
                let has = |name| session.capabilities.has(name);
                found(
                    "finding changes",
                    Ok(match (has("QRESYNC"), has("CONDSTORE")) {
                        (true, _) => "QRESYNC: the best there is",
                        (false, true) => "CONDSTORE: good; deletions cost one more question",
                        (false, false) => {
                            "neither CONDSTORE nor QRESYNC: all flags are read at each sync"
                        }
                    }
                    .to_owned()),
                );
                found(
                    "being told of new mail",
                    match (has("NOTIFY"), has("IDLE")) {
                        (true, _) => Ok("NOTIFY: all folders at once".to_owned()),
                        (false, true) => {
                            let poll = self.shared.pool.config.poll;
                            Ok(format!("IDLE on one folder, the others every {poll}"))
                        }
                        (false, false) => {
                            Err("neither NOTIFY nor IDLE: new mail shows late".to_owned())
                        }
                    },
                );
                drop(session);
                found("folders", self.check_folders(account, context).await);
            }
        }
        if let Some(smtp) = &self.shared.smtp {
            let deadline = Instant::from_std(context.deadline);
            let limit = smtp.try_login(account, deadline).await;
            let limit = limit.map(|limit| match limit {
                Some(limit) => format!("messages up to {limit} bytes are taken"),
                None => "no limit of size is told".to_owned(),
            });
            found("SMTP connection, TLS and login", limit.map_err(|error| advised(&error)));
        } else {
            found("SMTP", Err("no smtp server is set: nothing can be sent".to_owned()));
        }
        if matches!(account.credentials, Credentials::None) {
            found("credentials", Ok("none of the user's are needed".to_owned()));
        }
        findings
    }

    /// Connects to the servers as far as that goes without a user: name, address, TCP and TLS.
    pub async fn reach(&self) -> Vec<Finding> {
        let imap = self.shared.pool.reach().await;
        let mut findings = vec![Finding { step: "IMAP connection and TLS", outcome: imap }];
        if let Some(smtp) = &self.shared.smtp {
            let outcome = smtp.reach().await;
            findings.push(Finding { step: "SMTP connection and TLS", outcome });
        }
        findings
    }

    /// Logs in anew as this user, whatever sessions there are: what was good for those may have
    /// been taken back since.
    ///
    /// # Errors
    /// `Auth` where the mail system does not let the user in; else why it could not be asked.
    pub async fn try_login(&self, account: &Account, context: &CallContext) -> Result<(), Error> {
        self.mailbox(account, context).lease(None, Freshness::New, "log in").await.map(drop)
    }

    async fn check_folders(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> Result<String, String> {
        let folders = self.mailbox(account, context).list_folders().await;
        let folders = folders.map_err(|error| error.to_string())?;
        let missing: Vec<_> = [Role::Inbox, Role::Drafts, Role::Sent, Role::Trash]
            .into_iter()
            .filter(|role| folders.iter().all(|folder| folder.role != Some(*role)))
            .map(|role| format!("{role:?}"))
            .collect();
        match missing.is_empty() {
            true => Ok(format!("{} folders, all special ones among them", folders.len())),
            false => {
                Err(format!("no folder for {}: name them under imap.folders", missing.join(", ")))
            }
        }
    }
}
