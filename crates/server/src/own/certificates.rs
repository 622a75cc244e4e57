//! Certificates for one device each: the stronger choice, since nothing that could be typed, guessed
//! or read over somebody's shoulder lets a phone in.
//!
//! The server makes key and certificate and gives both away once. What it keeps is the fingerprint
//! of the key, by which it knows whose a certificate is and whether it is still good: nothing that
//! stands in a certificate is believed. It is asked of the record at every request, so that one that
//! is taken back is of no use from the next on, also over a connection that is open.

use super::Own;
use super::opening::{Opening, Unopened};
use crate::config::{DeviceCertificates, DevicePasswords};
use crate::front::Front;
use crate::records::{EventKind, Happened};
use dme_directory::{Admission, Login, Refusal};
use dme_link::{DeviceIdentity, Fingerprint};
use dme_mailbox::Credentials;
use dme_model::{DeviceId, Secret, Timestamp, UserId};
use dme_store::{DeviceCertificate, NewCertificate};
use std::future::ready;

/// The certificate that whoever asks has shown, with the proof that they have its key. An extension
/// of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownCertificate(pub Fingerprint);

/// A certificate that was just made, with its key: given away once.
pub struct MadeCertificate {
    /// Its number.
    pub number: i64,
    /// It, its key and how long it holds.
    pub identity: DeviceIdentity,
}

