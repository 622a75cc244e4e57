//! Finds what was done to a record.

use crate::{Countersignature, Hash, Row, Signer};
use std::collections::BTreeMap;
use std::fmt;

/// Reads a record from its first row to its last.
#[derive(Default)]
pub struct Verifier {
    /// The number of the row before, and its hash where that is known to be its own: what follows a
    /// changed row is not blamed for it.
    last: Option<(u64, Option<Hash>)>,
    rows: u64,
    /// Those under rows that did not come yet, by the number they are of.
    signed: BTreeMap<u64, Vec<Countersignature>>,
    connectors: Option<(u64, String)>,
    server: Option<u64>,
    faults: Vec<Fault>,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The row is not the one that was written.
    Changed {
        /// Which.
        number: u64,
    },
    /// The row is whole, and does not follow the one before it: that one was changed and its hash
    /// made anew, or this one was.
    Unlinked {
        /// Which.
        number: u64,
        /// The one before it.
        before: u64,
    },
    /// Rows are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The row stands behind one that is later.
    OutOfOrder {
        /// Which.
        number: u64,
        /// Behind which.
        behind: u64,
    },
    /// What was signed is not what is there: the chain was made anew from some row up to this one.
    Forged {
        /// Up to which.
        number: u64,
        /// Who signed the other.
        signer: String,
    },
    /// The end is cut off: a row was signed that is not there.
    Cut {
        /// The last row that is there; 0 where there is none.
        last: u64,
        /// The last that was signed.
        signed: u64,
        /// By whom.
        signer: String,
    },
    /// The signature is none of the key that stands with it.
    NotGenuine {
        /// Of which row.
        number: u64,
        /// Who is said to have signed.
        signer: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number } => write!(f, "row {number} was changed"),
            Self::Unlinked { number, before } => {
                write!(f, "row {number} does not follow row {before}: one of the two was replaced")
            }
            Self::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Self::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Self::OutOfOrder { number, behind } => {
                write!(f, "row {number} stands behind row {behind}")
            }
            Self::Forged { number, signer } => write!(
                f,
                "row {number} is not the one that {signer} signed: it, or rows before it, were \
                 changed and all hashes made anew"
            ),
            Self::Cut { last, signed, signer } => write!(
                f,
                "the end is cut off: the last row is {last}, and {signer} signed row {signed}"
            ),
            Self::NotGenuine { number, signer } => {
                write!(f, "the signature of {signer} under row {number} is not genuine")
            }
        }
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How many rows there are.
    pub rows: u64,
    /// The last of them.
    pub last: u64,
    /// What was done to them, in order; nothing where all is well.
    pub faults: Vec<Fault>,
    /// The last row that a connector signed, and its name: nobody on the server's machine alone can
    /// have changed anything up to there.
    pub connectors: Option<(u64, String)>,
    /// The last row that the server's own authority signed.
    pub server: Option<u64>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Verifier {
    /// With the countersignatures that are kept beside the record.
    pub fn new(signatures: impl IntoIterator<Item = Countersignature>) -> Self {
        let mut verifier = Self::default();
        for one in signatures {
            if one.is_genuine() {
                verifier.signed.entry(one.head.number).or_default().push(one);
            } else {
                let (number, signer) = (one.head.number, signer(&one));
                verifier.faults.push(Fault::NotGenuine { number, signer });
            }
        }
        verifier
    }

    /// Reads the next row.
    pub fn read(&mut self, row: &Row) {
        let number = row.entry.number;
        if number == 0 {
            // The first is 1.
            return self.read_broken(number);
        }
        self.rows += 1;
        if let Some((behind, _)) = self.last
            && number <= behind
        {
            self.faults.push(Fault::OutOfOrder { number, behind });
            return;
        }
        let (before, hash) = self.last.unwrap_or((0, Some(Hash::NONE)));
        let is_next = number == before + 1;
        if !is_next {
            self.faults.push(Fault::Missing { from: before + 1, to: number - 1 });
        }
        if !row.is_whole() {
            self.faults.push(Fault::Changed { number });
        } else if is_next && hash.is_some_and(|hash| hash != row.previous) {
            self.faults.push(Fault::Unlinked { number, before });
        }
        for one in self.signed.remove(&number).unwrap_or_default() {
            if one.head.hash != row.hash {
                self.faults.push(Fault::Forged { number, signer: signer(&one) });
                continue;
            }
            match one.signer {
                Signer::Connector => self.connectors = Some((number, one.name)),
                Signer::Server => self.server = Some(number),
            }
        }
        self.last = Some((number, row.is_whole().then_some(row.hash)));
    }

    /// The next row is none: what stands in it was never written so.
    pub fn read_broken(&mut self, number: u64) {
        self.rows += 1;
        let (before, _) = self.last.unwrap_or((0, None));
        if number > before.saturating_add(1) {
            self.faults.push(Fault::Missing { from: before + 1, to: number - 1 });
        }
        self.faults.push(Fault::Changed { number });
        self.signed.remove(&number);
        // What comes next follows the last of those that were in order.
        self.last = Some((number.max(before), None));
    }

    /// All rows were read.
    pub fn end(mut self) -> Report {
        let last = self.last.map_or(0, |(number, _)| number);
        let beyond = self.signed.split_off(&last.saturating_add(1));
        if let Some((signed, by)) = beyond.last_key_value() {
            let signer = by.first().map(signer).unwrap_or_default();
            self.faults.push(Fault::Cut { last, signed: *signed, signer });
        }
        let Self { rows, faults, connectors, server, .. } = self;
        Report { rows, last, faults, connectors, server }
    }
}

