//! Configurations from the server, and what a connector tells of itself.

use crate::fixtures::*;
use async_trait::async_trait;
use dme_link::{
    Configuration, ConfigurationReport, Connector, ConnectorConfig, Counting, CredentialsNeeded,
    Diagnosis, Measured, MemoryConfigurations, NotAnswered, RefusedConfiguration, SealingKey,
    SealingPair, Services, Thrift, Upkeep,
};
use dme_mailbox::Credentials;
use dme_model::Function;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Takes every configuration but those of the text `wrong`; serves the probe's mail by each.
pub struct Taking {
    key: SealingKey,
    mail: Arc<Probe>,
    state: Mutex<(Option<u64>, Option<RefusedConfiguration>)>,
}

impl Taking {
    pub fn new(site: &Site, mail: &Arc<Probe>) -> Arc<Self> {
        let key = SealingPair::open(&site.identity()).unwrap().key().clone();
        Arc::new(Self { key, mail: mail.clone(), state: Mutex::default() })
    }
}

#[async_trait]
impl Upkeep for Taking {
    fn report(&self) -> ConfigurationReport {
        let (in_force, refused) = self.state.lock().unwrap().clone();
        ConfigurationReport { key: self.key.clone(), in_force, refused, link_times: None }
    }

    async fn configure(&self, configuration: Configuration) -> Option<Services> {
        let mut state = self.state.lock().unwrap();
        let version = configuration.version;
        if configuration.text == "wrong" {
            state.1 = Some(RefusedConfiguration { version, reason: "it is wrong".into() });
            return None;
        }
        *state = (Some(version), None);
        Some(self.mail.services(CredentialsNeeded::None))
    }

    async fn diagnose(&self) -> Diagnosis {
        Diagnosis { software: "0.9".into(), ..Diagnosis::default() }
    }
}

fn configuration(version: u64, text: &str) -> Configuration {
    Configuration { version, text: text.into(), sealed: String::new() }
}

fn serves_mail(server: &Server) -> bool {
    server.links.connectors().iter().any(|link| link.capabilities.offers(Function::Mail))
}

#[tokio::test]
async fn a_connector_serves_as_its_server_configures_it_and_what_runs_goes_on() {
    let wanted = Arc::new(MemoryConfigurations::default());
    let server = Server::wanting(wanted.clone()).await;
    let (site, mail) = (server.enrolled().await, Arc::new(Probe::default()));
    let connector = Connector::new(site.config(), Services::default()).unwrap();
    let connector = Site::run_connector(connector.with_upkeep(Taking::new(&site, &mail)));
    let id = connector.id.clone();
    eventually(|| wanted.report(&id).is_some()).await;
    assert_eq!(wanted.report(&id).unwrap().in_force, None);
    assert!(!serves_mail(&server));

    wanted.want(&id, configuration(1, "right"));
    server.links.configure(&id).await.unwrap();
    eventually(|| serves_mail(&server)).await;
    eventually(|| wanted.report(&id).unwrap().in_force == Some(1)).await;

    // A call that runs while the services are swapped is answered.
    mail.hang();
    let system = server.links.mail_system(&id);
    let call =
        tokio::spawn(async move { system.owns(&account(Credentials::None), &context()).await });
    eventually(|| mail.running() == 1).await;
    wanted.want(&id, configuration(2, "right"));
    server.links.configure(&id).await.unwrap();
    eventually(|| wanted.report(&id).unwrap().in_force == Some(2)).await;
    mail.release.notify_waiters();
    assert!(call.await.unwrap().unwrap());
}

#[tokio::test]
async fn a_wrong_configuration_leaves_the_former_in_force_and_is_not_sent_again() {
    let wanted = Arc::new(MemoryConfigurations::default());
    let server = Server::wanting(wanted.clone()).await;
    let (site, mail) = (server.enrolled().await, Arc::new(Probe::default()));
    let connector = Connector::new(site.config(), Services::default()).unwrap();
    let upkeep = Taking::new(&site, &mail);
    let mut connector = Site::run_connector(connector.with_upkeep(upkeep));
    let id = connector.id.clone();
    // What is wanted while a connector is away it gets when it links.
    wanted.want(&id, configuration(1, "right"));
    eventually(|| serves_mail(&server)).await;
    eventually(|| wanted.report(&id).is_some_and(|report| report.in_force == Some(1))).await;

    wanted.want(&id, configuration(2, "wrong"));
    server.links.configure(&id).await.unwrap();
    eventually(|| wanted.report(&id).unwrap().refused.is_some()).await;
    let report = wanted.report(&id).unwrap();
    assert_eq!(report.in_force, Some(1));
    assert_eq!(report.refused.as_ref().unwrap().reason, "it is wrong");
    assert!(!report.lacks(&configuration(2, "wrong")), "it would be refused again");
    assert!(report.lacks(&configuration(3, "right")));
    connector.until_linked().await;
    assert!(serves_mail(&server));
}

#[tokio::test]
async fn a_connector_tells_how_it_is_and_an_older_one_that_it_cannot() {
    let pair = Pair::start().await;
    let older = pair.server.links.diagnose(&pair.connector.id, PATIENCE).await;
    assert_eq!(older, Err(NotAnswered::Unsupported));

    let site = pair.server.enrolled().await;
    let connector = Connector::new(site.config(), Services::default()).unwrap();
    let upkeep = Taking::new(&site, &pair.mail);
    let connector = Site::run_connector(connector.with_upkeep(upkeep));
    pair.server.until_linked(&connector.id).await;
    let told = pair.server.links.diagnose(&connector.id, PATIENCE).await.unwrap();
    assert_eq!(told.software, "0.9");
}

/// Counts that a test sets.
#[derive(Default)]
struct Counts(Mutex<Vec<Measured>>);

impl Counting for Counts {
    fn counts(&self) -> Vec<Measured> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn what_a_connector_counts_is_known_to_its_server_also_when_the_connector_is_away() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let counts = Arc::new(Counts::default());
    let services = Services { counts: Some(counts.clone()), ..Services::default() };
    let thrift = Thrift { counts: Duration::from_millis(20), ..Thrift::default() };
    let connector = Site::run_with(ConnectorConfig { thrift, ..site.config() }, services);
    let id = connector.id.clone();
    server.until_linked(&id).await;
    let known = || server.links.measured().remove(&id).unwrap_or_default();
    for failed in [None, Some("mailbox.timeout")] {
        let mut row = Measured::of("mail", "imap");
        row.count(Duration::from_millis(3), failed);
        *counts.0.lock().unwrap() = vec![row.clone()];
        eventually(|| known() == [row.clone()]).await;
    }
    connector.stop().await;
    assert_eq!(known()[0].failures(), 1);
}
