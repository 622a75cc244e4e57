//! Sending.

use super::{
    Ability, Failure, Outcome, Resident, World, arrival, check, flags, inbox, letter, list, mail,
    message, message_id, refused, same, text, with_role,
};
use crate::{Draft, Reference, Submission, SubmissionKey, Verb};
use dme_model::{BodyView, ItemId, Mail, Role};

/// A sender and a recipient, where the world can send.
async fn pair(world: &dyn World) -> Option<(Resident, Resident)> {
    if !world.can(Ability::Submit) {
        return None;
    }
    Some((world.resident().await, world.resident().await))
}

fn submission(key: &str, message: Vec<u8>) -> Submission {
    Submission {
        key: SubmissionKey(key.into()),
        uncertain: false,
        taken: false,
        message: message.into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

fn note(sender: &Resident, recipient: &Resident, subject: &str, text: &str) -> Vec<u8> {
    letter(&sender.address, &recipient.address, subject, text, "")
}

/// How many mails of that subject lie in the collection of that role.
async fn count(resident: &Resident, role: Role, subject: &str) -> Result<usize, Failure> {
    let collection = with_role(&*resident.other, role).await?;
    let mut found = 0;
    for item in list(&*resident.other, &collection).await?.iter() {
        let mail = mail(&*resident.other, &collection, &item, &BodyView::default()).await?;
        found += usize::from(mail.subject == subject);
    }
    Ok(found)
}

pub(super) async fn a_message_reaches_its_recipients(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let raw = note(&ann, &bob, "Lunch", "Grüße, at one?");
    let submitted = ann.mailbox.submit(&submission("lunch", raw)).await?;
    same!(submitted.message_id, message_id("Lunch"), "the Message-ID");
    check!(submitted.refused.is_empty(), "refused: {:?}", submitted.refused);
    check!(submitted.warnings.is_empty(), "warnings: {:?}", submitted.warnings);
    let arrived = arrival(world, &bob, "Lunch").await?;
    same!(text(&arrived).trim_end(), "Grüße, at one?", "the text");
    check!(!arrived.flags.seen, "it arrived as read");
    same!(arrived.message_id, Some(submitted.message_id), "the Message-ID that arrived");
    Ok(())
}

pub(super) async fn what_is_out_already_is_filed_and_goes_to_nobody(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let mut told = submission("told", note(&ann, &bob, "Told", "by the calendar"));
    told.taken = true;
    let submitted = ann.mailbox.submit(&told).await?;
    same!(submitted.message_id, message_id("Told"), "the Message-ID");
    same!(count(&ann, Role::Sent, "Told").await?, 1, "copies in Sent");
    // What is sent after it would arrive after it.
    let raw = note(&ann, &bob, "After", "by mail");
    ann.mailbox.submit(&submission("after", raw)).await?;
    arrival(world, &bob, "After").await?;
    same!(count(&bob, Role::Inbox, "Told").await?, 0, "what arrived");
    Ok(())
}

pub(super) async fn a_hidden_recipient_stays_hidden(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let eve = world.resident().await;
    let hidden = format!("Bcc: {}\r\n", eve.address);
    let raw = letter(&ann.address, &bob.address, "Secret", "text", &hidden);
    ann.mailbox.submit(&submission("secret", raw)).await?;
    arrival(world, &eve, "Secret").await?;
    arrival(world, &bob, "Secret").await?;
    for receiver in [&bob, &eve] {
        let inbox = inbox(receiver).await?;
        for item in list(&*receiver.mailbox, &inbox).await?.iter() {
            let whole = receiver.mailbox.fetch_part(&inbox, &item, None, None).await?.data;
            let whole = String::from_utf8_lossy(&whole).to_lowercase();
            check!(!whole.contains("bcc:"), "the hidden recipient is told to {}", receiver.address);
        }
    }
    Ok(())
}

pub(super) async fn missing_headers_are_added(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let raw = format!("To: {}\r\nSubject: Bare\r\n\r\nhello\r\n", bob.address);
    let submitted = ann.mailbox.submit(&submission("bare", raw.into_bytes())).await?;
    check!(!submitted.message_id.is_empty(), "it went out without a Message-ID");
    let arrived = arrival(world, &bob, "Bare").await?;
    same!(arrived.message_id, Some(submitted.message_id), "the Message-ID");
    let from: Vec<_> = arrived.from.iter().map(|it| it.email.clone()).collect();
    same!(from, vec![ann.address.clone()], "the author");
    let empty = submission("nobody", b"Subject: Nobody\r\n\r\nhello\r\n".to_vec());
    refused!(ann.mailbox.submit(&empty).await, Invalid | RecipientRefused, "a message to nobody");
    Ok(())
}

pub(super) async fn a_copy_goes_to_sent_once_or_not_at_all(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    ann.mailbox.submit(&submission("kept", note(&ann, &bob, "Kept", ""))).await?;
    let unkept = submission("unkept", note(&ann, &bob, "Unkept", ""));
    ann.mailbox.submit(&Submission { save_in_sent: false, ..unkept }).await?;
    arrival(world, &bob, "Kept").await?;
    arrival(world, &bob, "Unkept").await?;
    same!(count(&ann, Role::Sent, "Kept").await?, 1, "copies in Sent");
    same!(count(&ann, Role::Sent, "Unkept").await?, 0, "copies that nobody wanted");
    let sent = with_role(&*ann.other, Role::Sent).await?;
    for item in list(&*ann.other, &sent).await?.iter() {
        check!(flags(&*ann.other, &sent, &item).await?.seen, "the copy in Sent is unread");
    }
    Ok(())
}

pub(super) async fn a_repeated_sending_goes_out_once(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let once = submission("once", note(&ann, &bob, "Once", ""));
    let first = ann.mailbox.submit(&once).await?;
    let again = Submission { uncertain: true, ..once };
    // Another connector may have to answer the repetition.
    for mailbox in [&ann.mailbox, &ann.other] {
        let repeated = mailbox.submit(&again).await?;
        same!(repeated.message_id, first.message_id, "the repeated sending's Message-ID");
    }
    // An uncertain sending that never went out is sent.
    let late = submission("late", note(&ann, &bob, "Late", ""));
    ann.mailbox.submit(&Submission { uncertain: true, ..late }).await?;
    arrival(world, &bob, "Late").await?;
    same!(count(&bob, Role::Inbox, "Once").await?, 1, "how often it arrived");
    same!(count(&ann, Role::Sent, "Once").await?, 1, "copies in Sent");
    Ok(())
}

/// Bob answers or sends on what Ann wrote; answers what arrived at Ann's, and Bob's original.
async fn respond(
    world: &dyn World,
    bob: &Resident,
    ann: &Resident,
    verb: Verb,
    replace_mime: bool,
) -> Result<(Mail, dme_model::Flags), Failure> {
    let inbox = inbox(bob).await?;
    let original = message("Question", "What is the answer to everything?");
    let item: ItemId = bob.mailbox.deliver(&inbox, &original).await?;
    let reference = Reference { collection: inbox.clone(), item: item.clone(), verb, replace_mime };
    let raw = note(bob, ann, "Response", "Forty-two.");
    let response = Submission { reference: Some(reference), ..submission("response", raw) };
    let submitted = bob.mailbox.submit(&response).await?;
    check!(submitted.warnings.is_empty(), "warnings: {:?}", submitted.warnings);
    let arrived = arrival(world, ann, "Response").await?;
    check!(text(&arrived).contains("Forty-two."), "the sender's own text is missing");
    Ok((arrived, flags(&*bob.other, &inbox, &item).await?))
}

pub(super) async fn a_reply_marks_and_quotes_the_original(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let (arrived, original) = respond(world, &bob, &ann, Verb::Reply, false).await?;
    check!(original.answered && !original.forwarded, "the original's marks: {original:?}");
    check!(text(&arrived).contains("the answer to everything"), "the original is not quoted");
    Ok(())
}

pub(super) async fn a_forward_marks_and_contains_the_original(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let (arrived, original) = respond(world, &bob, &ann, Verb::Forward, false).await?;
    check!(original.forwarded && !original.answered, "the original's marks: {original:?}");
    check!(text(&arrived).contains("the answer to everything"), "the original is not in it");
    Ok(())
}

pub(super) async fn a_complete_reply_is_sent_as_it_is(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let (arrived, original) = respond(world, &bob, &ann, Verb::Reply, true).await?;
    check!(original.answered, "the original's marks: {original:?}");
    same!(text(&arrived).trim_end(), "Forty-two.", "the text");
    Ok(())
}

pub(super) async fn a_sent_draft_is_gone(world: &dyn World) -> Outcome {
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let drafts = with_role(&*ann.mailbox, Role::Drafts).await?;
    let raw = note(&ann, &bob, "Finished", "text");
    let draft =
        Draft { key: SubmissionKey("draft".into()), message: raw.clone().into(), replaces: None };
    let item = ann.mailbox.save_draft(&drafts, &draft).await?;
    let draft = Some((drafts.clone(), item));
    ann.mailbox.submit(&Submission { draft, ..submission("finished", raw) }).await?;
    arrival(world, &bob, "Finished").await?;
    check!(list(&*ann.other, &drafts).await?.is_empty(), "the draft is still there");
    Ok(())
}

pub(super) async fn an_unknown_recipient_is_refused(world: &dyn World) -> Outcome {
    if !world.can(Ability::RefuseRecipients) {
        return Ok(());
    }
    let Some((ann, bob)) = pair(world).await else { return Ok(()) };
    let domain = ann.address.rsplit('@').next().unwrap_or_default();
    let nobody = format!("nobody-of-that-name@{domain}");
    let raw = letter(&ann.address, &nobody, "Nobody", "", "");
    let refusal = ann.mailbox.submit(&submission("nobody", raw)).await;
    refused!(refusal, RecipientRefused, "a message to nobody");
    same!(count(&ann, Role::Sent, "Nobody").await?, 0, "copies of what was not sent");

    let both = format!("{nobody}, {}", bob.address);
    let raw = letter(&ann.address, &both, "Both", "", "");
    let submitted = ann.mailbox.submit(&submission("both", raw)).await?;
    same!(submitted.refused, vec![nobody], "who was refused");
    arrival(world, &bob, "Both").await?;
    Ok(())
}
