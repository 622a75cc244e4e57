//! The account for emergencies: a name and a password of this server's own, for the day when the
//! directory, or whoever vouches for administrators, is gone. There is none until it is made at the
//! server, it ends by itself, and whoever uses it is heard of.

use crate::front::Clock;
use crate::guesses::Guesses;
use crate::own::secret;
use dme_directory::{MAX_NAME, MAX_PASSWORD, hash_password, verify_password};
use dme_model::{Secret, Timestamp};
use dme_store::{EmergencyAccount, Store};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The fewest characters of a password that somebody chose (NIST SP 800-63B-4 §3.1.1.2 wants 15 where
/// nothing is shown beside it).
pub const SHORTEST: usize = 15;
const DAY: Duration = Duration::from_secs(86_400);
/// The longest it may last, in days.
pub const LONGEST: u32 = 366;

/// The account, whether there is one or not.
pub struct Emergency {
    store: Store,
    clock: Clock,
    guesses: Guesses<()>,
    /// A hash takes its memory; one at a time does.
    checking: Semaphore,
}

/// Why it lets nobody in.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    /// The password is wrong.
    #[error("the password is wrong")]
    Wrong,
    /// Too many were wrong.
    #[error("too many passwords were wrong")]
    TooMany(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

/// Why it cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// The name is none.
    #[error("a name has 1 to {MAX_NAME} letters, digits, - _ and ., and no realm")]
    Name,
    /// It must end.
    #[error("it lasts for 1 to {LONGEST} days")]
    Days,
    /// The password is too short.
    #[error("a password has {SHORTEST} characters at least")]
    Short,
    /// The password is too long.
    #[error("a password has {MAX_PASSWORD} bytes at most")]
    Long,
    /// It cannot be hashed.
    #[error("the password cannot be kept: {0}")]
    Hash(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

impl Emergency {
    /// What this store has of it.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, guesses: Guesses::default(), checking: Semaphore::new(1) }
    }

    /// The account, where there is one that has not ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn account(&self) -> dme_store::Result<Option<EmergencyAccount>> {
        let now = (self.clock)();
        Ok(self.store.emergency_account().await?.filter(|account| now < account.ends))
    }

    /// Makes it, in the place of the one before; gives its password, which was chosen or is made.
    ///
    /// # Errors
    /// Why not.
    pub async fn make(
        &self,
        name: &str,
        days: u32,
        chosen: Option<Secret>,
    ) -> Result<Secret, NotMade> {
        let sound = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(sound) {
            return Err(NotMade::Name);
        }
        if !(1..=LONGEST).contains(&days) {
            return Err(NotMade::Days);
        }
        match chosen.as_ref().map(Secret::expose) {
            Some(password) if password.len() > MAX_PASSWORD => return Err(NotMade::Long),
            Some(password) if password.chars().count() < SHORTEST => return Err(NotMade::Short),
            _ => {}
        }
        let password = chosen.unwrap_or_else(secret::device_password);
        let hashed = password.clone();
        let hash = tokio::task::spawn_blocking(move || hash_password(&hashed)).await;
        let hash = hash.map_err(|error| NotMade::Hash(error.to_string()))?;
        let now = (self.clock)();
        let account = EmergencyAccount {
            name: name.to_ascii_lowercase(),
            password: hash.map_err(|error| NotMade::Hash(error.to_string()))?,
            made: now,
            ends: now.plus(DAY.saturating_mul(days)),
            used: None,
        };
        self.store.put_emergency_account(account).await?;
        self.guesses.right(&());
        Ok(password)
    }

    /// Whether this is the password of the account; the account then counts as used.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(
        &self,
        account: &EmergencyAccount,
        password: &Secret,
        client: IpAddr,
    ) -> Result<(), NotLetIn> {
        let now = (self.clock)();
        self.guesses.begin(&(), now).map_err(NotLetIn::TooMany)?;
        if password.expose().len() > MAX_PASSWORD {
            return Err(NotLetIn::Wrong);
        }
        let _one = self.checking.acquire().await.map_err(|_| NotLetIn::Wrong)?;
        let (hash, password) = (account.password.clone(), password.clone());
        let right = tokio::task::spawn_blocking(move || verify_password(&hash, &password)).await;
        if !right.unwrap_or(false) {
            return Err(NotLetIn::Wrong);
        }
        self.guesses.right(&());
        self.store.use_emergency_account(now, &client.to_string()).await?;
        Ok(())
    }

    /// Takes it away; says whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn remove(&self) -> dme_store::Result<bool> {
        self.store.remove_emergency_account().await
    }

    /// When it was used last, and from which address; none where it never was. The next one that is
    /// made was not.
    ///
    /// # Errors
    /// The store's.
    pub async fn used(&self) -> dme_store::Result<Option<(Timestamp, String)>> {
        Ok(self.store.emergency_account().await?.and_then(|account| account.used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn the_account_is_there_when_it_was_made_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path().join("dme.db")).unwrap();
        let now = Arc::new(AtomicI64::new(1_790_000_000));
        let clock = now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)));
        let emergency = Emergency::new(store, clock);
        assert_eq!(emergency.account().await.unwrap(), None, "off by default");

        let refused = async |name: &str, days, password: &str| {
            let chosen = Some(Secret::new(password));
            emergency.make(name, days, chosen).await.unwrap_err().to_string()
        };
        assert!(refused("", 1, "correct-horse-battery").await.contains("name"));
        assert!(refused("ada@example.org", 1, "correct-horse-battery").await.contains("name"));
        assert!(refused("glass", 0, "correct-horse-battery").await.contains("days"));
        assert!(refused("glass", 1, "fourteen chars").await.contains("15"));
        let long = refused("glass", 1, &"x".repeat(MAX_PASSWORD + 1)).await;
        assert!(long.contains("at most"), "{long}");
        let password = emergency.make("Glass", 2, None).await.unwrap();
        let account = emergency.account().await.unwrap().unwrap();
        assert!(account.name == "glass" && account.password.starts_with("$argon2id$"));
        assert!(emergency.check(&account, &password, HERE).await.is_ok());
        let used = emergency.used().await.unwrap().unwrap();
        assert_eq!(used, (Timestamp::from_seconds(1_790_000_000), "127.0.0.1".to_owned()));

        for _ in 0..5 {
            let wrong = emergency.check(&account, &Secret::new("wrong"), HERE).await;
            assert!(matches!(wrong, Err(NotLetIn::Wrong)));
        }
        let right = emergency.check(&account, &password, HERE).await;
        assert!(matches!(right, Err(NotLetIn::TooMany(_))), "locked out");
        // Another password begins anew, and the old one is none any more.
        let next = emergency.make("glass", 2, None).await.unwrap();
        let account = emergency.account().await.unwrap().unwrap();
        assert_eq!(emergency.used().await.unwrap(), None);
        assert!(emergency.check(&account, &password, HERE).await.is_err());
        assert!(emergency.check(&account, &next, HERE).await.is_ok());

        now.fetch_add(2 * 86_400, Ordering::Relaxed);
        assert_eq!(emergency.account().await.unwrap(), None, "it has ended");
    }
}
