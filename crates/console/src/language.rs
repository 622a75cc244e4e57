//! What pages say, in the reader's language (Project Fluent).

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
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

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle("en", ENGLISH_TEXT));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| bundle("de", GERMAN_TEXT));
const ENGLISH_TEXT: &str = include_str!("../locales/en.ftl");
const GERMAN_TEXT: &str = include_str!("../locales/de.ftl");

/// What a file has wrong is left out; a test holds that there is nothing.
fn bundle(tag: &str, text: &str) -> Bundle {
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(sound, _)| sound);
    let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
    // Marks around what is put in are for mixed directions of writing, which there are none of.
    bundle.set_use_isolating(false);
    let _ = bundle.add_resource(resource);
    bundle
}

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

    /// The text of this name, with a name in it that is called `name` there.
    pub fn of(self, text: &str, name: &str) -> String {
        self.text(text, &[("name", FluentValue::from(name))])
    }

    /// The text of this name. A text that a language lacks is given in English, one that nobody has
    /// as its name.
    pub fn text(self, name: &str, args: &[(&'static str, FluentValue<'_>)]) -> String {
        let args: FluentArgs<'_> = args.iter().cloned().collect();
        let own = match self {
            Self::English => &*ENGLISH,
            Self::German => &*GERMAN,
        };
        say(own, name, &args)
            .or_else(|| say(&ENGLISH, name, &args))
            .unwrap_or_else(|| name.to_owned())
    }
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

    #[test]
    fn every_text_that_refusals_are_said_by_is_there() {
        let english = names(ENGLISH_TEXT);
        let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/endpoints"));
        let mut used = 0;
        for file in sources.unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for said in text.split(".said(\"").skip(1) {
                let name = said.split('"').next().unwrap();
                assert!(english.contains(name), "{name}");
                used += 1;
            }
        }
        assert!(used > 10, "only {used} uses");
    }

    #[test]
    fn a_browser_gets_the_first_language_there_is() {
        assert_eq!(Language::wanted("fr-FR, de-AT;q=0.8, en;q=0.5"), Language::German);
        assert_eq!(Language::wanted("fr"), Language::English);
        assert_eq!(Language::wanted(""), Language::English);
    }
}
