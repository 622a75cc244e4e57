//! What a token must be for its word to count (RFC 7519, RFC 8725, OpenID Connect Core 1.0 §3.1.3.7,
//! RFC 9068 §4): pure decisions.

use dme_model::{Secret, Timestamp};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use std::time::Duration;

/// The longest token that is looked at, in bytes.
pub const LONGEST: usize = 16 << 10;
/// How far a provider's clock may be off.
const OFF: Duration = Duration::from_secs(60);
/// Signatures by a key that only the provider has (RFC 8725 §3.1, §3.2).
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a token's word does not count.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// It is no signed token.
    #[error("it is no signed JSON web token")]
    Malformed,
    /// It is signed in a way that proves nothing.
    #[error("it is signed by {0:?}, which is not accepted")]
    Algorithm(Algorithm),
    /// No key of the provider fits.
    #[error("no key of the provider fits it")]
    UnknownKey,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// Another issued it.
    #[error("it was issued by {0:?}")]
    Issuer(String),
    /// It is meant for others.
    #[error("it is not meant for us")]
    Audience,
    /// It is too old.
    #[error("it has expired")]
    Expired,
    /// It is not good yet.
    #[error("it is not good yet: one of the clocks is wrong")]
    Early,
    /// It answers another attempt.
    #[error("it answers another attempt to sign in")]
    Nonce,
    /// The password was not asked for anew.
    #[error("the provider did not ask for the password anew (auth_time)")]
    NotAnew,
    /// Who signed in did so in another way than wanted.
    #[error("the way of signing in (acr) is {0:?}, which is not one of those wanted")]
    Acr(String),
    /// It is a token of another kind.
    #[error("it is no {0} token")]
    Kind(&'static str),
    /// It does not allow what is asked for.
    #[error("it is not for {0:?} (scope)")]
    Scope(String),
    /// It does not say who it is.
    #[error("it has no claim {0:?} that could be a login")]
    NoLogin(String),
    /// The address in it is not known to be theirs.
    #[error("the provider has not verified the address in it (email_verified)")]
    Unverified,
}

/// What a token must say.
pub(crate) struct Wanted<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub login_claim: &'a str,
    pub now: Timestamp,
}

/// What the token of somebody who signs in must say beyond that.
pub(crate) struct SignIn<'a> {
    pub nonce: &'a Secret,
    /// The password must have been asked for since then.
    pub anew_since: Option<Timestamp>,
    /// One of these must be the way of signing in, where there are any.
    pub acr: &'a [String],
}

/// What stands before the claims of a token, before anything of it is believed.
pub(crate) fn header(token: &Secret) -> Result<Header, TokenError> {
    if token.expose().len() > LONGEST {
        return Err(TokenError::Malformed);
    }
    decode_header(token.expose()).map_err(|_| TokenError::Malformed)
}

/// Who says that they issued a token, before anything of it is believed.
pub fn claimed_issuer(token: &Secret) -> Option<String> {
    if token.expose().len() > LONGEST {
        return None;
    }
    let claims: Map<String, Value> = insecure_decode_claims(token.expose()).ok()?;
    claims.get("iss").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a key set has the key of this id, or some key where there is no id.
pub(crate) fn has_key(keys: &JwkSet, id: Option<&str>) -> bool {
    keys.keys.iter().any(|key| is_meant(key, id))
}

fn is_meant(key: &Jwk, id: Option<&str>) -> bool {
    let named = id.is_none() || key.common.key_id.as_deref() == id;
    let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    named && signs
}

/// The header and the claims of a token that one of the keys signed.
fn signed(token: &Secret, keys: &JwkSet) -> Result<(Header, Map<String, Value>), TokenError> {
    let head = header(token)?;
    if !ALGORITHMS.contains(&head.alg) {
        return Err(TokenError::Algorithm(head.alg));
    }
    // Times, issuer and audience are looked at below, by our own clock.
    let mut rules = Validation::new(head.alg);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let mut found = TokenError::UnknownKey;
    for key in keys.keys.iter().filter(|key| is_meant(key, head.kid.as_deref())) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        if key.family() != head.alg.family() {
            continue;
        }
        match decode::<Map<String, Value>>(token.expose(), &key, &rules) {
            Ok(token) => return Ok((head, token.claims)),
            Err(_) => found = TokenError::Signature,
        }
    }
    Err(found)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn time(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    // Some write fractions of a second (RFC 7519 §2, NumericDate).
    let value = claims.get(name)?;
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    Some(Timestamp::from_seconds(seconds))
}

/// What holds for an access token, which allows this scope where one is wanted; gives the login.
pub(crate) fn check_access(
    token: &Secret,
    keys: &JwkSet,
    wanted: &Wanted<'_>,
    scope: Option<&str>,
) -> Result<String, TokenError> {
    let (_, claims) = signed(token, keys)?;
    // What a provider gives whoever signed in, and nobody else (RFC 8725 §3.12).
    if ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.contains_key(*name)) {
        return Err(TokenError::Kind("access"));
    }
    match scope {
        Some(scope) if !scopes(&claims).any(|one| one == scope) => {
            Err(TokenError::Scope(scope.to_owned()))
        }
        _ => login(&claims, wanted),
    }
}

