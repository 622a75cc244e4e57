//! Whether what a connector is set to serve makes sense, before anything is opened or contacted.

use crate::config::{DirectoryConfig, MailConfig};
use crate::role::StartError;
use crate::services::Offered;
use dme_link::CredentialsNeeded;

/// Whether these services can be, as far as the settings alone tell.
///
/// # Errors
/// When a setting is out of range, or two do not go together.
pub(crate) fn check(offered: &Offered<'_>) -> Result<(), StartError> {
    if !offered.is_something() {
        return Err(StartError::Nothing);
    }
    let mail = match offered.mail {
        Some(MailConfig::Imap(config)) => {
            config.check().map_err(|error| StartError::Mail(error.to_string()))?;
            Some(config)
        }
        Some(MailConfig::Files(config)) => {
            config.check().map_err(|error| StartError::Mail(error.to_string()))?;
            None
        }
        None => None,
    };
    if let Some(sieve) = offered.sieve {
        sieve.check().map_err(|error| StartError::Sieve(error.to_string()))?;
        if mail.is_none() {
            return Err(StartError::SieveOfNobody);
        }
    }
    let takes_tokens = mail.is_some_and(|mail| mail.auth == dme_imap::Auth::Bearer);
    if let Some(dav) = offered.dav {
        dav.check().map_err(|error| StartError::Dav(error.to_string()))?;
        if dav.auth == dme_dav::Auth::Bearer && !takes_tokens {
            return Err(StartError::TokensUnjudged);
        }
        let of_mail = offered.mail.map_or(CredentialsNeeded::None, mail_needs);
        together(of_mail, dav_needs(dav))?;
    }
    match offered.people {
        Some(DirectoryConfig::Ldap(config)) => {
            config.check().map_err(|error| StartError::Directory(error.to_string()))?;
        }
        Some(DirectoryConfig::File(_)) => {}
        None if takes_tokens => return Err(StartError::TokensOfNobody),
        None => {}
    }
    if let Some(list) = offered.address_list {
        if offered.people.is_none() {
            return Err(StartError::AddressListOfNobody);
        }
        list.fits().map_err(StartError::AddressList)?;
    }
    match offered.address_book {
        Some(_) if offered.people.is_none() || offered.mail.is_none() => {
            Err(StartError::AddressBookOfNobody)
        }
        Some(book) => book.check().map_err(StartError::AddressBook),
        None => Ok(()),
    }
}

/// What a mail system needs of the user.
pub(crate) fn mail_needs(mail: &MailConfig) -> CredentialsNeeded {
    match mail {
        MailConfig::Imap(config) => match config.auth {
            dme_imap::Auth::Password => CredentialsNeeded::Password,
            dme_imap::Auth::Bearer => CredentialsNeeded::Bearer,
            dme_imap::Auth::Master { .. } => CredentialsNeeded::None,
        },
        MailConfig::Files(_) => CredentialsNeeded::None,
    }
}

/// What a calendar system needs of the user.
pub(crate) fn dav_needs(dav: &dme_dav::DavConfig) -> CredentialsNeeded {
    match dav.auth {
        dme_dav::Auth::Password => CredentialsNeeded::Password,
        dme_dav::Auth::Bearer => CredentialsNeeded::Bearer,
        dme_dav::Auth::Master { .. } => CredentialsNeeded::None,
    }
}

/// What two systems in one mailbox need: a phone has but one secret.
pub(crate) fn together(
    one: CredentialsNeeded,
    other: CredentialsNeeded,
) -> Result<CredentialsNeeded, StartError> {
    match (one, other) {
        (CredentialsNeeded::None, needs) | (needs, CredentialsNeeded::None) => Ok(needs),
        (one, other) if one == other => Ok(one),
        _ => Err(StartError::TwoSecrets),
    }
}
