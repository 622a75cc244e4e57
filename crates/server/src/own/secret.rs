//! Secrets that the server makes, and what it keeps of them.

use aws_lc_rs::{digest, rand};
use dme_model::Secret;
use std::fmt::Write;

/// Lower-case letters and digits without those that look like others: i, l, o, u. 32, so that each
/// stands for five bits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Random characters of a device password: 130 bits.
const RANDOM: usize = 26;
/// Characters after those by which a slip of the finger shows, and by which it is told from a
/// password of the directory.
const CHECK: usize = 2;
/// Random characters of a recovery code: 120 bits, so that a plain hash of it is enough (ASVS 5.0
/// 6.5.2).
const RECOVERY: usize = 24;
/// In groups of so many, for people to type.
const GROUP: usize = 4;

/// Random letters and digits, five bits each.
fn letters(count: usize) -> String {
    let mut bytes = vec![0; count];
    // Without randomness no secret can be kept; TLS would not run either.
    #[expect(clippy::expect_used, reason = "aws-lc aborts by itself rather than fail here")]
    rand::fill(&mut bytes).expect("randomness");
    bytes.iter().map(|byte| letter(usize::from(*byte))).collect()
}

fn letter(number: usize) -> char {
    ALPHABET.get(number % ALPHABET.len()).copied().map_or('0', char::from)
}

/// The hash of a secret in hexadecimal digits. It has 128 random bits or more, so that a plain
/// SHA-256 tells nothing of it, and a request costs no more than that.
pub fn hash(secret: &str) -> String {
    let hash = digest::digest(&digest::SHA256, secret.as_bytes());
    hash.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The characters by which the others are checked.
fn check(random: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("device password {random}").as_bytes());
    hash.as_ref().iter().take(CHECK).map(|byte| letter(usize::from(*byte))).collect()
}

/// A new password for a device: seven groups of four characters.
pub fn device_password() -> Secret {
    let random = letters(RANDOM);
    grouped(&format!("{random}{}", check(&random)))
}

/// In groups, with hyphens between.
fn grouped(letters: &str) -> Secret {
    let all: Vec<char> = letters.chars().collect();
    let groups: Vec<String> = all.chunks(GROUP).map(|group| group.iter().collect()).collect();
    Secret::new(groups.join("-"))
}

/// What was meant, without the hyphens and blanks of those who type, and without the capitals that
/// phones begin a line with.
pub fn plain(typed: &str) -> impl Iterator<Item = char> {
    let meant = typed.chars().filter(|letter| !matches!(letter, '-' | ' '));
    meant.map(|letter| letter.to_ascii_lowercase())
}

/// What is hashed of a device password: what was typed, made [`plain`]. None where it is no device
/// password at all, but one of the directory.
pub fn read_device_password(typed: &Secret) -> Option<Secret> {
    let typed = typed.expose();
    if typed.len() > 2 * (RANDOM + CHECK) {
        return None;
    }
    let letters: String = plain(typed).collect();
    let (random, given) = letters.split_at_checked(RANDOM)?;
    let is_one = random.bytes().all(|letter| ALPHABET.contains(&letter)) && given == check(random);
    is_one.then(|| Secret::new(letters))
}

/// A new code for whoever lost their authenticator: six groups of four characters, 120 bits.
pub fn recovery_code() -> Secret {
    grouped(&letters(RECOVERY))
}

/// What is hashed of a recovery code, as people type it; none where it is none, but a code of an
/// authenticator.
pub fn read_recovery_code(typed: &Secret) -> Option<Secret> {
    let letters: String = plain(typed.expose()).take(RECOVERY + 1).collect();
    let is_one = letters.len() == RECOVERY && letters.bytes().all(|one| ALPHABET.contains(&one));
    is_one.then(|| Secret::new(letters))
}

/// A new password for a file that is taken in once: four groups of four characters, 80 bits.
pub fn file_password() -> Secret {
    grouped(&letters(16))
}

/// A new secret for a link: 160 bits, letters and digits.
pub fn link() -> Secret {
    Secret::new(letters(32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_password_is_read_as_people_type_it_and_no_other_is_taken_for_one() {
        let made = device_password();
        assert_eq!(made.expose().len(), 34);
        let meant = read_device_password(&made).unwrap();
        let plain = made.expose().replace('-', "");
        let mut capital = plain.clone();
        capital.replace_range(..1, &plain[..1].to_uppercase());
        for typed in [plain.clone(), capital, made.expose().replace('-', " "), format!("{plain} ")]
        {
            assert_eq!(read_device_password(&Secret::new(typed)), Some(meant.clone()));
        }
        let wrong = if plain.starts_with('x') { "y" } else { "x" };
        let slip = format!("{wrong}{}", &plain[1..]);
        for other in ["", "hunter2", &slip, &plain[1..], &"x".repeat(5000), "ééééééééééééééééééé"]
        {
            assert_eq!(read_device_password(&Secret::new(other)), None, "{other}");
        }
        assert_ne!(device_password(), device_password());
    }
}
