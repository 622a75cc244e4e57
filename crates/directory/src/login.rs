//! Logins as phones send them, and which user each means.
//!
//! A phone sends HTTP Basic credentials (RFC 7617) with whatever its owner typed into "user name",
//! and a "domain" put before it with a backslash where the account has that field, also when it is
//! empty. All of these may be one person:
//!
//! ```text
//! ann    Ann@Example.org    CORP\ann    \ann    CORP\ann@example.org    " ann "
//! ```
//!
//! [`Login`] takes such a text apart; [`Realms`] knows the organisation's realms, their other names
//! and the default one (rule R1), and makes the canonical [`UserId`]: `name@realm`, lower case.
//!
//! A realm's people may have names in other domains too: addresses, and the user principal names of
//! Active Directory with an alternative suffix. `ann@corp.example` may be one person there and
//! `ann@example.org` another, so such a login is left as it is for the directory to tell whose it is.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use dme_model::{Realm, Secret, UserId};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The longest name before the `@` or after the `\`, in characters (RFC 5321 §4.5.3.1.1 allows a
/// mailbox 64; account names are longer).
pub const MAX_NAME: usize = 128;
/// The longest realm or domain, in characters (RFC 1035 §2.3.4).
pub const MAX_REALM: usize = 255;
/// The longest password, in bytes. Where it is an access token, it is a long one.
pub const MAX_PASSWORD: usize = 4096;
/// The longest `Authorization` value that is looked at, in bytes: base64 of the above.
const MAX_HEADER: usize = (MAX_NAME * 4 + MAX_REALM * 8 + MAX_PASSWORD) * 4 / 3 + 16;

/// Who somebody says they are, taken apart, lower case, not yet known to exist.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Login {
    name: String,
    realm: Option<String>,
    domain: Option<String>,
}

/// What a phone sent in its `Authorization` header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasicCredentials {
    /// Who.
    pub login: Login,
    /// With which password; never empty.
    pub password: Secret,
}

/// Why a login means nobody. None of these says whether a person exists.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoginError {
    /// The header is not `Basic` with base64 of `user:password`.
    #[error("the authorization header is not basic credentials")]
    NotBasic,
    /// There is no user name.
    #[error("the user name is empty")]
    NoName,
    /// There is no password. To a directory that would mean an anonymous bind (RFC 4513 §5.1.2),
    /// which always succeeds.
    #[error("the password is empty")]
    NoPassword,
    /// A part is longer than any real one.
    #[error("the {0} is too long")]
    TooLong(&'static str),
    /// A control character or a second backslash.
    #[error("the {0} has a character that no {0} has")]
    BadCharacter(&'static str),
    /// The realm or domain is not one of the configured ones.
    #[error("the realm {0:?} is not configured; add it, or as an alias of the realm it belongs to")]
    UnknownRealm(String),
}

/// The configured realms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Realms {
    default: Realm,
    /// Every name a realm goes by, lower case, its own included.
    names: BTreeMap<String, Realm>,
    /// The domains in which people of a realm have other names, lower case.
    suffixes: BTreeMap<String, Realm>,
}

impl Login {
    /// Takes a user name apart.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        if text.chars().count() > MAX_NAME + 2 * MAX_REALM + 2 {
            return Err(LoginError::TooLong("user name"));
        }
        let text = text.trim().to_lowercase();
        if text.chars().any(char::is_control) {
            return Err(LoginError::BadCharacter("user name"));
        }
        let (domain, rest) = match text.split_once('\\') {
            Some((domain, rest)) => (Some(domain.trim()), rest),
            None => (None, text.as_str()),
        };
        let (name, realm) = match rest.rsplit_once('@') {
            Some((name, realm)) => (name.trim(), Some(realm.trim())),
            None => (rest.trim(), None),
        };
        if name.is_empty() {
            return Err(LoginError::NoName);
        }
        if name.contains('\\') {
            return Err(LoginError::BadCharacter("user name"));
        }
        if name.chars().count() > MAX_NAME {
            return Err(LoginError::TooLong("user name"));
        }
        if realm.into_iter().chain(domain).any(|name| name.chars().count() > MAX_REALM) {
            return Err(LoginError::TooLong("realm"));
        }
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self { name: name.to_owned(), realm: given(realm), domain: given(domain) })
    }

    /// The name without realm and domain.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl BasicCredentials {
    /// Reads the value of an `Authorization` header.
    ///
    /// RFC 7617 §2.1 leaves the character set open, and phones send UTF-8 or Latin-1. The bytes
    /// tell which: what is valid UTF-8 is UTF-8, as Latin-1 text by chance hardly ever is; the rest
    /// is read as Windows-1252, which holds Latin-1. There is one reading only, because trying a
    /// second one with the directory would count as a second wrong password (rule A4).
    pub fn from_header(value: &[u8]) -> Result<Self, LoginError> {
        Self::from_decoded(&decoded(value)?)
    }

    /// The login alone of an `Authorization` header, whatever the password: phones that show a
    /// certificate leave it empty.
    pub fn login_in(value: &[u8]) -> Result<Login, LoginError> {
        let text = text(&decoded(value)?);
        Login::parse(text.split_once(':').ok_or(LoginError::NotBasic)?.0)
    }

    /// Reads `user:password`, the decoded content of the header.
    pub fn from_decoded(bytes: &[u8]) -> Result<Self, LoginError> {
        let text = text(bytes);
        let (user, password) = text.split_once(':').ok_or(LoginError::NotBasic)?;
        let login = Login::parse(user)?;
        if password.is_empty() {
            return Err(LoginError::NoPassword);
        }
        if password.len() > MAX_PASSWORD {
            return Err(LoginError::TooLong("password"));
        }
        if password.contains('\0') {
            return Err(LoginError::BadCharacter("password"));
        }
        Ok(Self { login, password: Secret::new(password) })
    }
}

