//! What is around every page: who is signed in, where one can go, how it looks.

use crate::cookie;
use crate::form::query;
use crate::language::Language;
use crate::notice::Notice;
use crate::pages::{Page, moment};
use crate::principal::{Allowed, Duty, Principal, Reach};
use crate::session::{Session, Shown};
use dme_model::Timestamp;
use dme_policy::Level;
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
    /// It is about something else than the one before it.
    pub apart: bool,
}

/// What is around a page.
pub(crate) struct Frame {
    pub look: Look,
    /// What goes before the path of whatever belongs to these pages; nothing for administrators'.
    pub base: &'static str,
    /// The page's own path, for forms to come back to.
    pub path: String,
    pub who: String,
    /// Nothing where they go without saying.
    pub roles: String,
    pub csrf: String,
    pub notice: Option<Notice>,
    /// What every administrator must see: that the account for emergencies was used.
    pub alarm: Option<String>,
    /// Whether dangerous acts must ask for the password.
    pub asks_password: bool,
    /// And for a code beside it.
    pub asks_code: bool,
    /// The same of acts that take the password each time: whether they ask for it, and for a code.
    each_time: (bool, bool),
    /// Or sends to the provider for it, by this way.
    pub asks_provider: Option<String>,
    /// Or for another link from the server, as whoever came by one has shown no password.
    pub asks_link: bool,
    pub operates: bool,
    pub configures: bool,
    /// Whether the log may be read.
    pub audits: bool,
    pub places: Vec<Place>,
}

/// The pages that one can go to from every page, and what they are called; each group is about
/// something of its own.
const PLACES: [&[(&str, &str)]; 4] = [
    &[
        ("/", "overview"),
        ("/devices", "devices"),
        ("/users", "users"),
        ("/wipes", "wipes"),
        ("/outbox", "outbox"),
    ],
    &[
        ("/connectors", "connectors"),
        ("/topology", "topology"),
        ("/routes", "routes"),
        ("/directory", "directory"),
    ],
    &[
        ("/policies", "policies"),
        ("/admission", "admission"),
        ("/behaviour", "behaviour"),
        ("/terms", "terms"),
    ],
    &[
        ("/statistics", "statistics"),
        ("/log", "log"),
        ("/audit", "audit"),
        ("/webhooks", "webhooks"),
        ("/tokens", "api-tokens"),
    ],
];
/// Those of a user's own.
const OWN_PLACES: [(&str, &str); 2] = [(OWN, "my-title"), ("/my/away", "my-away")];
/// Beneath which path the users' own pages are.
const OWN: &str = "/my";

impl Frame {
    /// Around an administrators' page at this path: one can go to those of the pages that whoever is
    /// signed in may see.
    pub fn new(look: Look, session: &Session, path: &str, fresh: bool, pages: &[Page]) -> Self {
        let principal = &session.principal;
        let open = |href: &str| {
            let page = pages.iter().find(|page| page.path == href);
            page.is_some_and(|page| match principal.may(page.duty) {
                Allowed::Everywhere => true,
                Allowed::Within(_) => page.reach != Reach::Everyone,
                Allowed::No => false,
            })
        };
        let first = |path: &str| path.split(['/', '?']).nth(1).unwrap_or_default().to_owned();
        let here = first(path);
        let mut places: Vec<Place> = Vec::new();
        for group in PLACES {
            let shown = group.iter().filter(|(href, _)| open(href)).enumerate();
            let is_first = places.is_empty();
            places.extend(shown.map(|(at, (href, text))| Place {
                href,
                text: look.language.text(text, &[]),
                here: first(href) == here,
                apart: at == 0 && !is_first,
            }));
        }
        let roles = roles(look.language, principal);
        Self { roles, ..Self::around(look, session, path, fresh, places) }
    }

    /// Around a page of a user's own at this path.
    pub fn own(look: Look, session: &Session, path: &str, fresh: bool) -> Self {
        let places = OWN_PLACES.iter().map(|(href, text)| Place {
            href,
            text: look.language.text(text, &[]),
            here: path == *href,
            apart: false,
        });
        Self { base: OWN, ..Self::around(look, session, path, fresh, places.collect()) }
    }

    fn around(look: Look, session: &Session, path: &str, fresh: bool, places: Vec<Place>) -> Self {
        let principal = &session.principal;
        let has = |duty| principal.may(duty) != Allowed::No;
        Self {
            look,
            base: "",
            path: path.to_owned(),
            who: principal.name.clone(),
            roles: String::new(),
            csrf: session.csrf.expose().to_owned(),
            notice: None,
            alarm: None,
            asks_password: !fresh,
            each_time: {
                let asks = !(fresh && session.once);
                (asks, asks && session.shown == Shown::PasswordAndCode)
            },
            asks_provider: (session.shown == Shown::Provider)
                .then(|| format!("/sign-in/provider?{}", query(&[("again", "1"), ("back", path)]))),
            asks_link: session.shown == Shown::Link,
            asks_code: !fresh && session.shown == Shown::PasswordAndCode,
            operates: has(Duty::Operate),
            configures: has(Duty::Configure),
            audits: has(Duty::Audit),
            places,
        }
    }

