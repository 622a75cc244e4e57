//! A directory with more entries than one answer holds.

use crate::world::{config, directory, looking_for, person, user};
use dme_directory::{DirectoryService, Error, GroupGraph, GroupId};
use dme_testkit::slapd::{SUFFIX, Slapd, SlapdOptions};

/// 2,500 people and 2,500 groups; each group is in the one before, so that the nesting is as deep
/// as there are groups.
fn entries() -> String {
    let mut ldif = String::new();
    for unit in ["people", "groups"] {
        ldif += &format!("dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n");
    }
    for n in 0..2500 {
        ldif += &person("people", &format!("user{n}"), &format!("User {n}"), "secret");
    }
    for n in 0..2500 {
        ldif += &format!(
            "dn: cn=group{n},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: group{n}\n\
             member: cn=User {n},ou=people,{SUFFIX}\nmember: cn=group{},ou=groups,{SUFFIX}\n\n",
            n + 1
        );
    }
    ldif
}

fn slapd() -> Slapd {
    let ldif = entries();
    Slapd::start(&SlapdOptions { ldif, size_limit: Some(300), ..SlapdOptions::default() }).unwrap()
}

#[tokio::test]
async fn all_pages_are_read() {
    let slapd = slapd();
    let mut config = config(&slapd);
    config.page_size = 200;
    let directory = directory(config);
    let snapshot = directory.groups().await.unwrap();
    assert_eq!(snapshot.groups.len(), 2500);
    let graph = GroupGraph::new(&[snapshot]);
    let last = directory.find(&user("user2499")).await.unwrap().unwrap();
    let group = |n| GroupId(format!("cn=group{n},ou=groups,{SUFFIX}"));
    assert_eq!(last.groups, [group(2499)]);
    assert_eq!(graph.explain(&last.groups, &group(0)).unwrap().len(), 2500);
    // The address search takes what it wants of many and leaves the rest.
    assert_eq!(directory.search(&looking_for("user", 0, 50)).await.unwrap().entries.len(), 50);
}

#[tokio::test]
async fn a_server_that_does_not_give_everything_is_an_error_not_a_smaller_directory() {
    let mut slapd = slapd();
    slapd.kill();
    let ldif = entries();
    let slapd = Slapd::start(&SlapdOptions {
        ldif,
        extra: "limits * size.soft=300 size.hard=300 size.prtotal=300".into(),
        ..SlapdOptions::default()
    })
    .unwrap();
    let error = directory(config(&slapd)).groups().await.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text.contains("in pages")), "{error}");
}
