//! Classes that another connector serves than the mail.

use super::*;
use dme_model::Role;

#[tokio::test(start_paused = true)]
async fn mail_comes_from_one_connector_and_calendars_from_another() {
    let world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    let dav = world.link_for("dav", &[ANN], &[Class::Calendar, Class::Tasks]).await;
    let calendar = dav.mail.collection(&ANN.into(), Role::Calendar).unwrap();
    let all = world.open(ANN).await.unwrap().collections().await.unwrap();
    assert!(all.iter().any(|one| one.id.as_str() == format!("\u{1}calendar/{calendar}")));
    assert!(all.iter().any(|one| one.class == Class::Mail));
    let routes = world.store.routes(&ANN.into()).await.unwrap();
    let served: Vec<_> = routes.into_iter().map(|one| (one.function, one.serving)).collect();
    let expected =
        [(Function::Calendar, "dav"), (Function::Mail, "mail"), (Function::Tasks, "dav")];
    assert_eq!(served, expected.map(|(function, name)| (function, name.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn calendars_stay_where_the_mail_is_though_another_has_them_too() {
    let world = World::new(BTreeMap::new());
    world.link_for("a", &[ANN], &[Class::Calendar]).await;
    world.link_for("b", &[ANN], &Class::ALL).await;
    world.open(ANN).await.unwrap();
    assert_eq!(world.by(ANN, Function::Calendar).await, world.by(ANN, Function::Mail).await);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_switched_off_is_not_shown() {
    let world = World::new(BTreeMap::new());
    world.link_for("all", &[ANN], &Class::ALL).await;
    assert!(!world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
    let off = ConnectorSettings {
        off: Some([Function::Calendar].into()),
        ..ConnectorSettings::default()
    };
    world.connectors.set_settings("all", &off, NOW).await.unwrap();
    assert!(world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
    assert!(!world.of_class(ANN, Class::Contacts).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn calendars_of_a_connector_that_is_away_are_not_taken_for_deleted() {
    let mut world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    world.lose("dav").await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before, "those it had last");
    world.restarted();
    world.link("mail", &[ANN]).await;
    let unknown = world.of_class(ANN, Class::Calendar).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Unavailable, "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn calendars_that_only_the_lost_connector_has_are_away_and_not_gone() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link_for("main", &[ANN], &[Class::Mail, Class::Calendar]).await;
    world.link("spare", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("main").await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    let mailbox = world.open(ANN).await.unwrap();
    assert_eq!(mailbox.collections().await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn calendars_keep_their_ids_when_the_mail_goes_to_another_connector() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link("main", &[ANN]).await;
    world.link_for("spare", &[ANN], &[Class::Mail, Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    assert!(!before.is_empty());
    world.lose("main").await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_removed_connectors_calendars_wait_for_one_of_its_name_or_a_flush() {
    let world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    let id = world.id("dav").await;
    world.lose("dav").await;
    let book = world.links.registrar().book();
    book.set_state(&id, ConnectorState::Removed).await.unwrap();
    world.connectors.reload().await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before);
    let (key, state) = (Fingerprint::of_public_key(b"new"), ConnectorState::Unlocked);
    book.enrol("dav", &key, state, NOW).await.unwrap();
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap().len(), before.len());
    world.lose("dav").await;
    world.connectors.reload().await;
    book.set_state(&world.id("dav").await, ConnectorState::Removed).await.unwrap();
    world.connectors.reload().await;
    world.router.flush(Some(&ANN.into())).await.unwrap();
    assert!(world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
}
