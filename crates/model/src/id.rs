//! Identifiers. Each is its own type, so that one can never stand where another is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

id! {
    /// A user, in canonical form: `name@realm`, lower case. Made from a login by the directory.
    UserId
}
id! {
    /// The part of a login after `@`; it names the authentication source.
    Realm
}
id! {
    /// The id a phone gives itself (`DeviceId` of MS-ASHTTP 2.2.1.1.1.1.3): at most 32 characters.
    DeviceId
}
id! {
    /// A connector's stable id, derived from nothing it says of itself but given by the server.
    ConnectorId
}
id! {
    /// A collection in the mail system's own terms (for IMAP the mailbox name). Opaque to all
    /// but the backend that made it.
    CollectionId
}
id! {
    /// An item within its collection, in the mail system's own terms (for IMAP the UID in
    /// decimal). Opaque to all but the backend that made it; never reused for another item while
    /// the collection's change token stays valid.
    ItemId
}
id! {
    /// A part of a mail: the path of part numbers from the root, `1.2` as IMAP writes it
    /// (RFC 9051 §6.4.5.1). Made by the `mime` crate, opaque elsewhere.
    PartId
}
id! {
    /// One request of a phone, from its arrival to the mail system. Found in every log line on
    /// the way.
    RequestId
}

impl Realm {
    /// A realm as people write it: case and space around it mean nothing. Server and connector must
    /// agree on this, since passwords go by it.
    pub fn named(text: &str) -> Self {
        Self::new(text.trim().to_lowercase())
    }
}

impl UserId {
    /// The part before the last `@`, or all of it.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(&*self.0, |(local, _)| local)
    }

    /// The part after the last `@`, if any.
    pub fn realm(&self) -> Option<Realm> {
        self.0.rsplit_once('@').map(|(_, realm)| Realm::new(realm))
    }

    /// Whether the realm is one of these, in any case.
    pub fn is_of(&self, realms: &[String]) -> bool {
        let own = self.realm();
        let is_own =
            |one: &String| own.as_ref().is_some_and(|own| own.as_str().eq_ignore_ascii_case(one));
        realms.iter().any(is_own)
    }
}

/// Which conversation a mail belongs to: 16 bytes derived from the thread's first Message-ID, so
/// that every backend and every message of the thread gives the same (MS-ASEMAIL 2.2.2.19).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct ConversationId(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_of_the_realm_behind_the_last_at_in_any_case() {
        let realms = ["Example.ORG".to_owned()];
        assert!(UserId::from("ann@example.org").is_of(&realms));
        assert!(UserId::from("a@b@EXAMPLE.org").is_of(&realms));
        for other in ["ann", "ann@", "ann@example.com", "example.org@x"] {
            assert!(!UserId::from(other).is_of(&realms), "{other}");
        }
    }
}
