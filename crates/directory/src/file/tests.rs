//! The file as it is read, changed and asked.

use super::*;
use crate::{Binary, Details, PersonKind, Photo, PhotoLimits, Standing};
use std::fs;

struct Folder(tempfile::TempDir);

impl Folder {
    async fn with_users() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, password) in [("ann", "ann's secret"), ("jürgen", "pä€ß")] {
            add(&folder, &new_user(name), password).await.unwrap();
        }
        folder
    }

    fn config(&self) -> FileConfig {
        FileConfig::new("Example.org", self.path())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("users.toml")
    }

    fn open(&self) -> FileDirectory {
        FileDirectory::open(self.config()).unwrap()
    }
}

async fn add(folder: &Folder, user: &NewUser, password: &str) -> Result<(), FileError> {
    add_user(&folder.config(), user, &Secret::new(password)).await
}

fn new_user(name: &str) -> NewUser {
    NewUser {
        name: name.into(),
        address: Some(format!("{name}@example.org")),
        display_name: Some(format!("{name} the first")),
        groups: vec!["Staff".into()],
    }
}

fn user(name: &str) -> UserId {
    UserId::new(format!("{name}@example.org"))
}

#[tokio::test]
async fn passwords_are_checked_as_any_directory_checks_them() {
    let folder = Folder::with_users().await;
    let directory = folder.open();
    let ask = async |user: UserId, password: &str| {
        directory.authenticate(&user, &Secret::new(password)).await.unwrap()
    };
    let Verdict::Accepted(ann) = ask(user("ann"), "ann's secret").await else { panic!() };
    assert_eq!(ann.user, user("ann"));
    assert_eq!(ann.address, "ann@example.org");
    assert_eq!(ann.groups, [GroupId("staff".into())]);
    assert!(matches!(ask(user("jürgen"), "pä€ß").await, Verdict::Accepted(_)));
    assert_eq!(ask(user("ann"), "wrong").await, Verdict::WrongPassword);
    assert_eq!(ask(user("ann"), "").await, Verdict::WrongPassword);
    assert_eq!(ask(user("nobody"), "nobody").await, Verdict::Unknown);
    assert_eq!(ask("ann@elsewhere.test".into(), "ann's secret").await, Verdict::Unknown);
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_a_wrong_one_leaves_the_last_good() {
    let folder = Folder::with_users().await;
    let directory = folder.open();
    let password = Secret::new("another");
    set_password(&folder.config(), "Ann@example.org", &password).await.unwrap();
    assert!(matches!(
        directory.authenticate(&user("ann"), &password).await,
        Ok(Verdict::Accepted(_))
    ));
    let good = fs::read_to_string(folder.path()).unwrap();
    fs::write(folder.path(), "realm = ").unwrap();
    assert!(directory.find(&user("ann")).await.unwrap().is_some());
    fs::write(folder.path(), good.replace("[users.ann]", "[users.anna]")).unwrap();
    assert!(directory.find(&user("ann")).await.unwrap().is_none());
    assert!(directory.find(&user("anna")).await.unwrap().is_some());
    remove_user(&folder.config(), "anna").await.unwrap();
    assert!(directory.find(&user("anna")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_user_without_a_password_cannot_log_in_and_a_disabled_one_is_told_as_such() {
    let folder = Folder::with_users().await;
    let text = fs::read_to_string(folder.path()).unwrap();
    let text = text.replace("[users.ann]", "[users.guest]\n\n[users.ann]\nstanding = \"disabled\"");
    fs::write(folder.path(), text).unwrap();
    let directory = folder.open();
    for password in ["", "nobody", "guest"] {
        let verdict = directory.authenticate(&user("guest"), &Secret::new(password)).await;
        assert_eq!(verdict, Ok(Verdict::WrongPassword));
    }
    let ann = directory.authenticate(&user("ann"), &Secret::new("ann's secret")).await.unwrap();
    assert!(matches!(ann, Verdict::Accepted(ann) if ann.standing == Standing::Disabled));
}

#[tokio::test]
async fn groups_and_their_parents_are_given() {
    let folder = Folder::with_users().await;
    let mut text = fs::read_to_string(folder.path()).unwrap();
    text += "parents = [\"mobile\"]\n[groups.mobile]\nparents = [\"staff\"]\n";
    fs::write(folder.path(), text).unwrap();
    let directory = folder.open();
    let graph = crate::GroupGraph::new(&[directory.groups().await.unwrap()]);
    assert!(graph.reaches(&[GroupId("staff".into())], &GroupId("mobile".into())));
}

#[tokio::test]
async fn people_rooms_and_lists_are_found_with_their_cards() {
    let folder = Folder::with_users().await;
    let mut text = fs::read_to_string(folder.path()).unwrap();
    text = text.replace(
        "[users.ann]",
        "[users.attic]\nkind = 'room'\n[users.ghost]\nhidden = true\n[users.ann]\n\
         card = { title = 'Engineer', phone = '+1 555-123', photo = 'ann.jpg', \
         certificates = ['ann.der', 'gone.pem'] }",
    );
    text += "address = 'everybody@example.org'\n";
    fs::write(folder.path(), text).unwrap();
    fs::write(folder.0.path().join("ann.jpg"), [0xFF, 0xD8, 0xFF]).unwrap();
    fs::write(folder.0.path().join("ann.der"), [0x30, 0x00]).unwrap();
    let directory = folder.open();
    let search = async |text: &str, first, details| {
        let search =
            PeopleSearch { asking: user("ann"), text: text.into(), first, limit: 2, details };
        directory.search(&search).await.unwrap()
    };
    let plain = Details::default();
    for (text, addresses) in [
        ("JÜR", &["jürgen@example.org"][..]),
        ("first ann", &["ann@example.org"]),
        ("555123", &["ann@example.org"]),
        ("attic", &["attic@example.org"]),
        ("staff", &["everybody@example.org"]),
        ("ghost", &[]),
        (" ", &[]),
    ] {
        let found = search(text, 0, plain).await;
        let found: Vec<_> = found.entries.iter().map(|entry| entry.address.as_str()).collect();
        assert_eq!(found, addresses, "{text}");
    }
    let ann = &search("ann", 0, plain).await.entries[0];
    assert_eq!((ann.card.title.as_deref(), &ann.photo), (Some("Engineer"), &None));
    assert!(ann.certificates.is_empty());
    let kind = |found: &PeopleFound| found.entries[0].kind;
    assert_eq!(kind(&search("attic", 0, plain).await), PersonKind::Room);
    assert_eq!(kind(&search("staff", 0, plain).await), PersonKind::Group);
    // The second page of all four.
    let page = search("@example.org", 2, plain).await;
    assert_eq!((page.entries.len(), page.total), (2, 4));

    let photos = Some(PhotoLimits { bytes: 3, count: 5 });
    let wanted = Details { photos, certificates: true };
    let ann = &search("ann", 0, wanted).await.entries[0];
    assert_eq!(ann.photo, Some(Photo::Here(Binary(vec![0xFF, 0xD8, 0xFF]))));
    assert_eq!(ann.certificates, [Binary(vec![0x30, 0x00])]);
    let attic = &search("attic", 0, wanted).await.entries[0];
    assert_eq!(attic.photo, Some(Photo::None));

    let everyone = directory.everyone(&user("ann"), 10).await.unwrap();
    assert_eq!((everyone.entries.len(), everyone.complete), (4, true));
    let some = directory.everyone(&user("ann"), 3).await.unwrap();
    assert_eq!((some.entries.len(), some.complete), (3, false));
    // A change of the file by a command keeps the cards.
    add(&folder, &new_user("bob"), "x").await.unwrap();
    let ann = &search("ann", 0, wanted).await.entries[0];
    assert_eq!(ann.card.title.as_deref(), Some("Engineer"));
    assert!(matches!(ann.photo, Some(Photo::Here(_))));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let hash = content::hash_password(&Secret::new("x")).unwrap();
    let absurd = hash.replace("m=19456", "m=4194304");
    let md5 = "$1$abc$def";
    for (text, told) in [
        ("realm = 'x'\n[users.ann]\nadress = 'a@x'", "line 3"),
        ("realm = 'x'\n[users.ann]\npasword = 'secret'", "line 3: unknown field `pasword`"),
        ("realm = 'x'\n[users.ann]\npassword = 'secret", "line 3"),
        ("realm = 'x'\nuser = 1", "line 2"),
        ("[users.ann]", "realm"),
        ("realm = 'y'", "realm \"y\": is not the realm"),
        ("realm = 'x'\n[users.Ann]", "users.Ann: a user's name is lower case"),
        ("realm = 'x'\n[users.'ann@x']", "users.ann@x: a user's name"),
        ("realm = 'x'\n[users.ann]\ngroups = ['staff']", "users.ann: is in a group"),
        ("realm = 'x'\n[users.ann]\naddress = 'ann'", "users.ann: the address has no @"),
        ("realm = 'x'\n[users.ann]\npassword = 'secret'", "users.ann: the password is no"),
        (&format!("realm = 'x'\n[users.ann]\npassword = '{md5}'"), "users.ann: the password is no"),
        (&format!("realm = 'x'\n[users.ann]\npassword = '{absurd}'"), "users.ann: the password is"),
        ("realm = 'x'\n[groups.staff]\nparents = ['gone']", "groups.staff: has a parent"),
        ("realm = 'x'\n[users.ann.card]\nfoto = 'x'", "line 3: unknown field `foto`"),
        ("realm = 'x'\n[groups.staff]\naddress = 'x'", "groups.staff: the address has no @"),
        ("realm = 'x'\n[groups.Staff]", "groups.Staff: a group's name is lower case"),
    ] {
        let error =
            Content::parse(text, &FileConfig::new("x", "users.toml")).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn changes_that_cannot_be_are_refused_and_change_nothing() {
    let folder = Folder::with_users().await;
    let before = fs::read_to_string(folder.path()).unwrap();
    let config = folder.config();
    let unknown = Err(FileError::NoSuchUser("bob".into()));
    assert_eq!(add(&folder, &new_user("ANN"), "x").await, Err(FileError::Exists("ann".into())));
    assert_eq!(remove_user(&config, "bob").await, unknown);
    assert_eq!(set_password(&config, "bob", &Secret::new("x")).await, unknown);
    for (name, password) in [
        ("bob", ""),
        ("", "x"),
        ("a\nb", "x"),
        // Nobody else's realm, and no domain.
        ("bob@elsewhere.test", "x"),
        ("CORP\\bob", "x"),
        ("a@b@example.org", "x"),
    ] {
        let answer = add(&folder, &new_user(name), password).await;
        assert!(matches!(answer, Err(FileError::Value { .. })), "{answer:?}");
    }
    let addressed = NewUser { address: Some("bob".into()), ..new_user("bob") };
    assert!(matches!(add(&folder, &addressed, "x").await, Err(FileError::Value { .. })));
    let other = FileConfig::new("other.test", folder.path());
    assert!(remove_user(&other, "ann").await.is_err());
    assert_eq!(fs::read_to_string(folder.path()).unwrap(), before);
}

#[tokio::test]
async fn a_new_file_in_a_folder_of_the_services_group_is_for_the_service_to_read() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    // Only root may give a folder away.
    let Ok(()) = chown(folder.path(), None, Some(12_345)) else { return };
    let config = FileConfig::new("example.test", folder.path().join("people.toml"));
    add_user(&config, &new_user("ann"), &Secret::new("secret")).await.unwrap();
    let meta = fs::metadata(&config.path).unwrap();
    assert_eq!((meta.gid(), meta.mode() & 0o777), (12_345, 0o640));
}

#[tokio::test]
async fn the_head_and_the_rights_of_the_file_stay_and_no_password_is_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_users().await;
    let mode = || fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let text = fs::read_to_string(folder.path()).unwrap();
    fs::write(folder.path(), format!("# our people\n{text}")).unwrap();
    add(&folder, &new_user("bob"), "bob's secret").await.unwrap();
    assert_eq!(mode(), 0o640);
    let text = fs::read_to_string(folder.path()).unwrap();
    assert!(text.starts_with("# our people\n# The people who may use DME."), "{text}");
    assert!(!text.contains("secret"));
    let people = list_users(&folder.config()).await.unwrap();
    let names: Vec<_> = people.into_iter().map(|person| person.user).collect();
    assert_eq!(names, [user("ann"), user("bob"), user("jürgen")]);
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let folder = Folder::with_users().await;
    let adding = (0..8).map(|n| {
        let folder = &folder;
        async move { add(folder, &new_user(&format!("user{n}")), "x").await }
    });
    for added in futures_util::future::join_all(adding).await {
        added.unwrap();
    }
    assert_eq!(list_users(&folder.config()).await.unwrap().len(), 10);
}
