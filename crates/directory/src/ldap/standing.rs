//! What a directory says of an account: the answer to a bind, and the attributes of the entry.
//!
//! Active Directory hides the reason for a refused bind in the text of the answer, as a Windows
//! error code (MS-ERREF §2.2): `… AcceptSecurityContext error, data 52e, …`. OpenLDAP and others
//! tell it in the response control of draft-behera-ldap-password-policy §6.2.

use super::query::Entry;
use crate::Standing;
use dme_model::Timestamp;

/// The password policy control, request and response.
pub(super) const POLICY_CONTROL: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

/// The attributes [`of_entry`] looks at. All are asked for by name: some are operational.
pub(super) const ATTRIBUTES: [&str; 9] = [
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "lockoutTime",
    "accountExpires",
    "pwdLastSet",
    "pwdAccountLockedTime",
    "pwdReset",
    "nsAccountLock",
    "shadowExpire",
];

/// What the server said to a bind with invalid credentials (result code 49).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denial {
    /// The password is not theirs, or nothing more was said.
    WrongPassword,
    /// There is no such account.
    Unknown,
    /// The account may not be used.
    Barred(Standing),
}

/// Reads the Windows error code in the text of a refused bind.
pub(super) fn denial_of_text(text: &str) -> Denial {
    let code = text
        .split_once("data ")
        .map(|(_, rest)| rest.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match code {
        // ERROR_NO_SUCH_USER.
        Some(0x525) => Denial::Unknown,
        // ERROR_INVALID_LOGON_HOURS.
        Some(0x530) => Denial::Barred(Standing::OutsideLogonHours),
        // ERROR_INVALID_WORKSTATION.
        Some(0x531) => Denial::Barred(Standing::OtherWorkstation),
        // ERROR_PASSWORD_EXPIRED.
        Some(0x532) => Denial::Barred(Standing::PasswordExpired),
        // ERROR_ACCOUNT_DISABLED.
        Some(0x533) => Denial::Barred(Standing::Disabled),
        // ERROR_ACCOUNT_EXPIRED.
        Some(0x701) => Denial::Barred(Standing::Expired),
        // ERROR_PASSWORD_MUST_CHANGE.
        Some(0x773) => Denial::Barred(Standing::MustChangePassword),
        // ERROR_ACCOUNT_LOCKED_OUT.
        Some(0x775) => Denial::Barred(Standing::LockedOut),
        // ERROR_LOGON_FAILURE (52e), anything else and nothing at all.
        _ => Denial::WrongPassword,
    }
}

/// Reads the value of a password policy response:
///
/// ```text
/// SEQUENCE { warning [0] …  OPTIONAL, error [1] ENUMERATED OPTIONAL }
/// ```
pub(super) fn standing_of_policy(value: &[u8]) -> Option<Standing> {
    let [0x30, _, fields @ ..] = value else { return None };
    let fields = match fields {
        [0xa0, length, rest @ ..] => rest.get(usize::from(*length)..)?,
        _ => fields,
    };
    match fields {
        // passwordExpired.
        [0x81, 1, 0, ..] => Some(Standing::PasswordExpired),
        // changeAfterReset.
        [0x81, 1, 2, ..] => Some(Standing::MustChangePassword),
        // accountLocked.
        [0x81, 1, 1, ..] => Some(Standing::LockedOut),
        _ => None,
    }
}

/// Reads the attributes of a person's entry.
pub(super) fn of_entry(entry: &Entry, now: Timestamp) -> Standing {
    let number = |name: &str| entry.first(name).and_then(|value| value.parse::<i64>().ok());
    let is_true = |name| entry.first(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let control = number("userAccountControl").unwrap_or(0);
    let computed = number("msDS-User-Account-Control-Computed");
    // ACCOUNTDISABLE, MS-ADTS 2.2.16.
    if control & 0x2 != 0 || is_true("nsAccountLock") {
        return Standing::Disabled;
    }
    let expires = number("accountExpires").and_then(windows_time);
    let shadow = number("shadowExpire").filter(|days| *days >= 0);
    if expires.is_some_and(|end| end <= now) || shadow.is_some_and(|end| end <= now.as_days()) {
        return Standing::Expired;
    }
    // UF_LOCKOUT is true of the computed attribute only. Where that was not given, the time of the
    // lock stands until the next good password, also after the lock is over.
    let locked = match computed {
        Some(computed) => computed & 0x10 != 0,
        None => number("lockoutTime").is_some_and(|time| time > 0),
    };
    if locked || entry.first("pwdAccountLockedTime").is_some() {
        return Standing::LockedOut;
    }
    // UF_PASSWORD_EXPIRED; `pwdLastSet` is 0 where the password must be changed at once, which
    // does not hold for accounts with UF_DONT_EXPIRE_PASSWD. The computed attribute knows that.
    let must_change = number("pwdLastSet") == Some(0);
    let expired = match computed {
        Some(computed) => computed & 0x80_0000 != 0,
        None => must_change && control & 0x1_0000 == 0,
    };
    match expired {
        true if must_change => Standing::MustChangePassword,
        true => Standing::PasswordExpired,
        false if is_true("pwdReset") => Standing::MustChangePassword,
        false => Standing::Active,
    }
}

/// A moment in units of 100 ns since 1601 (MS-DTYP 2.3.3); none where it means never.
fn windows_time(value: i64) -> Option<Timestamp> {
    const EPOCH: i64 = 11_644_473_600_000;
    let never = value <= 0 || value == i64::MAX;
    (!never).then(|| Timestamp::from_millis((value / 10_000).saturating_sub(EPOCH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_windows_code_has_its_meaning() {
        use Denial::{Barred, Unknown, WrongPassword};
        for (code, denial) in [
            ("525", Unknown),
            ("52e", WrongPassword),
            ("530", Barred(Standing::OutsideLogonHours)),
            ("531", Barred(Standing::OtherWorkstation)),
            ("532", Barred(Standing::PasswordExpired)),
            ("533", Barred(Standing::Disabled)),
            ("701", Barred(Standing::Expired)),
            ("773", Barred(Standing::MustChangePassword)),
            ("775", Barred(Standing::LockedOut)),
            ("fffffffffffff", WrongPassword),
        ] {
            let text = format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, \
                 data {code}, v2580"
            );
            assert_eq!(denial_of_text(&text), denial, "{code}");
        }
        assert_eq!(denial_of_text("data "), WrongPassword);
        assert_eq!(denial_of_text(""), WrongPassword);
    }

    #[test]
    fn the_policy_control_is_read_with_and_without_a_warning() {
        for (value, standing) in [
            (&[0x30, 0x03, 0x81, 0x01, 0x01][..], Some(Standing::LockedOut)),
            (&[0x30, 0x03, 0x81, 0x01, 0x00], Some(Standing::PasswordExpired)),
            (&[0x30, 0x03, 0x81, 0x01, 0x02], Some(Standing::MustChangePassword)),
            (
                &[0x30, 0x08, 0xa0, 0x03, 0x80, 0x01, 0x05, 0x81, 0x01, 0x01],
                Some(Standing::LockedOut),
            ),
            (&[0x30, 0x05, 0xa0, 0x03, 0x80, 0x01, 0x05], None),
            (&[0x30, 0x05, 0xa0, 0x7f], None),
            (&[0x30, 0x00], None),
            (&[], None),
        ] {
            assert_eq!(standing_of_policy(value), standing, "{value:02x?}");
        }
    }

    #[test]
    fn the_entry_tells_how_the_account_stands() {
        let now = Timestamp::from_seconds(1_700_000_000);
        // 2023-11-14, just before and just after `now`.
        let (past, future) = ("133444735000000000", "133444737000000000");
        for (attributes, standing) in [
            (&[][..], Standing::Active),
            (&[("userAccountControl", "512")], Standing::Active),
            (&[("userAccountControl", "514")], Standing::Disabled),
            (&[("nsAccountLock", "TRUE")], Standing::Disabled),
            (&[("accountExpires", past)], Standing::Expired),
            (&[("accountExpires", future)], Standing::Active),
            (&[("accountExpires", "0")], Standing::Active),
            (&[("accountExpires", "9223372036854775807")], Standing::Active),
            (&[("shadowExpire", "19000")], Standing::Expired),
            (&[("shadowExpire", "-1")], Standing::Active),
            (&[("lockoutTime", "0")], Standing::Active),
            (&[("lockoutTime", past)], Standing::LockedOut),
            (
                &[("lockoutTime", past), ("msDS-User-Account-Control-Computed", "0")],
                Standing::Active,
            ),
            (&[("msDS-User-Account-Control-Computed", "16")], Standing::LockedOut),
            (&[("msDS-User-Account-Control-Computed", "8388608")], Standing::PasswordExpired),
            (
                &[("msDS-User-Account-Control-Computed", "8388608"), ("pwdLastSet", "0")],
                Standing::MustChangePassword,
            ),
            // The password of this one never expires.
            (&[("msDS-User-Account-Control-Computed", "0"), ("pwdLastSet", "0")], Standing::Active),
            (&[("userAccountControl", "66048"), ("pwdLastSet", "0")], Standing::Active),
            (&[("pwdAccountLockedTime", "20231101000000Z")], Standing::LockedOut),
            (&[("pwdLastSet", "0")], Standing::MustChangePassword),
            (&[("pwdReset", "TRUE")], Standing::MustChangePassword),
        ] {
            let entry = Entry::new("uid=ann", attributes.iter().copied());
            assert_eq!(of_entry(&entry, now), standing, "{attributes:?}");
        }
    }
}
