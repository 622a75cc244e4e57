//! The same for a connector that comes back by a code: whatever was lost before, and at whatever
//! point a message is lost or an end dies, it gets there under the id that it had, and from then on
//! its old key is good for nothing.

use super::*;
use crate::code::{Binding, CodeKey, Prover};

/// Why it needs a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lost {
    /// The server was restored from an old copy, and knows a key that the connector has no more.
    KeyAtServer,
    /// The connector's host was set up anew.
    Directory,
    /// Nothing: the key may have been stolen.
    Nothing,
}

/// Some code's key; to work out a real one takes too long to be done a thousand times.
fn code() -> CodeKey {
    CodeKey::kept(&TokenHash([7; 32]))
}

impl Ends {
    /// Enrolled and linked, before anything goes wrong; then something is lost, and a code made.
    async fn apart(authority: &Arc<Authority>, lost: Lost, fate: Arc<Fate>) -> (Self, Fingerprint) {
        let calm = Self::new(authority, Fate::new(&[])).await;
        let mut keys = Vec::new();
        assert!(calm.enrol().await.is_ok());
        let identities = Identities::open(calm.dir.path()).unwrap();
        keys.extend(calm.link(&identities).await.ok());
        let book = MemoryBook::default();
        let known = match lost {
            Lost::KeyAtServer => Fingerprint::of_public_key(b"of an old copy"),
            Lost::Directory | Lost::Nothing => keys[0],
        };
        let now = crate::clock::now();
        let record = book.enrol("branch", &known, ConnectorState::Unlocked, now).await.unwrap();
        if lost == Lost::Directory {
            std::fs::remove_dir_all(calm.dir.path()).unwrap();
        }
        let enrolments = MemoryEnrolments::default();
        let again = Enrolment {
            hash: code().hash(),
            name: record.name,
            approval: Approval::Needed,
            expires: now.plus(Duration::from_secs(600)),
            used_by: None,
            again: Some(record.id),
        };
        enrolments.create(again).await.unwrap();
        let registrar = Registrar::new(
            authority.clone(),
            Arc::new(Mortal { books: book, fate: fate.clone() }),
            Arc::new(Mortal { books: enrolments, fate: fate.clone() }),
        );
        (Self { registrar, fate, ..calm }, known)
    }

    /// One attempt with the code: the operator types it again where it did not work.
    async fn come_back(&self) -> Result<(), Failed> {
        let dir = self.dir.path();
        let known = Identities::open(dir).ok();
        let key = self.on_disk(|| Identities::returning_key(dir))?;
        let request = SigningRequest::make(&key)?;
        // Each attempt is another connection.
        let binding = Binding::fixed(self.fate.passed() as u8);
        let proof = code().prove(Prover::Connector, &binding, &[&request]);
        let asked = EnrollRequest {
            secret: Secret::new(""),
            request,
            software: "test".into(),
            code: Some(proof.clone()),
        };
        let asking = self.registrar.enroll_again(&asked, &proof, &binding);
        let reply = match self.say(asking).await? {
            EnrollReply::Enrolled(reply) => reply,
            EnrollReply::Refused(refused) => return Err(Failed::Refused(refused.reason)),
        };
        match known {
            Some(known) => self.on_disk(|| known.renewed(&reply.certificate)),
            None => {
                let servers = self.token.servers.clone();
                let about = About { id: reply.connector, name: reply.name, servers };
                let (authority, certificate) = (&reply.authority, &reply.certificate);
                self.on_disk(|| Identities::enrolled(dir, &about, authority, certificate))
            }
        }
    }
}

/// Plays it with these faults; answers how many points were passed.
async fn play(authority: &Arc<Authority>, lost: Lost, faults: &[usize]) -> usize {
    let (ends, old) = Ends::apart(authority, lost, Fate::new(faults)).await;
    let mut linked = None;
    for _ in 0..LIVES {
        match ends.come_back().await {
            Ok(()) => {}
            Err(Failed::Fault) => continue,
            Err(Failed::Refused(refusal)) => panic!("{lost:?}, {faults:?}: {refusal:?}"),
        }
        // The service may be killed in its turn, and is started again.
        for _ in 0..LIVES {
            let identities = Identities::open(ends.dir.path()).unwrap();
            match ends.link(&identities).await {
                Ok(key) => linked = Some(key),
                Err(Failed::Fault) => continue,
                Err(Failed::Refused(refusal)) => panic!("{lost:?}, {faults:?}: {refusal:?}"),
            }
            break;
        }
        break;
    }
    let passed = ends.fate.passed();
    let linked = linked.unwrap_or_else(|| panic!("{lost:?}, {faults:?}: it does not get there"));
    let all = ends.registrar.book().list().await.unwrap();
    let [record] = all.as_slice() else { panic!("{lost:?}, {faults:?}: {all:?}") };
    assert_eq!((record.id.as_str(), &*record.name), ("c1", "branch"));
    assert_eq!(record.keys, [linked], "{lost:?}, {faults:?}");
    assert_ne!(linked, old);
    let refused = ends.registrar.admit(&old).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refused { reason: Refusal::Unknown, .. })));
    passed
}

#[tokio::test]
async fn a_code_brings_a_connector_back_whatever_is_lost_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    for lost in [Lost::KeyAtServer, Lost::Directory, Lost::Nothing] {
        let points = play(&authority, lost, &[]).await;
        assert!(points > 10, "{points} points");
        for first in 0..points {
            let passed = play(&authority, lost, &[first]).await;
            for second in first + 1..passed {
                play(&authority, lost, &[first, second]).await;
            }
        }
    }
}
