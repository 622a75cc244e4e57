//! Out of office (MS-ASCMD 2.2.3.122): between EAS's three audiences and the mailbox's two.

use super::exchange::Exchange;
use super::failure::Failure;
use dme_eas::settings::{Audience, Oof, OofMessage, OofRequest, OofState, ReplyFormat, Status};
use dme_mailbox::{ErrorKind, Mailbox};
use dme_model::{Vacation, VacationAudience, VacationState, VacationText};

/// Tells or changes the user's out-of-office settings.
pub(super) async fn answer(
    exchange: &Exchange<'_>,
    asked: OofRequest,
) -> Result<(Status, Option<Oof>), Failure> {
    let answered = match asked {
        OofRequest::Get { format } => {
            exchange.mailbox().vacation().await.map(|vacation| Some(told(&vacation, format)))
        }
        OofRequest::Set(oof) => {
            if let Some(OofState::TimeBased { start, end }) = oof.state
                && start >= end
            {
                return Ok((Status::ConflictingArguments, None));
            }
            let set = exchange.to_its_end(move |_, session| {
                Box::pin(async move { set(session.mailbox, &oof).await })
            });
            set.await?.map(|()| None)
        }
    };
    Ok(match answered {
        Ok(oof) => (Status::Success, oof),
        Err(error) => {
            // That there is none is no failure.
            if error.kind != ErrorKind::Unsupported {
                exchange.mailbox_failed(&error);
            }
            (Failure::of_setting(&error), None)
        }
    })
}

async fn set(mailbox: &dyn Mailbox, oof: &Oof) -> dme_mailbox::Result<()> {
    let vacation = changed(mailbox.vacation().await?, oof);
    mailbox.set_vacation(&vacation).await
}

/// The settings in the form the phone asked for: one message for each audience, also for those who
/// are not answered.
fn told(vacation: &Vacation, format: ReplyFormat) -> Oof {
    let message = |audience, enabled, text: &Option<VacationText>| OofMessage {
        audience,
        enabled: Some(enabled),
        reply: text.as_ref().map(|text| in_form(text, format)),
        format,
    };
    let (audience, others) = (vacation.audience, &vacation.others);
    Oof {
        state: Some(match vacation.state {
            VacationState::Off => OofState::Disabled,
            VacationState::On => OofState::Global,
            VacationState::Within { from, to } => OofState::TimeBased { start: from, end: to },
        }),
        messages: vec![
            message(Audience::Internal, vacation.answers_colleagues, &vacation.colleagues),
            message(Audience::ExternalKnown, audience != VacationAudience::None, others),
            message(Audience::ExternalUnknown, audience == VacationAudience::All, others),
        ],
    }
}

fn in_form(text: &VacationText, format: ReplyFormat) -> String {
    match (text, format) {
        (VacationText::Plain(text), ReplyFormat::Text)
        | (VacationText::Html(text), ReplyFormat::Html) => text.clone(),
        (VacationText::Plain(text), ReplyFormat::Html) => dme_mime::text_to_html(text),
        (VacationText::Html(html), ReplyFormat::Text) => dme_mime::html_to_text(html),
    }
}

/// The settings with what the phone changed of them.
fn changed(mut vacation: Vacation, oof: &Oof) -> Vacation {
    if let Some(state) = oof.state {
        vacation.state = match state {
            OofState::Disabled => VacationState::Off,
            OofState::Global => VacationState::On,
            OofState::TimeBased { start, end } => VacationState::Within { from: start, to: end },
        };
    }
    let message = |audience| oof.messages.iter().find(|message| message.audience == audience);
    if let Some(internal) = message(Audience::Internal) {
        vacation.answers_colleagues = internal.enabled.unwrap_or(vacation.answers_colleagues);
        say(&mut vacation.colleagues, internal);
    }
    let (known, unknown) = (message(Audience::ExternalKnown), message(Audience::ExternalUnknown));
    let enabled = |message: Option<&OofMessage>, before: bool| {
        message.and_then(|message| message.enabled).unwrap_or(before)
    };
    let known_are = enabled(known, vacation.audience != VacationAudience::None);
    let unknown_are = enabled(unknown, vacation.audience == VacationAudience::All);
    vacation.audience = match (known_are, unknown_are) {
        // Strangers alone are no audience of any mail system's.
        (_, true) => VacationAudience::All,
        (true, false) => VacationAudience::Known,
        (false, false) => VacationAudience::None,
    };
    // There is one text for both, as in Exchange. Where they differ, that of those who are answered
    // counts, and among those that of the most.
    let by_weight = |message: &&OofMessage| message.enabled == Some(true);
    let said = [unknown, known].into_iter().flatten().filter(|message| message.reply.is_some());
    let said: Vec<_> = said.collect();
    if let Some(message) = said.iter().copied().find(by_weight).or(said.first().copied()) {
        say(&mut vacation.others, message);
    }
    vacation
}

