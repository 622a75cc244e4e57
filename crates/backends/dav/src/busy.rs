//! When people are not free: asked of the server's scheduling (RFC 6638 §5) for anybody it knows;
//! without one, of the user's own calendars for the user alone.

use crate::client::Request;
use crate::collections::Place;
use crate::error::WireError;
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::object;
use crate::principal::Principal;
use crate::report::{self, Told, Wanted, utc};
use crate::xml::{self, Ns};
use dme_mailbox::{BusyPeriod, BusyQuery, BusyTime, Result, hash};
use dme_model::{Access, BusyStatus, Class, Timestamp};
use http::Method;
use std::collections::{BTreeMap, HashMap};

/// People asked for at once.
const MAX_PEOPLE: usize = 100;
/// Periods of one person.
const MAX_PERIODS: usize = 10_000;

impl DavMailbox {
    pub(crate) async fn busy_times(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        let known = async {
            let principal = self.principal().await?;
            match &principal.outbox {
                Some(outbox) => self.ask_outbox(&principal, outbox, query).await,
                None => self.ask_own(&principal, query).await,
            }
        };
        let known = known.await.map_err(|error: WireError| error.told("ask for free/busy"))?;
        let answer = |address: &String| BusyTime {
            address: address.clone(),
            periods: known.get(&address.to_lowercase()).cloned(),
        };
        Ok(query.addresses.iter().map(answer).collect())
    }

    /// What the server tells of each address, by the address in lower case.
    async fn ask_outbox(
        &self,
        principal: &Principal,
        outbox: &Path,
        query: &BusyQuery,
    ) -> Result<HashMap<String, Vec<BusyPeriod>>, WireError> {
        let owner = self.owner_as(principal);
        let own = principal.addresses.iter().chain(&owner).next();
        let own = own.map(String::as_str).unwrap_or_default();
        let mut known = HashMap::new();
        for people in query.addresses.chunks(MAX_PEOPLE) {
            let request = Request {
                body: question(own, people, query).into(),
                ..Request::new(Method::POST, outbox)
            };
            let request = request.with("content-type", "text/calendar; charset=utf-8");
            let answer = self.send(request).await?.success()?;
            let read = xml::read_whole(&answer.body)?;
            for response in read.children.iter().filter(|it| it.is(Ns::CalDav, "response")) {
                let whose =
                    response.child(Ns::CalDav, "recipient").and_then(|it| it.hrefs().next());
                let whose = whose.map(|whose| whose.to_lowercase());
                let Some(whose) = whose.as_deref().and_then(|it| it.strip_prefix("mailto:")) else {
                    continue;
                };
                let status = response.text_of(Ns::CalDav, "request-status").unwrap_or_default();
                let told = response.text_of(Ns::CalDav, "calendar-data");
                // 2.x says that it is known (RFC 5545 §3.8.8.3).
                if let Some(told) = told.filter(|_| status.starts_with('2')) {
                    known.insert(whose.to_owned(), periods(told));
                }
            }
        }
        Ok(known)
    }

    /// The user's own time, by the events in their calendars, where it is asked for.
    async fn ask_own(
        &self,
        principal: &Principal,
        query: &BusyQuery,
    ) -> Result<HashMap<String, Vec<BusyPeriod>>, WireError> {
        let owner = self.owner_as(principal);
        let is_own = |address: &&String| owner.contains(&address.to_lowercase());
        let asked: Vec<&String> = query.addresses.iter().filter(is_own).collect();
        if asked.is_empty() {
            return Ok(HashMap::new());
        }
        let mut periods = Vec::new();
        for remote in self.remotes(principal).await?.values() {
            // What others let the user read or write is their time.
            let own = remote.belongs.to(principal) && remote.access == Access::ReadWrite;
            if !remote.classes.contains(&Class::Calendar) || !own {
                continue;
            }
            let place = Place { class: Class::Calendar, path: remote.path.clone() };
            let within = Wanted::Within(Some(query.start), Some(query.end));
            let mut events = BTreeMap::new();
            for wanted in [within, Wanted::Recurring] {
                let document = report::calendar_query("VEVENT", wanted, Told::Size);
                let told = self.report(&remote.path, document).await?;
                let members = self.members_in(&remote.path, &told).into_iter();
                // A series may be told by both questions.
                events.extend(members.map(|member| (member.name.clone(), member)));
            }
            self.read_each(&place, events.into_values().collect(), |_, object| {
                periods.extend(object::busy(
                    object.unwrap_or_default(),
                    &owner,
                    &self.clock,
                    query,
                ));
            })
            .await?;
        }
        periods.sort_by_key(|period| (period.start, period.end));
        periods.dedup();
        periods.truncate(MAX_PERIODS);
        Ok(asked.into_iter().map(|address| (address.to_lowercase(), periods.clone())).collect())
    }
}

