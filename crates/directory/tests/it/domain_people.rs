//! The address list of Active Directory, with its own defaults.

use crate::domain::{Place, user};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_directory::{
    Binary, Details, DirectoryService, PeopleFound, PeopleSearch, PersonKind, Photo, PhotoLimits,
};

const PHOTO: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 0x80];

fn looking_for(text: &str) -> PeopleSearch {
    let photos = Some(PhotoLimits { bytes: 1000, count: 10 });
    let details = Details { photos, certificates: false };
    PeopleSearch { asking: user("gal-ann"), text: text.into(), first: 0, limit: 10, details }
}

fn addresses(found: &PeopleFound) -> Vec<&str> {
    found.entries.iter().map(|entry| entry.address.as_str()).collect()
}

#[tokio::test]
async fn people_and_lists_are_found_with_photos_and_ids_that_outlive_a_name() {
    let place = Place::new("people");
    let photo = format!("thumbnailPhoto:: {}\n", STANDARD.encode(PHOTO));
    let more = "givenName: Ann\nsn: Smith\ndisplayName: Smith, Ann\nmail: gal-ann@corp.example\n\
                department: Sales\ntelephoneNumber: +1 555 1\n";
    place.user("gal-ann", &format!("{more}{photo}"));
    place.user("gal-bob", "displayName: Brown, Bob\nmail: gal-bob@corp.example\n");
    place.user("gal-eve", "displayName: Smith, Eve\n");
    place.group("gal-all", &["gal-ann"]);
    place.set("gal-all", "mail", "gal-all@corp.example");
    let directory = place.directory();
    let found = directory.search(&looking_for("smi ann")).await.unwrap();
    assert_eq!(addresses(&found), ["gal-ann@corp.example"]);
    let ann = &found.entries[0];
    assert_eq!((ann.kind, ann.user.clone()), (PersonKind::Person, Some(user("gal-ann"))));
    assert_eq!((ann.name(), ann.alias.as_deref()), ("Smith, Ann", Some("gal-ann")));
    assert_eq!(ann.card.department.as_deref(), Some("Sales"));
    assert_eq!(ann.photo, Some(Photo::Here(Binary(PHOTO.to_vec()))));
    let id = ann.id.clone();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let list = directory.search(&looking_for("gal-all")).await.unwrap();
    assert_eq!(list.entries[0].kind, PersonKind::Group);
    assert_eq!(list.entries[0].photo, Some(Photo::None));
    // Eve has no mail address, so nobody can write to her.
    let smiths = directory.search(&looking_for("smith")).await.unwrap();
    assert_eq!(addresses(&smiths), ["gal-ann@corp.example"]);
    let everyone = directory.everyone(&user("gal-ann"), 10).await.unwrap();
    assert_eq!((everyone.entries.len(), everyone.complete), (3, true));

    place.set("gal-ann", "displayName", "Jones, Ann");
    let renamed = place.directory().search(&looking_for("jones")).await.unwrap();
    assert_eq!(renamed.entries[0].id, id);
}

#[tokio::test]
async fn a_user_sees_the_own_department_only_where_the_settings_say_so() {
    let place = Place::new("departments");
    for (name, department) in [("d-ann", "Sales"), ("d-bob", "Sales"), ("d-eve", "Audit")] {
        let more = format!("mail: {name}@corp.example\ndepartment: {department}\n");
        place.user(name, &more);
    }
    let directory = place.directory_with(&format!(
        "bases = ['{}']\n[address_list]\nvisible = ['(department={{department}})']\n",
        place.base
    ));
    for (asking, expected) in
        [("d-ann", &["d-ann@corp.example", "d-bob@corp.example"][..]), ("nobody", &[])]
    {
        let search = PeopleSearch { asking: user(asking), ..looking_for("d-") };
        let found = directory.search(&search).await.unwrap();
        assert_eq!(addresses(&found), expected, "{asking}");
    }
}