/// What a token allows: `scope` (RFC 9068 §2.2.3), or `scp` as some write it.
fn scopes(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let written = ["scope", "scp"].into_iter().filter_map(|name| claims.get(name));
    let texts = written.flat_map(|value| match value {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    });
    texts.filter_map(Value::as_str).flat_map(str::split_whitespace)
}

/// What holds for every token: issuer, audience, times, and that it says who it is. Gives the login,
/// as the claim that was wanted has it.
fn login(claims: &Map<String, Value>, wanted: &Wanted<'_>) -> Result<String, TokenError> {
    let issuer = text(claims, "iss");
    if issuer != wanted.issuer {
        return Err(TokenError::Issuer(issuer.chars().take(200).collect()));
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == wanted.audience,
        Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(wanted.audience)),
        _ => false,
    };
    if !is_for_us {
        return Err(TokenError::Audience);
    }
    let expires = time(claims, "exp").ok_or(TokenError::Expired)?;
    if wanted.now >= expires.plus(OFF) {
        return Err(TokenError::Expired);
    }
    for begins in ["nbf", "iat"] {
        if time(claims, begins).is_some_and(|begins| wanted.now.plus(OFF) < begins) {
            return Err(TokenError::Early);
        }
    }
    let login = text(claims, wanted.login_claim);
    if login.is_empty() {
        return Err(TokenError::NoLogin(wanted.login_claim.to_owned()));
    }
    if wanted.login_claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(TokenError::Unverified);
    }
    Ok(login.to_owned())
}

