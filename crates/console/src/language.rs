//! What pages say, in the reader's language (Project Fluent).

mod directory;
mod problems;

use crate::endpoints::word;
use dme_policy::{About, Erasure, Level};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A language that pages are there in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English, which has every text.
    #[default]
    English,
    /// German.
    German,
}

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle("en", &[ENGLISH_TEXT]));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| bundle("de", &[GERMAN_TEXT, GERMAN_POLICY]));
const ENGLISH_TEXT: &str = include_str!("../locales/en.ftl");
const GERMAN_TEXT: &str = include_str!("../locales/de.ftl");
/// What `dme_policy` says of settings and wipes in English.
const GERMAN_POLICY: &str = include_str!("../locales/policy.de.ftl");

/// What a file has wrong is left out; a test holds that there is nothing.
fn bundle(tag: &str, texts: &[&str]) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
    // Marks around what is put in are for mixed directions of writing, which there are none of.
    bundle.set_use_isolating(false);
    for text in texts {
        let read = FluentResource::try_new((*text).to_owned());
        let _ = bundle.add_resource(read.unwrap_or_else(|(sound, _)| sound));
    }
    bundle
}

/// The names of the texts that are sentences of the server's own: why a connector serves a user or
/// cannot, apps that wipes tell apart.
const SAID: [&str; 25] = [
    "route-home",
    "route-stuck",
    "route-only-primary",
    "route-least-loaded",
    "route-failover",
    "route-nobody",
    "objection-locked",
    "objection-unlinked",
    "objection-draining",
    "objection-function-off",
    "objection-out-of-scope",
    "objection-scope-unknown",
    "objection-not-owner",
    "objection-ownership-unknown",
    "objection-unanswering",
    "objection-exhausted",
    "simulate-no-time",
    "app-outlook",
    "app-apple-mail",
    "app-gmail",
    "app-samsung",
    "app-android",
    "app-nine",
    "app-windows",
    "app-other",
];

/// The same by their words. Pages ask for them once for each connector of each function.
static SAID_IN_ENGLISH: LazyLock<HashMap<String, &str>> =
    LazyLock::new(|| SAID.map(|name| (Language::English.text(name, &[]), name)).into());

impl Language {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// In its own words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The one of this tag.
    pub fn tagged(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', ';']).next()?.trim();
        Self::ALL.into_iter().find(|one| one.tag().eq_ignore_ascii_case(primary))
    }

    /// The first that a browser wants and that there is (`Accept-Language`).
    pub fn wanted(header: &str) -> Self {
        header.split(',').find_map(Self::tagged).unwrap_or_default()
    }

    /// What a word of a group of words is called, as the interface and files have it.
    pub fn word(self, group: &str, word: &str) -> String {
        self.text(&key(group, word), &[])
    }

    /// A level of policy.
    pub fn level(self, level: &Level) -> String {
        match level {
            Level::BuiltIn => self.word("level", "built-in"),
            Level::Configuration => self.word("level", "configuration"),
            Level::Default => self.word("level", "default"),
            Level::Group(name) => self.of("level-group", name),
            Level::Device => self.word("level", "device"),
        }
    }

    /// The text of this name, with a name in it that is called `name` there.
    pub fn of(self, text: &str, name: &str) -> String {
        self.text(text, &[("name", FluentValue::from(name))])
    }

    /// The text of this name, with a number in it that is called `n` there.
    pub fn count(self, text: &str, n: usize) -> String {
        self.text(text, &[("n", FluentValue::from(n))])
    }

    fn own(self) -> &'static Bundle {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }

    /// What a setting of a policy means, and what is to be known beyond that.
    pub fn setting(self, about: &About) -> (String, String) {
        let said = |group: &str, english: &str| match (self, english) {
            (Self::English, _) | (_, "") => english.to_owned(),
            _ => say(self.own(), &format!("{group}-{}", about.name), &FluentArgs::new())
                .unwrap_or_else(|| english.to_owned()),
        };
        (said("meaning", about.meaning), said("note", about.note))
    }

    /// What the server says in one of its own English sentences, in this language; as it is where
    /// it is none of them.
    pub fn said(self, english: &str) -> String {
        match (self, SAID_IN_ENGLISH.get(english)) {
            (Self::English, _) | (_, None) => english.to_owned(),
            (_, Some(name)) => self.text(name, &[]),
        }
    }

    /// What an order to wipe would erase.
    pub fn erasure(self, erasure: &Erasure) -> String {
        if self == Self::English {
            return erasure.text.clone();
        }
        let app = FluentValue::from(self.said(erasure.app));
        let erased = self.text(&key("erasure", &word(&erasure.known)), &[("name", app)]);
        format!("{erased} {}", self.text("erasure-when", &[]))
    }

    /// The text of this name. A text that a language lacks is given in English, one that nobody has
    /// as its name.
    pub fn text(self, name: &str, args: &[(&'static str, FluentValue<'_>)]) -> String {
        let args: FluentArgs<'_> = args.iter().cloned().collect();
        say(self.own(), name, &args)
            .or_else(|| say(&ENGLISH, name, &args))
            .unwrap_or_else(|| name.to_owned())
    }
}

