//! Configurations from the server taken and kept, and diagnoses given.
//!
//! What a connector serves is said in one place. Where its own file has services, these hold, and a
//! configuration from the server is refused; where the file has none, the server's holds.

use crate::config::{ConnectorConfig, EmbeddedConfig};
use crate::configuration::{WrongConfiguration, hidden, put_back, secrets_in, services_of};
use crate::diagnosis::redacted;
use crate::role::StartError;
use crate::services::{Offered, services};
use async_trait::async_trait;
use dme_link::{
    Check, Configuration, ConfigurationReport, Diagnosis, RefusedConfiguration, SealingPair,
    Services, Upkeep,
};
use dme_model::{Secret, Timestamp};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::watch;
use toml::Table;
use tracing::{error, info, warn};

/// What the process lends to the connector that runs in it.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// A configuration from the server with what its indirect texts stand for.
    ///
    /// # Errors
    /// In words, naming the setting, when one cannot be read or may not be.
    fn read_indirect(&self, table: Table) -> Result<Table, String>;

    /// The connector's own file, as it was at the start.
    fn settings(&self) -> Table;

    /// The secrets in it, also those that stand elsewhere and are only named there.
    fn secrets(&self) -> Vec<Secret>;

    /// Tries the way to the server, and what these services need, without a user.
    async fn check(&self, services: Offered<'_>) -> Vec<Check>;

    /// The last lines of the log that are warnings or errors.
    fn recent_log(&self) -> Vec<String>;
}

/// Keeps the configuration of a connector.
pub(crate) struct Keeper {
    directory: PathBuf,
    /// Its own file says what it serves.
    own: Option<ConnectorConfig>,
    pair: SealingPair,
    surroundings: Arc<dyn Surroundings>,
    started: i64,
    state: Mutex<State>,
    /// What is served now.
    services: watch::Sender<Services>,
}

#[derive(Default)]
struct State {
    in_force: Option<Arc<InForce>>,
    refused: Option<RefusedConfiguration>,
}

/// A configuration from the server by which the connector serves.
struct InForce {
    version: u64,
    text: String,
    config: EmbeddedConfig,
    secrets: Vec<Secret>,
}

