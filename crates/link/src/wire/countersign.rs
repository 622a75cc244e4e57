//! The call with which the record of administrators' acts is countersigned.

use super::call::Call;
use dme_audit::{Contradiction, Countersignature, Head};
use serde::{Deserialize, Serialize};

/// `connector/countersign`. Beside it the digests of the entries after `from`, up to the head's,
/// 32 bytes each.
#[derive(Serialize, Deserialize)]
pub(crate) struct Countersign {
    /// What is to be signed.
    pub head: Head,
    /// After which entry the digests begin.
    pub from: u64,
}

impl Call for Countersign {
    const NAME: &'static str = "connector/countersign";
    type Answer = Countersigned;
}

/// What a connector says of a head.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Countersigned {
    /// It is signed.
    Signed(Countersignature),
    /// It cannot be judged without the digests of the entries after this one.
    From(u64),
    /// It contradicts what was signed before.
    Refused(Contradiction),
}
