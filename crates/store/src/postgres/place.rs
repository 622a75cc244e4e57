//! Where a database is, how it is reached, and what to do when it is not.

use crate::{Error, Result};
use deadpool_postgres::PoolError;
use dme_model::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What every connection begins with: no statement takes longer, and no transaction is left open.
/// What the address says of them counts more.
const OPTIONS: &str = "-c statement_timeout=30s -c lock_timeout=20s \
     -c idle_in_transaction_session_timeout=60s";
const CONNECT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed after so long.
const SILENCE: Duration = Duration::from_secs(20);

/// How a PostgreSQL database is reached.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://USER@HOST:PORT/DATABASE`, with parameters as libpq knows them; a password may
    /// stand in it.
    pub url: Secret,
    /// The password, where it does not.
    pub password: Option<Secret>,
    /// PEM file of authorities that the server's certificate may be of, beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// So many connections at most.
    pub connections: usize,
}

impl PostgresConfig {
    /// What is wrong with it, as far as can be told without a connection.
    pub fn problem(&self) -> Option<String> {
        match Place::of(self) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    /// Where it is, for people: `PostgreSQL at db.example.org:5432, database dme`.
    ///
    /// # Errors
    /// When the address makes no sense.
    pub fn place(&self) -> Result<String> {
        Ok(Place::of(self)?.name)
    }
}

/// A database's address, understood.
pub(crate) struct Place {
    /// For people; without secrets.
    name: String,
    pub(super) config: Config,
    ca_file: Option<PathBuf>,
}

impl Place {
    pub(super) fn of(given: &PostgresConfig) -> Result<Self> {
        // Certificates are always verified in full, so that this is what the other words mean.
        let url = given.url.expose();
        let url = url.replace("sslmode=verify-full", "sslmode=require");
        let url = Secret::new(url.replace("sslmode=verify-ca", "sslmode=require"));
        let wrong = |what: String| Error::Unfit(format!("its address {what}"));
        if !url.expose().starts_with("postgres://") && !url.expose().starts_with("postgresql://") {
            return Err(wrong("does not begin with postgres://".into()));
        }
        let mut config: Config = url.expose().parse().map_err(|error: tokio_postgres::Error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            wrong(format!("makes no sense: {}", source.unwrap_or_else(|| error.to_string())))
        })?;
        if config.get_user().is_none() {
            return Err(wrong("names no user, as in postgres://dme@localhost/dme".into()));
        }
        if config.get_hosts().is_empty() {
            return Err(wrong("names no host, as in postgres://dme@localhost/dme".into()));
        }
        if let Some(password) = &given.password {
            config.password(password.expose());
        }
        let options = config.get_options().unwrap_or_default();
        let options = format!("{OPTIONS} {options}");
        config.options(options.trim_end());
        config.application_name("dme");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        config.keepalives_idle(SILENCE);
        // What is not said would mean "TLS if the other wants", which anybody between can undo.
        if config.get_ssl_mode() == SslMode::Prefer {
            let local = config.get_hosts().iter().all(is_local);
            config.ssl_mode(if local { SslMode::Disable } else { SslMode::Require });
        }
        let place = name(&config);
        Ok(Self { name: place, config, ca_file: given.ca_file.clone() })
    }

    /// How TLS is spoken: the server's certificate must be for its host, and of an authority that
    /// the system or `ca_file` names.
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect> {
        let mut roots = RootCertStore::empty();
        // A system without certificates of its own may still have a file of ours.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &self.ca_file {
            for certificate in authorities(path)? {
                roots.add(certificate).map_err(|error| unread(path, error.to_string()))?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Unfit(error.to_string()))?;
        let client = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(MakeRustlsConnect::new(client))
    }

    /// Why there is no connection, and what to do.
    pub(super) fn no_connection(&self, error: &PoolError) -> Error {
        match error {
            PoolError::Backend(error)
            | PoolError::PostCreateHook(deadpool_postgres::HookError::Backend(error)) => {
                self.error(error)
            }
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => self.unreachable(
                "all connections are in use; raise store.connections, or look what takes so long",
            ),
            PoolError::Timeout(_) => self.unreachable("it does not answer; is store.url right?"),
            other => self.unreachable(&other.to_string()),
        }
    }

    /// What PostgreSQL said, and what to do.
    pub(super) fn error(&self, error: &tokio_postgres::Error) -> Error {
        match error.as_db_error() {
            Some(said) => {
                let mend = mend(said.code()).map(|mend| format!("; {mend}"));
                let detail = said.detail().map(|detail| format!(" ({detail})"));
                let said = format!(
                    "{}{}{}",
                    said.message(),
                    detail.unwrap_or_default(),
                    mend.unwrap_or_default()
                );
                Error::Database(format!("{}: {said}", self.name))
            }
            None => {
                self.unreachable(&format!("{}; does it run, and is store.url right?", chain(error)))
            }
        }
    }

