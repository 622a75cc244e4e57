//! Where the server listens: for phones and users, for administrators, for connectors.

use super::{Running, StartError, host};
use crate::client_address::TrustedProxies;
use crate::config::ServerConfig;
use crate::host::Host;
use crate::listener::{self, Security, Transport};
use crate::pace::Pace;
use crate::self_made::{certificate_files, keep_self_made};
use crate::site::{Answer, Site, SiteBody, is_own, whole};
use crate::tls::{ReloadingCertificate, phones};
use dme_link::{Authority, Links, ListenConfig};
use futures_util::FutureExt;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Requests for the users' own page from one address at once, and in a minute: a whole office may
/// be behind one.
const PAGES_AT_ONCE: usize = 16;
const PAGES_PER_MINUTE: u32 = 600;

impl Running {
    /// The phones' certificate, which follows its files; none where a proxy ends their TLS.
    pub(super) fn certificate(
        &self,
        config: &ServerConfig,
        authority: &Arc<Authority>,
    ) -> Result<Option<Arc<ReloadingCertificate>>, StartError> {
        if config.phones.plain_http {
            return Ok(None);
        }
        let (certificate, key) = certificate_files(config, authority)?;
        let certificate = ReloadingCertificate::read(&certificate, &key)?;
        self.run_until_stop(certificate.clone().keep_fresh());
        if config.phones.certificate.is_none() {
            self.run_until_stop(keep_self_made(config.clone(), authority.clone()));
        }
        Ok(Some(certificate))
    }

    /// Answers where it listens. Without a site nothing is there but the front.
    pub(super) async fn listen_phones(
        &self,
        config: &ServerConfig,
        certificate: Option<Arc<ReloadingCertificate>>,
        site: Option<Arc<dyn Site>>,
    ) -> Result<SocketAddr, StartError> {
        let security = match certificate {
            Some(certificate) => {
                let devices = self.front.own.authority();
                Security::Tls(Arc::new(phones(certificate, devices)?).into())
            }
            None => Security::PlainFromProxies,
        };
        let transport = Transport {
            security,
            proxy_protocol: config.phones.proxy_protocol,
            proxies: TrustedProxies::new(config.phones.proxies.clone()),
        };
        let limits = listener::Limits {
            connections: config.limits.connections,
            handshakes: config.limits.handshakes,
            handshake: config.times.handshake.0,
            head: config.times.head.0,
            send: config.times.body.0,
            head_size: usize::try_from(config.limits.head.0).unwrap_or(usize::MAX),
            headers: config.limits.headers,
        };
        let socket = listen("phones.listen", config.phones.listen).await?;
        let listens = socket.local_addr().unwrap_or(config.phones.listen);
        let site = site.filter(|_| self.front.own.config.enabled);
        let (front, pace) = (self.front.clone(), Pace::new(PAGES_AT_ONCE, PAGES_PER_MINUTE));
        let (stop, grace) = (self.stop.clone(), config.times.shutdown.0);
        self.tasks.spawn(listener::serve(
            socket,
            transport,
            limits,
            stop,
            grace,
            move |request, peer| {
                let front = front.clone();
                // A phone that waits should take no more than it needs itself.
                match site.as_ref().filter(|_| is_own(request.uri().path())) {
                    None => {
                        front.handle(request, peer).map(|one| one.map(Answer::Phone)).left_future()
                    }
                    Some(site) => {
                        let client = front.proxies.client(peer.ip(), request.headers());
                        let page = own(site.clone(), pace.clone(), request, client);
                        page.map(|one| one.map(Answer::Site)).boxed().right_future()
                    }
                }
            },
        ));
        Ok(listens)
    }

    /// Answers where it listens.
    pub(super) async fn listen_admin(
        &self,
        config: &ServerConfig,
        site: Arc<dyn Site>,
    ) -> Result<SocketAddr, StartError> {
        let socket = listen("admin.listen", config.admin.listen).await?;
        let listens = socket.local_addr().unwrap_or(config.admin.listen);
        let transport = Transport {
            security: Security::Plain,
            proxy_protocol: false,
            proxies: TrustedProxies::default(),
        };
        let limits = listener::Limits {
            connections: 256,
            handshakes: 64,
            handshake: config.times.handshake.0,
            head: Duration::from_secs(30),
            send: Duration::from_secs(30),
            head_size: 16 << 10,
            headers: 64,
        };
        let (stop, grace) = (self.stop.clone(), config.times.shutdown.0);
        self.tasks.spawn(listener::serve(
            socket,
            transport,
            limits,
            stop,
            grace,
            move |request, peer| site.clone().administration(request, peer),
        ));
        Ok(listens)
    }

    /// Answers where it listens, if it does.
    pub(super) async fn listen_links(
        &self,
        config: &ServerConfig,
        links: &Links,
    ) -> Result<Option<SocketAddr>, StartError> {
        let Some(address) = config.links.listen else { return Ok(None) };
        let socket = listen("links.listen", address).await?;
        let listens = socket.local_addr().ok();
        let listening = ListenConfig {
            handshakes: config.links.handshakes,
            drain_limit: config.times.shutdown.0,
            // Where none is set, connectors know the one at which they found this server.
            addresses: config.links.address.0.clone(),
            ..ListenConfig::default()
        };
        let (links, stop) = (links.clone(), self.stop.clone());
        let (served, grace) = (self.front.metrics.clone(), config.times.shutdown.0);
        self.tasks.spawn(async move {
            // Phones are let go first: their last answers still need the links.
            let shutdown = async move {
                stop.cancelled().await;
                served.none_served(grace).await;
            };
            if let Err(error) = dme_link::serve(socket, links, listening, shutdown).await {
                tracing::error!(%error, "connectors can no longer link");
            }
        });
        Ok(listens)
    }
}

/// Answers a request for the users' own page, unless there were too many from its address.
async fn own(
    site: Arc<dyn Site>,
    pace: Arc<Pace<IpAddr>>,
    request: Request<Incoming>,
    client: IpAddr,
) -> Response<SiteBody> {
    let wait = match pace.turn(&client, Instant::now()) {
        Ok(_turn) => return site.own(request, client).await,
        Err(wait) => wait,
    };
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = wait.as_secs().saturating_add(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Where connectors reach the link port, if it is listened on.
pub(super) fn link_addresses(
    config: &ServerConfig,
    listening: Option<SocketAddr>,
) -> Result<Vec<String>, StartError> {
    Ok(match (listening, config.links.address.0.as_slice()) {
        (None, _) => Vec::new(),
        (Some(socket), []) => {
            vec![Host { port: Some(socket.port()), ..host(config)? }.to_string()]
        }
        (Some(_), addresses) => addresses.to_vec(),
    })
}

async fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |reason| StartError::Listen { setting, address, reason };
    TcpListener::bind(address).await.map_err(failed)
}
