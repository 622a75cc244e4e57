//! Tokens that programs administer by.

use dme_model::Timestamp;
use dme_store::{ApiToken, Store};

fn token(name: &str) -> ApiToken {
    ApiToken {
        name: name.into(),
        duties: vec!["see".into(), "operate".into()],
        made: Timestamp::from_seconds(1_800_000_000),
        made_by: "ada@example.org".into(),
        maker: Some("ada@example.org".into()),
        expires: Timestamp::from_seconds(1_800_086_400),
        last_used: None,
    }
}

#[tokio::test]
async fn a_token_is_found_by_its_hash_until_it_is_revoked() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path().join("dme.db")).unwrap();
    assert!(store.put_api_token("aa", token("backup")).await.unwrap());
    assert!(store.put_api_token("bb", token("alerts")).await.unwrap());
    // A name that is taken stays with whoever has it.
    assert!(!store.put_api_token("cc", token("backup")).await.unwrap());
    assert_eq!(store.api_token("cc").await.unwrap(), None);

    assert_eq!(store.api_token("aa").await.unwrap(), Some(token("backup")));
    let now = Timestamp::from_seconds(1_800_000_060);
    store.use_api_token("backup", now).await.unwrap();
    let used = store.api_token("aa").await.unwrap().unwrap();
    assert_eq!(used.last_used, Some(now));
    let names: Vec<String> =
        store.api_tokens().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["alerts", "backup"]);

    assert!(store.revoke_api_token("backup").await.unwrap());
    assert!(!store.revoke_api_token("backup").await.unwrap());
    assert_eq!(store.api_token("aa").await.unwrap(), None);
}
