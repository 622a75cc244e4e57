//! What the directories' side says of logins and of itself, in the reader's language. What a
//! directory's own server said is quoted as it was.

use super::Language;
use dme_directory::{Error, Reason};

impl Language {
    /// Why somebody may not in, or what is wrong with a group that is named.
    pub(crate) fn reason(self, reason: &Reason) -> String {
        match (self, reason) {
            // As the directory's side itself says it, in logs too.
            (Self::English, reason) => reason.to_string(),
            (_, Reason::Standing(standing)) => {
                self.word("account", &crate::endpoints::word(standing))
            }
            (_, Reason::GroupsUnknown) => self.text("groups-unknown", &[]),
            (_, Reason::NoGroupConfigured) => self.text("no-group-configured", &[]),
            (_, Reason::NotInGroup) => self.text("not-in-group", &[]),
            (_, Reason::NoSuchGroup(group)) => self.of("no-such-group", group),
            (_, Reason::AmbiguousGroup(group)) => self.of("ambiguous-group", group),
            (_, Reason::NotForRoles(group)) => self.of("not-for-roles", group),
        }
    }

    /// Why a directory did not answer.
    pub(crate) fn unanswered(self, error: &Error) -> String {
        match (self, error) {
            (Self::English, error) => error.to_string(),
            (_, Error::Unavailable(said)) => self.of("directory-unavailable", said),
            (_, Error::OffHours { until, .. }) => {
                self.of("directory-off-hours", &until.to_string())
            }
            (_, Error::Busy(said)) => self.of("directory-busy", said),
            (_, Error::Refused(said)) => self.of("directory-refused", said),
            (_, Error::NotChosen(said)) => self.of("directory-not-chosen", said),
            (_, Error::Protocol(said)) => self.of("directory-protocol", said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_directory::Standing;
    use dme_model::Timestamp;

    #[test]
    fn why_somebody_may_not_in_is_said_in_every_language() {
        for reason in [
            Reason::Standing(Standing::Disabled),
            Reason::Standing(Standing::OutsideLogonHours),
            Reason::GroupsUnknown,
            Reason::NoGroupConfigured,
            Reason::NotInGroup,
            Reason::NoSuchGroup("staff".into()),
            Reason::AmbiguousGroup("staff".into()),
            Reason::NotForRoles("staff".into()),
        ] {
            let english = Language::English.reason(&reason);
            assert_eq!(english, reason.to_string());
            let german = Language::German.reason(&reason);
            assert!(german.contains(' ') && !german.contains("the "), "{german}");
            assert_eq!(german.contains("staff"), english.contains("staff"), "{german}");
        }
    }

    #[test]
    fn what_a_directorys_server_said_is_quoted_in_every_language() {
        let said = || "rc=49".to_owned();
        let until = Timestamp::from_seconds(1_700_000_000);
        for error in [
            Error::Unavailable(said()),
            Error::Busy(said()),
            Error::Refused(said()),
            Error::NotChosen(said()),
            Error::Protocol(said()),
            Error::OffHours { why: "branch".into(), until },
        ] {
            let german = Language::German.unanswered(&error);
            assert!(german.contains("Verzeichnis") && !german.contains("the "), "{german}");
            let quoted = german.contains("rc=49") || german.contains(&until.to_string());
            assert!(quoted, "{german}");
            assert_eq!(Language::English.unanswered(&error), error.to_string());
        }
    }
}
