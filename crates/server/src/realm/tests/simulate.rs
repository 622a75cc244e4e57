//! What would become of a realm's logins, were connectors down.

use super::*;

/// From whom to whom, and what would be wrong.
fn without(realm: &RealmDirectory, down: &[&str]) -> Option<String> {
    let down = down.iter().map(|name| (*name).to_owned()).collect();
    let LoginsMoved { from, to, trouble } = realm.simulate(&down)?;
    let trouble = trouble.map(|error| format!("; {error}")).unwrap_or_default();
    Some(format!("{} to {}{trouble}", from.join(", "), to.join(", ")))
}

#[tokio::test]
async fn it_is_told_who_checks_passwords_while_another_is_down() {
    let world = World::scoped(&[("north-together", &[ANN]), ("south-together", &[BOB])]);
    for name in ["north-together", "south-together"] {
        world.link(name, "example.org", &[]);
    }
    world.link("other", "other.example", &[]);
    let realm = world.realm("example.org", &["north-together", "south-together"]);
    let moved = without(&realm, &["north-together"]);
    assert_eq!(moved.as_deref(), Some("north-together to south-together"));
    assert_eq!(without(&realm, &["south-together", "other"]), None, "nobody would notice");
    let nobody = without(&realm, &["north-together", "south-together"]).unwrap();
    assert!(nobody.starts_with("north-together to ; the directory is unavailable: "), "{nobody}");
}

#[tokio::test]
async fn the_only_one_that_checks_a_realms_passwords_is_told_linked_or_not() {
    let world = World::new(&[]);
    world.link("branch", "example.org", &[]);
    world.link("other", "other.example", &[]);
    for named in [&[][..], &["branch"]] {
        let realm = world.realm("example.org", named);
        let nobody = without(&realm, &["branch"]).unwrap();
        assert!(nobody.starts_with("branch to ; the directory is unavailable: "), "{nobody}");
        assert_eq!(without(&realm, &["other"]), None);
    }
    world.enrol("night", true).await;
    let realm = world.realm("third.example", &["night"]);
    let nobody = without(&realm, &["night"]).unwrap();
    assert!(nobody.starts_with(" to ; the directory is off hours"), "{nobody}");
}

#[tokio::test]
async fn of_directories_that_scopes_keep_apart_it_is_told_whose_people_are_shut_out() {
    let world = World::scoped(&[("a", &[ANN]), ("b", &[BOB])]);
    world.link("a", "example.org", &[]);
    world.link("b", "example.org", &[]);
    let realm = world.realm("example.org", &[]);
    let shut_out = without(&realm, &["b"]).unwrap();
    assert!(shut_out.starts_with("a, b to a; ") && shut_out.contains("connector b"), "{shut_out}");
}
