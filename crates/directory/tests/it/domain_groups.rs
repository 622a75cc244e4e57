//! Groups in Active Directory: nested, primary, large, and followed by their changes alone.

use crate::domain::{Place, group, unit, user};
use dme_directory::{
    DirectoryService, Extent, Follow, Group, GroupGraph, GroupId, GroupReading, LdapDirectory,
};
use dme_testkit::samba::{CORP, FOLLOWER, READER, Samba, WATCHER};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The groups that a person is in at any depth, by the graph.
async fn reached(directory: &LdapDirectory, name: &str) -> BTreeSet<GroupId> {
    let snapshot = directory.groups().await.unwrap();
    let all: Vec<GroupId> = snapshot.groups.iter().map(|group| group.id.clone()).collect();
    let graph = GroupGraph::new(&[snapshot]);
    let person = directory.find(&user(name)).await.unwrap().unwrap();
    all.into_iter().filter(|id| graph.reaches(&person.groups, id)).collect()
}

fn ids(dns: Vec<String>) -> BTreeSet<GroupId> {
    dns.into_iter().map(|dn| GroupId(dn.to_lowercase())).collect()
}

#[tokio::test]
async fn the_graph_reaches_what_the_domain_itself_says() {
    let place = Place::new("nested");
    for name in ["n-ann", "n-bob", "n-eve"] {
        place.user(name, "");
    }
    // A chain, a circle, and the primary group of everybody within another.
    place.group("n-1", &["n-ann"]);
    place.group("n-2", &["n-1"]);
    place.group("n-3", &["n-2", "n-bob"]);
    place.group("n-circle", &["n-3"]);
    place.change("n-2", "add", "n-circle");
    let domain_users = format!("CN=Domain Users,CN=Users,{}", place.samba.suffix());
    place.modify(&group(&place.base, "n-everybody", std::slice::from_ref(&domain_users)));
    // Her primary group is another one.
    place.group("n-primary", &["n-eve"]);
    let sid = |dn: &str| place.samba.values(dn, "base", "(objectClass=*)", "objectSid").unwrap();
    let rid =
        place.samba.values(&place.dn("n-primary"), "base", "(objectClass=*)", "primaryGroupToken");
    place.set("n-eve", "primaryGroupID", &rid.unwrap()[0]);
    // No base is set: the server tells.
    let directory = place.directory_with("");
    for name in ["n-ann", "n-bob", "n-eve"] {
        let graph = reached(&directory, name).await;
        let dn = place.dn(name);
        let chain = format!("(member:1.2.840.113556.1.4.1941:={dn})");
        let in_chain = ids(place.samba.values(&place.samba.suffix(), "sub", &chain, "dn").unwrap());
        assert!(graph.is_superset(&in_chain), "{name}: {graph:?} {in_chain:?}");
        // The rule knows nothing of primary groups; the token has all of it.
        let token = place.samba.values(&dn, "base", "(objectClass=*)", "tokenGroups").unwrap();
        let graph: BTreeSet<String> = graph.iter().flat_map(|id| sid(&id.0)).collect();
        assert_eq!(graph, token.into_iter().collect(), "{name}");
        assert!(graph.contains(&sid(&place.dn("n-everybody"))[0]) || name == "n-eve");
    }
    let eve = reached(&directory, "n-eve").await;
    assert!(eve.contains(&GroupId(place.dn("n-primary").to_lowercase())), "{eve:?}");
}

