//! The out-of-office message: kept, changed, refused where it makes no sense.

use super::{Ability, Outcome, World, check, refused, same};
use dme_model::{Timestamp, Vacation, VacationAudience, VacationState, VacationText};

pub(super) async fn nobody_is_away_at_first(world: &dyn World) -> Outcome {
    if !world.can(Ability::Vacation) {
        return Ok(());
    }
    let resident = world.resident().await;
    let vacation = resident.mailbox.vacation().await?;
    same!(vacation, Vacation::default(), "the out-of-office message of a new user");
    Ok(())
}

pub(super) async fn an_out_of_office_message_is_kept_whole(world: &dyn World) -> Outcome {
    if !world.can(Ability::Vacation) {
        return Ok(());
    }
    let resident = world.resident().await;
    let text = "Bin \"weg\" \\ bis 15.\n.\n..\r\n\n*/ # ${hex:41} 休暇 \u{1f334}\t{}";
    let plain = VacationText::Plain(text.into());
    let html = VacationText::Html("<p>Away &amp; <b>gone</b>\r\n.\r\nfor now</p>".into());
    let away = Vacation {
        state: VacationState::On,
        answers_colleagues: true,
        colleagues: Some(plain.clone()),
        audience: VacationAudience::All,
        others: Some(html.clone()),
    };
    let from = Timestamp::from_millis(1_700_000_000_250);
    let to = Timestamp::from_seconds(4_000_000_000);
    let known = match world.can(Ability::KnownSenders) {
        true => VacationAudience::Known,
        false => VacationAudience::None,
    };
    let long = VacationText::Plain("x".repeat(20_000) + "\n" + &"ü ".repeat(15_000));
    for wanted in [
        away.clone(),
        Vacation { state: VacationState::Within { from, to }, ..away.clone() },
        Vacation { audience: known, colleagues: Some(long), ..away.clone() },
        Vacation { colleagues: None, others: Some(plain), ..away.clone() },
        Vacation { answers_colleagues: false, others: None, ..away.clone() },
        Vacation { state: VacationState::Off, ..away },
        Vacation::default(),
    ] {
        // The second time changes nothing.
        for handle in [&resident.mailbox, &resident.other] {
            handle.set_vacation(&wanted).await?;
            same!(resident.mailbox.vacation().await?, wanted, "what was set");
            same!(resident.other.vacation().await?, wanted, "what another client sees");
        }
    }
    Ok(())
}

pub(super) async fn an_absence_that_ends_before_it_begins_is_refused(world: &dyn World) -> Outcome {
    if !world.can(Ability::Vacation) {
        return Ok(());
    }
    let resident = world.resident().await;
    let (from, to) = (Timestamp::from_seconds(9), Timestamp::from_seconds(8));
    let absurd = Vacation { state: VacationState::Within { from, to }, ..Vacation::default() };
    refused!(resident.mailbox.set_vacation(&absurd).await, Invalid, "an absence of no time");
    same!(resident.mailbox.vacation().await?, Vacation::default(), "the message after that");
    Ok(())
}
