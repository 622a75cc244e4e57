//! Signing in with the account for emergencies.

use crate::principal::{Origin, Principal, Role};
use crate::{Console, Refusal, api};
use dme_model::Secret;
use dme_server::emergency::{NotLetIn, NotMade};
use dme_server::notices;
use dme_server::records::audit::changed;
use dme_store::EmergencyAccount;
use std::net::IpAddr;

impl Console {
    /// The account for emergencies, where its name was typed.
    pub(super) async fn emergency_named(
        &self,
        login: &str,
    ) -> Result<Option<EmergencyAccount>, Refusal> {
        let account = self.front.emergency.account().await?;
        Ok(account.filter(|account| login.trim().eq_ignore_ascii_case(&account.name)))
    }

    /// Whoever knows the password of the account for emergencies; else why it is nobody, as a text's
    /// name. The administrators hear of it.
    pub(super) async fn by_emergency(
        &self,
        account: &EmergencyAccount,
        password: &Secret,
        client: IpAddr,
    ) -> Result<Principal, &'static str> {
        self.is_emergency_password(account, password, client).await?;
        tracing::warn!(%client, "somebody signed in with the account for emergencies");
        notices::emergency_used(self.front.clone(), client.to_string());
        Ok(Principal {
            name: format!("emergency account {}", account.name),
            user: None,
            origin: Origin::Emergency,
            roles: vec![Role::Administrator],
            limited_to: None,
        })
    }

    /// Whether this is its password; else why not, as a text's name.
    pub(super) async fn is_emergency_password(
        &self,
        account: &EmergencyAccount,
        password: &Secret,
        client: IpAddr,
    ) -> Result<(), &'static str> {
        match self.front.emergency.check(account, password, client).await {
            Ok(()) => Ok(()),
            Err(NotLetIn::Wrong) => Err("wrong-password"),
            Err(NotLetIn::TooMany(_)) => Err("too-many"),
            Err(NotLetIn::Store(error)) => {
                tracing::error!(%error, "the account for emergencies cannot be used");
                Err("directory-away")
            }
        }
    }

    /// The account for emergencies, without its password.
    pub(crate) async fn emergency(&self) -> Result<api::Emergency, Refusal> {
        let account = self.front.store.emergency_account().await?;
        let now = (self.front.clock)();
        Ok(api::Emergency {
            account: account.map(|account| api::EmergencyAccount {
                ended: now >= account.ends,
                name: account.name,
                made: account.made.as_seconds(),
                ends: account.ends.as_seconds(),
                used: account.used.as_ref().map(|(at, _)| at.as_seconds()),
                client: account.used.map(|(_, client)| client),
            }),
        })
    }

    /// Makes it.
    pub(crate) async fn make_emergency(
        &self,
        new: api::NewEmergency,
    ) -> Result<api::MadeEmergency, Refusal> {
        let chosen = new.password.map(Secret::new);
        let made = self.front.emergency.make(&new.name, new.days, chosen).await;
        let password = made.map_err(|why| match why {
            NotMade::Store(error) => error.into(),
            NotMade::Hash(_) => Refusal::failed(why),
            why => Refusal::bad(why.to_string()),
        })?;
        self.sessions.end_emergency();
        changed("emergency_account", None, Some(new.name.clone()));
        Ok(api::MadeEmergency { name: new.name, password: password.expose().to_owned() })
    }

    /// Takes it away; whoever is signed in with it is so no longer.
    pub(crate) async fn remove_emergency(&self) -> Result<api::Done, Refusal> {
        if !self.front.emergency.remove().await? {
            return Err(Refusal::lacks("no-emergency-account", ""));
        }
        self.sessions.end_emergency();
        changed("emergency_account", Some("there".into()), None);
        Ok(api::Done {})
    }
}