    /// A broken connection after others that broke.
    pub(super) fn lost(&self) -> Error {
        self.unreachable("the connection broke again and again; look at PostgreSQL's own log")
    }

    fn unreachable(&self, reason: &str) -> Error {
        Error::Unreachable { place: self.name.clone(), reason: reason.to_owned() }
    }
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{} ({port})", path.display()),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(" or ");
    let user = config.get_user().unwrap_or_default();
    format!("PostgreSQL at {hosts}, database {}", config.get_dbname().unwrap_or(user))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unread(path, error.to_string()))?;
    match read.is_empty() {
        true => Err(unread(path, "it holds no certificate in PEM form".into())),
        false => Ok(read),
    }
}

fn unread(path: &Path, reason: String) -> Error {
    Error::Unfit(format!("store.ca_file {}: {reason}", path.display()))
}

/// An error with all that it stems from.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// What an administrator does about it.
fn mend(code: &SqlState) -> Option<&'static str> {
    let known = [
        (&SqlState::INVALID_PASSWORD, "look at store.password"),
        (
            &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            "look at the user in store.url, and at PostgreSQL's pg_hba.conf",
        ),
        (&SqlState::INVALID_CATALOG_NAME, "make it with `createdb --owner=USER DATABASE`"),
        (
            &SqlState::INSUFFICIENT_PRIVILEGE,
            "make the user the owner of the database: `ALTER DATABASE … OWNER TO …`",
        ),
        (
            &SqlState::TOO_MANY_CONNECTIONS,
            "raise max_connections in PostgreSQL, or lower store.connections",
        ),
        (&SqlState::QUERY_CANCELED, "it took longer than may be: what keeps PostgreSQL so busy?"),
        (&SqlState::DISK_FULL, "make room where PostgreSQL keeps its data"),
        (
            &SqlState::READ_ONLY_SQL_TRANSACTION,
            "it is a standby: name the primary, or add target_session_attrs=read-write",
        ),
        (&SqlState::CANNOT_CONNECT_NOW, "wait until it has started"),
    ];
    known.into_iter().find(|(known, _)| *known == code).map(|(_, mend)| mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> PostgresConfig {
        PostgresConfig { url: Secret::new(url), password: None, ca_file: None, connections: 4 }
    }

    fn mode(url: &str) -> SslMode {
        Place::of(&config(url)).map(|place| place.config.get_ssl_mode()).unwrap()
    }

    #[test]
    fn passwords_cross_a_network_by_verified_tls_alone_unless_told_otherwise() {
        assert_eq!(mode("postgres://dme@db.example.org/dme"), SslMode::Require);
        assert_eq!(mode("postgres://dme@db.example.org/dme?sslmode=prefer"), SslMode::Require);
        assert_eq!(mode("postgres://dme@db.example.org/dme?sslmode=verify-full"), SslMode::Require);
        assert_eq!(mode("postgres://dme@db.example.org/dme?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://dme@localhost/dme"), SslMode::Disable);
        assert_eq!(mode("postgres://dme@127.0.0.1:5433/dme"), SslMode::Disable);
        assert_eq!(mode("postgres://dme@%2Frun%2Fpostgresql/dme"), SslMode::Disable);
        assert_eq!(mode("postgres://dme@localhost,db.example.org/dme"), SslMode::Require);
    }

    #[test]
    fn an_address_that_makes_no_sense_is_told_without_its_password() {
        for (url, told) in [
            ("mysql://dme:Zq-1@db/dme", "does not begin with postgres://"),
            ("postgres://db/dme", "names no user"),
            ("postgres://dme:Zq-1@/dme", "names no host"),
            ("postgres://dme:Zq-1@db:port/dme", "makes no sense"),
            ("postgres://dme:Zq-1@db/dme?colour=red", "makes no sense"),
        ] {
            let problem = config(url).problem().unwrap();
            assert!(problem.contains(told) && !problem.contains("Zq-1"), "{url}: {problem}");
        }
    }

    #[test]
    fn its_name_has_no_secret() {
        let config = config("postgres://dme:Zq-1@db.example.org:5433/mail");
        assert_eq!(config.place().unwrap(), "PostgreSQL at db.example.org:5433, database mail");
        assert!(!format!("{config:?}").contains("Zq-1"));
    }
}
