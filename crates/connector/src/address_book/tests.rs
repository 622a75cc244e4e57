use super::*;
use dme_directory::{
    Card, DirectoryEntry, Everyone, GroupSnapshot, PeopleFound, PeopleSearch, Person, Verdict,
};
use dme_mailbox::{Credentials, StateNow};
use dme_model::{Contact, ContactText, RequestId, Secret, UserId};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const ANN: &str = "ann@example.org";

/// A directory of whoever is put into it.
#[derive(Default)]
struct Company {
    people: Mutex<Vec<DirectoryEntry>>,
    is_away: Mutex<bool>,
    reads: AtomicUsize,
    /// How long it takes to tell of everyone.
    delay: Mutex<Duration>,
}

impl Company {
    fn of(people: &[DirectoryEntry]) -> Arc<Self> {
        Arc::new(Self { people: Mutex::new(people.to_vec()), ..Self::default() })
    }

    fn now_has(&self, people: &[DirectoryEntry]) {
        *self.people.lock().unwrap() = people.to_vec();
    }

    fn is_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl DirectoryService for Company {
    async fn authenticate(&self, _: &UserId, _: &Secret) -> dme_directory::Result<Verdict> {
        Ok(Verdict::Unknown)
    }

    async fn find(&self, _: &UserId) -> dme_directory::Result<Option<Person>> {
        Ok(None)
    }

    async fn groups(&self) -> dme_directory::Result<GroupSnapshot> {
        Ok(GroupSnapshot::default())
    }

    async fn search(&self, _: &PeopleSearch) -> dme_directory::Result<PeopleFound> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, limit: u32) -> dme_directory::Result<Everyone> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        if *self.is_away.lock().unwrap() {
            return Err(dme_directory::Error::Unavailable("nobody listens".into()));
        }
        let mut entries = self.people.lock().unwrap().clone();
        let complete = entries.len() <= limit as usize;
        entries.truncate(limit as usize);
        Ok(Everyone { entries, complete })
    }
}

fn person(name: &str) -> DirectoryEntry {
    DirectoryEntry {
        id: format!("id-{name}"),
        address: format!("{name}@example.org"),
        display_name: Some(format!("{name} Example")),
        ..DirectoryEntry::default()
    }
}

fn with_phone(name: &str, phone: &str) -> DirectoryEntry {
    let card = Card { phone: Some(phone.into()), ..Card::default() };
    DirectoryEntry { card, ..person(name) }
}

fn system(company: &Arc<Company>, limit: u32) -> AddressBook {
    let config = AddressBookConfig { limit, ..AddressBookConfig::default() };
    AddressBook::new(&config, company.clone(), Realm::named("Example.org")).unwrap()
}

async fn opened(system: &AddressBook, user: &str) -> Arc<dyn Mailbox> {
    let account = Account {
        user: UserId::from(user),
        address: user.to_owned(),
        display_name: None,
        credentials: Credentials::None,
    };
    // Far away, because the tests' clock runs ahead.
    let context = CallContext::new(RequestId::from("r"), Duration::from_secs(100_000));
    system.open(&account, &context).await.unwrap()
}

async fn mailbox(company: &Arc<Company>, limit: u32) -> Arc<dyn Mailbox> {
    opened(&system(company, limit), ANN).await
}

/// Until what was read before no longer serves.
async fn later() {
    tokio::time::advance(Duration::from_secs(301)).await;
}

async fn listed(mailbox: &dyn Mailbox) -> Listing {
    mailbox.list(&people(), &ItemFilter::default()).await.unwrap()
}

async fn fetched(mailbox: &dyn Mailbox, id: &str) -> Option<Contact> {
    let view = BodyView::default();
    let mut stream = mailbox.fetch(&people(), &[id.into()], &view).await.unwrap();
    match stream.next().await.unwrap().unwrap().outcome {
        FetchOutcome::Item(Item::Contact(contact)) => Some(*contact),
        FetchOutcome::Gone => None,
        other => panic!("{other:?}"),
    }
}

fn upserted(changes: &Changes) -> Vec<&str> {
    changes.upserted.iter().map(|state| state.id.as_str()).collect()
}

