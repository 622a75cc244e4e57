//! Rule L2 by trying everything: a connector enrols, links, renews its certificate twice and links
//! with each, while a fault happens at one point, or at each pair of points, of all there are: a
//! message is lost on its way there or back, the connector dies before a change on its disk, the
//! server dies before or after a change in its books. Whoever dies comes back with nothing but what
//! is on its disk. After the faults the connector must get to the end, and from there be revoked.

use super::*;
use crate::wire::hello::{EnrollReply, EnrollRequest};
use crate::{
    Approval, Authority, BookError, ConnectorBook, ConnectorRecord, ConnectorState, Enrolment,
    Enrolments, MemoryBook, MemoryEnrolments, Refusal, Refused, Registrar, Rejection, Token,
    TokenHash,
};
use async_trait::async_trait;
use dme_model::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the points at which something can go wrong, and says at which it does.
#[derive(Default)]
struct Fate {
    points: AtomicUsize,
    faults: Vec<usize>,
}

/// What is seen of a fault: an answer that does not come.
struct Gone;

impl Fate {
    fn new(faults: &[usize]) -> Arc<Self> {
        Arc::new(Self { points: AtomicUsize::new(0), faults: faults.to_vec() })
    }

    fn point(&self) -> Result<(), Gone> {
        let point = self.points.fetch_add(1, Ordering::Relaxed);
        if self.faults.contains(&point) { Err(Gone) } else { Ok(()) }
    }

    fn passed(&self) -> usize {
        self.points.load(Ordering::Relaxed)
    }
}

/// The books of a server that may die before or after each change.
struct Mortal<T> {
    books: T,
    fate: Arc<Fate>,
}

impl<T> Mortal<T> {
    async fn change<A>(
        &self,
        change: impl Future<Output = Result<A, BookError>> + Send,
    ) -> Result<A, BookError> {
        let died = |Gone| BookError("the server died".into());
        self.fate.point().map_err(died)?;
        let answer = change.await?;
        self.fate.point().map_err(died)?;
        Ok(answer)
    }
}

#[async_trait]
impl ConnectorBook for Mortal<MemoryBook> {
    async fn find(&self, key: &Fingerprint) -> Result<Option<ConnectorRecord>, BookError> {
        self.books.find(key).await
    }

    async fn get(&self, id: &ConnectorId) -> Result<Option<ConnectorRecord>, BookError> {
        self.books.get(id).await
    }

    async fn list(&self) -> Result<Vec<ConnectorRecord>, BookError> {
        self.books.list().await
    }

    async fn enrol(
        &self,
        name: &str,
        key: &Fingerprint,
        state: ConnectorState,
        now: Timestamp,
    ) -> Result<ConnectorRecord, BookError> {
        self.change(self.books.enrol(name, key, state, now)).await
    }

    async fn set_state(&self, id: &ConnectorId, state: ConnectorState) -> Result<(), BookError> {
        self.books.set_state(id, state).await
    }

    async fn add_key(&self, id: &ConnectorId, key: &Fingerprint) -> Result<(), BookError> {
        self.change(self.books.add_key(id, key)).await
    }

    async fn key_used(
        &self,
        id: &ConnectorId,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<(), BookError> {
        self.change(self.books.key_used(id, key, now)).await
    }
}

#[async_trait]
impl Enrolments for Mortal<MemoryEnrolments> {
    async fn create(&self, enrolment: Enrolment) -> Result<(), BookError> {
        self.books.create(enrolment).await
    }

    async fn redeem(
        &self,
        hash: &TokenHash,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<Result<Enrolment, Rejection>, BookError> {
        self.change(self.books.redeem(hash, key, now)).await
    }

    async fn list(&self) -> Result<Vec<Enrolment>, BookError> {
        self.books.list().await
    }

    async fn revoke(&self, name: &str) -> Result<(), BookError> {
        self.books.revoke(name).await
    }
}

/// Both ends, and what is between them.
struct Ends {
    dir: tempfile::TempDir,
    registrar: Registrar,
    token: Token,
    fate: Arc<Fate>,
}

/// An attempt that came to nothing. The connector has to begin again from its disk.
enum Failed {
    /// Something went wrong on the way.
    Fault,
    /// The server said no.
    Refused(Refusal),
}

impl From<Gone> for Failed {
    fn from(Gone: Gone) -> Self {
        Self::Fault
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refused { reason, .. }) => Self::Refused(reason),
            // A connector whose disk fails ends, and is started again.
            Error::File { .. } | Error::Book(_) => Self::Fault,
            stranded => panic!("stranded: {stranded}"),
        }
    }
}

impl Ends {
    async fn new(authority: &Arc<Authority>, fate: Arc<Fate>) -> Self {
        let registrar = Registrar::new(
            authority.clone(),
            Arc::new(Mortal { books: MemoryBook::default(), fate: fate.clone() }),
            Arc::new(Mortal { books: MemoryEnrolments::default(), fate: fate.clone() }),
        );
        let hour = Duration::from_secs(3_600);
        let servers = vec!["s:1".to_owned()];
        let token = registrar.issue_token("branch", servers, Approval::Given, hour).await.unwrap();
        // In memory where there is such a place: thousands of runs sync their files.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { dir: dir.unwrap(), registrar, token, fate }
    }

