//! What real servers do otherwise than their protocols say, and what we do about it. Each fault is
//! known here by name and handled where it says; the page for administrators is
//! `docs/dav-servers.md`.
//!
//! | fault | seen in | handled |
//! |---|---|---|
//! | the number of answers asked for (`limit`) is ignored | Radicale, Xandikos | never asked for: `sync_report` |
//! | an answer cut to the `limit` comes with the final token, so that the rest is lost | Xandikos 0.4 | the same: a continuation is only followed where the server says 507, and a list never (`remembered`) |
//! | the first answer also lists what was deleted long ago, as 404 | Radicale | left out of lists |
//! | to tell `sync-token`, and to tell `getctag`, each member is looked at | Radicale | one of the two is asked for: [`crate::standing`] |
//! | an answer is sent in pieces, the last of which waits until the others are acknowledged | Cyrus | acknowledged at once: `Dialer::prompt` |
//! | an invalid token is answered otherwise than by `valid-sync-token` | Xandikos (500, 412) | [`may_be_bad_token`], then [`tells_from_empty`](crate::changes) |
//! | an invalid token is answered by a full list, as if it were the difference | others | [`may_be_full_list`] |
//! | a token returns to an earlier value when the content does | Xandikos | nothing to do: equal tokens mean equal contents |
//! | what is written comes without `ETag`, since the server changed it | Cyrus, others | no mark is told, so that the phone gets what came out |
//! | an `ETag` is weak though the content is exact | proxies that compress | [`strong`] |
//! | addresses are absolute, or escaped otherwise than before | many | [`crate::href`] |
//! | `supported-report` without `report` in it | Xandikos | looked for at any depth |
//! | scheduling is announced but there is no outbox | Xandikos | only both together count |
//! | a resource that was asked for is left out of the answer | others | asked for alone |
//! | one item makes the answer on a hundred unreadable | others | each is asked for alone |
//! | a question by time looks at the first instance of a series only, or at those until 2038 | Xandikos, Cyrus | series are asked for apart |
//! | a category with a comma in it becomes two | Cyrus, Xandikos | nothing helps |
//! | a write by `If-Schedule-Tag-Match` undoes answers that were noted meanwhile | Cyrus | written by `If-Match`, again and again: [`Race`](crate::write::Race) |
//! | whoever shares a calendar may not be asked what they are called | Cyrus | the last part of their address is shown: [`crate::owner`] |
//! | a calendar that somebody shares has the user as its owner | servers of the sabre/dav family | its mark counts: [`crate::owner`] |
//! | an answer to one instance is said to be told and is not in the organiser's event | Cyrus 3.6 | nothing helps |
//! | no `MOVE` | Xandikos | copied, then deleted |
//! | the well-known address redirects to `http://` | servers behind a proxy | passed over |
//! | a user has no DAV home before the first IMAP login (500) | Cyrus | told to the administrator as what it is |

use crate::error::Refusal;

/// Whether a refusal of a question with a token may mean that the token is no longer known. Where
/// it does not say so in the protocol's words, the caller asks without one: a server that then
/// answers meant the token.
pub(crate) fn may_be_bad_token(refusal: &Refusal) -> Option<Certainty> {
    if refusal.preconditions.iter().any(|it| it == "valid-sync-token") {
        return Some(Certainty::Certain);
    }
    match refusal.status {
        400 | 403 | 409 | 410 | 412 | 500 => Some(Certainty::Perhaps),
        _ => None,
    }
}

/// How sure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Certainty {
    Certain,
    Perhaps,
}

/// Whether an answer that names this many items as new or changed may be the full list of a
/// collection that had `known`. A client cannot tell; it must compare with what there is. Only
/// where more than three quarters of a collection were deleted while its token was forgotten does
/// this not see it.
pub(crate) fn may_be_full_list(named: usize, known: usize) -> bool {
    named > 0 && named.saturating_mul(4) >= known
}

/// An `ETag` that `If-Match` takes: a weak one never matches (RFC 9110 §13.1.1).
pub(crate) fn strong(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, precondition: &str) -> Refusal {
        Refusal { status, preconditions: vec![precondition.to_owned()], after: None }
    }

    #[test]
    fn a_bad_token_is_known_in_many_guises() {
        use Certainty::{Certain, Perhaps};
        for (status, precondition, means) in [
            (403, "valid-sync-token", Some(Certain)),
            (412, "valid-sync-token", Some(Certain)),
            (403, "need-privileges", Some(Perhaps)),
            (500, "", Some(Perhaps)),
            (401, "", None),
            (404, "", None),
            (503, "", None),
        ] {
            assert_eq!(may_be_bad_token(&refusal(status, precondition)), means, "{status}");
        }
    }

    #[test]
    fn a_full_list_is_suspected_by_its_size() {
        assert!(may_be_full_list(1, 0) && may_be_full_list(1, 4) && may_be_full_list(30, 100));
        assert!(!may_be_full_list(0, 0) && !may_be_full_list(1, 5) && !may_be_full_list(24, 100));
    }

    #[test]
    fn a_weak_mark_is_given_back_as_a_strong_one() {
        assert_eq!((strong("W/\"1\""), strong("\"1\"")), ("\"1\"", "\"1\""));
    }
}
