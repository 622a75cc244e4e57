//! Where those would be at home whom nobody has served yet.

use super::*;

async fn would_be_at(world: &World, user: &str) -> Vec<String> {
    let request = RequestId::from("test");
    let found = world.router.would_be_at(&account(user), &request, NOW).await.unwrap();
    assert!(world.store.routes(&user.into()).await.unwrap().is_empty(), "nobody is served by it");
    found.into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn whom_nobody_served_yet_is_at_home_where_the_mailbox_is() {
    let world = World::new(BTreeMap::new());
    world.link("north", &[ANN]).await;
    world.link("south", &["bob@example.org"]).await;
    assert_eq!(would_be_at(&world, ANN).await, ["north"]);
    assert_eq!(would_be_at(&world, "bob@example.org").await, ["south"]);
    assert!(would_be_at(&world, "eve@example.org").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_substitute_is_nobodys_home_where_another_has_the_mailbox_by_right() {
    let failover = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), failover)]));
    let both = [ANN, "bob@example.org"];
    world.link("spare", &both).await;
    world.link("north", &[ANN]).await;
    assert_eq!(would_be_at(&world, ANN).await, ["north"]);
    assert_eq!(would_be_at(&world, "bob@example.org").await, ["spare"], "nobody else has it");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_no_connectors_scope_is_at_home_nowhere() {
    let scope = dme_routing::Scope::Group("north".into());
    let settings = ConnectorSettings { scope: Some(scope), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("north".to_owned(), settings)]));
    world.link("north", &[ANN, "bob@example.org"]).await;
    assert_eq!(would_be_at(&world, ANN).await, ["north"]);
    assert!(would_be_at(&world, "bob@example.org").await.is_empty());
}
