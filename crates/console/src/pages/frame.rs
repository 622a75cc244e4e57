//! What is around every page: who is signed in, where one can go, how it looks.

use crate::cookie;
use crate::language::Language;
use crate::principal::{Allowed, Duty, Principal};
use crate::session::{Notice, Session};
use fluent_bundle::FluentValue;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Borrow;

/// How pages look to one reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub language: Language,
    /// `light`, `dark`, or `auto` for what the system says.
    pub theme: &'static str,
}

impl Look {
    /// As a browser asks for it.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = cookie::find(headers, cookie::LANGUAGE)
            .and_then(Language::tagged)
            .unwrap_or_else(|| Language::wanted(accepted.unwrap_or_default()));
        let theme = match cookie::find(headers, cookie::THEME) {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "auto",
        };
        Self { language, theme }
    }
}

/// A place one can go to.
pub(crate) struct Place {
    pub href: &'static str,
    pub text: String,
    pub here: bool,
}

/// What is around a page.
pub(crate) struct Frame {
    pub look: Look,
    /// The page's own path, for forms to come back to.
    pub path: String,
    pub who: String,
    pub roles: String,
    pub csrf: String,
    pub notice: Option<Notice>,
    /// Whether dangerous acts must ask for the password.
    pub asks_password: bool,
    pub operates: bool,
    pub configures: bool,
    pub places: Vec<Place>,
}

/// Where one can go: the text, the duty it takes, and whether it is for those without boundaries.
const PLACES: [(&str, &str, Duty, bool); 11] = [
    ("/", "overview", Duty::See, false),
    ("/devices", "devices", Duty::See, false),
    ("/users", "users", Duty::See, false),
    ("/connectors", "connectors", Duty::See, false),
    ("/policies", "policies", Duty::See, true),
    ("/admission", "admission", Duty::See, true),
    ("/wipes", "wipes", Duty::See, true),
    ("/statistics", "statistics", Duty::See, true),
    ("/log", "log", Duty::Audit, true),
    ("/audit", "audit", Duty::Audit, true),
    ("/tokens", "api-tokens", Duty::Audit, true),
];

impl Frame {
    /// Around a page at this path, for whoever is signed in.
    pub fn new(look: Look, session: &Session, path: &str, fresh: bool) -> Self {
        let principal = &session.principal;
        let has = |duty| principal.may(duty) != Allowed::No;
        let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
        let open = |duty, everyone: bool| match principal.may(duty) {
            Allowed::Everywhere => true,
            Allowed::Within(_) => !everyone,
            Allowed::No => false,
        };
        let places = PLACES.iter().filter(|(_, _, duty, everyone)| open(*duty, *everyone));
        let places = places.map(|(href, text, ..)| Place {
            href,
            text: look.language.text(text, &[]),
            here: first(href) == first(path.split('?').next().unwrap_or_default()),
        });
        Self {
            look,
            path: path.to_owned(),
            who: principal.name.clone(),
            roles: roles(look.language, principal),
            csrf: session.csrf.expose().to_owned(),
            notice: session.notice.clone(),
            asks_password: !fresh,
            operates: has(Duty::Operate),
            configures: has(Duty::Configure),
            places: places.collect(),
        }
    }

    /// A text.
    pub fn t(&self, name: &str) -> String {
        self.look.language.text(name, &[])
    }

    /// A text with a number in it, called `n` there.
    pub fn n(&self, name: &str, n: impl Borrow<usize>) -> String {
        self.look.language.text(name, &[("n", FluentValue::from(*n.borrow()))])
    }

    /// A text with a name in it, called `name` there.
    pub fn of(&self, text: &str, name: &str) -> String {
        self.look.language.of(text, name)
    }

    /// The text whose name is made elsewhere.
    pub fn t_of(&self, name: &str) -> String {
        self.t(name)
    }

    /// The path of these segments.
    pub fn link(&self, segments: &[&str]) -> String {
        path(segments)
    }

    /// The languages there are.
    pub fn languages(&self) -> [Language; 2] {
        Language::ALL
    }
}

/// Something that can be done from a page: a form of one button.
pub(crate) struct Act {
    /// The endpoint's path without `/api`.
    pub path: String,
    pub text: String,
    /// Whether it does harm.
    pub grave: bool,
    /// Whether the password is asked for again.
    pub asks: bool,
}

impl Act {
    pub fn new(segments: &[&str], text: String) -> Self {
        Self { path: path(segments), text, grave: false, asks: false }
    }

    pub fn grave(self) -> Self {
        Self { grave: true, ..self }
    }

    pub fn asks(self) -> Self {
        Self { asks: true, ..self }
    }
}

/// What in a path's segment stands for something else, or for nothing a browser keeps.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

/// `/` and each segment, whatever is in it.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().map(|one| format!("/{}", utf8_percent_encode(one, ESCAPED))).collect()
}

fn roles(language: Language, principal: &Principal) -> String {
    let names = principal.roles.iter().map(|role| language.text(role.as_str(), &[]));
    names.collect::<Vec<_>>().join(", ")
}
