//! Local files: whether they are there, and whether everybody has a mailbox.

use super::report::Report;
use dme_connector::config::DirectoryConfig;
use dme_directory::list_users;
use dme_files::{FilesConfig, FilesMailSystem};
use dme_model::UserId;
use std::collections::BTreeSet;

/// How many people are named.
const NAMED: usize = 5;

/// Looks for the directory, and in it for the mailbox of one user, or of everybody in an in-file
/// directory.
pub(super) async fn check(
    report: &mut Report,
    config: &FilesConfig,
    people: Option<&DirectoryConfig>,
    user: Option<&str>,
) {
    let root = config.root.display();
    match std::fs::metadata(&config.root) {
        Ok(meta) if meta.is_dir() => report.good("mail", root),
        Ok(_) => return report.bad("mail", format_args!("{root} is no directory")),
        Err(error) => {
            let advice = "make it, owned by the user the service runs as";
            return report.bad("mail", format_args!("{root}: {error}; {advice}"));
        }
    }
    let there: BTreeSet<UserId> = match FilesMailSystem::new(config.clone()).users().await {
        Ok(users) => users.into_iter().collect(),
        Err(error) => return report.bad("mailboxes", error),
    };
    if let Some(user) = user {
        return match there.contains(&UserId::from(user)) {
            true => report.good("mailboxes", format_args!("{user} has one")),
            false => report.bad("mailboxes", missing(user)),
        };
    }
    let everybody = match people {
        // What is wrong with the file is told with the people.
        Some(DirectoryConfig::File(file)) => list_users(file).await.unwrap_or_default(),
        _ => Vec::new(),
    };
    let without: Vec<&str> = everybody
        .iter()
        .filter(|person| !there.contains(&person.user))
        .map(|person| person.user.as_str())
        .collect();
    match without.as_slice() {
        [] => report.good("mailboxes", there.len()),
        [user] => report.warn("mailboxes", missing(user)),
        [user, ..] => {
            let named = without.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            let more = if without.len() > NAMED { ", …" } else { "" };
            let count = without.len();
            let said = missing(user);
            report
                .warn("mailboxes", format_args!("{count} people have none: {named}{more}; {said}"));
        }
    }
}

fn missing(user: &str) -> String {
    format!("{user} has no mailbox here; make it with: dme mailbox make {user}")
}
