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
            None => self.words.clone(),
        }
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
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<dme_store::Error> for Refusal {
    fn from(error: dme_store::Error) -> Self {
        match error {
            dme_store::Error::NotFound(what) => Self::not_found(what),
            error @ (dme_store::Error::Stale { .. } | dme_store::Error::Refused(_)) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            error => Self::failed(error),
        }
    }
}
