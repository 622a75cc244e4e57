//! The service: reads a user's scripts, decides, does.

use crate::config::SieveConfig;
use crate::error::{ConfigError, WireError};
use crate::plan::{Refusal, Scripts, Step};
use crate::script::rule::Answering;
use crate::script::{NAME, note_of};
use crate::session::{Session, Way};
use async_trait::async_trait;
use dme_dial::{Auth, Login, LoginName};
use dme_mailbox::{
    Account, CallContext, Error, ErrorKind, Result, VacationService, check_vacation,
};
use dme_model::Vacation;
use tokio::time::Instant;

/// Out-of-office messages on a ManageSieve server.
pub struct SieveVacations {
    pub(crate) way: Way,
    auth: Auth,
    login: LoginName,
    pub(crate) config: SieveConfig,
}

impl SieveVacations {
    /// A server as configured, where users log in as they do to the mail system it belongs to.
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(
        config: SieveConfig,
        auth: Auth,
        login: LoginName,
    ) -> std::result::Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { way: Way::new(&config)?, auth, login, config })
    }

    pub(crate) async fn session(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> Result<Session> {
        let login = Login::new(&self.auth, self.login, account)?;
        let deadline = Instant::from_std(context.deadline);
        self.way.session(&login, deadline).await.map_err(|error| error.told("connect and log in"))
    }

    /// The domains of colleagues.
    pub(crate) fn domains(&self, account: &Account) -> Vec<String> {
        if !self.config.domains.is_empty() {
            return self.config.domains.clone();
        }
        let own = account.address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        own.into_iter().collect()
    }
}

/// What a user's scripts are read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// To tell what is set: where our script is the active one, it alone says so.
    Telling,
    /// To write them.
    Writing,
}

/// Reads what matters of a user's scripts.
async fn read(session: &mut Session, purpose: Purpose) -> std::result::Result<Scripts, WireError> {
    let listed = session.list_scripts().await?;
    let is_listed = |name: &str| listed.iter().any(|(listed, _)| listed == name);
    let active = listed.iter().find(|(_, active)| *active).map(|(name, _)| name.clone());
    let ours = match is_listed(NAME) {
        true => Some(session.get_script(NAME).await?),
        false => None,
    };
    let own = match active.as_deref() {
        Some(NAME) if purpose == Purpose::Telling => None,
        Some(NAME) => {
            let note = ours.as_deref().and_then(note_of);
            note.and_then(|(note, _)| note.own).filter(|own| own != NAME && is_listed(own))
        }
        active => active.map(str::to_owned),
    };
    let own = match own {
        Some(name) => {
            let script = session.get_script(&name).await?;
            Some((name, script))
        }
        None => None,
    };
    Ok(Scripts { active, ours, own })
}

fn refused(refusal: Refusal) -> Error {
    let kind = match refusal {
        Refusal::OwnRule | Refusal::NotOurs => ErrorKind::Forbidden,
        Refusal::NoVacation | Refusal::NoDate => ErrorKind::Unsupported,
    };
    Error::new(kind, format!("sieve: {}", refusal.words()))
}

#[async_trait]
impl VacationService for SieveVacations {
    async fn vacation(&self, account: &Account, context: &CallContext) -> Result<Vacation> {
        let mut session = self.session(account, context).await?;
        let scripts = read(&mut session, Purpose::Telling).await;
        let scripts = scripts.map_err(|error| error.told("read the scripts"))?;
        session.log_out().await;
        Ok(scripts.vacation())
    }

    async fn set_vacation(
        &self,
        account: &Account,
        addresses: &[String],
        vacation: &Vacation,
        context: &CallContext,
    ) -> Result<()> {
        check_vacation(vacation)?;
        let mut session = self.session(account, context).await?;
        let told = |error: WireError| error.told("read the scripts");
        let scripts = read(&mut session, Purpose::Writing).await.map_err(told)?;
        let can = session.capabilities().await.map_err(told)?.abilities();
        let domains = self.domains(account);
        let interval = self.config.interval.0;
        let answering = Answering { domains: &domains, addresses, interval };
        let plan = scripts.plan(vacation, &answering, can).map_err(refused)?;
        for step in plan.steps {
            let done = match &step {
                Step::Put(name, script) => session.put_script(name, script).await,
                Step::Activate(name) => session.set_active(name.as_deref()).await,
            };
            done.map_err(|error| error.told("write the scripts"))?;
        }
        session.log_out().await;
        plan.complaint.map_or(Ok(()), |complaint| Err(refused(complaint)))
    }
}
