//! The record of administrators' acts (rule O4), and who signed it.

use crate::session::{Conditions, Row, Session, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store};
use dme_audit::{
    Act, Countersignature, Entry, Hash, Head, Means, Outcome, Row as AuditRow, Signer, Step, Who,
};
use dme_model::{ConnectorId, Timestamp};

/// So many signatures of each signer are kept; each is of all before it.
const SIGNATURES_KEPT: i64 = 10;

const LAST: &str = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1";
const APPEND: &str = "INSERT INTO audit (number, time, who, role, address, means, act, targets, \
     begun, outcome, reason, changes, previous, hash) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const ROWS: &str = "SELECT number, time, who, role, address, means, act, targets, begun, outcome, \
     reason, changes, previous, hash FROM audit WHERE number > $1 ORDER BY number LIMIT $2";
const SIGNED: &str = "INSERT INTO audit_signature \
     (signer, number, name, hash, time, signed, public_key, signature) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (signer, number) DO UPDATE SET name = excluded.name, hash = excluded.hash, \
     time = excluded.time, signed = excluded.signed, public_key = excluded.public_key, \
     signature = excluded.signature";
const SURPLUS: &str =
    "SELECT number FROM audit_signature WHERE signer = $1 ORDER BY number DESC LIMIT 1 OFFSET $2";
const DROP_SIGNED: &str = "DELETE FROM audit_signature WHERE signer = $1 AND number <= $2";
const SIGNATURES: &str = "SELECT signer, number, name, hash, time, signed, public_key, signature \
     FROM audit_signature ORDER BY number, signer";
const LAST_SIGNED: &str = "SELECT COALESCE(MAX(number), 0) FROM audit_signature WHERE signer = $1";

/// The columns of an act with those of what came of it, as `act` reads them.
const ACTS: &str = "SELECT a.number, a.time, a.who, a.role, a.address, a.means, a.act, a.targets, \
     a.changes, e.number, e.time, e.outcome, e.reason, e.changes \
     FROM audit a LEFT JOIN audit e ON e.begun = a.number";

/// An act, with what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActRecord {
    /// The number of the row with which it was begun.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// Who acted.
    pub who: Who,
    /// What was done, with all it is known to have changed.
    pub act: Act,
    /// When it ended, and what came of it; none where nobody knows.
    pub ended: Option<(Timestamp, Outcome)>,
}

/// Which acts are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActFilter {
    /// By whom.
    pub who: Option<String>,
    /// Of which name, or with which beginning where it ends with a full stop: `device.`.
    pub act: Option<String>,
    /// Whose targets have this text in them.
    pub target: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only those with smaller numbers: the last one of the page before.
    pub before: Option<u64>,
}

