//! Why something asked for is not done.

use crate::language::Language;
use http::StatusCode;

/// Why, for whoever asked: a status and words that say what to mend.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong.
    pub words: String,
    /// The name of the text that says it on a page, and what is put into that.
    said: Option<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), said: None }
    }

    /// To be said on pages by this text, with something in it that is called `name` there.
    pub(crate) fn said(self, text: &'static str, name: impl Into<String>) -> Self {
        Self { said: Some((text, name.into())), ..self }
    }

    /// What is wrong, for a reader of this language.
    pub(crate) fn words_in(&self, language: Language) -> String {
        match &self.said {
            Some((text, name)) => language.of(text, name),
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

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what}"))
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
            error @ dme_store::Error::Refused(_) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            error => Self::failed(error),
        }
    }
}
