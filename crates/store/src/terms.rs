//! Terms of use: each version that was published, and who accepted which.

use crate::session::{Row, values};
use crate::{Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;

/// One version of the terms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Counts them from 1.
    pub version: i64,
    /// What users read; plain text. Empty where nothing is to be accepted any more.
    pub text: String,
    /// When it was published.
    pub published: Timestamp,
    /// By whom.
    pub publisher: String,
}

/// That somebody accepted a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// Who.
    pub user: UserId,
    /// Which.
    pub version: i64,
    /// When.
    pub accepted: Timestamp,
    /// From which address.
    pub client: String,
}

const NEWEST: &str = "SELECT version, text, published, publisher FROM terms \
     ORDER BY version DESC LIMIT 1";
const ALL: &str = "SELECT version, text, published, publisher FROM terms ORDER BY version";
const PUBLISH: &str = "INSERT INTO terms (version, text, published, publisher) \
     VALUES ($1, $2, $3, $4)";
const ACCEPT: &str = "INSERT INTO terms_accepted (user_id, version, accepted, client) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, version) DO NOTHING";
const ACCEPTED_BY: &str = "SELECT user_id, version, accepted, client FROM terms_accepted \
     WHERE user_id = $1 ORDER BY version";
const ACCEPTED: &str = "SELECT user_id, version, accepted, client FROM terms_accepted \
     WHERE version = $1 ORDER BY user_id";
const HOLD: &str = "INSERT INTO terms_hold (user_id, device_id) VALUES ($1, $2) \
     ON CONFLICT (user_id, device_id) DO NOTHING";
const HELD: &str = "SELECT device_id FROM terms_hold WHERE user_id = $1 ORDER BY device_id";
const RELEASE: &str = "DELETE FROM terms_hold WHERE user_id = $1 AND device_id = $2";

fn terms(row: &Row<'_>) -> Result<Terms> {
    Ok(Terms {
        version: row.get(0)?,
        text: row.get(1)?,
        published: row.get(2)?,
        publisher: row.get(3)?,
    })
}

fn acceptance(row: &Row<'_>) -> Result<Acceptance> {
    Ok(Acceptance {
        user: UserId::from(row.get::<String>(0)?),
        version: row.get(1)?,
        accepted: row.get(2)?,
        client: row.get(3)?,
    })
}

impl Store {
    /// The terms that hold; none where none were ever published.
    ///
    /// # Errors
    /// The database's.
    pub async fn terms(&self) -> Result<Option<Terms>> {
        self.look_up(|session| session.query_optional(NEWEST, values![], terms)).await
    }

    /// Every version, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_terms(&self) -> Result<Vec<Terms>> {
        self.read(|session| session.query(ALL, values![], terms)).await
    }

    /// Publishes the next version.
    ///
    /// # Errors
    /// The database's.
    pub async fn publish_terms(
        &self,
        text: &str,
        publisher: &str,
        now: Timestamp,
    ) -> Result<Terms> {
        let (text, publisher) = (text.to_owned(), publisher.to_owned());
        self.write(move |session| {
            let newest = session.query_optional(NEWEST, values![], terms)?;
            let version = newest.map_or(0, |newest| newest.version).saturating_add(1);
            session.execute(PUBLISH, values![version, &text, now, &publisher])?;
            Ok(Terms { version, text: text.clone(), published: now, publisher: publisher.clone() })
        })
        .await
    }

    /// Records that a user accepted a version. The first time counts.
    ///
    /// # Errors
    /// The database's.
    pub async fn accept_terms(&self, acceptance: &Acceptance) -> Result<()> {
        let one = acceptance.clone();
        self.write(move |session| {
            let row = values![one.user.as_str(), one.version, one.accepted, &one.client];
            session.execute(ACCEPT, row)?;
            Ok(())
        })
        .await
    }

    /// What a user accepted.
    ///
    /// # Errors
    /// The database's.
    pub async fn accepted_by(&self, user: &UserId) -> Result<Vec<Acceptance>> {
        let user = user.clone();
        self.look_up(move |session| session.query(ACCEPTED_BY, values![user.as_str()], acceptance))
            .await
    }

    /// Who accepted a version.
    ///
    /// # Errors
    /// The database's.
    pub async fn accepted(&self, version: i64) -> Result<Vec<Acceptance>> {
        self.read(move |session| session.query(ACCEPTED, values![version], acceptance)).await
    }

    /// Notes that a device waits until its user has accepted the terms.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold_for_terms(&self, key: &DeviceKey) -> Result<()> {
        let key = key.clone();
        self.write(move |session| {
            session.execute(HOLD, values![key.user.as_str(), key.device.as_str()])?;
            Ok(())
        })
        .await
    }

    /// The devices of a user that wait for that.
    ///
    /// # Errors
    /// The database's.
    pub async fn held_for_terms(&self, user: &UserId) -> Result<Vec<DeviceId>> {
        let user = user.clone();
        self.read(move |session| {
            let device = |row: &Row<'_>| Ok(DeviceId::from(row.get::<String>(0)?));
            session.query(HELD, values![user.as_str()], device)
        })
        .await
    }

    /// A device waits no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_from_terms(&self, key: &DeviceKey) -> Result<()> {
        let key = key.clone();
        self.write(move |session| {
            session.execute(RELEASE, values![key.user.as_str(), key.device.as_str()])?;
            Ok(())
        })
        .await
    }
}
