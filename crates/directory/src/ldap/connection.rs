//! Connections to the directory: opened with TLS, to the first server that answers, bounded in
//! number, kept for the next call, dropped at the first fault.

use super::config::{ConfigError, Settings};
use super::query::{Bound, Failure, bind, guarded};
use crate::Error;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

/// How long a connection may lie unused; servers and firewalls end idle ones in silence.
const IDLE: Duration = Duration::from_secs(60);

/// What the connections of a pool are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Searching: bound as the service account.
    Search,
    /// Checking passwords: bound as whoever was checked last, and never used for anything else.
    Bind,
}

/// Connections for one purpose.
pub(super) struct Pool {
    settings: Arc<Settings>,
    tls: Arc<ClientConfig>,
    purpose: Purpose,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(Connection, Instant)>>,
    /// Which server answered last.
    preferred: AtomicUsize,
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    pub ldap: Ldap,
    driver: AbortHandle,
}

/// A connection for one call, given back to the pool if the call went well.
pub(super) struct Lease {
    pub connection: Connection,
    /// Whether it was used before, so that the server may have closed it meanwhile.
    pub reused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The TLS settings: the file's authorities, else the system's; nothing else is trusted.
pub(super) fn tls(settings: &Settings) -> Result<Arc<ClientConfig>, ConfigError> {
    let from = match &settings.ca_file {
        Some(file) => file.display().to_string(),
        None => "the system's store".to_owned(),
    };
    let fail = |problem: String| ConfigError::Authorities { from: from.clone(), problem };
    let mut roots = RootCertStore::empty();
    match &settings.ca_file {
        Some(file) => {
            let pem = CertificateDer::pem_file_iter(file).map_err(|e| fail(e.to_string()))?;
            for certificate in pem {
                let certificate = certificate.map_err(|e| fail(e.to_string()))?;
                roots.add(certificate).map_err(|e| fail(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(fail("no certificate in it; it must be PEM".to_owned()));
            }
        }
        // A machine without any still speaks to a directory on loopback.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| fail(e.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

impl Pool {
    pub(super) fn new(settings: Arc<Settings>, tls: Arc<ClientConfig>, purpose: Purpose) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(settings.connections)),
            settings,
            tls,
            purpose,
            idle: Mutex::default(),
            preferred: AtomicUsize::new(0),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is ready for its purpose, waiting where all are in use.
    pub(super) async fn lease(&self) -> Result<Lease, Error> {
        let permit =
            tokio::time::timeout(self.settings.timeout, Arc::clone(&self.permits).acquire_owned());
        let permit = match permit.await {
            Ok(Ok(permit)) => permit,
            _ => {
                let all = self.settings.connections;
                return Err(Error::Unavailable(format!("all {all} connections are in use")));
            }
        };
        let unused = loop {
            match self.idle().pop() {
                Some((mut connection, since)) => {
                    if since.elapsed() < IDLE && !connection.ldap.is_closed() {
                        break Some(connection);
                    }
                }
                None => break None,
            }
        };
        let (connection, reused) = match unused {
            Some(connection) => (connection, true),
            None => (self.open().await?, false),
        };
        Ok(Lease { connection, reused, _permit: permit })
    }

    /// Takes a connection back for the next call.
    pub(super) fn give_back(&self, lease: Lease) {
        self.idle().push((lease.connection, Instant::now()));
    }

    /// Drops all that lie unused: one of them was found broken, so the others will be.
    pub(super) fn drop_idle(&self) {
        self.idle().clear();
    }

    /// Connects to the first server that answers, beginning with the one that did last.
    async fn open(&self) -> Result<Connection, Error> {
        let count = self.settings.urls.len();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for index in (0..count).map(|step| (first + step) % count.max(1)) {
            match self.open_at(index).await {
                Ok(connection) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(Error::Unavailable(failure)) => failures.push(failure),
                // The account is refused here; it would be there.
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(failures.join("; ")))
    }

    /// Connects to one of the servers.
    pub(super) async fn open_at(&self, index: usize) -> Result<Connection, Error> {
        let Some(url) = self.settings.urls.get(index) else {
            return Err(Error::Unavailable("there is no such server".to_owned()));
        };
        let limit = self.settings.timeout;
        let settings =
            LdapConnSettings::new().set_config(self.tls.clone()).set_starttls(url.start_tls);
        let connecting = LdapConnAsync::with_settings(settings, &url.text);
        let (driver, ldap) = guarded(&url.text, limit, connecting).await.map_err(|failure| {
            // Where nothing was said yet, nonsense is most often a port that is not LDAP's.
            let (Failure::Broken(text) | Failure::Late(text) | Failure::Nonsense(text)) = failure;
            Error::Unavailable(text)
        })?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "a directory connection ended");
            }
        });
        let mut connection = Connection { ldap, driver: driver.abort_handle() };
        if self.purpose == Purpose::Search {
            let Settings { bind_dn, bind_password, .. } = &*self.settings;
            match bind(&mut connection.ldap, bind_dn, bind_password.expose(), limit).await?? {
                Bound::Yes(_) => {}
                Bound::No(denial) => {
                    return Err(Error::Refused(format!(
                        "{} does not take the account {bind_dn:?} ({denial:?}); correct bind_dn \
                         and bind_password",
                        url.text
                    )));
                }
            }
        }
        Ok(connection)
    }
}