fn ids<const N: usize>(names: [&str; N]) -> dme_model::ItemSet {
    let mut set = dme_model::ItemSet::new();
    for name in names {
        set.insert(&format!("id-{name}").as_str().into());
    }
    set
}

#[tokio::test]
async fn everybody_is_in_one_folder_of_contacts_that_can_only_be_read() {
    let company = Company::of(&[person("ann"), person("eve")]);
    let mailbox = mailbox(&company, 10).await;
    let collections = mailbox.collections().await.unwrap();
    let [folder] = &collections[..] else { panic!("{collections:?}") };
    assert_eq!((folder.name.as_str(), folder.class), ("Company", Class::Contacts));
    assert_eq!((folder.access, folder.role), (Access::ReadOnly, None));
    assert_eq!(listed(&*mailbox).await.items, ids(["ann", "eve"]));

    let (eve, forbidden) = (ItemId::from("id-eve"), ErrorKind::Forbidden);
    let patch = dme_model::ContactPatch::whole(Contact::default());
    let patch = dme_model::ItemPatch::Contact(Box::new(patch));
    let new = NewItem { key: SubmissionKey("k".into()), patch };
    let made = mailbox.create_item(&people(), &new).await;
    assert_eq!(made.unwrap_err().kind, forbidden);
    let deleted = mailbox.delete_items(&people(), std::slice::from_ref(&eve)).await;
    assert_eq!(deleted.unwrap_err().kind, forbidden);
    let moved = mailbox.move_items(&people(), &people(), &[eve]).await.unwrap();
    assert_eq!(moved[0].1.as_ref().unwrap_err().kind, forbidden);
    assert_eq!(mailbox.delete_collection(&people()).await.unwrap_err().kind, forbidden);
    // Another part may make one where this one cannot.
    let made = mailbox.create_collection(None, "Friends", Class::Contacts).await;
    assert_eq!(made.unwrap_err().kind, ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_contact_shows_what_the_directory_does() {
    let card = Card {
        first_name: Some("Eve".into()),
        last_name: Some("Example".into()),
        title: Some("Auditor".into()),
        company: Some("Example Ltd".into()),
        department: Some("Books".into()),
        office: Some("Room 7".into()),
        phone: Some("+1 555 77".into()),
        mobile_phone: Some("+1 555 9".into()),
        home_phone: Some("+1 555 8".into()),
    };
    let eve = DirectoryEntry { card, alias: Some("eve".into()), ..person("eve") };
    let company = Company::of(&[eve, person("atlas")]);
    let mailbox = mailbox(&company, 10).await;
    let eve = fetched(&*mailbox, "id-eve").await.unwrap();
    assert_eq!(eve.uid, "id-eve");
    let texts: Vec<(ContactText, &str)> =
        eve.texts.iter().map(|(field, text)| (*field, text.as_str())).collect();
    assert_eq!(
        texts,
        [
            (ContactText::FirstName, "Eve"),
            (ContactText::LastName, "Example"),
            (ContactText::FileAs, "eve Example"),
            (ContactText::CompanyName, "Example Ltd"),
            (ContactText::Department, "Books"),
            (ContactText::JobTitle, "Auditor"),
            (ContactText::OfficeLocation, "Room 7"),
            (ContactText::Email1, "eve@example.org"),
            (ContactText::BusinessPhone, "+1 555 77"),
            (ContactText::HomePhone, "+1 555 8"),
            (ContactText::MobilePhone, "+1 555 9"),
            (ContactText::Alias, "eve"),
        ]
    );
    let atlas = fetched(&*mailbox, "id-atlas").await.unwrap();
    assert_eq!(atlas.text_of(ContactText::FirstName), "");
    assert_eq!(atlas.text_of(ContactText::LastName), "atlas Example", "the name as a whole");
    assert_eq!(fetched(&*mailbox, "id-nobody").await, None);
}

#[tokio::test(start_paused = true)]
async fn changes_are_who_is_new_who_is_changed_and_who_is_there() {
    let company = Company::of(&[person("ann"), person("bob"), person("eve")]);
    let mailbox = mailbox(&company, 10).await;
    let first = listed(&*mailbox).await.token;
    let none = mailbox.changes(&people(), &first).await.unwrap();
    assert_eq!((upserted(&none), &none.token), (vec![], &first));

    // In another order, which means nothing.
    company.now_has(&[with_phone("eve", "1"), person("dan"), person("ann")]);
    later().await;
    let asked = [(people(), first.clone())];
    assert_eq!(mailbox.changed(&asked).await.unwrap(), [people()]);
    let changes = mailbox.changes(&people(), &first).await.unwrap();
    assert_eq!(upserted(&changes), ["id-dan", "id-eve"]);
    assert_eq!(changes.present, Some(ids(["ann", "dan", "eve"])));
    let mark = |changes: &Changes| changes.upserted.last().map(|state| state.now.clone());
    let before = mark(&changes);
    assert!(matches!(before, Some(StateNow::Other(Some(_)))), "{before:?}");
    assert_eq!(mailbox.changed(&[(people(), changes.token)]).await.unwrap(), []);

    company.now_has(&[with_phone("eve", "2")]);
    later().await;
    assert_ne!(mark(&mailbox.changes(&people(), &first).await.unwrap()), before);
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_also_as_people_come_and_go() {
    let company = Company::of(&[person("ann"), person("bob"), person("eve")]);
    let mailbox = mailbox(&company, 2).await;
    let first = listed(&*mailbox).await;
    assert_eq!(first.items, ids(["ann", "bob"]));

    // Who is left out now goes from the phone, so that it never has more than the limit.
    company.now_has(&[person("ann"), person("eve"), person("bob")]);
    later().await;
    let changes = mailbox.changes(&people(), &first.token).await.unwrap();
    let shown = Some(ids(["ann", "eve"]));
    assert_eq!((upserted(&changes), &changes.present), (vec!["id-eve"], &shown));

    // The same people, now nobody else.
    company.now_has(&[person("ann"), person("eve")]);
    later().await;
    let asked = [(people(), changes.token.clone())];
    assert_eq!(mailbox.changed(&asked).await.unwrap(), []);
    let changes = mailbox.changes(&people(), &changes.token).await.unwrap();
    assert_eq!((upserted(&changes), &changes.present), (vec![], &shown));
}

#[tokio::test]
async fn the_token_of_ten_thousand_people_has_room() {
    let all: Vec<DirectoryEntry> = (0..10_001).map(|n| person(&n.to_string())).collect();
    let mailbox = mailbox(&Company::of(&all), MAX_PEOPLE).await;
    let listing = listed(&*mailbox).await;
    assert_eq!(listing.items.len(), 10_000);
    assert!(listing.token.0.len() <= 65_536, "{}", listing.token.0.len());
    let changes = mailbox.changes(&people(), &listing.token).await.unwrap();
    assert_eq!(upserted(&changes), [""; 0]);
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_invalid_and_counts_as_changed() {
    let mailbox = mailbox(&Company::of(&[person("ann")]), 10).await;
    for token in ["", "quarantine", "g1:", "g1:all:abc", "g1:some:abcdefg", "g2:all:"] {
        let token = ChangeToken(token.into());
        let asked = mailbox.changes(&people(), &token).await;
        assert_eq!(asked.unwrap_err().kind, ErrorKind::InvalidToken, "{token:?}");
        let asked = [(people(), token)];
        assert_eq!(mailbox.changed(&asked).await.unwrap(), [people()], "{asked:?}");
    }
}

#[tokio::test]
async fn users_of_another_realm_have_no_such_folder() {
    let system = system(&Company::of(&[person("ann")]), 10);
    let mailbox = opened(&system, "mallory@elsewhere.example").await;
    assert_eq!(mailbox.collections().await.unwrap(), []);
    let listing = mailbox.list(&people(), &ItemFilter::default()).await;
    assert_eq!(listing.unwrap_err().kind, ErrorKind::NotFound);
    let asked = [(people(), ChangeToken("g1:all:".into()))];
    assert_eq!(mailbox.changed(&asked).await.unwrap(), [people()]);
}

#[tokio::test(start_paused = true)]
async fn the_directory_is_read_once_an_interval_for_each_user() {
    let company = Company::of(&[person("ann")]);
    let system = system(&company, 10);
    let (ann, bob) = (opened(&system, ANN).await, opened(&system, "bob@example.org").await);
    for _ in 0..3 {
        let token = listed(&*ann).await.token;
        ann.changes(&people(), &token).await.unwrap();
        fetched(&*opened(&system, ANN).await, "id-ann").await.unwrap();
    }
    assert_eq!(company.reads(), 1);
    listed(&*bob).await;
    assert_eq!(company.reads(), 2, "others may see others");
    later().await;
    listed(&*ann).await;
    assert_eq!(company.reads(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_directory_tells_serves_the_next_call() {
    let company = Company::of(&[person("ann")]);
    *company.delay.lock().unwrap() = Duration::from_secs(20);
    let mailbox = mailbox(&company, 10).await;
    let given_up = tokio::time::timeout(Duration::from_secs(10), listed(&*mailbox)).await;
    assert!(given_up.is_err());
    assert_eq!(listed(&*mailbox).await.items, ids(["ann"]));
    assert_eq!(company.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_directory_is_away_the_list_is_as_it_was_for_an_hour() {
    let company = Company::of(&[person("ann")]);
    let mailbox = mailbox(&company, 10).await;
    company.is_away(true);
    let error = mailbox.list(&people(), &ItemFilter::default()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let asked = [(people(), ChangeToken("g1:all:".into()))];
    assert!(mailbox.changed(&asked).await.is_err(), "nobody knows");

    company.is_away(false);
    let first = listed(&*mailbox).await;
    company.is_away(true);
    later().await;
    assert_eq!(listed(&*mailbox).await, first);
    let reads = company.reads();
    assert_eq!(listed(&*mailbox).await, first);
    assert_eq!(company.reads(), reads, "it is not asked again at once");
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert!(mailbox.list(&people(), &ItemFilter::default()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_of_a_change_also_of_one_while_the_directory_was_away() {
    let company = Company::of(&[person("ann")]);
    let mailbox = mailbox(&company, 10).await;
    let mut watch = mailbox.watch(&[people()]).await.unwrap();
    let changed = || Some(Ok(WatchEvent::Changed(people())));
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    let quiet = tokio::time::timeout(Duration::from_secs(1_000), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    company.now_has(&[person("ann"), person("eve")]);
    assert_eq!(watch.next().await, changed());

    // Longer than what was read before serves.
    company.is_away(true);
    let quiet = tokio::time::timeout(Duration::from_secs(8_000), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    company.now_has(&[person("ann"), person("eve"), person("bob")]);
    company.is_away(false);
    assert_eq!(watch.next().await, changed());

    // Nor is it a change that it is there again.
    company.is_away(true);
    let quiet = tokio::time::timeout(Duration::from_secs(8_000), watch.next()).await;
    company.is_away(false);
    assert!(quiet.is_err(), "{quiet:?}");
    let quiet = tokio::time::timeout(Duration::from_secs(1_000), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    let mut nothing = mailbox.watch(&[]).await.unwrap();
    assert_eq!(nothing.next().await, Some(Ok(WatchEvent::Ready)));
    let quiet = tokio::time::timeout(Duration::from_secs(1_000), nothing.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for (settings, named) in [
        ("limit = 0", "address_book.limit"),
        ("limit = 10001", "address_book.limit"),
        ("refresh = '500ms'", "address_book.refresh"),
        ("refresh = '2d'", "address_book.refresh"),
        ("name = ' '", "address_book.name"),
    ] {
        let config: AddressBookConfig = toml::from_str(settings).unwrap();
        let refused = config.check().unwrap_err();
        assert!(refused.contains(named), "{settings}: {refused}");
    }
    let config: AddressBookConfig = toml::from_str("").unwrap();
    assert_eq!(config.check(), Ok(()));
}

#[tokio::test]
async fn it_needs_the_mail_and_the_people_of_the_same_connector() {
    let folder = std::env::temp_dir().join("dme-address-book-of-nobody");
    let settings = |tables: &str| -> crate::config::EmbeddedConfig {
        let tables = tables.replace("HERE", &folder.display().to_string());
        toml::from_str(&format!("{tables}\n[address_book]")).unwrap()
    };
    for tables in ["", "[mail.files]\nroot = 'HERE'"] {
        let settings = settings(tables);
        let refused = crate::services(&crate::Offered::from(&settings)).err();
        assert!(
            matches!(refused, Some(crate::StartError::AddressBookOfNobody)),
            "{tables}: {refused:?}"
        );
    }
}
