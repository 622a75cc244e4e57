//! Certificates for one device each: one's own, and those of users as administrators see them.

use super::own::{label, oneself};
use crate::my::pkcs12;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_model::{Secret, UserId};
use dme_server::own::{MadeCertificate, NoCertificate, Unopened, file_password};
use dme_store::DeviceCertificate;
use http::StatusCode;
use x509_parser::pem::parse_x509_pem;

/// A certificate and its key as devices take them in.
pub(crate) struct Packed {
    pub made: MadeCertificate,
    /// PKCS #12.
    pub file: Vec<u8>,
    /// Of the file.
    pub password: Secret,
}

impl From<NoCertificate> for Refusal {
    fn from(why: NoCertificate) -> Self {
        let words = why.to_string();
        match why {
            NoCertificate::Store(error) => error.into(),
            NoCertificate::Unmade(error) => Self::failed(error),
            NoCertificate::Off => {
                Self::new(StatusCode::CONFLICT, words).said("my-certificates-off", "")
            }
            NoCertificate::Unopened(why) => why.into(),
            NoCertificate::TooMany(limit) => {
                let refusal = Self::new(StatusCode::CONFLICT, words);
                refusal.said("my-certificates-many", limit.to_string())
            }
        }
    }
}

impl From<Unopened> for Refusal {
    fn from(why: Unopened) -> Self {
        let words = why.to_string();
        match why {
            Unopened::Needed { .. } => {
                Self::new(StatusCode::CONFLICT, words).said("my-passwords-needed", "")
            }
            Unopened::Unclear(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, words).said("my-unclear", "")
            }
        }
    }
}

impl Console {
    pub(crate) async fn own_certificates(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        self.certificates_of_user(oneself(principal)?).await
    }

    pub(super) async fn certificates_of_user(
        &self,
        user: &UserId,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        let certificates = self.front.own.certificates(user).await?;
        Ok(certificates.into_iter().map(|one| self.told_certificate(one)).collect())
    }

    pub(crate) async fn make_own_certificate(
        &self,
        principal: &Principal,
        new: &api::Label,
    ) -> Result<api::MadeCertificate, Refusal> {
        let user = oneself(principal)?;
        let Packed { made, file, password } = self.make_certificate_for(user, &new.label).await?;
        Ok(api::MadeCertificate {
            number: made.number,
            serial: made.identity.serial,
            user: user.to_string(),
            ends: made.identity.validity.ends,
            file: STANDARD.encode(file),
            password: password.expose().to_owned(),
        })
    }

    /// Makes one and packs it under a password that is made for the file.
    pub(crate) async fn make_certificate_for(
        &self,
        user: &UserId,
        name: &str,
    ) -> Result<Packed, Refusal> {
        let name = label(name)?;
        let made = self.front.make_device_certificate(user, &name).await?;
        let (_, key) = parse_x509_pem(made.identity.key.expose().as_bytes())
            .map_err(|_| Refusal::failed("the key that was made cannot be read"))?;
        let password = file_password();
        let certificate = &made.identity.certificate;
        let file = pkcs12::pack(certificate, &key.contents, &name, password.expose())?;
        Ok(Packed { made, file, password })
    }

    pub(crate) async fn revoke_own_certificate(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        self.revoke_certificate_of(oneself(principal)?, number).await
    }

    pub(crate) async fn list_certificates(
        &self,
        user: &str,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        self.certificates_of_user(&self.meant(user).await?).await
    }

    pub(crate) async fn revoke_certificate(
        &self,
        user: &str,
        number: &str,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        self.revoke_certificate_of(&self.meant(user).await?, number).await
    }

    async fn revoke_certificate_of(
        &self,
        user: &UserId,
        number: &str,
    ) -> Result<Vec<api::DeviceCertificate>, Refusal> {
        let missing = || Refusal::lacks("no-certificate", number);
        let number: i64 = number.parse().map_err(|_| missing())?;
        self.front.revoke_device_certificate(user, number).await?;
        self.certificates_of_user(user).await
    }

    fn told_certificate(&self, certificate: DeviceCertificate) -> api::DeviceCertificate {
        let now = (self.front.clock)();
        let state = match self.front.own.ends_soon(&certificate, now) {
            _ if now >= certificate.ends => "ended",
            true => "ends_soon",
            false => "good",
        };
        api::DeviceCertificate {
            number: certificate.number,
            serial: certificate.serial,
            label: certificate.label,
            made: certificate.made.as_seconds(),
            ends: certificate.ends.as_seconds(),
            state: state.to_owned(),
            device: certificate.device.map(|(device, _)| device.to_string()),
        }
    }
}
