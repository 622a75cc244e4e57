//! The address list.

use crate::world::{config, directory, entries, found, group, looking_for, person, user};
use dme_directory::{
    Binary, Details, DirectoryEntry, DirectoryService, Kind, LdapConfig, Matching, PeopleSearch,
    PersonKind, Photo, PhotoLimits,
};
use dme_testkit::slapd::{SUFFIX, Slapd, SlapdOptions};

fn slapd(ldif: String) -> Slapd {
    Slapd::start(&SlapdOptions { ldif, ..SlapdOptions::default() }).unwrap()
}

/// Somebody with more attributes.
fn with(uid: &str, cn: &str, more: &str) -> String {
    person("people", uid, cn, "secret").trim_end().to_owned() + "\n" + more + "\n\n"
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test]
async fn people_are_found_by_name_alias_address_and_telephone() {
    let more = with("zoe", "Zoe Ann", "givenName: Zoe\ntelephoneNumber: +49 89 555-123")
        + &with("star", "A*)(uid=*", "mobile: 0170/777");
    let slapd = slapd(entries() + &more);
    let directory = directory(config(&slapd));
    for (text, expected) in [
        ("müll", &["jürgen.mail"][..]),
        ("SMITH", &["ann.mail"]),
        ("smi ann", &["ann.mail"]),
        ("bob.mail@", &["bob.mail"]),
        ("bob.mail@example.org", &["bob.mail"]),
        ("uilder", &["bob.mail"]),
        // Who begins with it comes first.
        ("ann", &["ann.mail", "zoe.mail"]),
        ("zoe", &["zoe.mail"]),
        ("555 123", &["zoe.mail"]),
        ("4989555123", &["zoe.mail"]),
        ("0170", &["star.mail"]),
        // What a filter is made of is looked for as it stands.
        ("*)(uid=*", &["star.mail"]),
        ("*", &[]),
        ("(objectClass=*)", &[]),
        ("\\2a", &[]),
        ("\u{0}", &[]),
        ("", &[]),
        ("zz", &[]),
    ] {
        assert_eq!(found(&directory, text).await, expected, "{text}");
    }
    let mut beginnings = config(&slapd);
    beginnings.address_list.matching = Matching::Prefix;
    let directory = crate::world::directory(beginnings);
    assert_eq!(found(&directory, "uilder").await, [""; 0]);
    assert_eq!(found(&directory, "smi").await, [""; 0], "no attribute begins with it");
    assert_eq!(found(&directory, "ann smi").await, ["ann.mail"]);
}

#[tokio::test]
async fn an_entry_shows_what_the_configured_attributes_say() {
    let more = with(
        "zoe",
        "Zoe Brown",
        "displayName: Brown, Zoe\ngivenName: Zoe\ntitle: Engineer\no: Example\n\
         departmentNumber: R&D\nroomNumber: 101\ntelephoneNumber: +1 555 1\n\
         mobile: +1 555 2\nhomePhone: +1 555 3\nemployeeType: Boss",
    );
    let slapd = slapd(entries() + &more);
    let search = looking_for("zoe", 0, 10);
    let zoe = directory(config(&slapd)).search(&search).await.unwrap().entries.remove(0);
    assert_eq!(zoe.kind, PersonKind::Person);
    assert_eq!(zoe.user, Some(user("zoe")));
    assert_eq!((zoe.name(), zoe.alias.as_deref()), ("Brown, Zoe", Some("zoe")));
    assert_eq!(zoe.id.len(), 36, "its entryUUID: {}", zoe.id);
    let card = zoe.card;
    for (shown, expected) in [
        (card.first_name, "Zoe"),
        (card.last_name, "zoe"),
        (card.title, "Engineer"),
        (card.company, "Example"),
        (card.department, "R&D"),
        (card.office, "101"),
        (card.phone, "+1 555 1"),
        (card.mobile_phone, "+1 555 2"),
        (card.home_phone, "+1 555 3"),
    ] {
        assert_eq!(shown.as_deref(), Some(expected));
    }
    assert_eq!((zoe.photo, zoe.certificates), (None, Vec::new()), "nobody asked for them");
    let mut other = config(&slapd);
    other.address_list.attributes.title = Some(vec!["employeeType".into()]);
    let zoe = directory(other).search(&search).await.unwrap().entries.remove(0);
    assert_eq!(zoe.card.title.as_deref(), Some("Boss"));
}

