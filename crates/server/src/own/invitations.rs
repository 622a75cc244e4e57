//! Links to add a device with, so that nobody signs in on a phone to set it up. A link holds for
//! some minutes and is used once.

use super::Own;
use super::secret::{hash, link};
use dme_model::{Secret, UserId};
use dme_store::Invitation;

/// What a device that is added by a link is given of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// A password.
    pub password: bool,
    /// A certificate.
    pub certificate: bool,
}

impl Own {
    /// Makes leave for a user to add a device: the secret of its link, shown once.
    ///
    /// # Errors
    /// The store's.
    pub async fn invite(
        &self,
        user: &UserId,
        label: &str,
        given: Given,
    ) -> dme_store::Result<Secret> {
        let (secret, now) = (link(), (self.clock)());
        let invitation = Invitation {
            user: user.clone(),
            label: label.to_owned(),
            with_password: given.password,
            with_certificate: given.certificate,
            expires: now.plus(self.config.link_life.0),
        };
        self.store.put_invitation(&hash(secret.expose()), &invitation, now).await?;
        Ok(secret)
    }

    /// What a link is for, while it holds.
    ///
    /// # Errors
    /// The store's.
    pub async fn invitation(&self, secret: &Secret) -> dme_store::Result<Option<Invitation>> {
        self.store.invitation(&hash(secret.expose()), (self.clock)(), false).await
    }

    /// Uses a link up.
    ///
    /// # Errors
    /// The store's.
    pub async fn use_invitation(&self, secret: &Secret) -> dme_store::Result<Option<Invitation>> {
        self.store.invitation(&hash(secret.expose()), (self.clock)(), true).await
    }
}
