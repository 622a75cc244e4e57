//! When people are free, as a phone asks it of their names (ResolveRecipients with `Availability`):
//! on a calendar server that knows everybody's time, and on one that tells nobody's.

use crate::account::{NINE, World as OnRadicale, folder, meeting, whole};
use crate::calendar_server::World as OnCyrus;
use crate::site::USERS;
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_eas::resolve_recipients::{Options, Request, Resolved, Status};
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_model::{BusyStatus, Event, LocalTime};
use dme_phone::Phone;
use dme_testkit::process::run;
use std::process::Command;

/// Half hours of a day.
const HALVES: usize = 48;

/// What a phone is told of these people's day, 2037-03-02 in UTC.
async fn ask(phone: &mut Phone, to: &[&str]) -> Result<Vec<Resolved>> {
    let day = LocalTime::from_days(NINE.as_days());
    let availability = Some((day.as_utc(), day.plus_seconds(86_400).as_utc()));
    let options = Options { availability, ..Options::default() };
    let to = to.iter().map(|name| (*name).to_owned()).collect();
    let answer = phone.client.resolve_recipients(&Request { to, options }).await?;
    ensure!(answer.status == Status::Success, "{answer:?}");
    Ok(answer.resolved)
}

/// What is told of the one who was meant.
fn told(resolved: &Resolved) -> Result<(Status, Option<String>)> {
    let [one] = &resolved.recipients[..] else { anyhow::bail!("{resolved:?}") };
    one.availability.clone().with_context(|| format!("nothing of the time: {resolved:?}"))
}

/// A free day but for these half hours.
fn day(times: &[(usize, char)]) -> String {
    let digit = |half| times.iter().find(|(at, _)| *at == half).map_or('0', |(_, digit)| *digit);
    (0..HALVES).map(digit).collect()
}

fn nothing_known() -> String {
    "4".repeat(HALVES)
}

/// An event some half hours after nine in Berlin, which is eight in UTC.
fn after_nine(halves: i64, length: i64, busy: BusyStatus) -> Event {
    let start = NINE.plus_seconds(halves * 1800);
    Event { start, end: start.plus_seconds(length * 1800), busy, ..meeting("Busy", None) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_schedules_tells_everybodys_time_and_why_it_does_not() -> Result<()> {
    let mut world = OnCyrus::start()?;
    let (mut bob, bobs) = world.phone("bob", ProtocolVersion::V16_1).await?;
    for (halves, length, busy) in [(0, 2, BusyStatus::Busy), (8, 3, BusyStatus::Free)] {
        bob.create(&bobs, &whole(after_nine(halves, length, busy))).await?;
    }
    // Another program's, of which it is not sure yet.
    let url = format!("{}dav/calendars/user/bob/Default/perhaps.ics", world.cyrus.url());
    let perhaps = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\n\
                   UID:perhaps\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20370302T104500Z\r\n\
                   DURATION:PT30M\r\nSTATUS:TENTATIVE\r\nSUMMARY:Perhaps\r\nEND:VEVENT\r\n\
                   END:VCALENDAR\r\n";
    let mut put = Command::new("curl");
    put.args(["-sf", "-X", "PUT", "-u", &format!("bob:{}", USERS[1].1)]);
    run(put.args(["-H", "Content-Type: text/calendar", "--data-binary", perhaps, &url]))?;

    for version in [ProtocolVersion::V14_0, ProtocolVersion::V16_1] {
        let (mut ann, _) = world.phone("ann", version).await?;
        let all = ask(&mut ann, &["bob@example.org", "atlas@example.org", "nobody-here"]).await?;
        let [bob, atlas, nobody] = &all[..] else { anyhow::bail!("{all:?}") };
        let expected = day(&[(16, '2'), (17, '2'), (21, '1'), (22, '1')]);
        ensure!(told(bob)? == (Status::Success, Some(expected)), "{version}: {bob:?}");
        // The directory knows the room, the calendar server does not.
        ensure!(told(atlas)? == (Status::Success, Some(nothing_known())), "{version}: {atlas:?}");
        ensure!(nobody.status == Status::NotResolved, "{version}: {nobody:?}");
        ensure!(nobody.recipients.is_empty(), "{version}: {nobody:?}");

        let crowd = ask(&mut ann, &["bob@example.org"; 101]).await?;
        let many: Status = CommonStatus::AvailabilityTooManyRecipients.into();
        ensure!(many.code() == 160 && crowd.len() == 101, "{version}: {}", crowd.len());
        for one in &crowd {
            ensure!(told(one)? == (many, None), "{version}: {one:?}");
        }
    }

    // Who is meant is told also while nobody knows their time.
    let (mut ann, _) = world.phone("ann", ProtocolVersion::V16_1).await?;
    world.cyrus.kill();
    let all = ask(&mut ann, &["bob@example.org"]).await?;
    let away: Status = CommonStatus::AvailabilityTransientFailure.into();
    ensure!(told(&all[0])? == (away, None), "{all:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_tells_nobodys_time_leaves_the_users_own() -> Result<()> {
    let world = OnRadicale::start()?;
    let mut ann = world.phone("ann", "ann1", ProtocolVersion::V16_1).await?;
    let calendar = folder(&mut ann, "Plans", FolderType::UserCalendar).await?;
    for (halves, busy) in [
        (0, BusyStatus::Busy),
        (2, BusyStatus::Tentative),
        (4, BusyStatus::OutOfOffice),
        (6, BusyStatus::Free),
        (8, BusyStatus::WorkingElsewhere),
    ] {
        ann.create(&calendar, &whole(after_nine(halves, 1, busy))).await?;
    }
    let all = ask(&mut ann, &["ann@example.org", "bob@example.org"]).await?;
    let [own, other] = &all[..] else { anyhow::bail!("{all:?}") };
    let expected = day(&[(16, '2'), (18, '1'), (20, '3')]);
    ensure!(told(own)? == (Status::Success, Some(expected)), "{own:?}");
    ensure!(told(other)? == (Status::Success, Some(nothing_known())), "{other:?}");
    Ok(())
}