#[tokio::test]
async fn a_list_that_is_given_in_parts_is_read_to_its_end() {
    let place = Place::new("parts");
    place.user("p-ann", "");
    let names: Vec<String> = (0..9).map(|n| format!("p-{n}")).collect();
    for name in &names {
        place.group(name, &["p-ann"]);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    place.group("p-all", &names);
    // Samba gives parts to those only who ask for them.
    let more = format!(
        "bases = ['{}']\ngroups = {{ nesting = 'member', member = 'member;range=0-3' }}\n",
        place.base
    );
    let directory = place.directory_with(&more);
    let groups = directory.groups().await.unwrap().groups;
    let nested = groups.iter().filter(|group| !group.parents.is_empty()).count();
    assert_eq!(nested, 9, "{groups:?}");
}

#[tokio::test]
async fn member_of_gives_the_same_groups_as_searching() {
    let place = Place::new("memberships");
    place.user("m-ann", "");
    place.group("m-1", &["m-ann"]);
    place.group("m-2", &["m-1"]);
    for memberships in ["auto", "member_of", "search"] {
        let users = format!("bases = ['{}']\n[users]\nmemberships = '{memberships}'", place.base);
        let ann = place.directory_with(&users).find(&user("m-ann")).await.unwrap().unwrap();
        assert_eq!(ann.groups, [GroupId(place.dn("m-1").to_lowercase())], "{memberships}");
    }
}

/// One domain that nobody else changes, followed in both ways.
struct Watched {
    place: Place,
    ways: Vec<(LdapDirectory, Follow)>,
}

impl Watched {
    async fn new() -> Self {
        let place = Place::at(Arc::new(Samba::start(CORP).unwrap()), "watched");
        place.modify(&unit(&format!("OU=outside,{}", place.samba.suffix())));
        for n in 0..30 {
            place.group(&format!("w-{n}"), &[]);
        }
        place.user("w-ann", "");
        let bases = format!("bases = ['{}']\n", place.base);
        place.delete("w-29");
        let ways = vec![
            (place.directory_as(FOLLOWER, &bases), Follow::DirSync),
            (place.directory_as(WATCHER, &bases), Follow::Usn),
        ];
        for (directory, follow) in &ways {
            let first = directory.read_groups().await.unwrap();
            assert_eq!((first.extent, first.follow), (Extent::Whole, *follow), "{first:?}");
            assert_eq!(first.obstacle, None);
        }
        Self { place, ways }
    }

    /// Reads again in every way; all must know what a reading of everything would, from the changes
    /// and at most so many entries.
    async fn expect(&self, what: &str, entries: usize) {
        for (directory, follow) in &self.ways {
            let reading = directory.read_groups().await.unwrap();
            assert_eq!(reading.extent, Extent::Changes, "{what} by {follow:?}");
            assert!(reading.entries <= entries, "{what} by {follow:?}: {}", reading.entries);
            assert_eq!(sorted(reading), self.whole().await, "{what} by {follow:?}");
        }
    }

    async fn whole(&self) -> Vec<Group> {
        let more = format!("bases = ['{}']\ngroups.follow = 'never'", self.place.base);
        sorted(self.place.directory_with(&more).read_groups().await.unwrap())
    }
}

fn sorted(reading: GroupReading) -> Vec<Group> {
    let mut groups = reading.snapshot.groups;
    groups.iter_mut().for_each(|group| group.parents.sort());
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    groups
}

#[tokio::test]
async fn a_change_is_learnt_of_without_reading_everything_again() {
    let watched = Watched::new().await;
    let place = &watched.place;
    watched.expect("nothing", 0).await;

    place.change("w-1", "add", "w-ann");
    watched.expect("a person joins a group", 2).await;
    place.change("w-2", "add", "w-1");
    watched.expect("a group joins a group", 3).await;
    place.change("w-3", "add", "w-2");
    place.change("w-1", "add", "w-3");
    watched.expect("and another, in a circle", 6).await;
    place.change("w-3", "delete", "w-2");
    watched.expect("a group leaves", 3).await;

    let rename = |name: &str, to: &str, parent: &str| {
        place.modify(&format!(
            "dn: {}\nchangetype: moddn\nnewrdn: CN={to}\ndeleteoldrdn: 1\nnewsuperior: {parent}\n",
            place.dn(name)
        ));
    };
    rename("w-2", "w-two", &place.base);
    watched.expect("a group is renamed", 4).await;
    place.modify(&group(&place.base, "w-new", &[place.dn("w-4")]));
    watched.expect("a group is made", 3).await;
    let outside = format!("OU=outside,{}", place.samba.suffix());
    rename("w-two", "w-2", &outside);
    watched.expect("a group leaves the bases", 3).await;
    place.modify(&format!("dn: CN=w-2,{outside}\nchangetype: delete\n"));
    watched.expect("and is deleted there", 3).await;
    place.delete("w-3");
    watched.expect("a group is deleted", 1).await;
    // What was between two others is gone with its name in them.
    place.delete("w-new");
    place.modify(&group(&place.base, "w-new", &[place.dn("w-5")]));
    watched.expect("a group is replaced by another of its name", 4).await;

    let inner = format!("OU=inner,{}", place.base);
    place.modify(&unit(&inner));
    place.modify(&group(&inner, "w-inner", &[place.dn("w-6")]));
    watched.expect("a unit is made, and a group in it", 4).await;
    place.modify(&format!(
        "dn: {inner}\nchangetype: modify\nreplace: description\ndescription: x\n"
    ));
    watched.expect("a unit is described", 1).await;
    place.modify(&format!("dn: {inner}\nchangetype: moddn\nnewrdn: OU=other\ndeleteoldrdn: 1\n"));
    for (directory, follow) in &watched.ways {
        let reading = directory.read_groups().await.unwrap();
        assert_eq!(reading.extent, Extent::Whole, "a unit is renamed, by {follow:?}");
        assert_eq!(sorted(reading), watched.whole().await);
    }
    watched.expect("nothing again", 0).await;
}

#[tokio::test]
async fn changes_of_another_controller_are_not_taken_for_those_of_the_first() {
    let (mut first, second) = (Samba::start(CORP).unwrap(), Samba::start(CORP).unwrap());
    let mut config = crate::domain::config(&first, FOLLOWER, "");
    config.urls.push(second.ldaps_url());
    // Both authorities are trusted.
    let authorities = tempfile::NamedTempFile::new().unwrap();
    let read = |samba: &Samba| std::fs::read_to_string(samba.ca_file()).unwrap();
    std::fs::write(authorities.path(), read(&first) + &read(&second)).unwrap();
    config.ca_file = Some(authorities.path().to_owned());
    let directory = LdapDirectory::new(config).unwrap();
    let users = |samba: &Samba| format!("CN=Users,{}", samba.suffix());
    for samba in [&first, &second] {
        samba.modify(&group(&users(samba), "gone", &[])).unwrap();
        samba.modify(&format!("dn: CN=gone,{}\nchangetype: delete\n", users(samba))).unwrap();
    }
    second.modify(&group(&users(&second), "only-there", &[])).unwrap();
    let has = |reading: &GroupReading| {
        reading.snapshot.groups.iter().any(|group| group.name == "only-there")
    };

    assert!(!has(&directory.read_groups().await.unwrap()));
    assert_eq!(directory.read_groups().await.unwrap().extent, Extent::Changes);
    first.kill();
    let other = loop {
        // The connection that lies ready is found dead first.
        match directory.read_groups().await {
            Ok(reading) => break reading,
            Err(dme_directory::Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(other.extent, Extent::Whole);
    assert!(has(&other));
    assert_eq!(directory.read_groups().await.unwrap().extent, Extent::Changes);
}

#[tokio::test]
async fn groups_are_read_again_after_a_while_even_so() {
    let place = Place::new("reread");
    let more = format!("bases = ['{}']\ngroups.reread = '1s'", place.base);
    let directory = place.directory_as(FOLLOWER, &more);
    place.group("r-1", &[]);
    place.delete("r-1");
    assert_eq!(directory.read_groups().await.unwrap().follow, Follow::DirSync);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(directory.read_groups().await.unwrap().extent, Extent::Whole);
}

#[tokio::test]
async fn an_account_that_cannot_learn_of_all_changes_reads_everything_and_says_why() {
    let place = Place::new("blind");
    place.group("b-1", &[]);
    place.group("b-2", &[]);
    place.delete("b-1");
    let bases = format!("bases = ['{}']\n", place.base);
    for (account, more, told) in [
        (READER, "groups.follow = 'auto'", "sees nothing in CN=Deleted Objects"),
        (READER, "groups.follow = 'usn'", "sees nothing in CN=Deleted Objects"),
        (WATCHER, "groups.follow = 'dir_sync'", "nsufficient"),
    ] {
        let directory = place.directory_as(account, &format!("{bases}{more}"));
        for _ in 0..2 {
            let reading = directory.read_groups().await.unwrap();
            assert_eq!((reading.extent, reading.follow), (Extent::Whole, Follow::Never));
            let obstacle = reading.obstacle.unwrap();
            assert!(obstacle.contains(told), "{account} {more}: {obstacle}");
            assert_eq!(reading.snapshot.groups.len(), 1);
        }
    }
}