fn number(n: i64) -> Result<u64> {
    u64::try_from(n)
        .map_err(|error| Error::Unreadable { place: "audit.number", reason: error.to_string() })
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn hash(text: &str) -> Result<Hash> {
    text.parse().map_err(|error: dme_audit::NoHash| Error::Unreadable {
        place: "audit.hash",
        reason: error.to_string(),
    })
}

fn means(word: &str) -> Result<Means> {
    let unknown =
        || Error::Unreadable { place: "audit.means", reason: format!("no such means: {word}") };
    Means::named(word).ok_or_else(unknown)
}

fn outcome(word: &str, reason: String) -> Result<Outcome> {
    let of = reason.clone();
    let unknown =
        || Error::Unreadable { place: "audit.outcome", reason: format!("no such outcome: {word}") };
    // Whatever stands in a row must be in what its hash is of.
    Outcome::named(word, reason).filter(|outcome| outcome.reason() == of).ok_or_else(unknown)
}

fn row(row: &Row<'_>) -> Result<AuditRow> {
    let who = Who {
        name: row.get(2)?,
        role: row.get(3)?,
        address: row.get(4)?,
        by: means(&row.get::<String>(5)?)?,
    };
    let changes = from_json(&row.get::<String>(11)?, "audit.changes")?;
    let act: (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    let end: (Option<i64>, Option<String>, Option<String>) =
        (row.get(8)?, row.get(9)?, row.get(10)?);
    let step = match (act, end) {
        ((Some(name), Some(targets)), (None, None, None)) => {
            Step::Begun(Act { name, targets: from_json(&targets, "audit.targets")?, changes })
        }
        ((None, None), (Some(begun), Some(word), Some(reason))) => {
            Step::Ended { begun: number(begun)?, outcome: outcome(&word, reason)?, changes }
        }
        _ => {
            let reason = "it is neither the beginning of an act nor its end".into();
            return Err(Error::Unreadable { place: "audit", reason });
        }
    };
    Ok(AuditRow {
        entry: Entry { number: number(row.get(0)?)?, time: row.get(1)?, who, step },
        previous: hash(&row.get::<String>(12)?)?,
        hash: hash(&row.get::<String>(13)?)?,
    })
}

fn act(row: &Row<'_>) -> Result<ActRecord> {
    let who = Who {
        name: row.get(2)?,
        role: row.get(3)?,
        address: row.get(4)?,
        by: means(&row.get::<String>(5)?)?,
    };
    let mut act = Act {
        name: row.get(6)?,
        targets: from_json(&row.get::<String>(7)?, "audit.targets")?,
        changes: from_json(&row.get::<String>(8)?, "audit.changes")?,
    };
    let ended = match row.get::<Option<String>>(11)? {
        Some(word) => {
            let later: Vec<_> = from_json(&row.get::<String>(13)?, "audit.changes")?;
            act.changes.extend(later);
            let reason = row.get::<Option<String>>(12)?.unwrap_or_default();
            Some((row.get(10)?, outcome(&word, reason)?))
        }
        None => None,
    };
    Ok(ActRecord { number: number(row.get(0)?)?, time: row.get(1)?, who, act, ended })
}

/// Puts an entry behind the last one.
fn append(session: &Session<'_>, time: Timestamp, who: &Who, step: &Step) -> Result<AuditRow> {
    let last = |row: &Row<'_>| Ok((number(row.get(0)?)?, hash(&row.get::<String>(1)?)?));
    let last = session.query_optional(LAST, values![], last)?;
    let (before, previous) = last.unwrap_or((0, Hash::NONE));
    let entry =
        Entry { number: before.saturating_add(1), time, who: who.clone(), step: step.clone() };
    let row = AuditRow::after(previous, entry);
    let (name, targets, begun, ended, changes) = match step {
        Step::Begun(Act { name, targets, changes }) => {
            (Some(name), Some(to_json(targets, "audit.targets")?), None, None, changes)
        }
        Step::Ended { begun, outcome, changes } => {
            (None, None, Some(signed(*begun)), Some(outcome), changes)
        }
    };
    let changes = to_json(changes, "audit.changes")?;
    let (previous, hash) = (row.previous.to_string(), row.hash.to_string());
    let row_values = values![
        signed(row.entry.number),
        time,
        &who.name,
        &who.role,
        who.address.as_ref(),
        who.by.as_str(),
        name,
        targets.as_ref(),
        begun,
        ended.map(Outcome::as_str),
        ended.map(Outcome::reason),
        &changes,
        &previous,
        &hash,
    ];
    session.execute(APPEND, row_values)?;
    Ok(row)
}

impl Store {
    /// Adds an entry to the record of acts; it is durable when this returns.
    ///
    /// # Errors
    /// The database's.
    pub async fn append_audit(&self, time: Timestamp, who: &Who, step: Step) -> Result<AuditRow> {
        let who = who.clone();
        self.write(move |session| append(session, time, &who, &step)).await
    }

    /// Rows of the record of acts after this number, in order; of one that is none, because somebody
    /// wrote into it, the number.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit_rows(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<std::result::Result<AuditRow, u64>>> {
        self.read(move |session| {
            session.query(ROWS, values![signed(after), limit], |read| match row(read) {
                Err(Error::Unreadable { .. }) => Ok(Err(number(read.get(0)?)?)),
                row => row.map(Ok),
            })
        })
        .await
    }

    /// The newest row's number, hash and time; none where nothing is recorded.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit_head(&self) -> Result<Option<Head>> {
        self.read(move |session| {
            let last = session.query_optional(LAST, values![], |row| number(row.get(0)?))?;
            let Some(last) = last else { return Ok(None) };
            let rows = session.query(ROWS, values![signed(last.saturating_sub(1)), 1_u32], row)?;
            Ok(rows.first().map(AuditRow::head))
        })
        .await
    }

    /// Acts with what came of them, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn acts(&self, filter: &ActFilter, limit: u32) -> Result<Vec<ActRecord>> {
        let filter = filter.clone();
        self.read(move |session| {
            let beginning = filter.act.as_deref().and_then(|act| act.strip_suffix('.'));
            // What begins with `device.` lies between `device.` and `device/`.
            let (from, to) = match beginning {
                Some(beginning) => (Some(format!("{beginning}.")), Some(format!("{beginning}/"))),
                None => (None, None),
            };
            let exact = filter.act.as_ref().filter(|_| beginning.is_none());
            let mut wanted = Conditions::default();
            wanted.and("a.act IS NOT NULL");
            wanted.with("a.number <", filter.before.map(signed));
            wanted.with("a.who =", filter.who.as_ref());
            wanted.with("a.act =", exact);
            wanted.with("a.act >=", from);
            wanted.with("a.act <", to);
            if let Some(target) = &filter.target {
                let target = wanted.contains("a.targets", target);
                wanted.and(&target);
            }
            wanted.with("a.time >=", filter.from);
            wanted.with("a.time <", filter.until);
            let limit = wanted.give(limit);
            let sql = format!("{ACTS}{} ORDER BY a.number DESC LIMIT {limit}", wanted.sql());
            session.query(&sql, wanted.values(), act)
        })
        .await
    }

    /// Keeps a signature; `signer` is the connector's, or none for the server's own authority.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_signature(
        &self,
        signer: Option<&ConnectorId>,
        signature: &Countersignature,
    ) -> Result<()> {
        let signer = signer.map_or("", ConnectorId::as_str).to_owned();
        let one = signature.clone();
        self.write(move |session| {
            let hash = one.head.hash.to_string();
            let row = values![
                &signer,
                signed(one.head.number),
                &one.name,
                &hash,
                one.head.time,
                one.signed,
                &one.key[..],
                &one.signature[..],
            ];
            session.execute(SIGNED, row)?;
            let surplus = values![&signer, SIGNATURES_KEPT];
            if let Some(last) = session.query_optional(SURPLUS, surplus, |row| row.get::<i64>(0))? {
                session.execute(DROP_SIGNED, values![&signer, last])?;
            }
            Ok(())
        })
        .await
    }

    /// All signatures that are kept, by the number of the row they are of.
    ///
    /// # Errors
    /// The database's.
    pub async fn signatures(&self) -> Result<Vec<Countersignature>> {
        self.read(|session| {
            session.query(SIGNATURES, values![], |row| {
                let signer: String = row.get(0)?;
                Ok(Countersignature {
                    head: Head {
                        number: number(row.get(1)?)?,
                        hash: hash(&row.get::<String>(3)?)?,
                        time: row.get(4)?,
                    },
                    signer: if signer.is_empty() { Signer::Server } else { Signer::Connector },
                    name: row.get(2)?,
                    signed: row.get(5)?,
                    key: row.get(6)?,
                    signature: row.get(7)?,
                })
            })
        })
        .await
    }

    /// The number of the last row that this one signed; 0 where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_signed(&self, signer: Option<&ConnectorId>) -> Result<u64> {
        let signer = signer.map_or("", ConnectorId::as_str).to_owned();
        self.read(move |session| {
            session.query_one(LAST_SIGNED, values![&signer], |row| number(row.get(0)?))
        })
        .await
    }
}