#[tokio::test]
async fn lists_rooms_and_resources_are_found_as_such() {
    let list = group("everybody", &["cn=Ann Smith,ou=people"]).replace(
        "objectClass: groupOfNames",
        "objectClass: groupOfNames\nobjectClass: extensibleObject\nmail: everybody@example.org",
    );
    let more = list
        + &with("attic", "The attic", "employeeType: room")
        + &with("beamer", "The beamer", "employeeType: equipment");
    let slapd = slapd(entries() + &more);
    let mut config = config(&slapd);
    config.address_list.rooms = Some("(employeeType=room)".into());
    config.address_list.resources = Some("(employeeType=equipment)".into());
    let directory = directory(config);
    for (text, kind, user) in [
        ("everybody", PersonKind::Group, None),
        ("attic", PersonKind::Room, Some(user("attic"))),
        ("beamer", PersonKind::Resource, Some(user("beamer"))),
        ("ann", PersonKind::Person, Some(user("ann"))),
    ] {
        let found = directory.search(&looking_for(text, 0, 10)).await.unwrap();
        let found: Vec<_> =
            found.entries.into_iter().map(|entry| (entry.kind, entry.user)).collect();
        assert_eq!(found, [(kind, user)], "{text}");
    }
    // A group without an address is no distribution list.
    assert_eq!(found(&directory, "staff").await, [""; 0]);
}

#[tokio::test]
async fn nobody_is_shown_whom_the_settings_hide_from_the_asking_user() {
    let more = with("zoe", "Zoe Brown", "ou: north\nl: Bonn")
        + &with("yan", "Yan Brown", "ou: south")
        + &with("xia", "Xia Brown", "ou: north\nou: south\nemployeeType: TRUE");
    let slapd = slapd(entries() + &more);
    let mut config = config(&slapd);
    config.address_list.hide = Some("employeeType".into());
    let seen = async |config: &LdapConfig, asking: &str| {
        let asking = user(asking);
        let search = PeopleSearch { asking, ..looking_for("brown", 0, 10) };
        let found = directory(config.clone()).search(&search).await.unwrap();
        let addresses = found.entries.iter().map(|entry| entry.address.clone());
        addresses.map(|address| address.replace(".mail@example.org", "")).collect::<Vec<_>>()
    };
    assert_eq!(seen(&config, "ann").await, ["yan", "zoe"], "the hidden one is not");
    config.address_list.visible = vec!["(ou=south)".into()];
    assert_eq!(seen(&config, "ann").await, ["yan"]);
    config.address_list.visible = vec!["(ou={ou})".into()];
    for (asking, expected) in [
        ("zoe", &["zoe"][..]),
        ("yan", &["yan"]),
        // Of several values each counts.
        ("xia", &["yan", "zoe"]),
        // Ann has none, and a stranger is nobody here.
        ("ann", &[]),
        ("stranger", &[]),
    ] {
        assert_eq!(seen(&config, asking).await, expected, "{asking}");
    }
    config.address_list.visible = vec!["(ou={ou})".into(), "(l=Bonn)".into()];
    assert_eq!(seen(&config, "xia").await, ["zoe"], "all must hold");
    config.address_list.visible.clear();
    config.address_list.bases = vec![format!("ou=guests,{SUFFIX}")];
    assert_eq!(seen(&config, "ann").await, [""; 0], "only what is below the bases");
}

