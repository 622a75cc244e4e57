//! What administrators show beside their password: a code of an authenticator, or one of the codes
//! they wrote down for the day it is lost.

mod offers;
mod totp;

use crate::front::Clock;
use crate::guesses::Guesses;
use crate::own::secret;
use crate::seal::{NotOpened, Seal};
use aws_lc_rs::rand;
use dme_model::{Secret, Timestamp, UserId};
use dme_store::{SecondFactor, Store};
use offers::Offers;
use std::time::Duration;

/// Bytes of a secret (RFC 4226 §4, R6).
const SECRET: usize = 20;
/// Recovery codes that a user has.
const RECOVERY_CODES: usize = 10;

/// Everybody's second factors.
pub struct SecondFactors {
    store: Store,
    seal: Seal,
    clock: Clock,
    offers: Offers,
    guesses: Guesses<UserId>,
}

/// What a user has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Since when.
    pub made: Timestamp,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

/// By what a user was known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A code of the authenticator.
    Code,
    /// A recovery code, which is used up by that.
    RecoveryCode,
}

/// Why a code does not count.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is wrong, too old, or was used.
    #[error("the code is wrong, or was used already: wait for the next one")]
    Wrong,
    /// Too many were wrong.
    #[error("too many codes were wrong: the next is taken in {} s", .0.as_secs().saturating_add(1))]
    TooMany(Duration),
    /// There is no secret that it could be of.
    #[error("no secret waits for its first code: begin anew")]
    NotOffered,
    /// There is a second factor already.
    #[error("there is a second factor already: remove it first")]
    HasOne,
    /// What is kept of it does not open.
    #[error("the second factor cannot be read; have an administrator reset it: {0}")]
    Unreadable(#[from] NotOpened),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
    /// The system failed.
    #[error("no secret can be made now")]
    NoRandomness,
}

impl SecondFactors {
    /// Those in this store, sealed so.
    pub fn new(store: Store, seal: Seal, clock: Clock) -> Self {
        Self { store, seal, clock, offers: Offers::default(), guesses: Guesses::default() }
    }

    /// What a user has; none where there is nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(&self, user: &UserId) -> dme_store::Result<Option<Held>> {
        let held = self.store.second_factor(user).await?;
        Ok(held.map(|held| Held { made: held.made, recovery_codes: held.recovery_codes }))
    }

    /// Offers a secret to a user, who has none yet, in this sign-in or session: in Base32, for an
    /// authenticator. Until the first code of it is shown, the same is offered there again, and
    /// elsewhere another; nothing is kept.
    ///
    /// # Errors
    /// Where there is one, or none can be made.
    pub async fn offer(&self, user: &UserId, to: &str) -> Result<Secret, NotTaken> {
        if self.of(user).await?.is_some() {
            return Err(NotTaken::HasOne);
        }
        if let Some(secret) = self.offered(user, to) {
            return Ok(secret);
        }
        let mut secret = [0; SECRET];
        rand::fill(&mut secret).map_err(|_| NotTaken::NoRandomness)?;
        match self.offers.put(user, to, secret, (self.clock)()) {
            true => Ok(totp::base32(&secret)),
            false => Err(NotTaken::TooMany(offers::LIFE)),
        }
    }

    /// The secret that waits for its first code in this sign-in or session.
    pub fn offered(&self, user: &UserId, to: &str) -> Option<Secret> {
        self.offers.find(user, to, (self.clock)()).map(|secret| totp::base32(&secret))
    }

    /// Keeps the secret that was offered in this sign-in or session, once a code of it is shown, and
    /// no other; gives the recovery codes, which are not shown again.
    ///
    /// # Errors
    /// Why the code does not count.
    pub async fn confirm(
        &self,
        user: &UserId,
        to: &str,
        code: &Secret,
    ) -> Result<Vec<Secret>, NotTaken> {
        let now = (self.clock)();
        let secret = self.offers.find(user, to, now).ok_or(NotTaken::NotOffered)?;
        self.guesses.begin(user, now).map_err(NotTaken::TooMany)?;
        let step = totp::step_of(&secret, code, now).ok_or(NotTaken::Wrong)?;
        let sealed = self.seal.seal(&sealed_as(user), &secret).ok_or(NotTaken::NoRandomness)?;
        let (codes, hashes) = recovery_codes();
        let factor = SecondFactor { secret: sealed.to_vec(), made: now, step, recovery_codes: 0 };
        if !self.store.put_second_factor(user, factor, hashes).await? {
            return Err(NotTaken::HasOne);
        }
        self.guesses.right(user);
        self.offers.end(user);
        Ok(codes)
    }

    /// Uses up a code that a user shows.
    ///
    /// # Errors
    /// Why it does not count.
    pub async fn check(&self, user: &UserId, code: &Secret) -> Result<By, NotTaken> {
        let now = (self.clock)();
        let held = self.store.second_factor(user).await?.ok_or(NotTaken::Wrong)?;
        self.guesses.begin(user, now).map_err(NotTaken::TooMany)?;
        let by = match secret::read_recovery_code(code) {
            Some(code) => {
                let hash = secret::hash(code.expose());
                let good = self.store.use_recovery_code(user, &hash).await?;
                good.then_some(By::RecoveryCode)
            }
            None => {
                let secret = self.seal.unseal(&sealed_as(user), &held.secret.into())?;
                match totp::step_of(&secret, code, now) {
                    Some(step) => self.store.use_step(user, step).await?.then_some(By::Code),
                    None => None,
                }
            }
        };
        let by = by.ok_or(NotTaken::Wrong)?;
        self.guesses.right(user);
        Ok(by)
    }

    /// New recovery codes in the place of all that a user had; they are not shown again. None where
    /// the user has no second factor.
    ///
    /// # Errors
    /// The store's.
    pub async fn renew_recovery_codes(
        &self,
        user: &UserId,
    ) -> dme_store::Result<Option<Vec<Secret>>> {
        if self.of(user).await?.is_none() {
            return Ok(None);
        }
        let (codes, hashes) = recovery_codes();
        self.store.replace_recovery_codes(user, hashes).await?;
        Ok(Some(codes))
    }

    /// Takes a user's second factor away; says whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn remove(&self, user: &UserId) -> dme_store::Result<bool> {
        self.guesses.right(user);
        self.store.remove_second_factor(user).await
    }
}

