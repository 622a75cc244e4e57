//! The text of an item that is no mail, in the form and as far as it is asked for (MS-ASAIRS
//! 2.2.2.9): by the rules by which a mail's body is chosen and cut.

use crate::html::{self, Links, to_text};
use crate::text::cut;
use dme_model::{BodyKind, BodyPreference, BodyView, Text};
use std::borrow::Cow;

/// A text as it was written: plain, HTML or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written<'a> {
    /// Plain.
    pub plain: Option<&'a str>,
    /// As HTML, a document or a piece of one.
    pub html: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// The form it was written in; none where there is no text.
    pub fn native(&self) -> Option<BodyKind> {
        match (self.plain, self.html) {
            (_, Some(_)) => Some(BodyKind::Html),
            (Some(_), None) => Some(BodyKind::Plain),
            (None, None) => None,
        }
    }

    /// The whole of it in a form; none where there is no text, or for MIME.
    pub fn whole(&self, kind: BodyKind) -> Option<Cow<'a, str>> {
        match (kind, self.plain, self.html) {
            (BodyKind::Plain, Some(plain), _) => Some(plain.into()),
            (BodyKind::Plain, None, Some(html)) => Some(plain_of(html).into()),
            (BodyKind::Html, _, Some(html)) => Some(html.into()),
            (BodyKind::Html, Some(plain), None) => Some(html::from_text(plain).into()),
            _ => None,
        }
    }

    /// As much of it as the view asks for; none where there is no text, or it asks for none.
    pub fn view(&self, view: &BodyView) -> Option<Text> {
        let native = self.native()?;
        let mut accepted: Vec<&BodyPreference> =
            view.preferences.iter().filter(|one| one.kind != BodyKind::Mime).collect();
        // Sorting is stable: the rest stay in the phone's order.
        accepted.sort_by_key(|preference| preference.kind != native);
        let first = accepted.first()?.kind;
        let fitting = accepted.iter().find_map(|preference| self.fit(preference));
        fitting.or_else(|| {
            let full_size = self.whole(first)?.len() as u64;
            Some(Text { kind: first, text: String::new(), truncated: true, full_size })
        })
    }

    fn fit(&self, preference: &BodyPreference) -> Option<Text> {
        let whole = self.whole(preference.kind)?;
        let limit = preference.truncation.and_then(|limit| usize::try_from(limit).ok());
        let end = cut(whole.as_bytes(), limit.unwrap_or(usize::MAX));
        let truncated = end < whole.len();
        if truncated && preference.all_or_none {
            return None;
        }
        Some(Text {
            kind: preference.kind,
            text: whole.get(..end).unwrap_or_default().to_owned(),
            truncated,
            full_size: whole.len() as u64,
        })
    }
}

/// The plain text of an HTML document or piece.
pub fn plain_of(html: &str) -> String {
    to_text(html, Links::Shown, usize::MAX).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(preferences: &[(BodyKind, Option<u64>, bool)]) -> BodyView {
        let preferences = preferences
            .iter()
            .map(|&(kind, truncation, all_or_none)| BodyPreference {
                kind,
                truncation,
                all_or_none,
                preview: None,
            })
            .collect();
        BodyView { preferences, ..BodyView::default() }
    }

    #[test]
    fn a_text_is_given_in_the_form_that_is_wanted() {
        use BodyKind::{Html, Mime, Plain};
        let plain = Written { plain: Some("a < b"), html: None };
        let both = Written { plain: Some("ab"), html: Some("<b>ab</b>") };
        let html = Written { plain: None, html: Some("<b>ab</b>") };
        for (written, wanted, kind, text) in [
            (plain, Html, Html, "<html><body>\r\n<div>a &lt; b</div>\r\n</body></html>\r\n"),
            (plain, Plain, Plain, "a < b"),
            (both, Plain, Plain, "ab"),
            (both, Html, Html, "<b>ab</b>"),
            (html, Plain, Plain, "ab"),
        ] {
            let found = written.view(&view(&[(wanted, None, false)])).unwrap();
            assert_eq!((found.kind, found.text.as_str()), (kind, text));
        }
        let native = both.view(&view(&[(Plain, None, false), (Html, None, false)])).unwrap();
        assert_eq!(native.kind, Html);
        assert_eq!(both.view(&view(&[(Mime, None, false)])), None);
        assert_eq!(both.view(&view(&[])), None);
        assert_eq!(Written::default().view(&view(&[(Plain, None, false)])), None);
    }

    #[test]
    fn a_text_is_cut_between_characters_or_not_given_at_all() {
        let written = Written { plain: Some("aäb"), html: None };
        let text = written.view(&view(&[(BodyKind::Plain, Some(2), false)])).unwrap();
        assert_eq!((text.text.as_str(), text.truncated, text.full_size), ("a", true, 4));
        let text = written.view(&view(&[(BodyKind::Plain, Some(2), true)])).unwrap();
        assert_eq!((text.text.as_str(), text.truncated, text.full_size), ("", true, 4));
    }
}