impl Keeper {
    /// With the services to begin with: those of the own file, else those of the configuration that
    /// was in force last, else none.
    ///
    /// # Errors
    /// When the own settings are wrong, or what was kept cannot be read. A kept configuration that
    /// does not work any more is no error: it is told to the server, which may send another.
    pub(crate) fn open(
        config: &ConnectorConfig,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<(Self, Services), StartError> {
        let own = Offered::from(config).is_something().then(|| config.clone());
        let keeper = Self {
            directory: config.directory.clone(),
            pair: SealingPair::open(&config.directory).map_err(StartError::Identity)?,
            surroundings,
            started: now(),
            state: Mutex::default(),
            services: watch::Sender::new(Services::default()),
            own,
        };
        let begin = match &keeper.own {
            Some(own) => services(&Offered::from(own))?,
            None => keeper.begin()?,
        };
        keeper.services.send_replace(begin.clone());
        Ok((keeper, begin))
    }

    /// What is served, as that changes.
    pub(crate) fn services(&self) -> watch::Receiver<Services> {
        self.services.subscribe()
    }

    fn begin(&self) -> Result<Services, StartError> {
        let kept = Configuration::kept(&self.directory).map_err(StartError::Identity)?;
        let Some(kept) = kept else {
            info!("nothing to serve yet: waiting for a configuration from the server");
            return Ok(Services::default());
        };
        let version = kept.version;
        match self.opened(kept) {
            Ok((in_force, services)) => {
                info!(version, "serving by the server's last configuration");
                self.state().in_force = Some(Arc::new(in_force));
                Ok(services)
            }
            Err(problem) => {
                let reason = problem.to_string();
                error!(version, reason, "the server's last configuration does not work any more");
                self.state().refused = Some(RefusedConfiguration { version, reason });
                Ok(Services::default())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a configuration means.
    fn opened(
        &self,
        configuration: Configuration,
    ) -> Result<(InForce, Services), WrongConfiguration> {
        let Configuration { version, text, sealed } = configuration;
        let table = put_back(&text, &self.pair.unseal(&sealed, &text)?)?;
        let table = self.surroundings.read_indirect(table).map_err(WrongConfiguration::Form)?;
        let secrets = secrets_in(&table);
        let config = services_of(table)?;
        let services = services(&Offered::from(&config))?;
        Ok((InForce { version, text, config, secrets }, services))
    }

    fn take(&self, configuration: Configuration) -> Result<Services, WrongConfiguration> {
        if self.own.is_some() {
            return Err(WrongConfiguration::Form(
                "the connector's own file says what it serves; take [mail], [sieve], [dav], \
                 [people], [address_list] and [address_book] out of it and restart the connector, and this holds"
                    .into(),
            ));
        }
        let (in_force, services) = self.opened(configuration.clone())?;
        configuration.keep(&self.directory)?;
        let mut state = self.state();
        state.in_force = Some(Arc::new(in_force));
        state.refused = None;
        Ok(services)
    }

    /// In words.
    fn told(&self) -> String {
        let state = self.state();
        let source = match (&self.own, &state.in_force) {
            (Some(_), _) => "by its own file".to_owned(),
            (None, Some(one)) => format!("by version {} from the server", one.version),
            (None, None) => "nothing: it waits for a configuration from the server".to_owned(),
        };
        match &state.refused {
            None => source,
            Some(one) => format!("{source}; version {} was refused: {}", one.version, one.reason),
        }
    }
}

#[async_trait]
impl Upkeep for Keeper {
    fn report(&self) -> ConfigurationReport {
        let state = self.state();
        ConfigurationReport {
            key: self.pair.key().clone(),
            in_force: state.in_force.as_ref().map(|one| one.version),
            refused: state.refused.clone(),
            // The link adds what it keeps to.
            link_times: None,
        }
    }

    async fn configure(&self, configuration: Configuration) -> Option<Services> {
        let version = configuration.version;
        let is_it = |one: &Arc<InForce>| one.version == version && one.text == configuration.text;
        if self.state().in_force.as_ref().is_some_and(is_it) {
            return None;
        }
        match self.take(configuration) {
            Ok(services) => {
                self.services.send_replace(services.clone());
                Some(services)
            }
            Err(problem) => {
                let reason = problem.to_string();
                warn!(version, reason, "configuration refused; the former stays in force");
                self.state().refused = Some(RefusedConfiguration { version, reason });
                None
            }
        }
    }

    async fn diagnose(&self) -> Diagnosis {
        let in_force = self.state().in_force.clone();
        let offered = match (&self.own, &in_force) {
            (Some(own), _) => Offered::from(own),
            (None, Some(one)) => Offered::from(&one.config),
            (None, None) => Offered::default(),
        };
        let settings = self.surroundings.settings();
        let mut secrets = self.surroundings.secrets();
        secrets.extend(in_force.iter().flat_map(|one| one.secrets.iter().cloned()));
        let diagnosis = Diagnosis {
            taken: now(),
            software: env!("CARGO_PKG_VERSION").into(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            started: self.started,
            configuration: self.told(),
            settings: hidden(settings),
            pushed: in_force.as_ref().map(|one| one.text.clone()),
            checks: self.surroundings.check(offered).await,
            log: self.surroundings.recent_log(),
        };
        redacted(diagnosis, &secrets)
    }
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).as_seconds()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{read, seal};

    /// A process that has nothing to lend.
    struct Bare;

    #[async_trait]
    impl Surroundings for Bare {
        fn read_indirect(&self, table: Table) -> Result<Table, String> {
            Ok(table)
        }

        fn settings(&self) -> Table {
            Table::new()
        }

        fn secrets(&self) -> Vec<Secret> {
            Vec::new()
        }

        async fn check(&self, _: Offered<'_>) -> Vec<Check> {
            Vec::new()
        }

        fn recent_log(&self) -> Vec<String> {
            Vec::new()
        }
    }

    fn keeper(text: &str, dir: &std::path::Path) -> (Keeper, Services) {
        let own: ConnectorConfig =
            toml::from_str(&format!("directory = {:?}\n{text}", dir.display())).unwrap();
        Keeper::open(&own, Arc::new(Bare)).unwrap()
    }

    fn people(keeper: &Keeper, dir: &std::path::Path, version: u64) -> Configuration {
        let file = dir.join("people.toml");
        std::fs::write(&file, "realm = \"example.org\"\n").unwrap();
        let text = format!("[people.file]\nrealm = \"example.org\"\npath = {file:?}");
        let sealed = seal(read(&text).unwrap(), keeper.pair.key()).unwrap();
        Configuration { version, text: sealed.text, sealed: sealed.sealed }
    }

    #[tokio::test]
    async fn what_was_in_force_last_holds_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (before, nothing) = keeper("", dir.path());
        assert!(nothing.directory.is_none());
        let wanted = people(&before, dir.path(), 4);
        let services = before.configure(wanted.clone()).await.unwrap();
        assert!(services.directory.is_some());
        assert!(before.configure(wanted).await.is_none(), "it is in force already");
        assert_eq!(before.report().in_force, Some(4));

        let (after, services) = keeper("", dir.path());
        assert!(services.directory.is_some());
        assert_eq!((after.report().in_force, after.report().refused), (Some(4), None));
    }

    #[tokio::test]
    async fn a_refused_one_leaves_the_former_and_one_that_broke_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (before, _) = keeper("", dir.path());
        before.configure(people(&before, dir.path(), 1)).await.unwrap();
        let tampered = people(&before, dir.path(), 2);
        let text = tampered.text.replace("example.org", "example.net");
        assert!(before.configure(Configuration { text, ..tampered }).await.is_none());
        let report = before.report();
        assert_eq!((report.in_force, report.refused.unwrap().version), (Some(1), 2));

        std::fs::remove_file(dir.path().join("people.toml")).unwrap();
        let (after, services) = keeper("", dir.path());
        assert!(services.directory.is_none());
        assert_eq!(after.report().in_force, None);
        assert_eq!(after.report().refused.unwrap().version, 1);
    }

    #[tokio::test]
    async fn its_own_file_goes_before_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own.toml");
        std::fs::write(&own, "realm = \"example.org\"\n").unwrap();
        let text = format!("[people.file]\nrealm = \"example.org\"\npath = {own:?}");
        let (keeper, services) = keeper(&text, dir.path());
        assert!(services.directory.is_some());
        assert!(keeper.configure(people(&keeper, dir.path(), 1)).await.is_none());
        let reason = keeper.report().refused.unwrap().reason;
        assert!(reason.contains("own file"), "{reason}");
        assert!(keeper.diagnose().await.configuration.starts_with("by its own file"));
    }
}
