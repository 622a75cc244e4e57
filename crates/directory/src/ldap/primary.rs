//! The primary group of a person in Active Directory, most often "Domain Users". It is not in
//! `memberOf`: the person has the last number of its security identifier (`primaryGroupID`,
//! MS-ADA3 2.121), and the rest is the person's own (MS-DTYP 2.4.2.2).

use super::query::Entry;
use crate::GroupId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The attributes [`sid`] looks at.
pub(super) const ATTRIBUTES: [&str; 2] = ["primaryGroupID", "objectSid"];

/// The names of primary groups, between two readings of the groups: nearly everybody has the same.
#[derive(Debug, Default)]
pub(super) struct PrimaryGroups(Mutex<HashMap<Vec<u8>, GroupId>>);

impl PrimaryGroups {
    /// The name of the group with this security identifier.
    pub(super) fn named(&self, sid: &[u8]) -> Option<GroupId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sid).cloned()
    }

    /// Notes a name.
    pub(super) fn note(&self, sid: Vec<u8>, group: GroupId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sid, group);
    }

    /// Names may change.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The security identifier of a person's primary group; none where the directory has none.
pub(super) fn sid(entry: &Entry) -> Option<Vec<u8>> {
    let group: u32 = entry.first("primaryGroupID")?.parse().ok()?;
    let own = entry.bytes("objectSid")?;
    // Revision, count of the numbers at the end, authority, and the numbers.
    let [1, count, ..] = own else { return None };
    if *count == 0 || own.len() != 8 + 4 * usize::from(*count) {
        return None;
    }
    let domain = own.get(..own.len() - 4)?;
    Some([domain, &group.to_le_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_of_the_persons_domain() {
        let own = b"\x01\x02\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x4e\x04\x00\x00";
        let own = std::str::from_utf8(own).unwrap();
        let of = |sid: &str, group: &str| {
            let values = [("objectSid", sid), ("primaryGroupID", group)];
            super::sid(&Entry::new("cn=ann", values.into_iter()))
        };
        let users = b"\x01\x02\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x02\x00\x00";
        assert_eq!(of(own, "513").as_deref(), Some(&users[..]));
        for (sid, group) in [
            (own, "x"),
            (own, "-1"),
            (&own[..12], "513"),
            (&own[..1], "513"),
            ("\u{2}\u{2}", "513"),
            ("\u{1}\0\0\0\0\0\0\0", "513"),
        ] {
            assert_eq!(of(sid, group), None, "{sid:?} {group}");
        }
    }
}
