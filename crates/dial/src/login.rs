//! Who logs in, and with what.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dme_mailbox::{Account, Credentials, Error, ErrorKind};
use dme_model::Secret;
use serde::{Deserialize, Serialize};

/// How users are logged in.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Auth {
    /// With the password the phone sent.
    #[default]
    Password,
    /// With one account that may open every mailbox: SASL PLAIN with the user as authorisation
    /// identity (RFC 4616), or `user*master` where a separator is given.
    Master {
        /// The master account's name.
        user: String,
        /// Its password.
        secret: Secret,
        /// Put between user and master in the login name, instead of an authorisation identity.
        #[serde(default)]
        separator: Option<String>,
    },
    /// With an OAuth token of the user's: OAUTHBEARER (RFC 7628), else XOAUTH2.
    Bearer,
}

/// What of the user is the login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginName {
    /// The whole user id, `name@realm`.
    #[default]
    User,
    /// The part before `@`.
    Local,
    /// The mail address the directory has.
    Address,
}

/// Who logs in, and with what.
#[derive(Clone)]
pub enum Login {
    /// A name and its password.
    Password {
        /// The name.
        user: String,
        /// The password.
        secret: Secret,
    },
    /// One account on behalf of another (RFC 4616).
    Plain {
        /// Whose mailbox it is.
        on_behalf_of: String,
        /// The account's name.
        user: String,
        /// The account's password.
        secret: Secret,
    },
    /// An access token.
    Bearer {
        /// Whose it is.
        user: String,
        /// The token.
        token: Secret,
    },
}

impl Login {
    /// As configured, for this user.
    ///
    /// # Errors
    /// `Auth` where the credentials are not of the kind that is needed.
    pub fn new(auth: &Auth, name: LoginName, account: &Account) -> Result<Self, Error> {
        let user = login_name(name, account);
        match (auth, &account.credentials) {
            (Auth::Password, Credentials::Password(secret)) => {
                Ok(Self::Password { user, secret: secret.clone() })
            }
            (Auth::Master { user: master, secret, separator: Some(separator) }, _) => {
                let user = format!("{user}{separator}{master}");
                Ok(Self::Password { user, secret: secret.clone() })
            }
            (Auth::Master { user: master, secret, separator: None }, _) => {
                Ok(Self::Plain { on_behalf_of: user, user: master.clone(), secret: secret.clone() })
            }
            (Auth::Bearer, Credentials::Bearer(token)) => {
                Ok(Self::Bearer { user, token: token.clone() })
            }
            (Auth::Password, _) => Err(missing("password")),
            (Auth::Bearer, _) => Err(missing("access token")),
        }
    }
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Auth, format!("login: this mail system needs the user's {what}"))
}

/// What of the user is the login name.
pub fn login_name(name: LoginName, account: &Account) -> String {
    match name {
        LoginName::User => account.user.to_string(),
        LoginName::Local => account.user.local_part().to_owned(),
        LoginName::Address => account.address.clone(),
    }
}

/// What SASL PLAIN says first, in base64 (RFC 4616 §2): whose mailbox it is, empty for the account's
/// own, then the account and its password.
pub fn plain_initial(on_behalf_of: &str, user: &str, secret: &Secret) -> String {
    BASE64_STANDARD.encode(format!("{on_behalf_of}\0{user}\0{}", secret.expose()))
}

/// How an access token is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenMechanism {
    /// RFC 7628.
    OauthBearer,
    /// Google's and Microsoft's, from before it.
    Xoauth2,
}

impl TokenMechanism {
    /// The better one of those the server offers.
    pub fn of(offers: impl Fn(&str) -> bool) -> Self {
        if offers("OAUTHBEARER") { Self::OauthBearer } else { Self::Xoauth2 }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Self {
        Self::of(|other| other == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// What is said first, in base64.
    pub fn initial(self, user: &str, token: &Secret) -> String {
        let token = token.expose();
        BASE64_STANDARD.encode(match self {
            Self::OauthBearer => {
                // A `saslname` (RFC 5801 §4): these two would end it.
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01auth=Bearer {token}\x01\x01")
            }
            Self::Xoauth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
        })
    }

    /// What is said to the challenge that tells the error, in base64: a single ^A (RFC 7628
    /// §3.2.3), or nothing.
    pub fn to_error(self) -> &'static str {
        match self {
            Self::OauthBearer => "AQ==",
            Self::Xoauth2 => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_for_oneself_or_on_behalf_of_another() {
        let said = |on_behalf_of: &str| {
            BASE64_STANDARD.decode(plain_initial(on_behalf_of, "dme", &Secret::new("s3cret")))
        };
        assert_eq!(said("").unwrap(), b"\0dme\0s3cret");
        assert_eq!(said("ann").unwrap(), b"ann\0dme\0s3cret");
    }

    #[test]
    fn a_token_is_shown_as_each_mechanism_has_it() {
        let said = |mechanism: TokenMechanism, user: &str| {
            let initial = mechanism.initial(user, &Secret::new("t0ken"));
            String::from_utf8(BASE64_STANDARD.decode(initial).unwrap()).unwrap()
        };
        let bearer = TokenMechanism::of(|name| name == "OAUTHBEARER");
        assert_eq!(
            said(bearer, "ann@example.org"),
            "n,a=ann@example.org,\x01auth=Bearer t0ken\x01\x01"
        );
        assert_eq!(said(bearer, "a=b,c"), "n,a=a=3Db=2Cc,\x01auth=Bearer t0ken\x01\x01");
        let older = TokenMechanism::of(|_| false);
        assert_eq!(said(older, "a=b,c"), "user=a=b,c\x01auth=Bearer t0ken\x01\x01");
        assert_eq!(BASE64_STANDARD.decode(bearer.to_error()).unwrap(), b"\x01");
        assert_eq!(older.to_error(), "");
    }
}