/// As what a user's secret is sealed, so that nobody gives it to another.
fn sealed_as(user: &UserId) -> String {
    format!("second factor of {user}")
}

/// New recovery codes, and what is kept of each.
fn recovery_codes() -> (Vec<Secret>, Vec<String>) {
    let codes = (0..RECOVERY_CODES).map(|_| secret::recovery_code());
    codes
        .map(|code| {
            let meant: String = secret::plain(code.expose()).collect();
            let hash = secret::hash(&meant);
            (code, hash)
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::SECOND_FACTORS;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// The sign-in in which she sets it up.
    const HERE: &str = "here";

    struct World {
        factors: SecondFactors,
        now: Arc<AtomicI64>,
        _home: tempfile::TempDir,
    }

    fn world() -> World {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path().join("dme.db")).unwrap();
        let seal = Seal::open(home.path(), SECOND_FACTORS).unwrap();
        let now = Arc::new(AtomicI64::new(1_790_000_000));
        let clock = now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)));
        World { factors: SecondFactors::new(store, seal, clock), now, _home: home }
    }

    impl World {
        /// What the authenticator of whoever was offered this shows.
        fn code(&self, offered: &Secret) -> Secret {
            let bits = offered.expose().bytes().fold(Vec::new(), |mut bits, letter| {
                let five = totp_letter(letter);
                bits.extend((0..5).rev().map(|bit| five >> bit & 1));
                bits
            });
            let bytes: Vec<u8> = bits
                .chunks_exact(8)
                .map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit))
                .collect();
            let now = Timestamp::from_seconds(self.now.load(Ordering::Relaxed));
            Secret::new(totp::code(&bytes, totp::step(now)))
        }

        fn later(&self, seconds: i64) {
            self.now.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    fn totp_letter(letter: u8) -> u8 {
        match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        }
    }

    #[tokio::test]
    async fn a_code_counts_once_and_a_recovery_code_in_its_place_once() {
        let world = world();
        let (factors, ada) = (&world.factors, UserId::from("ada@example.org"));
        assert!(matches!(
            factors.confirm(&ada, HERE, &Secret::new("000000")).await,
            Err(NotTaken::NotOffered)
        ));
        let offered = factors.offer(&ada, HERE).await.unwrap();
        assert_eq!(factors.offer(&ada, HERE).await.unwrap(), offered);
        assert_eq!(factors.of(&ada).await.unwrap(), None, "nothing is kept yet");
        let first = world.code(&offered);
        let codes = factors.confirm(&ada, HERE, &first).await.unwrap();
        assert_eq!(codes.len(), 10);
        assert_eq!(factors.of(&ada).await.unwrap().unwrap().recovery_codes, 10);
        assert!(matches!(factors.offer(&ada, HERE).await, Err(NotTaken::HasOne)));
        // The code that it began with is used.
        assert!(matches!(factors.check(&ada, &first).await, Err(NotTaken::Wrong)));
        world.later(30);
        let next = world.code(&offered);
        assert_eq!(factors.check(&ada, &next).await.unwrap(), By::Code);
        assert!(matches!(factors.check(&ada, &next).await, Err(NotTaken::Wrong)));
        let typed = Secret::new(codes[0].expose().to_uppercase().replace('-', " "));
        assert_eq!(factors.check(&ada, &typed).await.unwrap(), By::RecoveryCode);
        assert!(matches!(factors.check(&ada, &typed).await, Err(NotTaken::Wrong)));
        let eve = UserId::from("eve@example.org");
        assert!(matches!(factors.check(&eve, &codes[1]).await, Err(NotTaken::Wrong)));
        assert!(factors.remove(&ada).await.unwrap());
        assert!(matches!(factors.check(&ada, &codes[1]).await, Err(NotTaken::Wrong)));
    }

    #[tokio::test]
    async fn whoever_else_shows_the_password_is_offered_another_secret() {
        let world = world();
        let (factors, ada) = (&world.factors, UserId::from("ada@example.org"));
        let theirs = factors.offer(&ada, "elsewhere").await.unwrap();
        let hers = factors.offer(&ada, HERE).await.unwrap();
        assert_ne!(theirs, hers);
        assert_eq!(factors.offered(&ada, "elsewhere"), Some(theirs.clone()));
        let wrong = factors.confirm(&ada, HERE, &world.code(&theirs)).await;
        assert!(matches!(wrong, Err(NotTaken::Wrong)), "not in her place");
        factors.confirm(&ada, HERE, &world.code(&hers)).await.unwrap();
        assert_eq!(factors.offered(&ada, "elsewhere"), None);
        let late = factors.confirm(&ada, "elsewhere", &world.code(&theirs)).await;
        assert!(matches!(late, Err(NotTaken::NotOffered)));
        world.later(30);
        let clone = factors.check(&ada, &world.code(&theirs)).await;
        assert!(matches!(clone, Err(NotTaken::Wrong)));
        assert_eq!(factors.check(&ada, &world.code(&hers)).await.unwrap(), By::Code);
    }

    #[tokio::test]
    async fn codes_are_not_come_by_by_trying() {
        let world = world();
        let (factors, ada) = (&world.factors, UserId::from("ada@example.org"));
        let offered = factors.offer(&ada, HERE).await.unwrap();
        factors.confirm(&ada, HERE, &world.code(&offered)).await.unwrap();
        world.later(60);
        for _ in 0..5 {
            let tried = factors.check(&ada, &Secret::new("12345")).await;
            assert!(matches!(tried, Err(NotTaken::Wrong)));
        }
        let right = world.code(&offered);
        assert!(matches!(factors.check(&ada, &right).await, Err(NotTaken::TooMany(_))));
        world.later(61);
        assert!(factors.check(&ada, &world.code(&offered)).await.is_ok());
    }

    #[tokio::test]
    async fn what_codes_are_made_of_is_sealed_for_its_user_alone() {
        let world = world();
        let (factors, ada) = (&world.factors, UserId::from("ada@example.org"));
        let offered = factors.offer(&ada, HERE).await.unwrap();
        factors.confirm(&ada, HERE, &world.code(&offered)).await.unwrap();
        let kept = factors.store.second_factor(&ada).await.unwrap().unwrap();
        assert!(factors.seal.unseal(&sealed_as(&ada), &kept.secret.clone().into()).is_ok());
        let eve = UserId::from("eve@example.org");
        factors.store.put_second_factor(&eve, kept, Vec::new()).await.unwrap();
        world.later(60);
        let shown = factors.check(&eve, &world.code(&offered)).await;
        assert!(matches!(shown, Err(NotTaken::Unreadable(_))));
    }
}
