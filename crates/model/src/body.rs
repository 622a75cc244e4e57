//! Bodies, and what of them is asked for. The cutting is done where the mail is, in the connector.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The form of a body (`Type` of MS-ASAIRS 2.2.2.41; RTF is never offered).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// Plain text (1).
    Plain,
    /// HTML (2).
    Html,
    /// The whole message as it came (4).
    Mime,
}

/// One body form the phone accepts, with its limits (MS-ASAIRS 2.2.2.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BodyPreference {
    /// The form.
    pub kind: BodyKind,
    /// At most so many bytes; none means whole.
    pub truncation: Option<u64>,
    /// With a truncation: the body whole or, if longer, not at all.
    pub all_or_none: bool,
    /// So many characters of plain text beside the body (14.0 on; 0 to 255).
    pub preview: Option<u16>,
}

/// When the phone wants `BodyKind::Mime` (`MIMESupport`, MS-ASCMD 2.2.3.110).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MimeSupport {
    /// Never (0).
    #[default]
    Never,
    /// For signed and encrypted mail only (1).
    Smime,
    /// For all mail (2).
    Always,
}

/// What of a mail's content is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BodyView {
    /// Accepted forms, none or at most one of each. With none, no body is returned at all but
    /// `Mail::native` still says what there is.
    pub preferences: Vec<BodyPreference>,
    /// When MIME is wanted; with `Never`, a `Mime` preference is passed over.
    pub mime: MimeSupport,
    /// Beside the body, one body part by these preferences (MS-ASAIRS 2.2.2.11): the message's own
    /// text without the quoted history.
    pub part_preference: Option<BodyPreference>,
}

impl BodyView {
    /// The same, or where it names no form that there is: the form the author wrote in, of at most
    /// so many bytes. Every item a phone is given has a body, asked for or not (MS-ASAIRS 2.2.2.9);
    /// one that asks for a body part is given that alone.
    #[must_use]
    pub fn or_native(&self, truncation: Option<u64>) -> Self {
        if !self.preferences.is_empty() || self.part_preference.is_some() {
            return self.clone();
        }
        // Of the forms named the native one is taken.
        let form = |kind| BodyPreference { kind, truncation, all_or_none: false, preview: None };
        let preferences = vec![form(BodyKind::Plain), form(BodyKind::Html)];
        Self { preferences, ..self.clone() }
    }
}

/// A body, or as much of it as was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Body {
    /// Its form.
    pub kind: BodyKind,
    /// The content. `Plain` and `Html` are always valid UTF-8; `Mime` is as it came. Carried
    /// beside the JSON on the link, not in it.
    #[serde(skip)]
    pub data: Bytes,
    /// Whether content is missing at the end (or wholly, by all-or-none).
    pub truncated: bool,
    /// The size in bytes of the whole, in this form.
    pub full_size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_names_no_form_means_the_native_one() {
        let nothing = BodyView { mime: MimeSupport::Smime, ..BodyView::default() };
        let view = nothing.or_native(Some(9));
        let forms: Vec<_> = view.preferences.iter().map(|p| (p.kind, p.truncation)).collect();
        assert_eq!(forms, [(BodyKind::Plain, Some(9)), (BodyKind::Html, Some(9))]);
        assert_eq!(view.mime, MimeSupport::Smime);
        assert_eq!(view.or_native(None), view, "what is named stays");
        let part = view.preferences.first().copied();
        let part = BodyView { part_preference: part, ..BodyView::default() };
        assert_eq!(part.or_native(None), part, "and a body part is enough");
    }
}
