//! Meetings of phones on a calendar server that tells people by itself (RFC 6638), Cyrus: each hears
//! of each change once, from the server, and no mail of ours says the same.

use crate::account::{NINE, change, event, meeting, only, until, whole};
use crate::meetings_by_mail::{bob_says_of, instance, series};
use crate::site::{Site, USERS, Wishes, dovecot, postfix};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::compose::{Message, SaveInSent};
use dme_eas::folder_sync::FolderType;
use dme_eas::meeting_response::{Answer, Invitation, SendResponse, Status, UserResponse};
use dme_model::{Event, EventField, Participation};
use dme_phone::Phone;
use dme_testkit::cyrus::Cyrus;
use dme_testkit::process::run;
use std::process::Command;

const BOB: &str = "bob@example.org";

pub struct World {
    pub site: Site,
    pub cyrus: Cyrus,
}

impl World {
    pub fn start() -> Result<Self> {
        let cyrus = Cyrus::start(&USERS.map(|(_, password)| password))?;
        for (name, _) in USERS {
            // Any of the passwords will do; IMAP's LOGIN takes no other letters than ASCII's.
            cyrus.welcome(name, USERS[1].1)?;
        }
        let dovecot = dovecot()?;
        let postfix = postfix(&dovecot)?;
        let connector =
            format!("[dav]\nurl = \"{}\"\nlogin = \"local\"\npoll = \"1s\"\n", cyrus.url());
        let site = Site::on(dovecot, postfix, &connector, &Wishes::default())?;
        Ok(Self { site, cyrus })
    }

    /// A phone, with the calendar that its user has by themselves.
    pub async fn phone(&self, user: &str, version: ProtocolVersion) -> Result<(Phone, String)> {
        let mut phone = self.site.phone(user)?;
        phone.client.account.version = version;
        phone.client.account.device = format!("{user}{version}").replace('.', "").into();
        phone.folder_sync().await?;
        let calendar = phone.folder_of(FolderType::Calendar)?;
        phone.sync(&calendar).await?;
        Ok((phone, calendar))
    }

    /// How many messages of the calendar server came to a user: they are kept where other clients
    /// find them (RFC 6638 §2.2). Not kept is the first change of a meeting: Cyrus sends it under the
    /// `SEQUENCE` that the invitation had, as no news.
    fn told(&self, user: &str) -> Result<usize> {
        let url = format!("{}dav/calendars/user/{user}/Inbox/", self.cyrus.url());
        let login = format!("{user}:{}", USERS[1].1);
        let mut ask = Command::new("curl");
        ask.args(["-sf", "-X", "PROPFIND", "-H", "Depth: 1", "-u", &login, &url]);
        let listed = run(&mut ask)?;
        Ok(listed.matches(".ics</").count())
    }

    fn told_in_all(&self, ann: usize, bob: usize) -> Result<()> {
        let told = (self.told("ann")?, self.told("bob")?);
        ensure!(told == (ann, bob), "Ann and Bob were told {told:?} times, not {:?}", (ann, bob));
        Ok(())
    }

    /// How many mails the mail server took on.
    fn mails(&self) -> usize {
        self.site.postfix.log().matches("(queue active)").count()
    }
}

/// What Ann's event says of Bob.
fn of_bob(phone: &Phone, calendar: &str) -> Result<Participation> {
    let (_, item) = only(phone, calendar)?;
    let event = event(&item)?;
    let bob = event.attendees.iter().find(|one| one.address.email == BOB);
    Ok(bob.context("Bob is not asked")?.participation)
}

async fn until_bob(ann: &mut Phone, calendar: &str, says: Participation) -> Result<()> {
    let what = format!("that Bob says {says:?}");
    until(ann, calendar, &what, |ann| of_bob(ann, calendar).is_ok_and(|said| said == says)).await
}

/// Bob's one event.
fn shown(phone: &Phone, calendar: &str) -> Result<(String, Event)> {
    let (id, item) = only(phone, calendar)?;
    Ok((id, event(&item)?.clone()))
}

