//! One address book, read whole by a login of its own: what an organisation's address list is made
//! of. What changed is asked for as for a phone's folder.

use crate::collections::Place;
use crate::config::{Auth, DavConfig};
use crate::error::ConfigError;
use crate::fetch::{BATCH, Got};
use crate::mailbox::DavMailSystem;
use bytes::Bytes;
use dme_dial::{LoginName, TimeoutConfig};
use dme_mailbox::{Account, CallContext, ChangeToken, Credentials, ErrorKind, ItemFilter, Result};
use dme_model::{BodyView, ByteSize, Class, Contact, ItemId, ItemSet, Secret, UserId};
use dme_pim::contact;
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

/// An address book on a CardDAV server (RFC 6352).
pub struct CardBook {
    system: DavMailSystem,
    account: Account,
    place: Place,
}

/// What stands on a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardContent {
    /// Whose it is; without notes.
    pub contact: Contact,
    /// What it is of, in lower case, where the card says so (RFC 6350 §6.1.4).
    pub kind: Option<String>,
    /// The keys on it, as they are: X.509 certificates in DER, or others.
    pub keys: Vec<Vec<u8>>,
}

/// What a reading showed beside the cards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Cards that are gone.
    pub removed: ItemSet,
    /// All cards there are, where the server told them: what else was known is gone too.
    pub present: Option<ItemSet>,
    /// Ask for changes from here.
    pub token: ChangeToken,
}

impl CardContent {
    fn read(object: &Bytes) -> std::result::Result<Self, String> {
        let told = |error: dme_pim::Error| error.to_string();
        let contact = contact::read(object, &BodyView::default()).map_err(told)?;
        let kind = contact::kind(object).map_err(told)?;
        Ok(Self { contact, kind, keys: contact::keys(object).map_err(told)? })
    }
}

impl CardBook {
    /// The address book of this configuration, which stands in the table `at`. Connects to nothing
    /// yet.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(at: &'static str, config: BookConfig) -> std::result::Result<Self, ConfigError> {
        let account = Account {
            user: UserId::new(config.user.clone()),
            address: config.user,
            display_name: None,
            credentials: Credentials::Password(config.password),
        };
        let config = DavConfig {
            url: config.url,
            calendars: false,
            ca_file: config.ca_file,
            allow_plain: config.allow_plain,
            auth: Auth::Password,
            login: LoginName::Address,
            max_item_size: MAX_CARD,
            timeouts: config.timeouts,
            ..DavConfig::default()
        };
        config.check_place(at)?;
        config.timeouts.check(at)?;
        let (_, path) = config.place(at)?;
        let place = Place { class: Class::Contacts, path: path.into_collection() };
        Ok(Self { system: DavMailSystem::at(at, config)?, account, place })
    }

    /// Reads the cards that are new or changed since a token, or all of them where there is none or
    /// the server does not know it any more. Each goes to `each` with its name in the book, which
    /// it keeps; one that cannot be read, or is a list of people, goes there as the reason.
    ///
    /// # Errors
    /// When the server does not answer, or refuses the login or the address book.
    pub async fn read(
        &self,
        since: Option<&ChangeToken>,
        context: &CallContext,
        mut each: impl FnMut(ItemId, std::result::Result<CardContent, String>) + Send,
    ) -> Result<Reading> {
        let mailbox = self.system.mailbox(&self.account, context).await?;
        let id = self.place.id();
        let changes = match since {
            None => None,
            Some(since) => match mailbox.changes_since(&id, since).await {
                Err(error) if error.kind == ErrorKind::InvalidToken => None,
                changes => Some(changes?),
            },
        };
        let (wanted, mut reading) = match changes {
            Some(changes) => {
                let wanted = changes.upserted.into_iter().map(|state| state.id).collect();
                let (removed, present) = (changes.removed, changes.present);
                (wanted, Reading { removed, present, token: changes.token })
            }
            None => {
                let listing = mailbox.list_items(&id, &ItemFilter::default()).await?;
                let wanted: Vec<ItemId> = listing.items.iter().collect();
                let (removed, present) = (ItemSet::new(), Some(listing.items));
                (wanted, Reading { removed, present, token: listing.token })
            }
        };
        for batch in wanted.chunks(BATCH) {
            let named = batch
                .iter()
                .filter_map(|item| Some((item.clone(), self.place.path.member(item.as_str())?)));
            let (items, paths): (Vec<ItemId>, Vec<_>) = named.unzip();
            let got = mailbox.get_many(&self.place, &paths).await;
            for (item, got) in items.into_iter().zip(got.map_err(|error| error.told("read"))?) {
                match got {
                    Got::There(card) => each(item, CardContent::read(&card.object)),
                    Got::Gone => drop(reading.removed.insert(&item)),
                    Got::TooLarge => each(item, Err(format!("it is larger than {MAX_CARD}"))),
                    Got::Failing(reason) => each(item, Err(reason)),
                }
            }
        }
        Ok(reading)
    }
}