/// The decoded content of an `Authorization` header of HTTP Basic.
fn decoded(value: &[u8]) -> Result<Zeroizing<Vec<u8>>, LoginError> {
    // Phones differ in padding.
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if value.len() > MAX_HEADER {
        return Err(LoginError::TooLong("authorization header"));
    }
    let value = value.trim_ascii();
    let (scheme, rest) = value.split_at_checked(6).ok_or(LoginError::NotBasic)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return Err(LoginError::NotBasic);
    }
    let decoded = BASE64.decode(rest.trim_ascii()).map_err(|_| LoginError::NotBasic)?;
    Ok(Zeroizing::new(decoded))
}

/// What is valid UTF-8 as that, all else as Windows-1252.
fn text(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    })
}

/// The character of a byte in Windows-1252; the five undefined bytes stand for the C1 controls, as
/// the WHATWG Encoding Standard has it.
fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80)
        .and_then(|index| UPPER.get(usize::from(index)).copied())
        .unwrap_or(char::from(byte))
}

impl Realms {
    /// Realms with a default one.
    pub fn new(default: impl Into<Realm>) -> Self {
        let default = Realm::named(default.into().as_str());
        let names = BTreeMap::from([(default.as_str().to_owned(), default.clone())]);
        Self { default, names, suffixes: BTreeMap::new() }
    }

    /// Adds a realm and the other names it goes by: old domains, mail domains, the NetBIOS name of
    /// a Windows domain. A name that is taken is given to the realm it is added to last.
    pub fn with<'a>(
        mut self,
        realm: impl Into<Realm>,
        aliases: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let realm = Realm::named(realm.into().as_str());
        self.names.insert(realm.as_str().to_owned(), realm.clone());
        for alias in aliases {
            self.names.insert(alias.trim().to_lowercase(), realm.clone());
        }
        self
    }

    /// Adds domains in which people of a realm have other names, which its directory knows. A name
    /// of a realm is none.
    pub fn with_suffixes<'a>(
        mut self,
        realm: impl Into<Realm>,
        suffixes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let realm = Realm::named(realm.into().as_str());
        let suffixes = suffixes.into_iter().map(|suffix| suffix.trim().to_lowercase());
        self.suffixes.extend(suffixes.map(|suffix| (suffix, realm.clone())));
        self
    }

    /// The realm whose directory is asked about a login that was resolved.
    pub fn realm_of(&self, user: &UserId) -> Option<Realm> {
        let realm = user.realm()?;
        let other = || self.suffixes.get(realm.as_str()).cloned();
        self.names.get(realm.as_str()).cloned().or_else(other)
    }

    /// The realm of a login that names none.
    pub fn default_realm(&self) -> &Realm {
        &self.default
    }

    /// The user a login means, or the other name of one that only the directory can tell. A realm
    /// after `@` counts before a domain before `\`; what is given but unknown is an error, not the
    /// default.
    pub fn resolve(&self, login: &Login) -> Result<UserId, LoginError> {
        if let Some(suffix) = &login.realm
            && !self.names.contains_key(suffix)
            && self.suffixes.contains_key(suffix)
        {
            return Ok(UserId::new(format!("{}@{suffix}", login.name)));
        }
        let mut given = login.realm.iter().chain(&login.domain).peekable();
        let realm = match given.peek().copied() {
            None => &self.default,
            Some(first) => given
                .find_map(|name| self.names.get(name))
                .ok_or_else(|| LoginError::UnknownRealm(first.clone()))?,
        };
        Ok(UserId::new(format!("{}@{realm}", login.name)))
    }
}

#[cfg(test)]
mod tests;