/// Bob answers the event in his calendar; his phone says so twice, as phones do whose answer got lost.
async fn answer(
    bob: &mut Phone,
    calendar: &str,
    response: UserResponse,
    send: Option<SendResponse>,
) -> Result<()> {
    let (id, _) = shown(bob, calendar)?;
    let invitation = Invitation::Item { collection_id: calendar.to_owned(), request_id: id };
    let answer = Answer { response, invitation, instance: None, send };
    let first = bob.respond(answer.clone()).await?;
    ensure!(first.status == Status::Success, "{first:?}");
    let again = bob.respond(answer).await?;
    ensure!(again == first, "{again:?} instead of {first:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_and_what_is_answered_is_told_once_by_the_calendar_server() -> Result<()> {
    let world = World::start()?;
    let version = ProtocolVersion::V16_1;
    let (mut ann, anns) = world.phone("ann", version).await?;
    let (mut bob, bobs) = world.phone("bob", version).await?;

    // Ann asks Bob, and he may come.
    let made = ann.create(&anns, &whole(meeting("The bridge", Some(BOB)))).await?;
    until(&mut bob, &bobs, "the invitation", |bob| shown(bob, &bobs).is_ok()).await?;
    let (_, asked) = shown(&bob, &bobs)?;
    ensure!(!asked.own && asked.participation == Participation::NeedsAction, "{asked:?}");
    ensure!(asked.title == "The bridge" && asked.start == NINE, "{asked:?}");
    answer(&mut bob, &bobs, UserResponse::Tentative, Some(SendResponse::default())).await?;
    until_bob(&mut ann, &anns, Participation::Tentative).await?;
    world.told_in_all(1, 1)?;

    // She moves it, and he comes.
    let (start, end) = (NINE.plus_seconds(7200), NINE.plus_seconds(10_800));
    let (_, there) = shown(&ann, &anns)?;
    let later = Event { start, end, ..there };
    ann.change(&anns, &made, &change(&ann, later, &[EventField::Time])).await?;
    let moved = |bob: &Phone| shown(bob, &bobs).is_ok_and(|(_, event)| event.start == start);
    until(&mut bob, &bobs, "the other time", moved).await?;
    answer(&mut bob, &bobs, UserResponse::Accepted, Some(SendResponse::default())).await?;
    until_bob(&mut ann, &anns, Participation::Accepted).await?;
    world.told_in_all(2, 1)?;

    // He proposes another time: that no calendar server knows of, and it goes by mail.
    let (start, end) = (NINE.plus_seconds(86_400), NINE.plus_seconds(90_000));
    let proposed = Some((start.as_utc(), end.as_utc()));
    let rather = SendResponse { proposed, ..SendResponse::default() };
    answer(&mut bob, &bobs, UserResponse::Tentative, Some(rather)).await?;
    let inbox = ann.inbox()?;
    until(&mut ann, &inbox, "the proposal", |ann| {
        ann.items(&inbox).is_ok_and(|mails| mails.len() == 1)
    })
    .await?;
    until(&mut ann, &anns, "the proposal in Ann's event", |ann| {
        shown(ann, &anns)
            .is_ok_and(|(_, event)| event.attendees.iter().any(|one| one.proposal.is_some()))
    })
    .await?;
    until_bob(&mut ann, &anns, Participation::Tentative).await?;

    // She calls it off.
    ann.delete(&anns, &made).await?;
    until(&mut bob, &bobs, "the end of it", |bob| {
        bob.records(&bobs).is_ok_and(|records| {
            let is_over =
                |item| event(item).is_ok_and(|e| e.status == dme_model::EventStatus::Cancelled);
            records.values().all(is_over)
        })
    })
    .await?;
    world.told_in_all(3, 2)?;
    ensure!(world.mails() == 1, "more was mailed than the proposal: {}", world.site.postfix.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_is_answered_and_the_series_is_not() -> Result<()> {
    let world = World::start()?;
    // Before 16.0 the phone would mail its answer; the calendar server tells in its place.
    for version in [ProtocolVersion::V14_1, ProtocolVersion::V16_1] {
        one_instance(&world, version).await.with_context(|| format!("{version}"))?;
    }
    ensure!(world.mails() == 0, "an answer was mailed: {}", world.site.postfix.log());
    Ok(())
}

async fn one_instance(world: &World, version: ProtocolVersion) -> Result<()> {
    let (mut ann, anns) = world.phone("ann", ProtocolVersion::V16_1).await?;
    let (mut bob, bobs) = world.phone("bob", version).await?;
    let made = ann.create(&anns, &whole(series("The lock"))).await?;
    let is_series = |bob: &Phone| shown(bob, &bobs).is_ok_and(|(_, it)| it.recurrence.is_some());
    until(&mut bob, &bobs, "the series", is_series).await?;

    let ((second, no), (third, yes)) = (instance(1), instance(2));
    for (response, moment) in [(UserResponse::Declined, no), (UserResponse::Accepted, yes)] {
        let (id, _) = shown(&bob, &bobs)?;
        let invitation = Invitation::Item { collection_id: bobs.clone(), request_id: id };
        let send = (version >= ProtocolVersion::V16_0).then(SendResponse::default);
        let answer = Answer { response, invitation, instance: Some(moment), send };
        let first = bob.respond(answer.clone()).await?;
        ensure!(first.status == Status::Success && first.calendar_id.is_some(), "{first:?}");
        let again = bob.respond(answer).await?;
        ensure!(again == first, "{again:?} instead of {first:?}");
        bob.sync(&bobs).await?;
    }
    // Cyrus 3.6 says that it told Ann, and does not: with any other program it is the same.
    until(&mut bob, &bobs, "what Bob says of two days", |bob| {
        shown(bob, &bobs).is_ok_and(|(_, event)| {
            bob_says_of(&event, second, Participation::Declined)
                && bob_says_of(&event, third, Participation::Accepted)
                && event.participation == Participation::NeedsAction
        })
    })
    .await?;
    ann.delete(&anns, &made).await?;
    let (id, _) = shown(&bob, &bobs)?;
    bob.delete(&bobs, &id).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bob_shares_bears_his_name_and_is_not_answered_for_him() -> Result<()> {
    let world = World::start()?;
    let version = ProtocolVersion::V16_1;
    let (mut ann, anns) = world.phone("ann", version).await?;
    let (mut bob, bobs) = world.phone("bob", version).await?;
    world.cyrus.share(("bob", "Default"), "ann", "lrswipkxtecdn", USERS[1].1)?;

    // Eve asks both, by another program.
    let url = format!("{}dav/calendars/user/eve/Default/both.ics", world.cyrus.url());
    let both = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:both\r\n\
                DTSTAMP:20260101T000000Z\r\nDTSTART:20370302T080000Z\r\nDURATION:PT1H\r\n\
                SUMMARY:The weir\r\nORGANIZER:mailto:eve@example.org\r\n\
                ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.org\r\n\
                ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org\r\n\
                END:VEVENT\r\nEND:VCALENDAR\r\n";
    let curl = |more: &[&str], url: &str| {
        let login = format!("eve:{}", USERS[2].1);
        run(Command::new("curl").args(["-sf", "-u", &login]).args(more).arg(url))
    };
    // Her calendars are made when she asks for them.
    let home = format!("{}dav/calendars/user/eve/", world.cyrus.url());
    curl(&["-X", "PROPFIND", "-H", "Depth: 0"], &home)?;
    let kind = "Content-Type: text/calendar";
    curl(&["-X", "PUT", "-H", kind, "--data-binary", both], &url)?;
    until(&mut bob, &bobs, "Bob's invitation", |bob| shown(bob, &bobs).is_ok()).await?;
    until(&mut ann, &anns, "Ann's invitation", |ann| shown(ann, &anns).is_ok()).await?;

    // Ann's phone has his calendar under his name; what is in it is not hers to answer.
    ann.folder_sync().await?;
    let his = ann.folders().values().map(|state| &state.folder).find(|folder| {
        folder.kind == FolderType::UserCalendar && folder.display_name.ends_with(" (bob)")
    });
    let his = his.context("no calendar of Bob's")?.server_id.clone();
    ann.sync(&his).await?;
    let (id, _) = shown(&ann, &his)?;
    let invitation = Invitation::Item { collection_id: his, request_id: id };
    let send = Some(SendResponse::default());
    let no = Answer { response: UserResponse::Declined, invitation, instance: None, send };
    let refused = ann.respond(no).await?;
    ensure!(refused.status == Status::InvalidRequest, "{refused:?}");
    answer(&mut ann, &anns, UserResponse::Declined, Some(SendResponse::default())).await?;
    ann.sync(&anns).await?;
    ensure!(ann.records(&anns)?.is_empty(), "what was declined is in Ann's calendar");

    // Bob still has it, and is still asked.
    bob.sync(&bobs).await?;
    let (_, there) = shown(&bob, &bobs)?;
    ensure!(there.participation == Participation::NeedsAction, "{there:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_phones_mail_of_meetings_themselves_the_calendar_server_tells_in_their_place()
-> Result<()> {
    let world = World::start()?;
    let version = ProtocolVersion::V14_1;
    let (mut ann, anns) = world.phone("ann", version).await?;
    let (mut bob, bobs) = world.phone("bob", version).await?;

    // Phones before 16.0 make the event and mail what they say of it.
    let event = Event { uid: "the-tunnel".into(), ..meeting("The tunnel", Some(BOB)) };
    ann.create(&anns, &whole(event)).await?;
    mail(&mut ann, BOB, "REQUEST", "NEEDS-ACTION").await?;
    until(&mut bob, &bobs, "the invitation", |bob| shown(bob, &bobs).is_ok()).await?;
    answer(&mut bob, &bobs, UserResponse::Declined, None).await?;
    mail(&mut bob, "ann@example.org", "REPLY", "DECLINED").await?;
    until_bob(&mut ann, &anns, Participation::Declined).await?;
    bob.sync(&bobs).await?;
    ensure!(bob.records(&bobs)?.is_empty(), "what was declined is in the calendar");
    world.told_in_all(1, 1)?;

    // What comes after in the same queue is all that is in it.
    bob.client
        .send_mail(&Message {
            client_id: Some("other".into()),
            account_id: None,
            save_in_sent: SaveInSent::No,
            mime: "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: x\r\n\r\nx\r\n".into(),
        })
        .await?;
    let inbox = ann.inbox()?;
    until(&mut ann, &inbox, "a mail", |ann| ann.items(&inbox).is_ok_and(|all| !all.is_empty()))
        .await?;
    ensure!(world.mails() == 1, "a meeting was mailed: {}", world.site.postfix.log());
    Ok(())
}

/// A phone's own mail about the meeting of Ann and Bob.
async fn mail(phone: &mut Phone, to: &str, method: &str, partstat: &str) -> Result<()> {
    let from = phone.client.account.user.clone();
    let mime = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: The tunnel\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; method={method}; charset=utf-8\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//phone//EN\r\nMETHOD:{method}\r\n\
         BEGIN:VEVENT\r\nUID:the-tunnel\r\nDTSTAMP:20370101T000000Z\r\n\
         DTSTART:20370302T080000Z\r\nDTEND:20370302T090000Z\r\n\
         ORGANIZER:mailto:ann@example.org\r\n\
         ATTENDEE;PARTSTAT={partstat}:mailto:{BOB}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let save_in_sent = SaveInSent::Yes;
    let client_id = Some(method.to_owned());
    let message = Message { client_id, account_id: None, save_in_sent, mime: mime.into() };
    phone.client.send_mail(&message).await?;
    Ok(())
}
