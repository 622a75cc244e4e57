//! The out-of-office message, in the words of JMAP's `VacationResponse` (RFC 8621 §8) where it has
//! them; that colleagues may be told more than others is of Exchange (MS-OXWOOF).

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest text of an answer, in bytes (MS-ASCMD 2.2.3.149).
pub const MAX_VACATION_TEXT: usize = 64 << 10;

/// Whether, when and what a mailbox answers by itself while its user is away.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Vacation {
    /// Whether and when anything is answered.
    pub state: VacationState,
    /// Whether colleagues are answered: senders of the user's own organisation.
    pub answers_colleagues: bool,
    /// What colleagues are told; kept also while they are not answered.
    pub colleagues: Option<VacationText>,
    /// Which other senders are answered.
    pub audience: VacationAudience,
    /// What others are told; kept also while they are not answered.
    pub others: Option<VacationText>,
}

/// Whether and when anything is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VacationState {
    /// Nothing is.
    #[default]
    Off,
    /// From now on until it is switched off.
    On,
    /// Between two moments (`fromDate` and `toDate`), the first included.
    Within {
        /// The first moment.
        from: Timestamp,
        /// The moment after the last.
        to: Timestamp,
    },
}

/// Which senders outside the organisation are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VacationAudience {
    /// None.
    #[default]
    None,
    /// Those in the user's contacts.
    Known,
    /// All.
    All,
}

/// The text of an answer, in the form its author wrote it in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VacationText {
    /// Plain text (`textBody`).
    Plain(String),
    /// HTML (`htmlBody`).
    Html(String),
}

impl VacationText {
    /// The text in its own form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Html(text) => text,
        }
    }

    /// Whether there is nothing to say.
    pub fn is_blank(&self) -> bool {
        self.as_str().trim().is_empty()
    }
}

impl Vacation {
    /// What colleagues are answered while it is on.
    pub fn for_colleagues(&self) -> Option<&VacationText> {
        self.colleagues.as_ref().filter(|text| self.answers_colleagues && !text.is_blank())
    }

    /// What others are answered while it is on; whether all are or only known ones is in
    /// [`Vacation::audience`].
    pub fn for_others(&self) -> Option<&VacationText> {
        let answered = self.audience != VacationAudience::None;
        self.others.as_ref().filter(|text| answered && !text.is_blank())
    }

    /// What makes no sense about it, as a lower-case fragment for people, if anything does.
    pub fn problem(&self) -> Option<&'static str> {
        if let VacationState::Within { from, to } = self.state
            && from >= to
        {
            return Some("the absence ends before it begins");
        }
        let texts = [&self.colleagues, &self.others].into_iter().flatten();
        let longest = texts.map(|text| text.as_str().len()).max().unwrap_or_default();
        (longest > MAX_VACATION_TEXT).then_some("the out-of-office message is longer than 64 KB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_but_not_said_where_its_audience_is_not_answered() {
        let text = VacationText::Plain("away".into());
        let mut vacation = Vacation {
            colleagues: Some(text.clone()),
            others: Some(text.clone()),
            ..Vacation::default()
        };
        assert_eq!((vacation.for_colleagues(), vacation.for_others()), (None, None));
        vacation.answers_colleagues = true;
        vacation.audience = VacationAudience::Known;
        assert_eq!(vacation.for_colleagues(), Some(&text));
        assert_eq!(vacation.for_others(), Some(&text));
        vacation.others = Some(VacationText::Html(" \r\n".into()));
        assert_eq!(vacation.for_others(), None, "a blank text says nothing");
    }

    #[test]
    fn a_window_ends_after_it_begins_and_a_text_has_a_limit() {
        let within = |from, to| {
            let (from, to) = (Timestamp::from_seconds(from), Timestamp::from_seconds(to));
            Vacation { state: VacationState::Within { from, to }, ..Vacation::default() }
        };
        assert_eq!(within(1, 2).problem(), None);
        assert!(within(2, 2).problem().is_some());
        assert!(within(3, 2).problem().is_some());
        let said = |length| {
            let text = VacationText::Plain("x".repeat(length));
            Vacation { others: Some(text), ..Vacation::default() }.problem()
        };
        assert_eq!(said(MAX_VACATION_TEXT), None);
        assert!(said(MAX_VACATION_TEXT + 1).is_some());
    }
}