/// The name of the text of a word. Names of texts have hyphens only, whatever parts the word.
fn key(group: &str, word: &str) -> String {
    format!("{group}-{}", word.replace([' ', '_'], "-"))
}

fn say(bundle: &Bundle, name: &str, args: &FluentArgs<'_>) -> Option<String> {
    let pattern = bundle.get_message(name)?.value()?;
    Some(bundle.format_pattern(pattern, Some(args), &mut Vec::new()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(text: &str) -> BTreeSet<&str> {
        assert!(FluentResource::try_new(text.to_owned()).is_ok());
        text.lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
            .collect()
    }

    #[test]
    fn every_language_has_every_text() {
        let (english, german) = (names(ENGLISH_TEXT), names(GERMAN_TEXT));
        assert_eq!(english, german);
        assert!(english.len() > 50, "only {} texts", english.len());
        for name in english.into_iter().chain(names(GERMAN_POLICY)) {
            let about = name.starts_with("meaning-") || name.starts_with("note-");
            let parts = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(about || name.chars().all(parts), "{name} has other than hyphens in it");
        }
        assert_eq!(Language::German.word("compliance", "not_asked"), "nicht verlangt");
    }

    #[test]
    fn every_text_that_pages_use_is_there() {
        let english = names(ENGLISH_TEXT);
        let templates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
        let mut used = 0;
        for file in templates.unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for call in text.split("frame.t(\"").skip(1).chain(text.split("frame.n(\"").skip(1)) {
                let name = call.split('"').next().unwrap();
                assert!(english.contains(name), "{name}");
                used += 1;
            }
        }
        assert!(used > 50, "only {used} uses");
    }

    /// All sources below a folder.
    fn sources(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| match path.is_dir() {
                true => sources(&path),
                false => vec![std::fs::read_to_string(path).unwrap()],
            })
            .collect()
    }

    #[test]
    fn every_text_that_refusals_are_said_by_is_there() {
        let english = names(ENGLISH_TEXT);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let says = [".said(\"", "Refusal::wrong(\"", "Refusal::lacks(\"", "Refusal::barred(\""];
        let says = [&says[..], &["Refusal::clash(\"", "Refusal::unless(\""]].concat();
        let mut used = 0;
        for text in sources(std::path::Path::new(folder)) {
            for said in says.iter().flat_map(|says| text.split(says).skip(1)) {
                let name = said.split('"').next().unwrap();
                let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                assert!(!is_name || english.contains(name), "{name}");
                used += usize::from(is_name);
            }
        }
        assert!(used > 60, "only {used} uses");
    }

    #[test]
    fn sentences_of_the_servers_own_are_said_in_every_language() {
        let english: BTreeSet<String> =
            SAID.iter().map(|name| Language::English.text(name, &[])).collect();
        assert_eq!(english.len(), SAID.len(), "one stands for two");
        assert_eq!(Language::German.said("no primary can"), "kein vorrangiger kann");
        let no_time = dme_server::router::NO_TIME;
        assert_ne!(Language::German.said(no_time), no_time);
        assert_eq!(Language::German.said("something else"), "something else");
    }

    #[test]
    fn what_a_wipe_erases_is_said_in_every_language() {
        use dme_policy::{WipeScope, erasure};
        for agent in ["Outlook-iOS/1", "Apple-iPhone/1", "Android-Mail/1", "Nine/1", "curl"] {
            for scope in [WipeScope::Account, WipeScope::Device] {
                for (os, new) in [("Android 9", true), ("Android 16", false)] {
                    let erasure = erasure(scope, agent, "x", Some(os), new);
                    assert_eq!(Language::English.erasure(&erasure), erasure.text);
                    let german = Language::German.erasure(&erasure);
                    assert!(german.contains("nächsten Kontakt"), "{german}");
                    assert!(!german.contains("erasure-") && !german.contains("app"), "{german}");
                }
            }
        }
    }

    #[test]
    fn every_setting_is_explained_in_every_language() {
        for setting in dme_policy::Setting::ALL {
            let about = setting.about();
            assert_eq!(Language::English.setting(about), (about.meaning.into(), about.note.into()));
            let (meaning, note) = Language::German.setting(about);
            assert_ne!(meaning, about.meaning, "{setting}");
            assert_eq!(note.is_empty(), about.note.is_empty(), "{setting}");
            assert!(note.is_empty() || note != about.note, "{setting}");
        }
        // And nothing that is none.
        let known = |name: &str| name.split_once('-').map(|(_, setting)| setting.parse());
        for name in names(GERMAN_POLICY) {
            if ["about-", "erasure-", "problem-"].iter().any(|other| name.starts_with(other)) {
                continue;
            }
            let setting: Option<Result<dme_policy::Setting, _>> = known(name);
            assert!(setting.is_some_and(|setting| setting.is_ok()), "{name}");
        }
    }

    #[test]
    fn a_browser_gets_the_first_language_there_is() {
        assert_eq!(Language::wanted("fr-FR, de-AT;q=0.8, en;q=0.5"), Language::German);
        assert_eq!(Language::wanted("fr"), Language::English);
        assert_eq!(Language::wanted(""), Language::English);
    }
}
