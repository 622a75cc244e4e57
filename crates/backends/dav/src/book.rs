//! One address book, read whole by a login of its own: what an organisation's address list is made
//! of. What changed is asked for as for a phone's folder.

use crate::collections::Place;
use crate::config::{Auth, DavConfig};
use crate::error::ConfigError;
use crate::fetch::{BATCH, Got};
use crate::mailbox::DavMailSystem;
use dme_dial::{LoginName, TimeoutConfig};
use dme_mailbox::{Account, CallContext, ChangeToken, Credentials, ErrorKind, ItemFilter, Result};
use dme_model::{BodyView, ByteSize, Class, ItemId, ItemSet, Secret, UserId};
use dme_pim::contact::{self, Described};
use std::path::PathBuf;

/// The largest card read. It may hold a photo and certificates.
const MAX_CARD: ByteSize = ByteSize(1 << 20);

/// Where the address book is, and who reads it.
#[derive(Clone, Debug)]
pub struct BookConfig {
    /// The address book itself, `https://dav.example.org/company/people/`.
    pub url: String,
    /// The name of the one who reads it.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Allows `http://` to a host that is not loopback.
    pub allow_plain: bool,
    /// How long to wait for the server.
    pub timeouts: TimeoutConfig,
}

impl BookConfig {
    /// Whether it can work, as far as the settings alone tell; they stand in the table `at`.
    ///
    /// # Errors
    /// Naming the setting.
    pub fn check(&self, at: &'static str) -> std::result::Result<(), ConfigError> {
        let system = self.system();
        system.check_place(at)?;
        Ok(system.timeouts.check(at)?)
    }

    /// The server it is on.
    fn system(&self) -> DavConfig {
        DavConfig {
            url: self.url.clone(),
            calendars: false,
            ca_file: self.ca_file.clone(),
            allow_plain: self.allow_plain,
            auth: Auth::Password,
            login: LoginName::Address,
            max_item_size: MAX_CARD,
            timeouts: self.timeouts.clone(),
            ..DavConfig::default()
        }
    }
}

/// An address book on a CardDAV server (RFC 6352).
pub struct CardBook {
    system: DavMailSystem,
    account: Account,
    place: Place,
}

/// What became of the cards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardChanges {
    /// By name, those that are new or changed; which of them to read is the caller's choice.
    pub changed: Vec<ItemId>,
    /// Cards that are gone.
    pub removed: ItemSet,
    /// All cards there are, where the server told them: what else was known is gone too.
    pub present: Option<ItemSet>,
    /// Ask for changes from here.
    pub token: ChangeToken,
}

/// A card that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CardRead {
    /// What stands on it, without notes.
    Content(Box<Described>),
    /// It is gone.
    Gone,
    /// It cannot be read, or is a list of people, for this reason.
    Unreadable(String),
}

impl CardBook {
    /// How many cards are read at once.
    pub const BATCH: usize = BATCH;

    /// The address book of this configuration, which stands in the table `at`. Connects to nothing
    /// yet.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(at: &'static str, config: BookConfig) -> std::result::Result<Self, ConfigError> {
        config.check(at)?;
        let system = config.system();
        let (_, path) = system.place(at)?;
        let place = Place { class: Class::Contacts, path: path.into_collection() };
        let account = Account {
            user: UserId::new(config.user.clone()),
            address: config.user,
            display_name: None,
            credentials: Credentials::Password(config.password),
        };
        Ok(Self { system: DavMailSystem::at(at, system)?, account, place })
    }

    /// Which cards are new or changed since a token; all of them where there is none or the server
    /// does not know it any more.
    ///
    /// # Errors
    /// When the server does not answer, or refuses the login or the address book.
    pub async fn changes(
        &self,
        since: Option<&ChangeToken>,
        context: &CallContext,
    ) -> Result<CardChanges> {
        let mailbox = self.system.mailbox(&self.account, context).await?;
        let id = self.place.id();
        if let Some(since) = since {
            match mailbox.changes_since(&id, since).await {
                Err(error) if error.kind == ErrorKind::InvalidToken => {}
                changes => {
                    let changes = changes?;
                    return Ok(CardChanges {
                        changed: changes.upserted.into_iter().map(|state| state.id).collect(),
                        removed: changes.removed,
                        present: changes.present,
                        token: changes.token,
                    });
                }
            }
        }
        let listing = mailbox.list_items(&id, &ItemFilter::default()).await?;
        Ok(CardChanges {
            changed: listing.items.iter().collect(),
            removed: ItemSet::new(),
            present: Some(listing.items),
            token: listing.token,
        })
    }

    /// Reads some cards by their names, in one request where the server can; [`Self::BATCH`] at most
    /// are sensible.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub async fn read(
        &self,
        names: Vec<ItemId>,
        context: &CallContext,
    ) -> Result<Vec<(ItemId, CardRead)>> {
        let mailbox = self.system.mailbox(&self.account, context).await?;
        let member = |name: ItemId| {
            let path = self.place.path.member(name.as_str())?;
            Some((name, path))
        };
        let (names, paths): (Vec<ItemId>, Vec<_>) = names.into_iter().filter_map(member).unzip();
        let got = mailbox.get_many(&self.place, &paths).await;
        let got = got.map_err(|error| error.told("read"))?.into_iter().map(|got| match got {
            Got::There(card) => match contact::described(&card.object, &BodyView::default()) {
                Ok(content) => CardRead::Content(Box::new(content)),
                Err(error) => CardRead::Unreadable(error.to_string()),
            },
            Got::Gone => CardRead::Gone,
            Got::TooLarge => CardRead::Unreadable(format!("it is larger than {MAX_CARD}")),
            Got::Failing(reason) => CardRead::Unreadable(reason),
        });
        Ok(names.into_iter().zip(got).collect())
    }
}
