//! An address book on Radicale as the address list of a realm.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dme_connector::config::DirectoryConfig;
use dme_connector::{AddressListConfig, Offered, services};
use dme_directory::{
    Binary, Details, DirectoryService, Error, FileConfig, PeopleFound, PeopleSearch, PersonKind,
    Photo, PhotoLimits,
};
use dme_testkit::certificate::Certificate;
use dme_testkit::process::Folder;
use dme_testkit::radicale::Radicale;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const PHOTO: &[u8] = b"\xFF\xD8\xFF\xE0photo";

/// A book of the user `company` on a server of its own, and a file with the realm's people.
struct Company {
    server: Radicale,
    folder: Folder,
}

impl Company {
    fn start() -> Self {
        let company = Self {
            server: Radicale::start(&[("company", "a-password")]).unwrap(),
            folder: Folder::new("people").unwrap(),
        };
        std::fs::create_dir_all(company.book()).unwrap();
        let kind = r#"{"tag": "VADDRESSBOOK"}"#;
        std::fs::write(company.book().join(".Radicale.props"), kind).unwrap();
        let people = "realm = 'example.org'\n[groups.staff]\n[users.ann]\ngroups = ['staff']\n\
                      [users.guest]\n";
        std::fs::write(company.people(), people).unwrap();
        company
    }

    fn people(&self) -> PathBuf {
        self.folder.path().join("people.toml")
    }

    fn book(&self) -> PathBuf {
        self.server.collection("company", "people")
    }

    /// Writes a card, its lines after the name's.
    fn write(&self, name: &str, lines: &str) {
        let card = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{name} Example\r\nN:Example;{name};;;\r\n\
             {lines}END:VCARD\r\n"
        );
        std::fs::write(self.book().join(format!("{name}.vcf")), card).unwrap();
    }

    fn directory(&self, more: &str) -> Arc<dyn DirectoryService> {
        let list = format!(
            "url = '{}company/people/'\nuser = 'company'\npassword = 'a-password'\n\
             refresh = '1s'\n{more}",
            self.server.url()
        );
        let list: AddressListConfig = toml::from_str(&list).unwrap();
        let people = DirectoryConfig::File(FileConfig::new("example.org", self.people()));
        let offered =
            Offered { people: Some(&people), address_list: Some(&list), ..Offered::default() };
        services(&offered).unwrap().directory.unwrap()
    }
}

fn searched(asking: &str, text: &str) -> PeopleSearch {
    PeopleSearch {
        asking: asking.into(),
        text: text.into(),
        first: 0,
        limit: 10,
        details: Details::default(),
    }
}

fn names(found: &PeopleFound) -> Vec<&str> {
    found.entries.iter().map(|entry| entry.name()).collect()
}

