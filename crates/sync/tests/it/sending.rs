//! Sending, once (rules S2 and S3).

use crate::world::{World, message};
use dme_mailbox::memory::Failure;
use dme_mailbox::{CalendarMessage, ErrorKind, Verb};
use dme_model::Role;
use dme_sync::{Error, FolderNo, MeetingWord, SubmitId, SubmitRequest};
use std::time::Duration;

fn mail(id: SubmitId) -> SubmitRequest {
    SubmitRequest {
        id,
        message: message("mail"),
        reference: None,
        replace_mime: false,
        save_in_sent: true,
        meeting: None,
    }
}

fn named(id: &str) -> SubmitRequest {
    mail(SubmitId::Client(id.into()))
}

#[tokio::test]
async fn a_repeated_request_is_told_so_and_sends_nothing() {
    let world = World::new().await;
    for request in [named("1"), mail(SubmitId::Content)] {
        let before = world.system.sent().len();
        let first = world.engine.submit(world.session(), &request).await.unwrap();
        let again = world.engine.submit(world.session(), &request).await.unwrap();
        assert_eq!((first.before, again.before), (false, true));
        assert_eq!(again.submitted, first.submitted);
        assert_eq!(world.system.sent().len(), before + 1);
    }
}

#[tokio::test]
async fn other_names_are_other_mails() {
    let world = World::new().await;
    for id in ["1", "2"] {
        world.engine.submit(world.session(), &named(id)).await.unwrap();
    }
    assert_eq!(world.system.sent().len(), 2);
    assert_eq!(world.items(Role::Sent).len(), 2);
}