/// Takes a message's text over where it has one; an empty one takes the old one away.
fn say(text: &mut Option<VacationText>, message: &OofMessage) {
    let Some(reply) = &message.reply else { return };
    // A phone that only changes the rest sends the text back in the form it asked for, which must
    // not become the author's.
    if text.as_ref().is_some_and(|text| in_form(text, message.format) == *reply) {
        return;
    }
    *text = (!reply.is_empty()).then(|| match message.format {
        ReplyFormat::Text => VacationText::Plain(reply.clone()),
        ReplyFormat::Html => VacationText::Html(reply.clone()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Timestamp;

    fn plain(text: &str) -> Option<VacationText> {
        Some(VacationText::Plain(text.into()))
    }

    fn message(audience: Audience, enabled: bool, reply: Option<&str>) -> OofMessage {
        let reply = reply.map(str::to_owned);
        OofMessage { audience, enabled: Some(enabled), reply, format: ReplyFormat::Text }
    }

    fn away() -> Vacation {
        Vacation {
            state: VacationState::On,
            answers_colleagues: true,
            colleagues: plain("inside"),
            audience: VacationAudience::Known,
            others: Some(VacationText::Html("<p>outside &amp; away</p>".into())),
        }
    }

    #[test]
    fn every_audience_is_told_in_the_form_asked_for() {
        let oof = told(&away(), ReplyFormat::Text);
        assert_eq!(oof.state, Some(OofState::Global));
        let told: Vec<_> = oof
            .messages
            .iter()
            .map(|message| (message.audience, message.enabled, message.reply.as_deref()))
            .map(|(audience, enabled, reply)| (audience, enabled, reply.map(str::trim)))
            .collect();
        assert_eq!(
            told,
            [
                (Audience::Internal, Some(true), Some("inside")),
                (Audience::ExternalKnown, Some(true), Some("outside & away")),
                (Audience::ExternalUnknown, Some(false), Some("outside & away")),
            ]
        );
        let html = super::told(&away(), ReplyFormat::Html);
        assert!(html.messages[0].reply.as_deref().unwrap().contains("<div>inside</div>"));
        assert_eq!(html.messages[1].reply.as_deref(), Some("<p>outside &amp; away</p>"));
    }

    #[test]
    fn what_is_not_in_the_request_stays() {
        let nothing = Oof { state: None, messages: Vec::new() };
        assert_eq!(changed(away(), &nothing), away());
        let off = Oof { state: Some(OofState::Disabled), messages: Vec::new() };
        assert_eq!(changed(away(), &off), Vacation { state: VacationState::Off, ..away() });
        let (start, end) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
        let window = Oof { state: Some(OofState::TimeBased { start, end }), messages: Vec::new() };
        let state = VacationState::Within { from: start, to: end };
        assert_eq!(changed(away(), &window), Vacation { state, ..away() });
    }

    #[test]
    fn a_text_that_comes_back_converted_is_not_taken_for_a_new_one() {
        for format in [ReplyFormat::Text, ReplyFormat::Html] {
            assert_eq!(changed(away(), &told(&away(), format)), away());
        }
    }

    #[test]
    fn the_two_outside_audiences_become_one() {
        let set = |known, unknown| {
            let messages = vec![
                message(Audience::ExternalKnown, known, Some("friend")),
                message(Audience::ExternalUnknown, unknown, Some("stranger")),
            ];
            let vacation = changed(away(), &Oof { state: None, messages });
            (vacation.audience, vacation.others)
        };
        assert_eq!(set(true, true), (VacationAudience::All, plain("stranger")));
        assert_eq!(set(true, false), (VacationAudience::Known, plain("friend")));
        assert_eq!(set(false, true), (VacationAudience::All, plain("stranger")));
        assert_eq!(set(false, false), (VacationAudience::None, plain("stranger")));
    }

    #[test]
    fn an_empty_reply_takes_the_text_away() {
        let messages = vec![message(Audience::Internal, false, Some(""))];
        let vacation = changed(away(), &Oof { state: None, messages });
        assert_eq!((vacation.answers_colleagues, vacation.colleagues), (false, None));
    }
}