#[tokio::test]
async fn the_check_tells_whether_a_person_sees_anybody() {
    let slapd = slapd(entries() + &with("zoe", "Zoe Brown", "ou: north"));
    let mut config = config(&slapd);
    config.address_list.visible = vec!["(ou={ou})".into()];
    let directory = directory(config);
    for (person, told) in [("zoe", "sees people"), ("ann", "sees nobody")] {
        let findings = directory.check(Some(&user(person))).await;
        let told = findings.iter().filter(|finding| finding.what.contains(told)).count();
        assert_eq!(told, 1, "{findings:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let more: String =
        (0..30).map(|n| with(&format!("clone{n:02}"), &format!("Clone {n:02}"), "l: x")).collect();
    let slapd = slapd(entries() + &more);
    let mut config = config(&slapd);
    config.address_list.limit = 25;
    let directory = directory(config);
    let mut names = Vec::new();
    for first in (0..40).step_by(7) {
        let page = directory.search(&looking_for("clone", first, 7)).await.unwrap();
        assert_eq!(page.total, 25, "as many as the settings allow");
        names.extend(page.entries.iter().map(|entry| entry.name().to_owned()));
    }
    assert_eq!(names.len(), 25);
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[tokio::test]
async fn photos_and_certificates_are_read_where_asked_for_and_within_limits() {
    let jpeg = |size: usize| [vec![0xFF, 0xD8], vec![0xAA; size - 2]].concat();
    let pem = dme_testkit::certificate::Certificate::for_loopback().unwrap().certificate_pem;
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let photo = |size| format!("jpegPhoto:: {}", base64(&jpeg(size)));
    let more = with("p1", "Pat 1", &photo(10))
        + &with("p2", "Pat 2", &photo(5000))
        + &with("p3", "Pat 3", &format!("userCertificate;binary:: {der}"))
        + &with("p4", "Pat 4", &photo(20))
        + &with("p5", "Pat 5", &photo(30));
    let slapd = slapd(entries() + &more);
    let directory = directory(config(&slapd));
    let search = async |details| {
        let search = PeopleSearch { details, ..looking_for("pat", 0, 10) };
        directory.search(&search).await.unwrap().entries
    };
    let photos =
        |bytes, count| Details { photos: Some(PhotoLimits { bytes, count }), certificates: false };
    let given = |entries: Vec<DirectoryEntry>| -> Vec<Photo> {
        entries.into_iter().filter_map(|entry| entry.photo).collect()
    };
    let here = |size| Photo::Here(Binary(jpeg(size)));
    assert_eq!(
        given(search(photos(1000, 2)).await),
        [here(10), Photo::TooLarge, Photo::None, here(20), Photo::LimitReached]
    );
    // Only whether there is one is read where none is wanted.
    let limit = Photo::LimitReached;
    assert_eq!(
        given(search(photos(1000, 0)).await),
        [limit.clone(), limit.clone(), Photo::None, limit.clone(), limit]
    );
    let with_certificates = search(Details { photos: None, certificates: true }).await;
    let counts: Vec<_> = with_certificates.iter().map(|entry| entry.certificates.len()).collect();
    assert_eq!(counts, [0, 0, 1, 0, 0]);
    assert_eq!(base64(&with_certificates[2].certificates[0].0), der);
    assert!(given(with_certificates).is_empty());
}

#[tokio::test]
async fn everyone_is_listed_up_to_a_limit_whatever_the_server_gives_at_once() {
    let more: String =
        (0..30).map(|n| with(&format!("clone{n:02}"), &format!("Clone {n:02}"), "l: x")).collect();
    let slapd = Slapd::start(&SlapdOptions {
        ldif: entries() + &more,
        size_limit: Some(10),
        ..SlapdOptions::default()
    })
    .unwrap();
    let mut config = config(&slapd);
    config.page_size = 7;
    let directory = directory(config);
    for (limit, listed, complete) in
        [(100, 34, true), (34, 34, true), (33, 33, false), (3, 3, false)]
    {
        let everyone = directory.everyone(&user("ann"), limit).await.unwrap();
        assert_eq!((everyone.entries.len(), everyone.complete), (listed, complete), "{limit}");
    }
    // Whom the name of an account changes for is the same person with another mark.
    let one = async || {
        let everyone = directory.everyone(&user("ann"), 100).await.unwrap().entries;
        everyone.into_iter().find(|entry| entry.alias.as_deref() == Some("bob")).unwrap()
    };
    let before = one().await;
    let dn = format!("dn: cn=Bob\\, the Builder,ou=people,{SUFFIX}");
    slapd.modify(&format!("{dn}\nchangetype: modify\nreplace: title\ntitle: Boss\n\n")).unwrap();
    let after = one().await;
    assert_eq!(after.id, before.id);
    assert_ne!(after.change_mark(), before.change_mark());
    assert_eq!(one().await.change_mark(), after.change_mark());
}

#[tokio::test]
async fn what_was_found_serves_for_a_moment_and_only_those_who_may_see_it() {
    let slapd = slapd(entries() + &with("zoe", "Zoe Brown", "ou: north"));
    let mut config = config(&slapd);
    config.address_list.visible = vec!["(ou={ou})".into()];
    let directory = directory(config.clone());
    let search = |asking: &str| PeopleSearch { asking: user(asking), ..looking_for("zoe", 0, 9) };
    assert_eq!(directory.search(&search("zoe")).await.unwrap().total, 1);
    assert_eq!(directory.search(&search("ann")).await.unwrap().total, 0);
    let gone = format!("dn: cn=Zoe Brown,ou=people,{SUFFIX}\nchangetype: delete\n\n");
    slapd.modify(&gone).unwrap();
    assert_eq!(directory.search(&search("zoe")).await.unwrap().total, 1, "a moment ago");
    config.address_list.remember = dme_model::Span::seconds(0);
    let forgetful = crate::world::directory(config);
    assert_eq!(forgetful.search(&search("zoe")).await.unwrap().total, 0);
}

#[tokio::test]
async fn attributes_that_the_server_does_not_know_do_no_harm() {
    let slapd = slapd(entries());
    let mut config = config(&slapd);
    // Active Directory's defaults, on a server without its schema.
    config.kind = Kind::ActiveDirectory;
    config.users.name = Some("uid".into());
    config.users.filter = Some("(uid={user})".into());
    config.users.list_filter = Some("(mail=*)".into());
    let directory = directory(config);
    assert_eq!(found(&directory, "ann").await, ["ann.mail"]);
    assert_eq!(found(&directory, "ann.mail@example.org").await, ["ann.mail"]);
}
