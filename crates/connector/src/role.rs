//! A connector that dials and serves, from its settings to its end.

use crate::config::ConnectorConfig;
use crate::link::WrongLink;
use crate::upkeep::{Keeper, Surroundings};
use dme_link::{
    Code, Connector, ConnectorConfig as Link, ConnectorStatus, EdgeService, Enrolled, Identities,
    Proxy, Reached, Services, Token,
};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Why a connector cannot start. Each says which setting to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The mail system's settings are wrong.
    #[error("mail: {0}")]
    Mail(String),
    /// The ManageSieve server's settings are wrong.
    #[error("{0}")]
    Sieve(String),
    /// A ManageSieve server without the mail system whose users it serves.
    #[error(
        "[sieve] needs [mail.imap] in the same connector: users log in there as they do to their \
         mail"
    )]
    SieveOfNobody,
    /// The settings of the calendar and contacts system are wrong.
    #[error("{0}")]
    Dav(String),
    /// The mail system wants a password and the other a token, or the other way round.
    #[error(
        "mail and dav.auth do not fit together: one wants the user's password, the other an access \
         token, and a phone has but one of them; use a master account for one"
    )]
    TwoSecrets,
    /// Nobody can say whether a token for calendars and contacts is good.
    #[error(
        "dav.auth = \"bearer\" needs mail.imap.auth = \"bearer\" in the same connector: a phone shows \
         its user's token as the password, and only that mail system can say whether it is good"
    )]
    TokensUnjudged,
    /// The directory's settings are wrong.
    #[error("people: {0}")]
    Directory(String),
    /// An address list of nobody's directory.
    #[error(
        "[address_list] needs [people] in the same connector: it is shown to the users of that \
         directory's realm"
    )]
    AddressListOfNobody,
    /// The settings of the address list make no sense.
    #[error("{0}")]
    AddressList(String),
    /// An address list as a folder, of no directory or for nobody's phone.
    #[error(
        "[address_book] needs [mail] and [people] in the same connector: it is a folder in its users' \
         accounts, with the people of that directory"
    )]
    AddressBookOfNobody,
    /// The settings of the address list's folder make no sense.
    #[error("{0}")]
    AddressBook(String),
    /// The settings of the link make no sense.
    #[error(transparent)]
    Settings(#[from] WrongLink),
    /// It serves nothing.
    #[error("none of [mail], [dav] and [people] is set: the connector would serve nothing")]
    Nothing,
    /// A mail system that takes tokens is alone.
    #[error(
        "mail.imap.auth = \"bearer\" needs [people] in the same connector: a phone shows its user's \
         token as the password, and only this mail system can say whether it is good"
    )]
    TokensOfNobody,
    /// The link's identity is missing or damaged.
    #[error("the connector's identity cannot be used")]
    Identity(#[source] dme_link::Error),
}

/// Makes this connector's key and has the server certify it.
///
/// # Errors
/// When the token is not accepted, or there is an identity already.
pub async fn enroll(token: &Token, config: &ConnectorConfig) -> dme_link::Result<Enrolled> {
    let (dir, servers) = (&config.directory, &config.servers);
    dme_link::enroll(token, dir, servers, proxy(config).as_ref()).await
}

/// Has this connector known to the server again, by a code, under the name that it had.
///
/// # Errors
/// When the code is not accepted, or no server can be reached.
pub async fn enroll_again(code: &Code, config: &ConnectorConfig) -> dme_link::Result<Enrolled> {
    let (dir, servers) = (&config.directory, &config.servers);
    dme_link::enroll_again(code, dir, servers, proxy(config).as_ref()).await
}

/// Tries the way to the server without making a link.
///
/// # Errors
/// When there is no identity, or it is damaged.
pub async fn reach(config: &ConnectorConfig) -> dme_link::Result<Vec<Reached>> {
    let link = Link {
        proxy: proxy(config),
        servers: config.servers.clone(),
        ..Link::new(&config.directory)
    };
    dme_link::reach(&Link { dial_limit: config.link.dial.0, ..link }).await
}

/// A connector that runs.
pub struct Running {
    status: watch::Receiver<ConnectorStatus>,
    services: watch::Receiver<Services>,
    stop: CancellationToken,
    task: JoinHandle<dme_link::Result<()>>,
}

/// Begins to dial and to serve, as an edge too where there is one.
///
/// # Errors
/// When the settings or the identity are wrong. A server that cannot be reached is no error: it
/// is tried until it can.
pub fn start(
    config: &ConnectorConfig,
    surroundings: Arc<dyn Surroundings>,
    edge: Option<Arc<dyn EdgeService>>,
) -> Result<Running, StartError> {
    config.check()?;
    // Without an identity nothing is made beside it.
    Identities::open(&config.directory).map_err(StartError::Identity)?;
    let (keeper, services) = Keeper::open(config, surroundings)?;
    let link = link(config)?;
    let connector = Connector::new(link, services).map_err(StartError::Identity)?;
    let offered = keeper.services();
    let mut connector = connector.with_upkeep(Arc::new(keeper));
    if let Some(edge) = edge {
        connector = connector.with_edge(edge);
    }
    let (status, stop) = (connector.status(), CancellationToken::new());
    let stopping = stop.clone();
    let task = tokio::spawn(connector.run(async move { stopping.cancelled().await }));
    Ok(Running { status, services: offered, stop, task })
}

/// The way out, where there is no direct one.
fn proxy(config: &ConnectorConfig) -> Option<Proxy> {
    config.proxy.as_ref().map(|proxy| Proxy {
        address: proxy.address.clone(),
        login: proxy.user.clone().zip(proxy.password.clone()),
    })
}

fn link(config: &ConnectorConfig) -> Result<Link, WrongLink> {
    Ok(Link {
        servers: config.servers.clone(),
        proxy: proxy(config),
        keepalive: config.link.keep_alive(),
        windows: config.link.windows()?,
        thrift: config.link.thrift()?,
        dial_limit: config.link.dial.0,
        drain_limit: config.link.drain.0,
        ..Link::new(&config.directory)
    })
}

impl Running {
    /// What it is doing, as it changes.
    pub fn status(&self) -> watch::Receiver<ConnectorStatus> {
        self.status.clone()
    }

    /// What it serves, as that changes.
    pub fn services(&self) -> watch::Receiver<Services> {
        self.services.clone()
    }

    /// Lets what runs end, then ends the link.
    ///
    /// # Errors
    /// When the identity could not be written any more.
    pub async fn stop(self) -> dme_link::Result<()> {
        self.stop.cancel();
        end_of(self.task.await)
    }

    /// Waits until it ends by itself, which is always an error's doing.
    ///
    /// # Errors
    /// That error.
    pub async fn ended(&mut self) -> dme_link::Result<()> {
        end_of((&mut self.task).await)
    }
}

/// How the task ended. A panic goes on: whoever runs the connector must not take it for an end in
/// order, after which nobody starts it again.
fn end_of(task: Result<dme_link::Result<()>, JoinError>) -> dme_link::Result<()> {
    task.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // The runtime goes down.
        Err(_) => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connector_that_broke_off_has_not_ended_in_order() {
        let (_, status) = watch::channel(ConnectorStatus::Dialling);
        let (_, services) = watch::channel(Services::default());
        let task: JoinHandle<dme_link::Result<()>> =
            tokio::spawn(async { panic!("a fault of ours") });
        let mut running = Running { status, services, stop: CancellationToken::new(), task };
        let ended = tokio::spawn(async move { running.ended().await }).await;
        assert!(ended.unwrap_err().is_panic());
    }
}
