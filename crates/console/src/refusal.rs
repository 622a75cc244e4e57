//! Why something asked for is not done.

use crate::language::Language;
use dme_server::books::{RulesError, Wrong};
use dme_store::Refused;
use http::StatusCode;

/// Why, for whoever asked: a status and words that say what to mend.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong.
    pub words: String,
    /// What says it on a page; nothing where others said it, in words of theirs.
    said: Option<Said>,
}

/// What readers of pages are told, each in their language.
#[derive(Debug)]
enum Said {
    /// The text of this name, with something in it that is called `name` there.
    Text(&'static str, String),
    /// All that is wrong with rules.
    Rules(Vec<Wrong>),
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), said: None }
    }

    /// To be said on pages by this text, with something in it that is called `name` there.
    pub(crate) fn said(self, text: &'static str, name: impl Into<String>) -> Self {
        Self { said: Some(Said::Text(text, name.into())), ..self }
    }

    /// What is wrong, for a reader of this language.
    pub(crate) fn words_in(&self, language: Language) -> String {
        match &self.said {
            Some(Said::Text(text, name)) => language.of(text, name),
            Some(Said::Rules(wrong)) => language.wrong(wrong),
            // What systems behind us say they say in English.
            None => language.of("refused-in-english", &self.words),
        }
    }

    /// What is wrong, as the text of this name says it, with something in it that is called `name`
    /// there: to programs in English, to readers of pages in their language.
    fn told(status: StatusCode, text: &'static str, name: impl Into<String>) -> Self {
        let name = name.into();
        Self::new(status, Language::English.of(text, &name)).said(text, name)
    }

    /// Something that was asked for makes no sense, as the text of this name says.
    pub(crate) fn wrong(text: &'static str, name: impl Into<String>) -> Self {
        Self::told(StatusCode::BAD_REQUEST, text, name)
    }

    /// There is no such thing, as the text of this name says.
    pub(crate) fn lacks(text: &'static str, name: impl Into<String>) -> Self {
        Self::told(StatusCode::NOT_FOUND, text, name)
    }

    /// Whoever asks may not, as the text of this name says.
    pub(crate) fn barred(text: &'static str, name: impl Into<String>) -> Self {
        Self::told(StatusCode::FORBIDDEN, text, name)
    }

    /// It cannot be done as things stand, as the text of this name says.
    pub(crate) fn clash(text: &'static str, name: impl Into<String>) -> Self {
        Self::told(StatusCode::CONFLICT, text, name)
    }

    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }

    pub(crate) fn forbidden(words: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, words)
    }

    /// There is no such thing, as its own name says.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        let what = what.to_string();
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what}")).said("no-such", what)
    }

    /// Why the store did not answer; where it has no such thing, as the text of this name says.
    pub(crate) fn unless(text: &'static str, name: &str) -> impl FnOnce(dme_store::Error) -> Self {
        let name = name.to_owned();
        move |error| match error {
            dme_store::Error::NotFound(_) => Self::lacks(text, name),
            error => error.into(),
        }
    }

    /// Something of ours failed: it is in the log, too.
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "an administration call failed");
        let words = error.to_string();
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, words.clone()).said("failed", words)
    }
}

impl From<dme_store::Error> for Refusal {
    fn from(error: dme_store::Error) -> Self {
        match error {
            dme_store::Error::NotFound(what) => Self::not_found(what),
            error @ dme_store::Error::Stale { .. } => {
                Self::new(StatusCode::CONFLICT, error.to_string()).said("changed-meanwhile", "")
            }
            dme_store::Error::Refused(why) => why.into(),
            error => Self::failed(error),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(why: Refused) -> Self {
        let refusal = Self::new(StatusCode::CONFLICT, why.to_string());
        match why {
            Refused::WaitsForNobody(order) => refusal.said("order-of-nobody", order.to_string()),
            Refused::OrderedByThem(who) => refusal.said("order-of-theirs", who),
            Refused::PerhapsTheSame(who) => refusal.said("order-perhaps-theirs", who),
            Refused::Over(order) => refusal.said("order-over", order.to_string()),
            Refused::NoItem => refusal.said("no-item", ""),
            Refused::TooManyOrders(most) => refusal.said("orders-many", most.to_string()),
            Refused::Other(_) => refusal,
        }
    }
}

impl From<RulesError> for Refusal {
    fn from(error: RulesError) -> Self {
        let words = error.to_string();
        match error {
            RulesError::Wrong(wrong) => Self { said: Some(Said::Rules(wrong)), ..Self::bad(words) },
            RulesError::Unwritable(_) => Self::failed(words),
            RulesError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_against_what_is_there_is_said_in_every_language() {
        for why in [
            Refused::WaitsForNobody(7),
            Refused::OrderedByThem("ada".into()),
            Refused::PerhapsTheSame("ada".into()),
            Refused::Over(7),
            Refused::NoItem,
            Refused::TooManyOrders(64),
        ] {
            let english = why.to_string();
            let refusal = Refusal::from(why);
            assert_eq!(refusal.words, english);
            assert_eq!(refusal.words_in(Language::English), english);
            let german = refusal.words_in(Language::German);
            assert!(!german.contains("Englisch") && german != english, "{german}");
            for named in ["ada", "7", "64"] {
                assert_eq!(german.contains(named), english.contains(named), "{german}");
            }
        }
        // What somebody else says is quoted as it was.
        let other = Refusal::from(Refused::from("a key is taken"));
        assert!(other.words_in(Language::German).ends_with("auf Englisch: a key is taken"));
    }
}
