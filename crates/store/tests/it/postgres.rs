//! What only PostgreSQL has: a network between, others that write, and a server that may be away.

use crate::databases::config;
use dme_model::{Secret, Timestamp};
use dme_store::{Error, PostgresConfig, Store};
use dme_sync::{DeviceKey, FolderNo, Slot, StateStore};
use dme_testkit::postgres::{Durability, PASSWORD, Postgres};
use std::sync::Arc;
use std::time::Duration;

fn device() -> DeviceKey {
    DeviceKey { user: "ann@example.com".into(), device: "phone".into() }
}

/// The error of a store that was not opened.
async fn refusal(config: &PostgresConfig) -> String {
    Store::connect(config).await.map(drop).unwrap_err().to_string()
}

#[tokio::test]
async fn two_servers_that_start_at_once_migrate_it_once() {
    let server = Postgres::shared().unwrap();
    let config = config(server.socket_url(&server.make_database().unwrap()));
    let starts = (0..4).map(|_| {
        let config = config.clone();
        tokio::spawn(async move { Store::connect(&config).await.map(drop) })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_left_alone() {
    let server = Postgres::shared().unwrap();
    let name = server.make_database().unwrap();
    let config = config(server.socket_url(&name));
    Store::connect(&config).await.unwrap();
    server.psql(&name, "INSERT INTO migration (number) VALUES (999)").unwrap();
    for refused in
        [Store::connect(&config).await.map(drop), Store::try_out(&config).await.map(drop)]
    {
        assert!(matches!(refused, Err(Error::TooNew { found: 999, .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_two_servers_to_one_row_do_not_lose_each_other() {
    let server = Postgres::shared().unwrap();
    let config = config(server.socket_url(&server.make_database().unwrap()));
    let stores = [Store::connect(&config).await.unwrap(), Store::connect(&config).await.unwrap()];
    let writes = (0..100).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move {
            let now = Timestamp::from_millis(5);
            store.put_connector_settings("north", "{}".into(), now).await
        })
    });
    let mut versions = Vec::new();
    for write in writes.collect::<Vec<_>>() {
        versions.push(write.await.unwrap().unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_crash_and_writing_goes_on_by_itself() {
    let mut server = Postgres::start(Durability::Full).unwrap();
    let config = config(server.socket_url(&server.make_database().unwrap()));
    let store = Store::connect(&config).await.unwrap();
    let kept = |n: u32| {
        let store = store.clone();
        async move { store.load(&device(), Slot::Collection(FolderNo(n))).await.unwrap() }
    };
    let writer = store.clone();
    let stop = Arc::new(tokio::sync::Notify::new());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let stopped = stop.clone();
    let writing = tokio::spawn(async move {
        let all = async {
            for n in 0u32.. {
                let slot = Slot::Collection(FolderNo(n));
                match writer.save(&device(), slot, n.to_be_bytes().to_vec()).await {
                    Ok(()) => tell.send(n).unwrap(),
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = stopped.notified() => {}
        }
    });
    let mut acknowledged = Vec::new();
    for round in 1..=2 {
        while acknowledged.len() < 50 * round {
            acknowledged.push(told.recv().await.unwrap());
        }
        server.kill();
        let away = store.health().await.unwrap_err();
        let place = "cannot reach PostgreSQL at";
        assert!(away.to_string().contains(place), "{away}");
        assert!(away.to_string().contains("does it run"), "{away}");
        server.restart().unwrap();
    }
    while acknowledged.len() < 150 {
        acknowledged.push(told.recv().await.unwrap());
    }
    stop.notify_one();
    writing.await.unwrap();
    for n in acknowledged {
        assert_eq!(kept(n).await, Some(n.to_be_bytes().to_vec()), "{n}");
    }
}

#[tokio::test]
async fn a_password_is_sent_by_verified_tls() {
    let server = Postgres::shared().unwrap();
    let name = server.make_database().unwrap();
    let url = format!("{}?sslmode=verify-full", server.url(&name));
    let right = PostgresConfig {
        url: Secret::new(url),
        password: Some(Secret::new(PASSWORD)),
        ca_file: Some(server.ca_file()),
        connections: 2,
    };
    let release = Store::try_out(&right).await.unwrap();
    assert!(release.starts_with(char::is_numeric), "{release}");
    let store = Store::connect(&right).await.unwrap();
    store.health().await.unwrap();
    let secured = "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE ssl AND application_name = 'dme' AND datname = current_database()";
    assert_ne!(server.psql(&name, secured).unwrap().trim(), "0");

    let stranger = PostgresConfig { ca_file: None, ..right.clone() };
    let said = refusal(&stranger).await;
    assert!(said.contains("UnknownIssuer"), "{said}");
    let wrong = PostgresConfig { password: Some(Secret::new("wrong-Zq-2")), ..right };
    let said = refusal(&wrong).await;
    assert!(said.contains("look at store.password"), "{said}");
    assert!(!said.contains("Zq-2"), "{said}");
}

#[tokio::test]
async fn what_keeps_it_from_being_used_is_told_with_what_to_do() {
    let server = Postgres::shared().unwrap();
    let said = refusal(&config(server.socket_url("nowhere"))).await;
    assert!(said.contains("\"nowhere\" does not exist; make it with `createdb"), "{said}");

    let name = server.make_database().unwrap();
    server.psql(&name, "CREATE ROLE poor LOGIN").unwrap();
    let poor = config(server.socket_url(&name).replace("//dme@", "//poor@"));
    let said = refusal(&poor).await;
    assert!(said.contains("make the user the owner"), "{said}");
    let said = Store::try_out(&poor).await.unwrap_err().to_string();
    assert!(said.contains("make the user its owner"), "{said}");

    server
        .psql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
        .unwrap();
    let said = refusal(&config(server.socket_url("latin"))).await;
    assert!(said.contains("its encoding is LATIN1; make it with"), "{said}");

    let nobody = PostgresConfig {
        url: Secret::new("postgres://dme@127.0.0.1:1/dme"),
        ..config(String::new())
    };
    let said = refusal(&nobody).await;
    let place = "cannot reach PostgreSQL at 127.0.0.1:1, database dme: ";
    assert!(said.starts_with(place) && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn commits_wait_for_the_disk_whatever_the_database_says() {
    let server = Postgres::shared().unwrap();
    let name = server.make_database().unwrap();
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    server.psql(&name, &off).unwrap();
    let store = Store::connect(&config(server.socket_url(&name))).await.unwrap();
    server
        .psql(
            &name,
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             NEW.settings = current_setting('synchronous_commit'); RETURN NEW; END $$; \
             CREATE TRIGGER note BEFORE INSERT ON connector_setting FOR EACH ROW \
             EXECUTE FUNCTION note()",
        )
        .unwrap();
    let now = Timestamp::from_millis(1);
    store.put_connector_settings("north", "{}".into(), now).await.unwrap();
    assert_eq!(store.connector_settings().await.unwrap()[0].settings, "on");
}