    /// The connector changes its disk, and may die before each step of it.
    fn on_disk<T>(&self, change: impl FnOnce() -> Result<T>) -> Result<T, Failed> {
        let fate = self.fate.clone();
        Ok(files::with_fuse(move || fate.point().is_err(), change)?)
    }

    /// A message and its answer, each of which may be lost.
    async fn say<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T, Failed> {
        self.fate.point()?;
        let answer = answer.await?;
        self.fate.point()?;
        Ok(answer)
    }

    async fn enrol(&self) -> Result<(), Failed> {
        let dir = self.dir.path();
        let key = self.on_disk(|| Identities::enrolling_key(dir))?;
        let request = EnrollRequest {
            secret: self.token.secret.clone(),
            request: SigningRequest::make(&key)?,
            software: "test".into(),
            code: None,
        };
        let reply = match self.say(self.registrar.enroll(&request)).await? {
            EnrollReply::Enrolled(reply) => reply,
            EnrollReply::Refused(refused) => return Err(Failed::Refused(refused.reason)),
        };
        let servers = self.token.servers.clone();
        let about = About { id: reply.connector, name: reply.name, servers };
        self.on_disk(|| Identities::enrolled(dir, &about, &reply.authority, &reply.certificate))
    }

    /// Both connections of a link, with whichever key the server knows; which it was.
    async fn link(&self, identities: &Identities) -> Result<Fingerprint, Failed> {
        let mut last = Failed::Fault;
        for (which, identity) in identities.candidates()? {
            let key = Fingerprint::of_certificate(&certificate::from_pem(&identity.chain)?)?;
            let connection = async || {
                self.say(async {
                    let record = self.registrar.admit(&key).await?;
                    self.registrar.linked(&record.id, &key).await
                })
                .await
            };
            let linked = match connection().await {
                Ok(()) => connection().await,
                failed => failed,
            };
            match linked {
                Ok(()) => {
                    self.on_disk(|| identities.accepted(which))?;
                    return Ok(key);
                }
                Err(Failed::Refused(Refusal::Unknown)) => last = Failed::Refused(Refusal::Unknown),
                Err(failed) => return Err(failed),
            }
        }
        Err(last)
    }

    async fn renew(&self, identities: &Identities) -> Result<(), Failed> {
        let request = self.on_disk(|| identities.renew())?;
        let chain = self.say(self.registrar.renew(identities.id(), &request)).await?;
        self.on_disk(|| identities.renewed(&chain))
    }

    /// One life of a connector: up to so many links with a key that is not in the list yet.
    async fn live(&self, keys: &mut Vec<Fingerprint>) -> Result<(), Failed> {
        if Identities::open(self.dir.path()).is_err() {
            self.enrol().await?;
        }
        let identities = Identities::open(self.dir.path())?;
        while keys.len() < LINKS {
            let key = self.link(&identities).await?;
            if !keys.contains(&key) {
                keys.push(key);
            }
            if keys.len() < LINKS {
                self.renew(&identities).await?;
            }
        }
        Ok(())
    }
}

/// Links with a key each: that of the enrolment and those of two renewals.
const LINKS: usize = 3;
/// Lives that a connector has to get to the end. A fault costs one; one more is lost where the
/// enrolment's key is taken for the first renewal's too.
const LIVES: usize = 5;

/// Plays it with these faults; answers how many points were passed.
async fn play(authority: &Arc<Authority>, faults: &[usize]) -> usize {
    let ends = Ends::new(authority, Fate::new(faults)).await;
    let mut keys = Vec::new();
    let mut lives = 0;
    while let Err(failed) = ends.live(&mut keys).await {
        if let Failed::Refused(refusal) = failed {
            panic!("{refusal:?} after faults at {faults:?}: the connector is stranded");
        }
        lives += 1;
        assert!(lives < LIVES, "faults at {faults:?}: it does not get there");
    }
    let passed = ends.fate.passed();
    // One connector came of it, whatever was repeated, and once it is removed no key is any good.
    let all = ends.registrar.book().list().await.unwrap();
    assert_eq!(all.len(), 1, "faults at {faults:?}");
    ends.registrar.book().set_state(&all[0].id, ConnectorState::Removed).await.unwrap();
    for key in &keys {
        match ends.registrar.admit(key).await.unwrap_err() {
            Error::Refused(Refused { reason: Refusal::Removed | Refusal::Unknown, .. }) => {}
            other => panic!("{other}"),
        }
    }
    passed
}

#[tokio::test]
async fn no_loss_of_a_message_and_no_death_of_an_end_strands_a_connector() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    let points = play(&authority, &[]).await;
    assert!(points > 30, "{points} points");
    for first in 0..points {
        let passed = play(&authority, &[first]).await;
        // A second fault may strike anything after it, what is repeated among it.
        for second in first + 1..passed {
            play(&authority, &[first, second]).await;
        }
    }
}

mod again;
