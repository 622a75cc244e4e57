//! The address list from a CardDAV address book: whom phones find is whoever has a card there,
//! while logins, passwords and groups stay the directory's.

mod audience;
mod card;
mod cards;
mod reader;

use async_trait::async_trait;
use audience::Audience;
use cards::Cards;
use dme_dav::{BookConfig, CardBook};
use dme_dial::TimeoutConfig;
use dme_directory::{
    DirectoryService, Error, Everyone, GroupGraph, GroupSnapshot, PeopleFound, PeopleSearch,
    Person, Result, Users, Verdict, find_among,
};
use dme_model::{Secret, Span, UserId, within};
use reader::Reader;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The table of the configuration.
const AT: &str = "address_list";
/// How long a reading may take.
const READING: Duration = Duration::from_secs(600);
/// The most cards.
const MAX_CARDS: u32 = 100_000;

/// The address book that phones search, by the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressListConfig {
    /// The address book itself, `https://dav.example.org/company/people/`.
    pub url: String,
    /// The name of the one who reads it.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows `http://` to a host that is not loopback. The password then crosses the network
    /// readable by all on the way.
    #[serde(default)]
    pub allow_plain: bool,
    /// Who is shown it: everyone of the realm, or the members of groups.
    #[serde(default = "everyone")]
    pub shown_to: Users,
    /// How often the server is asked what changed; 1 s to 1 day.
    #[serde(default = "five_minutes")]
    pub refresh: Span,
    /// How many cards are read at most, 1 to 100,000.
    #[serde(default = "ten_thousand")]
    pub limit: u32,
    /// How long to wait for the server.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
}

fn everyone() -> Users {
    Users::Everyone
}

fn five_minutes() -> Span {
    Span::seconds(300)
}

fn ten_thousand() -> u32 {
    10_000
}

impl AddressListConfig {
    /// Where the address book is, once the settings beside that are in range.
    fn place(&self) -> std::result::Result<BookConfig, String> {
        within("address_list.limit", self.limit, 1..=MAX_CARDS)
            .and_then(|()| {
                let allowed = Span::seconds(1)..=Span::seconds(86_400);
                within("address_list.refresh", self.refresh, allowed)
            })
            .map_err(|error| error.to_string())?;
        if self.shown_to == Users::Groups(Vec::new()) {
            return Err("address_list.shown_to names no group: nobody would be shown it".into());
        }
        Ok(BookConfig {
            url: self.url.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            ca_file: self.ca_file.clone(),
            allow_plain: self.allow_plain,
            timeouts: self.timeouts.clone(),
        })
    }

    /// The address book, to which nothing connects yet.
    fn book(&self) -> std::result::Result<CardBook, String> {
        CardBook::new(AT, self.place()?).map_err(|error| error.to_string())
    }

    /// Whether it can work at all; nothing is read or contacted.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub(crate) fn fits(&self) -> std::result::Result<(), String> {
        self.place()?.check(AT).map_err(|error| error.to_string())
    }

    /// Reads the address book once, for an administrator who tries the settings; says what is in it.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub async fn check(&self, patience: Duration) -> std::result::Result<String, String> {
        let mut reader = Reader::new(self.book()?, self.limit, patience);
        reader.read().await.map_err(|error| error.to_string())?;
        let (cards, people) = (reader.cards(), reader.shown().len());
        Ok(format!("{people} people with a mail address on {cards} cards"))
    }

    /// Looks whether `shown_to` names groups of this directory.
    ///
    /// # Errors
    /// In words, which it does not, or why that cannot be told.
    pub async fn check_groups(
        &self,
        directory: &dyn DirectoryService,
    ) -> std::result::Result<(), String> {
        if self.shown_to == Users::Everyone {
            return Ok(());
        }
        let groups = directory.groups().await.map_err(|error| error.to_string())?;
        let wrong = self.shown_to.wrong_names(&GroupGraph::new(&[groups]));
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("address_list.shown_to: {}", wrong.join("; "))),
        }
    }
}

/// A directory whose address list is an address book.
pub(crate) struct AddressList {
    people: Arc<dyn DirectoryService>,
    cards: Cards,
    audience: Audience,
}

impl AddressList {
    /// In the place of the address list of this directory.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub(crate) fn new(
        config: &AddressListConfig,
        people: Arc<dyn DirectoryService>,
    ) -> std::result::Result<Self, String> {
        let reader = Reader::new(config.book()?, config.limit, READING);
        let cards = Cards::of(reader, config.refresh.0);
        let audience = Audience::new(config.shown_to.clone(), people.clone());
        Ok(Self { people, cards, audience })
    }
}

#[async_trait]
impl DirectoryService for AddressList {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        self.people.authenticate(user, password).await
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        self.people.find(user).await
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.people.groups().await
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        if !self.audience.has(&search.asking).await? {
            return Ok(PeopleFound::default());
        }
        let shown = self.cards.now().await?;
        let search = search.clone();
        // Many cards take long enough to keep others waiting.
        let looking = move || find_among(shown.with_texts(), &search, &*shown);
        let found = tokio::task::spawn_blocking(looking).await;
        found.map_err(|error| Error::Unavailable(format!("the search broke off: {error}")))
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        if !self.audience.has(asking).await? {
            return Ok(Everyone { entries: Vec::new(), complete: true });
        }
        let shown = self.cards.now().await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries = shown.entries().take(limit).cloned().collect();
        Ok(Everyone { entries, complete: shown.len() <= limit && shown.is_complete() })
    }
}
