//! How well somebody fits what is looked for: the order of an address search, the same for every
//! directory.

use super::DirectoryEntry;

/// The longest text that is looked for, in characters; more is not read.
const MAX_TEXT: usize = 128;
/// How many of its words are looked for.
const MAX_WORDS: usize = 8;
/// Fewer digits than these are no telephone number.
const MIN_DIGITS: usize = 3;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    text: String,
    words: Vec<String>,
    digits: Option<String>,
}

/// What is looked in of an entry, as it is looked in: who looks through many entries again and again
/// makes it once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Texts {
    /// In lower case, of which each may be looked for as a whole.
    whole: Vec<String>,
    /// Parts of the name, in lower case.
    names: Vec<String>,
    /// The digits of telephone numbers.
    phones: Vec<String>,
}

/// How well somebody fits, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Relevance {
    /// It is the whole name or address.
    Exact,
    /// The name or the address begins with it.
    Begins,
    /// A word of the name begins with each word of it.
    Words,
    /// Each word of it is somewhere in the name or address, or its digits in a telephone number.
    Contains,
}

/// The place of an entry among those found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rank {
    relevance: Relevance,
    name: String,
    address: String,
}

impl Terms {
    /// None where nothing is looked for.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().filter(|c| !is_nothing(*c)).take(MAX_TEXT).collect();
        let words: Vec<_> =
            text.split_whitespace().take(MAX_WORDS).map(str::to_lowercase).collect();
        let text = words.join(" ");
        (!text.is_empty()).then(|| Self { digits: digits_of(&text), text, words })
    }

    /// All of it, in lower case, with single spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its words, in lower case; there is at least one.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The digits of what may be a telephone number, or a part of one.
    pub fn digits(&self) -> Option<&str> {
        self.digits.as_deref()
    }

    /// Whether it is a whole mail address, by its looks.
    pub fn is_address(&self) -> bool {
        let parts = self.text.split_once('@');
        self.words.len() == 1 && parts.is_some_and(|(_, domain)| domain.contains('.'))
    }

    /// How well an entry fits; none where it does not.
    pub fn relevance(&self, entry: &DirectoryEntry) -> Option<Relevance> {
        self.relevance_of(&Texts::of(entry))
    }

    /// The same by the texts of the entry.
    pub fn relevance_of(&self, texts: &Texts) -> Option<Relevance> {
        if texts.whole.contains(&self.text) {
            return Some(Relevance::Exact);
        }
        if texts.whole.iter().any(|text| text.starts_with(&self.text)) {
            return Some(Relevance::Begins);
        }
        let each = |fits: &dyn Fn(&str, &str) -> bool| {
            self.words.iter().all(|word| {
                // Everybody has the domain; who looks for it says so with an `@`.
                let texts = texts.whole.iter().chain(&texts.names);
                let mut texts = texts.map(|text| match text.split_once('@') {
                    Some((local, _)) if !word.contains('@') => local,
                    _ => text,
                });
                texts.any(|text| fits(text, word))
            })
        };
        if each(&|text, word| begins_a_word(text, word)) {
            return Some(Relevance::Words);
        }
        let called = || {
            let digits = self.digits()?;
            texts.phones.iter().find(|phone| phone.contains(digits))
        };
        (each(&|text, word| text.contains(word)) || called().is_some())
            .then_some(Relevance::Contains)
    }

    /// Where an entry stands among those found: the best come first, and those who fit alike in the
    /// order of their names.
    pub fn rank(&self, entry: &DirectoryEntry) -> Rank {
        // A directory may know of more ways to fit than we do; whom it found so comes last.
        Rank::of(self.relevance(entry).unwrap_or(Relevance::Contains), entry)
    }
}

impl Rank {
    /// That of an entry that fits so well.
    pub(super) fn of(relevance: Relevance, entry: &DirectoryEntry) -> Self {
        Self { relevance, name: entry.name().to_lowercase(), address: entry.address.clone() }
    }
}

impl Texts {
    /// Those of this entry.
    pub fn of(entry: &DirectoryEntry) -> Self {
        let lower = |text: &String| text.to_lowercase();
        let card = &entry.card;
        let user = entry.user.as_ref().map(|user| user.local_part().to_lowercase());
        let called = [&entry.display_name, &entry.alias];
        let addresses = std::iter::once(&entry.address).chain(&entry.other_addresses);
        let whole = called.into_iter().flatten().chain(addresses).map(lower).chain(user);
        let phones = [&card.phone, &card.mobile_phone, &card.home_phone];
        Self {
            whole: whole.collect(),
            names: [&card.first_name, &card.last_name].into_iter().flatten().map(lower).collect(),
            phones: phones.into_iter().flatten().map(|phone| only_digits(phone)).collect(),
        }
    }
}