#[tokio::test]
async fn the_same_bytes_are_another_mail_after_ten_minutes() {
    let mut world = World::new().await;
    for (minutes, sent) in [(0, 1), (9, 1), (11, 2)] {
        world.now = crate::world::NOW.plus(Duration::from_secs(minutes * 60));
        world.engine.submit(world.session(), &mail(SubmitId::Content)).await.unwrap();
        assert_eq!(world.system.sent().len(), sent, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn one_whose_end_is_unknown_goes_out_once() {
    let world = World::new().await;
    let lost = dme_mailbox::Error::new(ErrorKind::Unavailable, "the answer was lost");
    for failure in [Failure::Before(lost.clone()), Failure::After(lost.clone())] {
        let before = world.system.sent().len();
        let request = named(&format!("{before}"));
        world.system.fail_next(1, &failure);
        let failed = world.engine.submit(world.session(), &request).await;
        assert_eq!(failed, Err(Error::Mailbox(lost.clone())));
        world.engine.submit(world.session(), &request).await.unwrap();
        assert_eq!(world.system.sent().len(), before + 1, "{failure:?}");
    }
}

#[tokio::test]
async fn what_was_refused_can_be_sent_with_the_same_name_later() {
    let world = World::new().await;
    let refused = dme_mailbox::Error::new(ErrorKind::RecipientRefused, "no such user");
    world.system.fail_next(1, &Failure::Before(refused.clone()));
    let failed = world.engine.submit(world.session(), &named("1")).await;
    assert_eq!(failed, Err(Error::Mailbox(refused)));
    world.engine.submit(world.session(), &named("1")).await.unwrap();
    assert_eq!(world.system.sent().len(), 1);
}

/// The mail system is taken at its word: where it lies, as here, the mail goes out twice.
#[tokio::test]
async fn one_that_was_not_begun_is_sent_as_if_for_the_first_time() {
    let world = World::new().await;
    let unreached = dme_mailbox::Error::new(ErrorKind::Unavailable, "nobody is there");
    world.system.fail_next(1, &Failure::After(unreached.before_anything()));
    world.engine.submit(world.session(), &named("1")).await.unwrap_err();
    world.engine.submit(world.session(), &named("1")).await.unwrap();
    assert_eq!(world.system.sent().len(), 2, "nothing was noted as begun");
}

#[tokio::test]
async fn a_reply_marks_its_original() {
    let world = World::new().await;
    let item = world.arrive("question");
    let inbox = world.folder(Role::Inbox).await;
    let mut reply = named("1");
    reply.reference = Some((inbox, item.clone(), Verb::Reply));
    world.engine.submit(world.session(), &reply).await.unwrap();
    assert!(world.marks(&item).answered);
    reply.id = SubmitId::Client("2".into());
    reply.reference = Some((FolderNo(99), item, Verb::Reply));
    let nowhere = world.engine.submit(world.session(), &reply).await;
    assert_eq!(nowhere, Err(Error::FolderNotFound(FolderNo(99))));
}

#[tokio::test]
async fn what_the_calendar_tells_by_itself_is_filed_and_not_sent() {
    let invitation = SubmitRequest {
        meeting: Some(MeetingWord {
            message: CalendarMessage { calendar: "METHOD:REQUEST".into(), from: "ann@x".into() },
            to: vec!["eve@elsewhere.example".into()],
            own: true,
        }),
        ..named("1")
    };
    for (schedules, request, sent) in
        [(false, &invitation, 1), (true, &named("1"), 1), (true, &invitation, 0)]
    {
        let world = World::new().await;
        if schedules {
            world.system.schedule();
        }
        for before in [false, true] {
            let done = world.engine.submit(world.session(), request).await.unwrap();
            assert_eq!(done.before, before);
            assert_eq!(world.system.sent().len(), sent, "schedules: {schedules}");
            assert_eq!(world.items(Role::Sent).len(), 1, "the copy");
        }
    }
    // Where it cannot be asked now, the phone comes again.
    let world = World::new().await;
    world.system.schedule();
    let away = dme_mailbox::Error::new(ErrorKind::Unavailable, "the calendar is away");
    world.system.fail_next(1, &Failure::Before(away));
    assert!(world.engine.submit(world.session(), &invitation).await.is_err());
    assert!(!world.engine.submit(world.session(), &invitation).await.unwrap().before);
    assert_eq!((world.system.sent().len(), world.items(Role::Sent).len()), (0, 1));
}

fn word(own: bool) -> MeetingWord {
    MeetingWord {
        message: CalendarMessage { calendar: "METHOD:REQUEST".into(), from: "ann@x".into() },
        to: vec!["eve@elsewhere.example".into()],
        own,
    }
}

#[tokio::test]
async fn what_another_says_goes_out_while_the_calendar_is_away() {
    for (own, sent) in [(true, 0), (false, 1)] {
        let world = World::new().await;
        let away = dme_mailbox::Error::new(ErrorKind::Unavailable, "the calendar is away");
        world.system.fail_next(1, &Failure::Before(away));
        let request = SubmitRequest { meeting: Some(word(own)), ..named("1") };
        let done = world.engine.submit(world.session(), &request).await;
        assert_eq!((done.is_ok(), world.system.sent().len()), (!own, sent), "own: {own}");
    }
}

/// Phones may mail the invitation before they give the meeting to the server.
#[tokio::test]
async fn an_invitation_to_a_meeting_that_is_not_there_yet_comes_once_more() {
    for (made, sent) in [(true, 0), (false, 1)] {
        for id in [SubmitId::Client("1".into()), SubmitId::Content] {
            let mut world = World::new().await;
            let none = dme_mailbox::Error::new(ErrorKind::NotFound, "there is no such meeting");
            let request = SubmitRequest { meeting: Some(word(true)), ..mail(id) };
            world.system.fail_next(1, &Failure::Before(none.clone()));
            let first = world.engine.submit(world.session(), &request).await;
            let Err(Error::Mailbox(error)) = first else { panic!("{first:?}") };
            assert!(error.is_transient(), "the phone comes again: {error}");
            match made {
                true => world.system.schedule(),
                false => world.system.fail_next(1, &Failure::Before(none)),
            }
            world.now = crate::world::NOW.plus(Duration::from_secs(3_600));
            assert!(!world.engine.submit(world.session(), &request).await.unwrap().before);
            assert_eq!(world.system.sent().len(), sent, "made: {made}");
        }
    }
}
