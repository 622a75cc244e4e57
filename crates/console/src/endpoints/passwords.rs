//! Passwords for one device each: one's own, and those of users as administrators see them.

use super::own::{label, oneself};
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_model::UserId;
use dme_server::own::NoDevicePasswords;
use dme_store::DevicePassword;
use http::StatusCode;

impl From<NoDevicePasswords> for Refusal {
    fn from(why: NoDevicePasswords) -> Self {
        let (status, words) = (StatusCode::CONFLICT, why.to_string());
        match why {
            NoDevicePasswords::Store(error) => error.into(),
            NoDevicePasswords::Unopened(why) => why.into(),
            NoDevicePasswords::Unmade => Self::failed(words),
            NoDevicePasswords::Off => Self::new(status, words).said("my-passwords-off", ""),
            NoDevicePasswords::TooMany(limit) => {
                Self::new(status, words).said("my-passwords-many", limit.to_string())
            }
        }
    }
}

impl Console {
    pub(crate) async fn own_passwords(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        self.passwords_of_user(oneself(principal)?).await
    }

    pub(super) async fn passwords_of_user(
        &self,
        user: &UserId,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        let passwords = self.front.own.passwords(user).await?;
        Ok(passwords.into_iter().map(told).collect())
    }

    pub(crate) async fn make_own_password(
        &self,
        principal: &Principal,
        new: &api::Label,
    ) -> Result<api::MadePassword, Refusal> {
        self.make_password_for(oneself(principal)?, &new.label).await
    }

    pub(crate) async fn make_password_for(
        &self,
        user: &UserId,
        name: &str,
    ) -> Result<api::MadePassword, Refusal> {
        let made = self.front.make_device_password(user, &label(name)?).await?;
        let password = made.password.expose().to_owned();
        Ok(api::MadePassword { number: made.number, user: user.to_string(), password })
    }

    pub(crate) async fn revoke_own_password(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        self.revoke_password_of(oneself(principal)?, number).await
    }

    pub(crate) async fn list_passwords(
        &self,
        user: &str,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        self.passwords_of_user(&self.meant(user).await?).await
    }

    pub(crate) async fn revoke_password(
        &self,
        user: &str,
        number: &str,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        self.revoke_password_of(&self.meant(user).await?, number).await
    }

    async fn revoke_password_of(
        &self,
        user: &UserId,
        number: &str,
    ) -> Result<Vec<api::DevicePassword>, Refusal> {
        let missing = || Refusal::lacks("no-password", number);
        let number: i64 = number.parse().map_err(|_| missing())?;
        self.front.own.revoke_password(user, number).await?;
        // A phone that waits comes back at once, and is asked.
        self.front.parking.end_user(user);
        tracing::info!(%user, number, "a password for a device was taken back");
        self.passwords_of_user(user).await
    }
}

fn told(password: DevicePassword) -> api::DevicePassword {
    api::DevicePassword {
        number: password.number,
        label: password.label,
        made: password.made.as_seconds(),
        device: password.device.map(|(device, _)| device.to_string()),
    }
}
