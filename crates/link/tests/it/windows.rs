//! Connectors that are linked at certain times only.

use crate::fixtures::*;
use crate::upkeep::Taking;
use dme_link::{
    Configurations, Connector, ConnectorConfig, ConnectorStatus, CredentialsNeeded, LinkEvent,
    LinkTimes, MemoryConfigurations, Services, Windows,
};
use dme_mailbox::{Credentials, ErrorKind};
use dme_model::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const MOMENT: Duration = Duration::from_millis(200);

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn within(site: &Site, windows: Windows) -> ConnectorConfig {
    ConnectorConfig { windows: Some(windows), ..site.config() }
}

#[tokio::test]
async fn a_connector_that_hangs_up_says_when_it_is_back() {
    let pair = Pair::start().await;
    pair.connector.stop().await;
    eventually(|| pair.server.links.connectors().is_empty()).await;
    let links = &pair.server.links;
    assert!(links.away().is_empty(), "it did not say so");

    let mut events = links.subscribe();
    let windows = Windows::Every { every: HOUR, lasting: MOMENT };
    let services = pair.mail.services(CredentialsNeeded::None);
    let mut connector = Site::run_with(within(&pair.site, windows), services);
    let id = connector.id.clone();
    assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(id.clone()));
    assert!(matches!(events.recv().await.unwrap(), LinkEvent::Lost { .. }));
    let until = links.away()[&id];
    assert!(until > now().plus(HOUR / 2) && until <= now().plus(HOUR), "{until:?}");
    let status = connector.until(|status| matches!(status, ConnectorStatus::Away { .. })).await;
    let ConnectorStatus::Away { until: own } = status else { unreachable!() };
    assert!(own.as_millis().abs_diff(until.as_millis()) < 60_000);
    let system = links.mail_system(&id);
    let error = system.owns(&account(Credentials::None), &context()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    connector.stop().await;
}

#[tokio::test]
async fn at_the_next_window_it_is_linked_again_and_not_away_any_more() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let mut events = server.links.subscribe();
    let windows = Windows::Every { every: 4 * MOMENT, lasting: MOMENT };
    let connector = Site::run_with(within(&site, windows), Services::default());
    for _ in 0..2 {
        assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(connector.id.clone()));
        assert!(server.links.away().is_empty());
        let event = events.recv().await.unwrap();
        assert!(matches!(event, LinkEvent::Lost { .. }), "{event:?}");
    }
    connector.stop().await;
}

#[tokio::test]
async fn what_runs_at_the_end_of_a_window_ends_first() {
    let pair = Pair::start().await;
    pair.connector.stop().await;
    // The call has to begin before it is over, however busy the machine is.
    let windows = Windows::Every { every: HOUR, lasting: 25 * MOMENT };
    let services = pair.mail.services(CredentialsNeeded::None);
    let connector = Site::run_with(within(&pair.site, windows), services);
    pair.server.until_linked(&connector.id).await;
    pair.mail.hang();
    let system = pair.server.links.mail_system(&connector.id);
    let running =
        tokio::spawn(async move { system.owns(&account(Credentials::None), &context()).await });
    let draining = || pair.server.links.connectors().first().is_some_and(|link| link.draining);
    eventually(draining).await;
    pair.mail.release.notify_one();
    assert_eq!(running.await.unwrap(), Ok(true));
    eventually(|| pair.server.links.away().contains_key(&connector.id)).await;
}

#[tokio::test]
async fn a_server_that_was_restarted_knows_who_is_away_until_when() {
    let each = |lasting| Some(Windows::Every { every: HOUR, lasting });
    let hours = LinkTimes::from(&Windows::Hours(other_hours()));
    for (windows, said_before, away) in [
        (each(MOMENT), None, true),
        (each(HOUR), None, false),
        (None, None, false),
        (None, Some(hours), true),
    ] {
        let kept = Arc::new(MemoryConfigurations::default());
        let server = Server::wanting(kept.clone()).await;
        let (site, mail) = (server.enrolled().await, Arc::new(Probe::default()));
        let config = ConnectorConfig { windows, ..site.config() };
        let connector = Connector::new(config, Services::default()).unwrap();
        let connector = Site::run_connector(connector.with_upkeep(Taking::new(&site, &mail)));
        let id = connector.id.clone();
        eventually(|| kept.report(&id).is_some()).await;
        connector.kill();
        let mut report = kept.report(&id).unwrap();
        if said_before.is_some() {
            report.link_times = said_before;
            kept.reported(&id, &report, now()).await.unwrap();
        }
        tokio::time::sleep(2 * MOMENT).await;
        let restarted = server.beside("127.0.0.1:0").await;
        assert!(restarted.links.away().is_empty(), "nothing was read yet");
        restarted.links.recall().await.unwrap();
        assert_eq!(restarted.links.away().contains_key(&id), away, "{:?}", report.link_times);
    }
}

#[tokio::test]
async fn outside_of_its_hours_a_connector_does_not_even_dial() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let config = within(&site, Windows::Hours(other_hours()));
    let mut connector = Site::run_with(config, Services::default());
    connector.until(|status| matches!(status, ConnectorStatus::Away { .. })).await;
    assert!(server.links.connectors().is_empty());
    connector.stop().await;
}
