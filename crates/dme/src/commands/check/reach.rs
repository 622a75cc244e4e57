//! The servers of mail and calendars, as far as they can be tried without a user.

use super::report::Report;
use dme_connector::Offered;
use dme_connector::config::MailConfig;
use dme_dav::DavMailSystem;
use dme_imap::ImapMailSystem;
use dme_sieve::SieveVacations;

/// Finds the mail system's servers, connects and begins TLS.
pub async fn mail(report: &mut Report, offered: &Offered<'_>) {
    if let Some(MailConfig::Imap(mail)) = offered.mail {
        match ImapMailSystem::new((**mail).clone()) {
            Ok(system) => report.found(system.reach().await),
            Err(error) => report.bad("mail", error),
        }
        if let Some(sieve) = offered.sieve {
            match SieveVacations::new(sieve.clone(), mail.auth.clone(), mail.login) {
                Ok(vacations) => report.found(vec![vacations.reach().await]),
                Err(error) => report.bad("sieve", error),
            }
        }
    }
}

/// The same of the server with calendars and contacts.
pub async fn dav(report: &mut Report, offered: &Offered<'_>) {
    if let Some(dav) = offered.dav {
        match DavMailSystem::new(dav.clone()) {
            Ok(system) => report.found(vec![system.reach().await]),
            Err(error) => report.bad("dav", error),
        }
    }
}