/// What a directory takes for nothing (RFC 4518 §2.2): a word of it alone would be in every name.
fn is_nothing(c: char) -> bool {
    let invisible = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{6DD}' | '\u{70F}' | '\u{1806}' | '\u{180B}'..='\u{180E}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}');
    invisible || (c.is_control() && !c.is_whitespace())
}

/// Whether a word of the text begins with this; what is between letters and digits parts words.
fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(char::is_alphanumeric)
    })
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The digits of a text that is made of nothing but what telephone numbers are written with.
fn digits_of(text: &str) -> Option<String> {
    let digits = only_digits(text);
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    (is_number && digits.len() >= MIN_DIGITS).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Card;
    use proptest::prelude::*;

    fn entry(name: &str, address: &str) -> DirectoryEntry {
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        DirectoryEntry {
            address: address.into(),
            display_name: Some(name.into()),
            alias: address.split('@').next().map(str::to_owned),
            card: Card {
                first_name: Some(first.into()),
                last_name: Some(last.into()),
                phone: Some("+49 (89) 555-123".into()),
                ..Card::default()
            },
            ..DirectoryEntry::default()
        }
    }

    #[test]
    fn each_way_to_fit_is_known() {
        use Relevance::{Begins, Contains, Exact, Words};
        let ann = entry("Ann Smith-Jones", "a.smith@example.org");
        for (text, fits) in [
            ("ann smith-jones", Some(Exact)),
            ("  A.Smith@example.ORG ", Some(Exact)),
            ("a.smith", Some(Exact)),
            ("ANN", Some(Begins)),
            ("ann  smi", Some(Begins)),
            ("smi", Some(Words)),
            ("smi ann", Some(Words)),
            ("jones", Some(Words)),
            ("ones", Some(Contains)),
            ("mith nn", Some(Contains)),
            ("ann bob", None),
            ("9 89-5551", Some(Contains)),
            ("555123", Some(Contains)),
            ("example", None),
            ("h@exam", Some(Contains)),
            ("12", None),
            ("999999", None),
        ] {
            assert_eq!(Terms::parse(text).unwrap().relevance(&ann), fits, "{text}");
        }
        for nothing in ["", " \t", "\u{0}", "\u{AD} \u{200B}"] {
            assert_eq!(Terms::parse(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn somebody_is_found_by_each_of_their_addresses() {
        let ann = DirectoryEntry {
            other_addresses: vec!["Smith@old.example".into(), "office@example.org".into()],
            ..entry("Ann", "a.smith@example.org")
        };
        for (text, fits) in [
            ("smith@OLD.example", Some(Relevance::Exact)),
            ("offic", Some(Relevance::Begins)),
            ("old.example", None),
        ] {
            assert_eq!(Terms::parse(text).unwrap().relevance(&ann), fits, "{text}");
        }
    }

    #[test]
    fn the_best_come_first_and_then_the_names_count() {
        let mut entries = [
            entry("Joann Miller", "j@example.org"),
            entry("Bob Ann", "b@example.org"),
            entry("Anna Zeta", "z@example.org"),
            entry("Anna Alpha", "y@example.org"),
            entry("Ann", "x@example.org"),
        ];
        let terms = Terms::parse("ann").unwrap();
        entries.sort_by_cached_key(|entry| terms.rank(entry));
        let names: Vec<_> = entries.iter().map(DirectoryEntry::name).collect();
        assert_eq!(names, ["Ann", "Anna Alpha", "Anna Zeta", "Bob Ann", "Joann Miller"]);
    }

    #[test]
    fn an_address_is_told_from_a_name() {
        for (text, is) in
            [("ann@example.org", true), ("ann@", false), ("ann", false), ("ann b@x.y", false)]
        {
            assert_eq!(Terms::parse(text).unwrap().is_address(), is, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_looked_for_is_bounded(text in "\\PC*", name in "\\PC*") {
            if let Some(terms) = Terms::parse(&text) {
                prop_assert!(!terms.words().is_empty() && terms.words().len() <= MAX_WORDS);
                terms.relevance(&entry(&name, "x@example.org"));
            }
        }

        #[test]
        fn everybody_is_found_by_their_whole_name(name in "[a-zA-ZäöüßÄÖÜ]{1,20} [a-zA-Z]{1,20}") {
            let terms = Terms::parse(&name).unwrap();
            prop_assert_eq!(terms.relevance(&entry(&name, "x@example.org")), Some(Relevance::Exact));
        }
    }
}