/// Waits until a search finds these.
async fn comes_to_find(directory: &dyn DirectoryService, text: &str, expected: &[&str]) {
    let begin = std::time::Instant::now();
    loop {
        let found = directory.search(&searched("ann@example.org", text)).await.unwrap();
        if names(&found) == expected {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{text}: {found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_card_is_found_and_what_changes_there_shows() {
    let mut company = Company::start();
    let pem = Certificate::for_loopback().unwrap().certificate_pem;
    let certificate: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    company.write(
        "Eve",
        &format!(
            "EMAIL:eve@example.org\r\nEMAIL:e@example.org\r\nTITLE:Auditor\r\nORG:Example Ltd;Audit\r\n\
             TEL;TYPE=WORK:+1 555 77\r\nTEL;TYPE=CELL:+1 555 9\r\nNICKNAME:eve\r\n\
             PHOTO;ENCODING=b;TYPE=JPEG:{}\r\nKEY;ENCODING=b;TYPE=X509:{certificate}\r\n",
            BASE64_STANDARD.encode(PHOTO)
        ),
    );
    company.write("Bob", "EMAIL:bob@example.org\r\n");
    company.write("Nobody", "TEL:1\r\n");
    company.write("Atlas", "EMAIL:atlas@example.org\r\nKIND:location\r\n");
    company.write("Staff", "EMAIL:staff@example.org\r\nX-ADDRESSBOOKSERVER-KIND:group\r\n");
    let directory = company.directory("");

    // Everybody to whom one can write, the best first; logins stay the directory's.
    let found = directory.search(&searched("ann@example.org", "example")).await.unwrap();
    let all = vec!["Atlas Example", "Bob Example", "Eve Example"];
    assert_eq!((names(&found), found.total), (all, 3));
    let kinds: Vec<PersonKind> = found.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [PersonKind::Room, PersonKind::Person, PersonKind::Person]);
    let everyone = directory.everyone(&"ann@example.org".into(), 1).await.unwrap();
    assert_eq!((everyone.entries.len(), everyone.complete), (1, false));
    assert!(directory.find(&"ann@example.org".into()).await.unwrap().is_some());
    assert!(directory.find(&"eve@example.org".into()).await.unwrap().is_none());

    // With what is on the card, and the rest where it is asked for.
    let details =
        Details { photos: Some(PhotoLimits { bytes: 1_000, count: 1 }), certificates: true };
    let search = PeopleSearch { details, ..searched("ann@example.org", "555 77") };
    let found = directory.search(&search).await.unwrap();
    let [eve] = &found.entries[..] else { panic!("{found:?}") };
    assert_eq!((eve.address.as_str(), eve.alias.as_deref()), ("eve@example.org", Some("eve")));
    let card = &eve.card;
    let shown = [&card.first_name, &card.last_name, &card.title, &card.company, &card.department];
    let shown = shown.map(|text| text.as_deref().unwrap_or_default());
    assert_eq!(shown, ["Eve", "Example", "Auditor", "Example Ltd", "Audit"]);
    let phones = [&card.phone, &card.mobile_phone].map(Option::as_deref);
    assert_eq!(phones, [Some("+1 555 77"), Some("+1 555 9")]);
    assert_eq!(eve.photo, Some(Photo::Here(Binary(PHOTO.to_vec()))));
    assert_eq!(eve.certificates, [Binary(BASE64_STANDARD.decode(certificate).unwrap())]);

    // One comes, one changes, one goes.
    company.write("Zoe", "EMAIL:zoe@example.org\r\n");
    company.write("Bob", "EMAIL:robert@example.org\r\n");
    std::fs::remove_file(company.book().join("Eve.vcf")).unwrap();
    comes_to_find(&*directory, "example", &["Atlas Example", "Bob Example", "Zoe Example"]).await;
    comes_to_find(&*directory, "robert", &["Bob Example"]).await;

    // Whatever becomes of the server, whoever was found is found; and it is asked again.
    company.server.kill();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    comes_to_find(&*directory, "example", &["Atlas Example", "Bob Example", "Zoe Example"]).await;
    company.write("Adam", "EMAIL:adam@example.org\r\n");
    company.server.forget_changes().unwrap();
    company.server.restart().unwrap();
    comes_to_find(
        &*directory,
        "example",
        &["Adam Example", "Atlas Example", "Bob Example", "Zoe Example"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_cards_are_read_than_the_settings_say() {
    let company = Company::start();
    for name in ["Ann", "Bob", "Eve"] {
        company.write(name, &format!("EMAIL:{name}@example.org\r\n"));
    }
    let directory = company.directory("limit = 2");
    let everyone = directory.everyone(&"ann@example.org".into(), 10).await.unwrap();
    assert_eq!((everyone.entries.len(), everyone.complete), (2, false));

    // Who had no room is there as soon as somebody goes.
    let there = everyone.entries[0].name().to_owned();
    let first = there.split(' ').next().unwrap();
    std::fs::remove_file(company.book().join(format!("{first}.vcf"))).unwrap();
    let mut left = vec!["Ann Example", "Bob Example", "Eve Example"];
    left.retain(|name| *name != there);
    comes_to_find(&*directory, "example", &left).await;
    assert!(directory.everyone(&"ann@example.org".into(), 10).await.unwrap().complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_shown_to_those_whom_the_settings_name() {
    let company = Company::start();
    company.write("Eve", "EMAIL:eve@example.org\r\n");
    let directory = company.directory("shown_to = { groups = ['staff'] }");
    for (asking, found) in
        [("ann@example.org", 1), ("guest@example.org", 0), ("stranger@example.org", 0)]
    {
        let answer = directory.search(&searched(asking, "eve")).await.unwrap();
        let everyone = directory.everyone(&asking.into(), 10).await.unwrap();
        assert_eq!((answer.entries.len(), everyone.entries.len()), (found, found), "{asking}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_with_what_is_wrong() {
    let company = Company::start();
    for (url, password, told) in [
        (format!("{}company/people/", company.server.url()), "wrong", "401"),
        (format!("{}company/", company.server.url()), "a-password", "no collection"),
    ] {
        let list = format!("url = '{url}'\nuser = 'company'\npassword = '{password}'");
        let list: AddressListConfig = toml::from_str(&list).unwrap();
        let said = list.check(PATIENCE).await.unwrap_err();
        assert!(said.contains(told), "{said}");
        let people = DirectoryConfig::File(FileConfig::new("example.org", company.people()));
        let offered =
            Offered { people: Some(&people), address_list: Some(&list), ..Offered::default() };
        let directory = services(&offered).unwrap().directory.unwrap();
        let answer = directory.search(&searched("ann@example.org", "eve")).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    }
    let plain = "url = 'http://dav.example.org/'\nuser = 'u'\npassword = 'p'";
    let plain: AddressListConfig = toml::from_str(plain).unwrap();
    let said = plain.check(PATIENCE).await.unwrap_err();
    assert!(said.starts_with("address_list.url begins with http://"), "{said}");
}
