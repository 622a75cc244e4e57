//! Terms of use: what is to be accepted, by whom it was, and which devices wait for it.

use super::Own;
use crate::front::Front;
use dme_model::UserId;
use dme_store::{Acceptance, Admission, Terms};
use dme_sync::DeviceKey;
use std::net::IpAddr;

impl Own {
    /// The terms a user has yet to accept.
    ///
    /// # Errors
    /// The store's.
    pub async fn pending_terms(&self, user: &UserId) -> dme_store::Result<Option<Terms>> {
        let Some(terms) = self.store.terms().await?.filter(|terms| !terms.text.is_empty()) else {
            return Ok(None);
        };
        let accepted = self.store.accepted_by(user).await?;
        let has = accepted.iter().any(|one| one.version == terms.version);
        Ok((!has).then_some(terms))
    }

    /// Whether a new device waits until its user has accepted the terms.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn holds_newcomers(&self, user: &UserId) -> dme_store::Result<bool> {
        Ok(self.config.terms_before_mail && self.pending_terms(user).await?.is_some())
    }
}

impl Front {
    /// Records that a user accepted a version, and lets in the devices that waited for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn accept_terms(
        &self,
        user: &UserId,
        version: i64,
        client: IpAddr,
    ) -> dme_store::Result<()> {
        let acceptance = Acceptance {
            user: user.clone(),
            version,
            accepted: (self.clock)(),
            client: client.to_string(),
        };
        self.store.accept_terms(&acceptance).await?;
        tracing::info!(%user, version, %client, "terms accepted");
        for device in self.store.held_for_terms(user).await? {
            let key = DeviceKey { user: user.clone(), device };
            let known = self.store.device(&key).await?;
            // An administrator may have decided otherwise meanwhile.
            if known.is_some_and(|known| known.admission == Admission::Quarantined) {
                let now = (self.clock)();
                self.admissions.set(&key, Admission::Allowed, user.as_str(), now).await?;
                self.parking.end_device(&key);
            }
            self.store.release_from_terms(&key).await?;
        }
        Ok(())
    }
}