    /// Around a page with an act that takes the password each time.
    pub fn asking_each_time(self) -> Self {
        let (asks_password, asks_code) = self.each_time;
        Self { asks_password, asks_code, ..self }
    }

    /// With what the page is to say, where its address carries this mark.
    pub fn saying(self, session: &Session, mark: Option<&str>) -> Self {
        Self { notice: mark.and_then(|mark| session.told(mark)).cloned(), ..self }
    }

    /// With the alarm, for those who see everything, that the account for emergencies was used then,
    /// from this address.
    pub fn alarmed(self, used: Option<(Timestamp, String)>) -> Self {
        let alarm = used.map(|(at, client)| {
            let place = format!("{}, {client}", moment(Some(at.as_seconds())));
            self.of("emergency-used", &place)
        });
        Self { alarm, ..self }
    }

    /// Where these pages begin.
    pub fn home(&self) -> &'static str {
        if self.base.is_empty() { "/" } else { self.base }
    }

    /// A text.
    pub fn t(&self, name: &str) -> String {
        self.look.language.text(name, &[])
    }

    /// What a word of a group of words is called.
    pub fn word(&self, group: &str, word: impl AsRef<str>) -> String {
        self.look.language.word(group, word.as_ref())
    }

    /// What some words of a group of words are called, in a list.
    pub fn words(&self, group: &str, words: &[String]) -> String {
        words.iter().map(|word| self.word(group, word)).collect::<Vec<_>>().join(", ")
    }

    /// Functions of connectors, in a list.
    pub fn functions(&self, functions: &[String]) -> String {
        self.words("function", functions)
    }

    /// How far a device's wipe is, as the interface has it: `requested (account)`.
    pub fn wiped(&self, wipe: &str) -> String {
        match wipe.split_once(" (") {
            Some((state, of)) => {
                let (state, of) = (self.word("wipe-is", state), of.trim_end_matches(')'));
                format!("{state} ({})", self.word("wipe-of", of))
            }
            None => self.word("wipe-is", wipe),
        }
    }

    /// A text with a number in it, called `n` there.
    pub fn n(&self, name: &str, n: impl Borrow<usize>) -> String {
        self.look.language.count(name, *n.borrow())
    }

    /// A text with a name in it, called `name` there.
    pub fn of(&self, text: &str, name: &str) -> String {
        self.look.language.of(text, name)
    }

    /// A level of policy.
    pub fn level(&self, level: &Level) -> String {
        self.look.language.level(level)
    }

    /// The path of these segments.
    pub fn link(&self, segments: &[&str]) -> String {
        path(segments)
    }

    /// Where the statistics of somebody or something are, for whoever may see them; what it is not
    /// narrowed by is empty.
    pub fn counted(&self, user: &str, device: &str, connector: &str) -> Option<String> {
        let is_open = self.places.iter().any(|place| place.href == "/statistics");
        let all = [("user", user), ("device", device), ("connector", connector)];
        let asked: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        is_open.then(|| format!("/statistics?span=week&{}", query(&asked)))
    }

    /// The languages there are.
    pub fn languages(&self) -> [Language; 2] {
        Language::ALL
    }
}

/// What is around a page where nobody is signed in.
pub(crate) struct Alone {
    pub look: Look,
    /// As a [`Frame`] has it.
    pub base: &'static str,
}

impl Alone {
    /// Around an administrators' page.
    pub fn new(look: Look) -> Self {
        Self { look, base: "" }
    }

    /// Around one of the users' own.
    pub fn own(look: Look) -> Self {
        Self { look, base: OWN }
    }

    /// A text.
    pub fn t(&self, name: &str) -> String {
        self.look.language.text(name, &[])
    }

    /// A text with a name in it, called `name` there.
    pub fn of(&self, text: &str, name: &str) -> String {
        self.look.language.of(text, name)
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
    /// Where one is after it, where the page itself is gone then.
    pub then: Option<&'static str>,
}

impl Act {
    pub fn new(segments: &[&str], text: String) -> Self {
        Self { path: path(segments), text, grave: false, asks: false, then: None }
    }

    pub fn grave(self) -> Self {
        Self { grave: true, ..self }
    }

    pub fn asks(self) -> Self {
        Self { asks: true, ..self }
    }

    pub fn then(self, page: &'static str) -> Self {
        Self { then: Some(page), ..self }
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