/// The question about some people (RFC 6638 §5.1).
fn question(own: &str, people: &[String], query: &BusyQuery) -> String {
    let uid = hash::name_of(&format!("{own}/{}/{}", people.join(","), utc(query.start)));
    let mut text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//DME//EN\r\nMETHOD:REQUEST\r\n\
         BEGIN:VFREEBUSY\r\nUID:{uid}\r\nDTSTAMP:{start}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n\
         ORGANIZER:mailto:{own}\r\n",
        start = utc(query.start),
        end = utc(query.end),
    );
    // An address with what ends a line or a value in it is nobody's.
    let plain = |it: &&String| !it.chars().any(|c| c.is_control() || c.is_whitespace() || c == ';');
    for person in people.iter().filter(plain) {
        text.push_str(&format!("ATTENDEE:mailto:{person}\r\n"));
    }
    text.push_str("END:VFREEBUSY\r\nEND:VCALENDAR\r\n");
    text
}

/// The periods of a `VFREEBUSY` in which someone is not free, ascending (RFC 5545 §3.8.2.6).
fn periods(calendar: &str) -> Vec<BusyPeriod> {
    let unfolded = calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut periods = Vec::new();
    for line in unfolded.lines() {
        let Some((head, values)) = line.split_once(':') else { continue };
        let head = head.to_ascii_uppercase();
        let mut parts = head.split(';');
        if parts.next() != Some("FREEBUSY") {
            continue;
        }
        let kind =
            parts.find_map(|part| part.strip_prefix("FBTYPE=")).map(|it| it.trim_matches('"'));
        let status = match kind {
            Some("FREE") => continue,
            Some("BUSY-TENTATIVE") => BusyStatus::Tentative,
            Some("BUSY-UNAVAILABLE") => BusyStatus::OutOfOffice,
            _ => BusyStatus::Busy,
        };
        for value in values.split(',').take(MAX_PERIODS) {
            if let Some((start, end)) = period(value.trim()) {
                periods.push(BusyPeriod { start, end, status });
            }
        }
    }
    periods.truncate(MAX_PERIODS);
    periods.sort_by_key(|period| (period.start, period.end));
    periods
}

/// A begin and an end, or a begin and how long (RFC 5545 §3.3.9).
fn period(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = text.split_once('/')?;
    let start = moment(start)?;
    let end = match moment(end) {
        Some(end) => end,
        None => {
            let span: jiff::Span = end.parse().ok()?;
            let span = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()));
            // Whole seconds, far below what a float holds exactly.
            Timestamp::from_seconds(start.as_seconds().saturating_add(span.ok()? as i64))
        }
    };
    (start < end).then_some((start, end))
}

fn moment(text: &str) -> Option<Timestamp> {
    let clock = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = clock.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_in_each_form() {
        let at = |seconds: i64| Timestamp::from_seconds(1_795_707_000 + seconds);
        let calendar = "BEGIN:VFREEBUSY\r\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20261126T163000Z/2026112\r\n \
             6T170000Z\r\nFREEBUSY:20261126T153000Z/PT1H,nonsense,20261126T153000Z/20261126T153000Z\r\n\
             FREEBUSY;FBTYPE=FREE:20261126T153000Z/PT1H\r\nEND:VFREEBUSY\r\n";
        assert_eq!(
            periods(calendar),
            [
                BusyPeriod { start: at(0), end: at(3_600), status: BusyStatus::Busy },
                BusyPeriod { start: at(3_600), end: at(5_400), status: BusyStatus::Tentative },
            ]
        );
    }

    #[test]
    fn nobody_writes_lines_into_the_question() {
        let query = BusyQuery {
            addresses: vec!["bob@example.org".into(), "x\r\nATTENDEE:mailto:eve@e".into()],
            start: Timestamp::from_seconds(0),
            end: Timestamp::from_seconds(60),
        };
        let asked = question("ann@example.org", &query.addresses, &query);
        assert!(asked.contains("ATTENDEE:mailto:bob@example.org\r\n"));
        assert!(!asked.contains("eve"));
    }
}