/// Why a user cannot have a certificate for a device.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// The realm does not let them.
    #[error("certificates for devices are switched off here")]
    Off,
    /// A phone would get nowhere with it.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// There are enough.
    #[error("you have {0} device certificates, which is as many as allowed: take one back first")]
    TooMany(u32),
    /// It cannot be made.
    #[error(transparent)]
    Unmade(#[from] dme_link::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

/// Why a phone is refused for its certificate's sake, which no password mends; or that it cannot be
/// told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateRefusal {
    #[error("a certificate is needed, and the device showed none")]
    Missing,
    #[error("the server did not make the certificate, or has long forgotten it")]
    Unknown,
    #[error("certificate {1} of {0} was taken back")]
    Revoked(UserId, i64),
    #[error("certificate {1} of {0} has ended")]
    Ended(UserId, i64),
    #[error("certificate {1} of {0} is another device's")]
    OtherDevice(UserId, i64),
    #[error("certificate {1} is of {0}, and another user logged in with it")]
    OtherUser(UserId, i64),
    /// The store failed: no fault of the phone's.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

impl CertificateRefusal {
    /// Whose the certificate is.
    pub(crate) const fn owner(&self) -> Option<&UserId> {
        match self {
            Self::Missing | Self::Unknown | Self::Store(_) => None,
            Self::Revoked(user, _)
            | Self::Ended(user, _)
            | Self::OtherDevice(user, _)
            | Self::OtherUser(user, _) => Some(user),
        }
    }
}

impl Own {
    /// The certificates a user has, but those that were taken back.
    ///
    /// # Errors
    /// The store's.
    pub async fn certificates(&self, user: &UserId) -> dme_store::Result<Vec<DeviceCertificate>> {
        self.store.device_certificates(user).await
    }

    /// Whether a phone that shows a certificate gets anywhere, as the user's mailboxes open.
    ///
    /// # Errors
    /// Why not.
    pub fn may_have_certificates(
        &self,
        user: &UserId,
        opening: &Result<Opening, Unopened>,
    ) -> Result<(), NoCertificate> {
        if self.certificates_are_alone(user)? {
            opening.as_ref().map_err(Unopened::clone)?.without_password()?;
        }
        Ok(())
    }

    /// Whether a phone of the user's that shows a certificate has no password of theirs beside it.
    fn certificates_are_alone(&self, user: &UserId) -> Result<bool, NoCertificate> {
        match self.device_certificates_of(user) {
            DeviceCertificates::Off => Err(NoCertificate::Off),
            DeviceCertificates::WithPassword => {
                Ok(self.device_passwords_of(user) == DevicePasswords::Required)
            }
            DeviceCertificates::Allowed | DeviceCertificates::Required => Ok(true),
        }
    }

    /// Whether a certificate ends so soon that its user is told.
    pub fn ends_soon(&self, certificate: &DeviceCertificate, now: Timestamp) -> bool {
        now.plus(self.certificates.notice.0) >= certificate.ends
    }

    /// What is known of a shown certificate, where it is good for this device.
    async fn certified(
        &self,
        shown: Fingerprint,
        device: Option<&DeviceId>,
    ) -> Result<DeviceCertificate, CertificateRefusal> {
        let known = self.store.device_certificate(&shown.to_string()).await?;
        let known = known.ok_or(CertificateRefusal::Unknown)?;
        let (user, number) = (known.user.clone(), known.number);
        match (&known.device, device) {
            _ if known.revoked.is_some() => Err(CertificateRefusal::Revoked(user, number)),
            _ if (self.clock)() >= known.ends => Err(CertificateRefusal::Ended(user, number)),
            (Some((bound, _)), Some(device)) if bound != device => {
                Err(CertificateRefusal::OtherDevice(user, number))
            }
            _ => Ok(known),
        }
    }

    async fn certify(&self, user: &UserId, label: &str) -> Result<MadeCertificate, NoCertificate> {
        let authority = self.authority.as_ref().ok_or(NoCertificate::Off)?;
        let identity = authority.device_identity(user.as_str(), self.certificates.life.0)?;
        let new = NewCertificate {
            fingerprint: identity.fingerprint.to_string(),
            serial: identity.serial.clone(),
            label: label.to_owned(),
            made: (self.clock)(),
            ends: Timestamp::from_seconds(identity.validity.ends),
        };
        let limit = self.per_user;
        match self.store.put_device_certificate(user, new, limit).await? {
            Some(number) => Ok(MadeCertificate { number, identity }),
            None => Err(NoCertificate::TooMany(limit)),
        }
    }
}

impl Front {
    /// Makes a certificate for one device of a user.
    ///
    /// # Errors
    /// Why there can be none.
    pub async fn make_device_certificate(
        &self,
        user: &UserId,
        label: &str,
    ) -> Result<MadeCertificate, NoCertificate> {
        self.may_have_device_certificates(user).await?;
        let made = self.own.certify(user, label).await?;
        let (number, serial) = (made.number, &made.identity.serial);
        tracing::info!(%user, number, serial, "a certificate for a device was made");
        let words = format!("certificate {number} was made for a device, {label}");
        let happened = Happened::new(EventKind::CertificateMade, words).user(user);
        self.events.note(happened.detail("serial", serial));
        Ok(made)
    }

    /// Whether a phone that shows a certificate gets anywhere; connectors are asked only where it
    /// matters.
    ///
    /// # Errors
    /// Why not.
    pub async fn may_have_device_certificates(&self, user: &UserId) -> Result<(), NoCertificate> {
        if self.own.certificates_are_alone(user)? {
            self.opening(user).await?.without_password()?;
        }
        Ok(())
    }

    /// Takes a certificate back: whoever shows it is refused from the next request on, and does not
    /// wait any longer.
    ///
    /// # Errors
    /// Where there is none of this number, or the store's.
    pub async fn revoke_device_certificate(
        &self,
        user: &UserId,
        number: i64,
    ) -> dme_store::Result<()> {
        self.store.revoke_device_certificate(user, number, (self.clock)()).await?;
        self.parking.end_user(user);
        tracing::info!(%user, number, "a certificate for a device was taken back");
        let words = format!("certificate {number} of a device was taken back");
        self.events.note(Happened::new(EventKind::CertificateRevoked, words).user(user));
        Ok(())
    }

    /// The certificate that is shown, where it counts; refused where the realm of the login wants one
    /// and there is none. Without a login it is asked in the name of the certificate's owner.
    pub(crate) async fn certificate_shown(
        &self,
        shown: Option<Fingerprint>,
        login: Option<&Login>,
        device: Option<&DeviceId>,
    ) -> Result<Option<DeviceCertificate>, CertificateRefusal> {
        let realms = self.gate.realms();
        let user = login.and_then(|login| realms.resolve(login).ok());
        // A login may be another name of somebody, in a domain that is no realm's own.
        let says = user.map(|user| self.own.for_devices_in(realms.realm_of(&user)).certificates);
        match (shown, says) {
            (_, Some(DeviceCertificates::Off)) => Ok(None),
            (Some(shown), _) => self.own.certified(shown, device).await.map(Some),
            (None, Some(says)) if says.are_required() => Err(CertificateRefusal::Missing),
            (None, _) => Ok(None),
        }
    }

    /// Whether whoever has a good certificate may in, with a password where the realm wants one
    /// besides. The device that is let in is the only one from then on.
    pub(crate) async fn admit_certified(
        &self,
        certificate: &DeviceCertificate,
        login: &Login,
        password: Option<&Secret>,
        device: Option<&DeviceId>,
    ) -> Result<(Admission, Credentials), CertificateRefusal> {
        let owner = &certificate.user;
        let (admission, credentials) = match self.own.device_certificates_of(owner).suffice() {
            true => {
                let shown = Secret::new(format!("certificate {}", certificate.serial));
                let owned = ready(Ok::<_, dme_store::Error>(Some(owner.clone())));
                (self.gate.admit_shown(login, &shown, device, owned).await, Credentials::None)
            }
            false => match password {
                Some(password) => self.admit_phone(login, password, device).await,
                None => (Admission::Refused(Refusal::WrongPassword), Credentials::None),
            },
        };
        self.bind_certificate(certificate, &admission, device).await?;
        Ok((admission, credentials))
    }

    /// Binds a certificate to the device that is let in with it, unless it is another's.
    pub(crate) async fn bind_certificate(
        &self,
        certificate: &DeviceCertificate,
        admission: &Admission,
        device: Option<&DeviceId>,
    ) -> Result<(), CertificateRefusal> {
        let Admission::Admitted { who, .. } = admission else { return Ok(()) };
        let (owner, number) = (&certificate.user, certificate.number);
        if who.person.user != *owner {
            return Err(CertificateRefusal::OtherUser(owner.clone(), number));
        }
        let now = (self.clock)();
        match device {
            Some(device)
                if !self.store.bind_device_certificate(certificate, device, now).await? =>
            {
                Err(CertificateRefusal::OtherDevice(owner.clone(), number))
            }
            _ => Ok(()),
        }
    }
}