/// What holds beyond that for the token of somebody who signs in; gives the login.
pub(crate) fn check_sign_in(
    token: &Secret,
    keys: &JwkSet,
    wanted: &Wanted<'_>,
    sign_in: &SignIn<'_>,
) -> Result<String, TokenError> {
    let (head, claims) = signed(token, keys)?;
    let login = login(&claims, wanted)?;
    let kind = head.typ.unwrap_or_default();
    if ["at+jwt", "application/at+jwt"].contains(&kind.to_ascii_lowercase().as_str()) {
        return Err(TokenError::Kind("ID"));
    }
    let many = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let party = claims.get("azp").and_then(Value::as_str);
    if party.is_some_and(|party| party != wanted.audience) || (many && party.is_none()) {
        return Err(TokenError::Audience);
    }
    if text(&claims, "nonce") != sign_in.nonce.expose() {
        return Err(TokenError::Nonce);
    }
    if let Some(since) = sign_in.anew_since
        && time(&claims, "auth_time").is_none_or(|at| at.plus(OFF) < since)
    {
        return Err(TokenError::NotAnew);
    }
    let acr = text(&claims, "acr");
    if !sign_in.acr.is_empty() && !sign_in.acr.iter().any(|one| one == acr) {
        return Err(TokenError::Acr(acr.chars().take(200).collect()));
    }
    Ok(login)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, encode};
    use serde_json::json;

    const NOW: i64 = 1_790_000_000;

    /// A provider's key, and what it shows of it.
    struct Key {
        pair: EcdsaKeyPair,
        id: &'static str,
    }

    impl Key {
        fn new(id: &'static str) -> Self {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            Self { pair, id }
        }

        fn public(&self) -> Value {
            let point = self.pair.public_key().as_ref();
            let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
            json!({"kty": "EC", "crv": "P-256", "kid": self.id, "x": x, "y": y})
        }

        fn sign(&self, claims: &Value) -> Secret {
            let der = self.pair.to_pkcs8v1().unwrap();
            let key = EncodingKey::from_ec_der(der.as_ref());
            let head = Header { kid: Some(self.id.into()), ..Header::new(Algorithm::ES256) };
            Secret::new(encode(&head, claims, &key).unwrap())
        }
    }

    fn set(keys: &[&Key]) -> JwkSet {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        serde_json::from_value(json!({ "keys": keys })).unwrap()
    }

    fn wanted() -> Wanted<'static> {
        Wanted {
            issuer: "https://id.example.org",
            audience: "dme",
            login_claim: "preferred_username",
            now: Timestamp::from_seconds(NOW),
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.example.org", "aud": "dme", "sub": "7",
            "exp": NOW + 300, "iat": NOW, "preferred_username": "ada@example.org",
        })
    }

    /// The claims with some of them otherwise; without those that are null.
    fn with(more: Value) -> Value {
        let mut all = claims();
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
                value => all[name] = value.clone(),
            }
        }
        all
    }

    fn check(token: &Secret, keys: &JwkSet, wanted: &Wanted<'_>) -> Result<String, TokenError> {
        check_access(token, keys, wanted, None)
    }

    #[test]
    fn a_token_counts_that_is_the_providers_for_us_and_good_now() {
        let key = Key::new("a");
        let keys = set(&[&Key::new("b"), &key]);
        let good = check(&key.sign(&claims()), &keys, &wanted()).unwrap();
        assert_eq!(good, "ada@example.org");
        let cases = [
            (json!({"iss": "https://id.example.org/"}), "issued by"),
            (json!({"iss": null}), "issued by"),
            (json!({"aud": "other"}), "not meant for us"),
            (json!({"aud": ["other"]}), "not meant for us"),
            (json!({"aud": null}), "not meant for us"),
            (json!({"exp": NOW - 61}), "expired"),
            (json!({"exp": null}), "expired"),
            (json!({"nbf": NOW + 61}), "not good yet"),
            (json!({"iat": NOW + 61}), "not good yet"),
            (json!({"preferred_username": null}), "preferred_username"),
            (json!({"preferred_username": ""}), "preferred_username"),
        ];
        for (more, told) in cases {
            let said = check(&key.sign(&with(more.clone())), &keys, &wanted()).unwrap_err();
            assert!(said.to_string().contains(told), "{more}: {said}");
        }
        for more in [
            json!({"aud": ["other", "dme"]}),
            json!({"exp": NOW - 59}),
            json!({"exp": NOW as f64 + 0.5}),
        ] {
            assert!(check(&key.sign(&with(more.clone())), &keys, &wanted()).is_ok(), "{more}");
        }
    }

    #[test]
    fn what_another_key_signed_or_none_does_not_count() {
        let [key, forged] = [Key::new("a"), Key::new("a")];
        let keys = set(&[&key]);
        let checked = |token: &Secret| check(token, &keys, &wanted()).unwrap_err();
        assert_eq!(checked(&forged.sign(&claims())), TokenError::Signature);
        assert_eq!(checked(&Key::new("z").sign(&claims())), TokenError::UnknownKey);
        // A key that all know is no signature: the provider's public key as a shared secret.
        let public = EncodingKey::from_secret(key.pair.public_key().as_ref());
        let head = Header { kid: Some("a".into()), ..Header::new(Algorithm::HS256) };
        let confused = Secret::new(encode(&head, &claims(), &public).unwrap());
        assert_eq!(checked(&confused), TokenError::Algorithm(Algorithm::HS256));
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims()));
        let long = "x".repeat(LONGEST + 1);
        for text in [none.as_str(), "", "a.b.c", "..", long.as_str()] {
            assert_eq!(checked(&Secret::new(text)), TokenError::Malformed, "{text:.40}");
        }
        // Not a letter of it may be another.
        let good = key.sign(&claims());
        let (head, rest) = good.expose().split_once('.').unwrap();
        let swapped = format!("{head}.{}{}", &rest[1..2], &rest[1..]);
        assert!(check(&Secret::new(swapped), &keys, &wanted()).is_err());
    }

    #[test]
    fn an_access_token_is_none_that_tells_who_signed_in_and_allows_what_is_wanted() {
        let key = Key::new("a");
        let keys = set(&[&key]);
        let checked =
            |more: Value, scope| check_access(&key.sign(&with(more)), &keys, &wanted(), scope);
        for name in ["nonce", "at_hash"] {
            assert_eq!(checked(json!({name: "x"}), None), Err(TokenError::Kind("access")));
        }
        let mail = Some("mail");
        for good in
            [json!({"scope": "openid mail"}), json!({"scp": "mail"}), json!({"scp": ["x", "mail"]})]
        {
            assert!(checked(good.clone(), mail).is_ok(), "{good}");
        }
        for wrong in [json!({}), json!({"scope": "email mails"}), json!({"scope": 7})] {
            let refused = checked(wrong.clone(), mail);
            assert_eq!(refused, Err(TokenError::Scope("mail".into())), "{wrong}");
        }
        let head = Header {
            typ: Some("at+jwt".into()),
            kid: Some("a".into()),
            ..Header::new(Algorithm::ES256)
        };
        let der = key.pair.to_pkcs8v1().unwrap();
        let access =
            encode(&head, &with(json!({"nonce": "n"})), &EncodingKey::from_ec_der(der.as_ref()));
        let nonce = Secret::new("n");
        let sign_in = SignIn { nonce: &nonce, anew_since: None, acr: &[] };
        let refused = check_sign_in(&Secret::new(access.unwrap()), &keys, &wanted(), &sign_in);
        assert_eq!(refused, Err(TokenError::Kind("ID")));
    }

    #[test]
    fn an_address_is_a_login_only_where_the_provider_verified_it() {
        let key = Key::new("a");
        let by_mail = Wanted { login_claim: "email", ..wanted() };
        let checked = |more: Value| check(&key.sign(&with(more)), &set(&[&key]), &by_mail);
        assert_eq!(checked(json!({"email": "ada@example.org"})), Err(TokenError::Unverified));
        let verified = |is: Value| json!({"email": "ada@example.org", "email_verified": is});
        assert_eq!(checked(verified(json!(false))), Err(TokenError::Unverified));
        assert!(checked(verified(json!(true))).is_ok());
    }

    #[test]
    fn who_signs_in_answers_this_attempt_and_as_it_was_wanted() {
        let key = Key::new("a");
        let keys = set(&[&key]);
        let nonce = Secret::new("n");
        let plain = SignIn { nonce: &nonce, anew_since: None, acr: &[] };
        let checked = |mut more: Value, sign_in: &SignIn<'_>| {
            if more.get("nonce").is_none() {
                more["nonce"] = json!("n");
            }
            check_sign_in(&key.sign(&with(more)), &keys, &wanted(), sign_in)
        };
        assert!(checked(json!({}), &plain).is_ok());
        assert_eq!(checked(json!({"nonce": "m"}), &plain), Err(TokenError::Nonce));
        assert_eq!(checked(json!({"nonce": null}), &plain), Err(TokenError::Nonce));
        assert_eq!(checked(json!({"azp": "other"}), &plain), Err(TokenError::Audience));
        assert_eq!(checked(json!({"aud": ["dme", "x"]}), &plain), Err(TokenError::Audience));
        assert!(checked(json!({"aud": ["dme", "x"], "azp": "dme"}), &plain).is_ok());
        let since = Some(Timestamp::from_seconds(NOW));
        let anew = SignIn { anew_since: since, ..plain };
        assert_eq!(checked(json!({}), &anew), Err(TokenError::NotAnew));
        assert_eq!(checked(json!({"auth_time": NOW - 61}), &anew), Err(TokenError::NotAnew));
        assert!(checked(json!({"auth_time": NOW}), &anew).is_ok());
        let acr = ["phr".to_owned()];
        let strong = SignIn { anew_since: None, acr: &acr, nonce: &nonce };
        assert_eq!(checked(json!({"acr": "pwd"}), &strong), Err(TokenError::Acr("pwd".into())));
        assert!(checked(json!({"acr": "phr"}), &strong).is_ok());
    }
}
