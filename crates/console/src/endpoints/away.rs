//! Out of office: one's own, through the mailbox's own settings. A session has no password for the
//! mail system, so that it is asked for where that needs it, and forgotten.

use super::own::oneself;
use super::users::account;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_directory::{DirectoryService, Login};
use dme_mailbox::{Account, Credentials, ErrorKind};
use dme_model::{
    MAX_VACATION_TEXT, Secret, Vacation, VacationAudience, VacationState, VacationText, civil,
};
use http::StatusCode;

impl Console {
    pub(crate) async fn own_away(
        &self,
        principal: &Principal,
        password: Option<String>,
    ) -> Result<api::Away, Refusal> {
        let account = self.opened_by(principal, password).await?;
        let vacation = self.front.vacation(&account).await.map_err(of_mailbox)?;
        Ok(self.away(&vacation))
    }

    pub(crate) async fn set_own_away(
        &self,
        principal: &Principal,
        mut new: api::NewAway,
    ) -> Result<api::Away, Refusal> {
        let state = self.state(&new)?;
        if new.colleagues.len().max(new.others.len()) > MAX_VACATION_TEXT {
            let words = format!("a text is longer than {MAX_VACATION_TEXT} bytes");
            return Err(Refusal::bad(words).said("my-away-long", MAX_VACATION_TEXT.to_string()));
        }
        let account = self.opened_by(principal, new.password.take()).await?;
        let before = self.front.vacation(&account).await.map_err(of_mailbox)?;
        let colleagues = text(&new.colleagues, before.colleagues);
        let others = text(&new.others, before.others);
        let audience = match (&others, before.audience) {
            (None, _) => VacationAudience::None,
            (Some(_), VacationAudience::Known) => VacationAudience::Known,
            (Some(_), _) => VacationAudience::All,
        };
        let answers_colleagues = colleagues.is_some();
        let vacation = Vacation { state, answers_colleagues, colleagues, audience, others };
        self.front.set_vacation(&account, &vacation).await.map_err(of_mailbox)?;
        Ok(self.away(&vacation))
    }

    /// One's account as the mail system opens it. A password is checked before it goes there.
    async fn opened_by(
        &self,
        principal: &Principal,
        password: Option<String>,
    ) -> Result<Account, Refusal> {
        let user = oneself(principal)?;
        let directory = self.front.directory_of(user);
        let found = match directory {
            Some(directory) => directory.find(user).await.ok().flatten(),
            None => None,
        };
        let account = account(user, found.as_ref());
        if !self.front.opening(user).await?.mail_needs_password() {
            return Ok(account);
        }
        let Some(password) = password.filter(|password| !password.is_empty()) else {
            let words = "the mail system needs your password for this: send it along";
            return Err(Refusal::new(StatusCode::CONFLICT, words).said("my-away-why", ""));
        };
        let password = Secret::new(password);
        let wrong = || Refusal::forbidden("this is not your password").said("my-not-yours", "");
        let login = Login::parse(user.as_str()).map_err(|_| wrong())?;
        match self.known_as(&login, &password).await {
            Ok(known) if known.user.as_ref() == Some(user) => {
                Ok(Account { credentials: Credentials::Password(password), ..account })
            }
            Ok(_) | Err("wrong-password") => Err(wrong()),
            Err(_) => {
                let words = "your password cannot be checked right now: try again in a minute";
                let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words);
                Err(refusal.said("directory-away", ""))
            }
        }
    }

    fn state(&self, new: &api::NewAway) -> Result<VacationState, Refusal> {
        let day = |given: &Option<String>, which: &str| {
            let given = given.as_deref().unwrap_or_default();
            day(given).ok_or_else(|| {
                let words = format!("{which}: a day is wanted, 2026-12-24");
                Refusal::bad(words).said("my-away-no-day", "")
            })
        };
        match &*new.state {
            "off" => Ok(VacationState::Off),
            "on" => Ok(VacationState::On),
            "within" => {
                let (first, last) = (day(&new.from, "from")?, day(&new.to, "to")?);
                if last < first {
                    let words = "the last day is before the first";
                    return Err(Refusal::bad(words).said("my-away-order", ""));
                }
                let (from, to) = (self.front.day_begins(first), self.front.day_begins(last + 1));
                Ok(VacationState::Within { from, to })
            }
            other => Err(Refusal::wrong("no-away-state", other)),
        }
    }

    fn away(&self, vacation: &Vacation) -> api::Away {
        let words = |text: &Option<VacationText>, told: bool| {
            let text = text.as_ref().filter(|_| told);
            text.map(|text| text.as_str().to_owned()).unwrap_or_default()
        };
        let (state, days) = match vacation.state {
            VacationState::Off => ("off", None),
            VacationState::On => ("on", None),
            // The last moment is that before `to`.
            VacationState::Within { from, to } => {
                let last = self.front.day_of(to.minus(std::time::Duration::from_millis(1)));
                ("within", Some((self.front.day_of(from), last)))
            }
        };
        let told_others = vacation.audience != VacationAudience::None;
        api::Away {
            state: state.to_owned(),
            from: days.map(|(from, _)| written(from)),
            to: days.map(|(_, to)| written(to)),
            colleagues: words(&vacation.colleagues, vacation.answers_colleagues),
            others: words(&vacation.others, told_others),
        }
    }
}

/// A text as it is from now on: in the form it had, where nothing was changed.
fn text(new: &str, before: Option<VacationText>) -> Option<VacationText> {
    let new = new.replace("\r\n", "\n");
    match before {
        _ if new.trim().is_empty() => None,
        Some(before) if before.as_str().replace("\r\n", "\n") == new => Some(before),
        _ => Some(VacationText::Plain(new)),
    }
}

/// A day as `2026-12-24`, counted from 1970-01-01.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    civil::days(parts.next()??, parts.next()??, parts.next()??)
}

fn written(day: i64) -> String {
    let (year, month, day) = civil::date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

fn of_mailbox(error: dme_mailbox::Error) -> Refusal {
    let words = error.to_string();
    match error.kind {
        ErrorKind::Unsupported => {
            let words = "your mail system has no out-of-office messages";
            Refusal::new(StatusCode::NOT_IMPLEMENTED, words).said("my-away-none", "")
        }
        ErrorKind::Invalid | ErrorKind::MessageTooLarge => {
            Refusal::bad(words).said("my-away-refused", "")
        }
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Busy { .. } => {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).said("my-unclear", "")
        }
        _ => Refusal::new(StatusCode::BAD_GATEWAY, words).said("my-unclear", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        for (text, number) in [("1970-01-01", 0), ("2026-12-24", 20_811), ("2028-02-29", 21_243)] {
            assert_eq!(day(text), Some(number), "{text}");
            assert_eq!(written(number), text);
        }
        for wrong in ["", "2026", "2026-13-01", "2026-02-30", "24.12.2026", "a-b-c"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_text_that_nobody_changed_keeps_its_form() {
        let html = VacationText::Html("<p>Away</p>\r\n".into());
        assert_eq!(text("<p>Away</p>\n", Some(html.clone())), Some(html.clone()));
        let changed = text("Back on Monday", Some(html.clone()));
        assert_eq!(changed, Some(VacationText::Plain("Back on Monday".into())));
        assert_eq!(text(" \n", Some(html)), None);
    }
}
