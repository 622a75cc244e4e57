//! Measures how long it takes to find a user's connectors, among 100 connectors and 100,000 users.
//!
//! `cargo run --release -p dme-server --example routing_bench`. The connectors are in this process and
//! own a hundredth of the users each, so that the decision alone is measured.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement for people, which may stop at any surprise"
)]

use async_trait::async_trait;
use dme_link::{Authority, CredentialsNeeded, Links, LinksConfig, Mailboxes, Registrar, Services};
use dme_mailbox::{
    Account, CallContext, Credentials, Error, ErrorKind, MailSystem, Mailbox, Result,
};
use dme_model::{ConnectorId, RequestId, Timestamp, UserId};
use dme_server::connectors::{Connectors, Limits};
use dme_server::membership::GateMembership;
use dme_server::router::Router;
use dme_store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONNECTORS: usize = 100;
const USERS: usize = 100_000;

/// Owns every hundredth user.
struct Site(usize);

#[async_trait]
impl MailSystem for Site {
    async fn owns(&self, account: &Account, _: &CallContext) -> Result<bool> {
        let digits: String = account.user.as_str().chars().filter(char::is_ascii_digit).collect();
        Ok(digits.parse::<usize>().is_ok_and(|user| user % CONNECTORS == self.0))
    }

    async fn open(&self, _: &Account, _: &CallContext) -> Result<Arc<dyn Mailbox>> {
        Err(Error::new(ErrorKind::Unsupported, "nothing is opened here"))
    }
}

fn account(user: usize) -> Account {
    let user = UserId::from(format!("user{user}@example.org"));
    let address = user.to_string();
    Account { user, address, display_name: None, credentials: Credentials::None }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("dme.db")).unwrap();
    let authority = Arc::new(Authority::open(&folder.path().join("authority")).unwrap());
    let book = Arc::new(store.clone());
    let links =
        Links::new(Arc::new(Registrar::new(authority, book.clone(), book)), LinksConfig::default());
    for site in 0..CONNECTORS {
        let mailboxes = Mailboxes::of_mail(Arc::new(Site(site)), CredentialsNeeded::None);
        let services = Services { mailboxes: Some(mailboxes), ..Services::default() };
        let name = format!("site{site}");
        links.attach_local(ConnectorId::from(name.as_str()), &name, services);
    }
    let limits = Limits::default();
    let connectors = Connectors::new(links, store.clone(), BTreeMap::new(), limits);
    let membership = Arc::new(GateMembership::default());
    let router = Arc::new(Router::new(connectors, store, membership, Duration::from_secs(60)));
    let (request, now) = (RequestId::from("bench"), Timestamp::from_seconds(1 << 32));
    let find = async |user: usize| {
        let account = account(user);
        let begun = Instant::now();
        // Nothing can be opened here; the decision is made before that.
        let _ = router.open(&account, &request, now).await;
        begun.elapsed()
    };

    let mut first = Vec::with_capacity(USERS);
    for user in 0..USERS {
        first.push(find(user).await);
    }
    let mut standing = Vec::with_capacity(USERS);
    for user in 0..USERS {
        // Not in the order in which they came.
        standing.push(find(user * 7_919 % USERS).await);
    }
    for (what, mut times) in [("first, asked and written down", first), ("later", standing)] {
        times.sort();
        let at = |part: f64| times[(part * (USERS - 1) as f64) as usize].as_nanos() as f64 / 1000.0;
        println!("{what}: p50 {:.1} us, p99 {:.1} us", at(0.5), at(0.99));
    }
}
