//! Codes of time (RFC 6238) in the form that every authenticator knows: HMAC-SHA-1, six digits, a new
//! one every thirty seconds.

use aws_lc_rs::{constant_time, hmac};
use dme_model::{Secret, Timestamp};

/// Seconds for which a code is shown (RFC 6238 §4.1, ASVS 5.0 6.5.5).
const STEP: i64 = 30;
/// Steps that a clock may be off, to either side (RFC 6238 §5.2).
const OFF: i64 = 1;
/// One more than the largest code (RFC 4226 §5.3).
const CODES: u32 = 1_000_000;
/// The letters of Base32 (RFC 4648 §6), by which authenticators are told a secret.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step of a moment (RFC 6238 §4.2).
pub(super) fn step(now: Timestamp) -> i64 {
    now.as_seconds().div_euclid(STEP)
}

/// The code of a step (RFC 4226 §5.3).
pub(super) fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let offset = tag.as_ref().last().map_or(0, |last| usize::from(last & 0xf));
    let four = tag.as_ref().iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % CODES)
}

/// The step whose code was typed, where it is one of now, or next to it.
pub(super) fn step_of(secret: &[u8], typed: &Secret, now: Timestamp) -> Option<i64> {
    let digits: String = typed.expose().chars().filter(|sign| *sign != ' ').collect();
    let now = step(now);
    // Each is compared, so that the time it takes tells nothing.
    let mut found = None;
    for step in now - OFF..=now + OFF {
        let wanted = code(secret, step);
        if constant_time::verify_slices_are_equal(wanted.as_bytes(), digits.as_bytes()).is_ok() {
            found = Some(step);
        }
    }
    found
}

/// A secret as authenticators are told it (RFC 4648 §6), without the signs that fill it up.
pub(super) fn base32(secret: &[u8]) -> Secret {
    let mut text = String::with_capacity(secret.len() * 8 / 5 + 1);
    for five in secret.chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let bits = bits << (8 * (5 - five.len()));
        for letter in 0..(five.len() * 8).div_ceil(5) {
            let index = (bits >> (35 - 5 * letter)) & 31;
            let letter = usize::try_from(index).ok().and_then(|index| BASE32.get(index));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, wanted) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step(Timestamp::from_seconds(seconds))), wanted);
        }
    }

    #[test]
    fn a_code_is_good_in_its_step_and_those_beside_it() {
        let typed = Secret::new("050 471");
        let at = |seconds| step_of(SECRET, &typed, Timestamp::from_seconds(seconds));
        let its = 1_111_111_111 / 30;
        for (seconds, found) in [
            (1_111_111_049, None),
            (1_111_111_050, None),
            (1_111_111_080, Some(its)),
            (1_111_111_110, Some(its)),
            (1_111_111_169, Some(its)),
            (1_111_111_170, None),
        ] {
            assert_eq!(at(seconds), found, "{seconds}");
        }
        for wrong in ["", "050472", "50471", "0504711", "０５０４７１"] {
            let now = Timestamp::from_seconds(1_111_111_111);
            assert_eq!(step_of(SECRET, &Secret::new(wrong), now), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_as_authenticators_read_them() {
        // RFC 4648 §10.
        for (bytes, wanted) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()).expose(), wanted);
        }
    }
}
