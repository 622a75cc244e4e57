//! The cookies of browsers: the session's, and what pages look like.

use dme_model::Secret;
use http::HeaderMap;
use http::header::COOKIE;

/// The session's. The prefix keeps other hosts and plain connections from setting it
/// (RFC 6265bis §4.1.3.2); browsers count loopback as safe.
pub(crate) const SESSION: &str = "__Host-dme-console";
/// That of a sign-in which lacks a step.
pub(crate) const SIGN_IN: &str = "__Host-dme-sign-in";
/// That of whoever is on the way to the OpenID provider.
pub(crate) const PROVIDER: &str = "__Host-dme-provider";
/// That of the users' own page.
pub(crate) const OWN_SESSION: &str = "__Host-dme-my";
/// Light or dark.
pub(crate) const THEME: &str = "__Host-dme-theme";
/// The language.
pub(crate) const LANGUAGE: &str = "__Host-dme-language";

/// The value of a cookie that a browser sent.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The session's cookie that a browser sent, by its name.
pub(crate) fn session(headers: &HeaderMap, name: &str) -> Option<Secret> {
    find(headers, name).filter(|value| !value.is_empty()).map(Secret::new)
}

/// Sets the session's cookie: unreadable for scripts, gone with the browser, not sent along with
/// what other sites' forms do.
pub(crate) fn set_session(name: &str, cookie: &Secret) -> String {
    format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax", cookie.expose())
}

/// Takes the session's cookie away.
pub(crate) fn end_session(name: &str) -> String {
    format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// Remembers what pages look like, for a year.
pub(crate) fn set_look(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000")
}