fn signer(one: &Countersignature) -> String {
    match one.signer {
        Signer::Connector => format!("connector {}", one.name),
        Signer::Server => "the server's authority".into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::countersignature::tests::sign;
    use crate::{Act, Entry, Step, Who};
    use dme_model::Timestamp;
    use proptest::prelude::*;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

    /// A sound record of so many rows.
    pub(crate) fn rows(count: u64) -> Vec<Row> {
        let mut previous = Hash::NONE;
        let row = |number| {
            let targets = vec![format!("user{number}@example.org")];
            let act = Act { name: "user.lock".into(), targets, changes: vec![] };
            let time = Timestamp::from_seconds(number as i64);
            let entry = Entry { number, time, who: Who::server(), step: Step::Begun(act) };
            let row = Row::after(previous, entry);
            previous = row.hash;
            row
        };
        (1..=count).map(row).collect()
    }

    fn verify(rows: &[Row], signatures: Vec<Countersignature>) -> Report {
        let mut verifier = Verifier::new(signatures);
        rows.iter().for_each(|row| verifier.read(row));
        verifier.end()
    }

    fn faults(rows: &[Row]) -> Vec<Fault> {
        verify(rows, vec![]).faults
    }

    fn key() -> KeyPair {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
    }

    fn change(row: &mut Row) {
        row.entry.who.name = "nobody".into();
    }

    #[test]
    fn a_sound_record_is_found_sound_and_how_far_it_is_signed() {
        let rows = rows(6);
        let signatures = vec![sign(&key(), rows[3].head()), sign(&key(), rows[1].head())];
        let report = verify(&rows, signatures);
        assert!(report.is_sound());
        assert_eq!((report.rows, report.last), (6, 6));
        assert_eq!(report.connectors, Some((4, "branch".into())));
        assert!(verify(&[], vec![]).is_sound());
    }

    #[test]
    fn each_deed_is_named_with_its_row() {
        let sound = rows(6);
        let mut changed = sound.clone();
        change(&mut changed[2]);
        assert_eq!(faults(&changed), [Fault::Changed { number: 3 }]);

        let mut rehashed = changed.clone();
        rehashed[2] = Row::after(rehashed[2].previous, rehashed[2].entry.clone());
        assert_eq!(faults(&rehashed), [Fault::Unlinked { number: 4, before: 3 }]);

        let mut missing = sound.clone();
        missing.remove(2);
        assert_eq!(faults(&missing), [Fault::Missing { from: 3, to: 3 }]);
        assert_eq!(faults(&sound[2..]), [Fault::Missing { from: 1, to: 2 }]);

        let mut renumbered = sound.clone();
        renumbered.remove(2);
        renumbered[2].entry.number = 3;
        let found = faults(&renumbered);
        assert_eq!(found[0], Fault::Changed { number: 3 });

        let mut swapped = sound.clone();
        swapped.swap(2, 3);
        assert_eq!(
            faults(&swapped),
            [Fault::Missing { from: 3, to: 3 }, Fault::OutOfOrder { number: 3, behind: 4 }]
        );

        let mut exchanged = sound;
        exchanged.swap(2, 3);
        exchanged[2].entry.number = 3;
        exchanged[3].entry.number = 4;
        assert_eq!(
            faults(&exchanged),
            [Fault::Changed { number: 3 }, Fault::Changed { number: 4 }]
        );
    }

    #[test]
    fn what_bears_a_number_that_no_row_has_is_named() {
        let mut rows = rows(3);
        rows[0].entry.number = 0;
        let found = faults(&rows);
        let missing = Fault::Missing { from: 1, to: 1 };
        assert_eq!(found, [Fault::Changed { number: 0 }, missing]);

        let mut verifier = Verifier::new([]);
        verifier.read(&self::rows(3)[0]);
        verifier.read(&self::rows(3)[1]);
        verifier.read_broken(1);
        verifier.read(&self::rows(3)[2]);
        let report = verifier.end();
        assert_eq!((report.last, report.faults), (3, vec![Fault::Changed { number: 1 }]));
    }

    #[test]
    fn a_cut_end_and_a_chain_made_anew_are_found_by_a_signature_alone() {
        let sound = rows(6);
        let signed = vec![sign(&key(), sound[4].head())];
        assert!(verify(&sound[..3], vec![]).is_sound(), "nobody can tell");
        let signer = "connector branch".to_owned();
        assert_eq!(
            verify(&sound[..3], signed.clone()).faults,
            [Fault::Cut { last: 3, signed: 5, signer: signer.clone() }]
        );

        let mut forged = sound;
        change(&mut forged[1]);
        let mut previous = Hash::NONE;
        for row in &mut forged {
            *row = Row::after(previous, row.entry.clone());
            previous = row.hash;
        }
        assert!(verify(&forged, vec![]).is_sound(), "nobody can tell");
        assert_eq!(verify(&forged, signed.clone()).faults, [Fault::Forged { number: 5, signer }]);

        let mut resigned = signed;
        resigned[0].head = forged[4].head();
        let found = verify(&forged, resigned).faults;
        assert!(matches!(found[..], [Fault::NotGenuine { number: 5, .. }]), "{found:?}");
    }

    proptest! {
        /// Whichever row is changed, dropped or moved, and however: it never passes.
        #[test]
        fn no_deed_goes_unseen(count in 3_u64..20, at in 0_usize..18, deed in 0..4) {
            let mut rows = rows(count);
            let at = at % (rows.len() - 1);
            match deed {
                0 => change(&mut rows[at]),
                1 => { rows.remove(at); }
                2 => rows.swap(at, at + 1),
                _ => rows[at].hash = Hash::new([1; 32]),
            }
            prop_assert!(!verify(&rows, vec![]).is_sound());
        }
    }
}
