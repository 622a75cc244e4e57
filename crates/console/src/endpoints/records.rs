//! The log, the record of acts, statistics, each device's steps.

use crate::endpoint::{Endpoint, get};
use crate::principal::Duty;
use crate::{Console, Refusal, api};
use dme_audit::{Change, Report};
use dme_model::Timestamp;
use dme_server::records::events::{LARGEST_PAGE, as_json};
use dme_server::records::{EventKind, statistics};
use dme_store::{
    ActFilter, ActRecord, By, CountFilter, CountLine, Event, EventFilter, EventPage, Level,
};
use http::StatusCode;
use std::collections::BTreeSet;

/// How many of something are given where nothing is said.
const PAGE: u32 = 100;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/log", "Events, the newest first")
            .duty(Duty::Audit)
            .asks::<api::EventQuery>()
            .by(|console, mut call| async move { console.events(call.query()?).await }),
        get("/api/log/kinds", "The kinds of events there are")
            .duty(Duty::Audit)
            .by(|_, _| async move { Ok(kinds()) }),
        get("/api/audit", "Administrators' acts, the newest first")
            .duty(Duty::Audit)
            .asks::<api::ActQuery>()
            .by(|console, mut call| async move { console.acts(call.query()?).await }),
        get("/api/audit/verify", "What was done to the record of acts")
            .duty(Duty::Audit)
            .by(|console, _| async move { console.verify_audit().await }),
        get("/api/audit/rows", "The record of acts as it is chained, some rows at a time")
            .duty(Duty::Audit)
            .asks::<api::RowsQuery>()
            .by(|console, mut call| async move {
                let api::RowsQuery { after } = call.query()?;
                console.audit_rows(after).await
            }),
        get("/api/statistics", "What was counted, told apart as is wanted")
            .asks::<api::CountQuery>()
            .by(|console, mut call| async move { console.statistics(call.query()?).await }),
    ]
}

impl Console {
    pub(crate) async fn events(&self, query: api::EventQuery) -> Result<api::EventPage, Refusal> {
        let limit = query.limit.unwrap_or(PAGE);
        let EventPage { events, before } =
            self.front.events.page(&event_filter(query)?, limit.min(LARGEST_PAGE)).await?;
        let dropped = self.front.events.dropped();
        Ok(api::EventPage { events: events.iter().map(event).collect(), before, dropped })
    }

    pub(crate) async fn acts(&self, query: api::ActQuery) -> Result<Vec<api::Act>, Refusal> {
        let filter = ActFilter {
            who: query.who,
            act: query.act,
            target: query.target,
            from: query.from.map(Timestamp::from_seconds),
            until: query.until.map(Timestamp::from_seconds),
            before: query.before,
        };
        let acts = self.front.audit.acts(&filter, query.limit.unwrap_or(PAGE)).await?;
        Ok(acts.into_iter().map(act).collect())
    }

    pub(crate) async fn verify_audit(&self) -> Result<api::AuditReport, Refusal> {
        let report = self.front.audit.verify().await?;
        Ok(audit_report(&report))
    }

    /// Rows as they are chained, with the signatures beside the first.
    pub(crate) async fn audit_rows(&self, after: u64) -> Result<api::AuditRows, Refusal> {
        let rows = self.front.audit.rows(after).await?.into_iter().map(|row| match row {
            Ok(row) => serde_json::to_value(row),
            Err(number) => Ok(serde_json::json!({ "number": number })),
        });
        let rows = rows.collect::<Result<_, _>>().map_err(Refusal::failed)?;
        let signatures = match after {
            0 => self.front.audit.signatures().await?,
            _ => Vec::new(),
        };
        let signatures = signatures.iter().map(serde_json::to_value);
        let signatures = signatures.collect::<Result<_, _>>().map_err(Refusal::failed)?;
        Ok(api::AuditRows { rows, signatures })
    }

    pub(crate) async fn statistics(
        &self,
        query: api::CountQuery,
    ) -> Result<Vec<api::Count>, Refusal> {
        let mut by = BTreeSet::new();
        for word in query.by.iter().flat_map(|words| words.split(',')).filter(|w| !w.is_empty()) {
            let unknown = || Refusal::wrong("no-filter", word);
            by.insert(By::named(word.trim()).ok_or_else(unknown)?);
        }
        let filter = CountFilter {
            from: query.from.map(Timestamp::from_seconds),
            until: query.until.map(Timestamp::from_seconds),
            user: query.user,
            device: query.device,
            connector: query.connector,
            command: query.command,
        };
        let lines = self.front.statistics.counts(&filter, &by).await?;
        if lines.len() >= statistics::LARGEST_ANSWER as usize {
            let words = "that is too much at once: ask for a shorter time";
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words).said("too-much", ""));
        }
        Ok(lines.into_iter().map(|line| count(line, &by)).collect())
    }

    pub(crate) async fn steps(&self, user: &str, device: &str) -> Result<Vec<api::Told>, Refusal> {
        let (key, _) = self.known(user, device).await?;
        let told = self.front.steps.of(&key).into_iter().map(|answer| api::Told {
            request: answer.request.to_string(),
            folder: u64::from(answer.folder.0),
            known: answer.known.as_millis(),
            sent: answer.sent.as_millis(),
            acknowledged: answer.acknowledged.map(Timestamp::as_millis),
            items: answer
                .items
                .iter()
                .map(|(item, deed)| (item.to_string(), deed.as_str().to_owned()))
                .collect(),
            further: answer.further,
            more: answer.more,
        });
        Ok(told.collect())
    }
}

/// All kinds of events.
pub(crate) fn kinds() -> Vec<api::EventKind> {
    let kinds = EventKind::ALL.iter().map(|kind| api::EventKind {
        kind: kind.as_str().into(),
        level: kind.level().as_str().into(),
    });
    kinds.collect()
}

/// Which events a query asks for.
pub(crate) fn event_filter(query: api::EventQuery) -> Result<EventFilter, Refusal> {
    let level = match query.level.as_deref() {
        Some(word) => {
            let unknown = || Refusal::wrong("no-filter", word);
            Some(Level::named(word).ok_or_else(unknown)?)
        }
        None => None,
    };
    Ok(EventFilter {
        user: query.user.as_deref().map(Into::into),
        device: query.device.as_deref().map(Into::into),
        connector: query.connector,
        request: query.request.as_deref().map(Into::into),
        kind: query.kind,
        level,
        text: query.text,
        from: query.from.map(Timestamp::from_seconds),
        until: query.until.map(Timestamp::from_seconds),
        before: query.before,
    })
}

/// An event as it is told.
pub(crate) fn event(event: &Event) -> api::Event {
    let details = as_json(event)["details"].take();
    let Event { number, event } = event;
    api::Event {
        number: *number,
        time: event.time.as_millis(),
        level: event.level.as_str().into(),
        kind: event.kind.clone(),
        user: event.user.as_ref().map(ToString::to_string),
        device: event.device.as_ref().map(ToString::to_string),
        connector: event.connector.clone(),
        request: event.request.as_ref().map(ToString::to_string),
        message: event.message.clone(),
        details,
    }
}

fn act(record: ActRecord) -> api::Act {
    let change = |Change { what, before, after }| api::Change { what, before, after };
    let outcome = record.ended.map(|(_, outcome)| outcome);
    api::Act {
        number: record.number,
        time: record.time.as_millis(),
        who: record.who.name,
        role: record.who.role,
        address: record.who.address,
        by: record.who.by.as_str().into(),
        act: record.act.name,
        targets: record.act.targets,
        changes: record.act.changes.into_iter().map(change).collect(),
        reason: outcome.as_ref().map(|outcome| outcome.reason().to_owned()).unwrap_or_default(),
        outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
    }
}

/// What was found, as it is told.
pub fn audit_report(report: &Report) -> api::AuditReport {
    api::AuditReport {
        sound: report.is_sound(),
        rows: report.rows,
        faults: report.faults.iter().map(ToString::to_string).collect(),
        signed_by_connector: report
            .connectors
            .clone()
            .map(|(row, connector)| api::SignedRow { row, connector }),
        signed_by_server: report.server,
    }
}

fn count(line: CountLine, by: &BTreeSet<By>) -> api::Count {
    let CountLine { of, devices, counts } = line;
    let told = |one: By, text: String| by.contains(&one).then_some(text);
    let has_start = by.contains(&By::Hour) || by.contains(&By::Day);
    api::Count {
        start: has_start.then(|| of.start.as_seconds()),
        user: told(By::User, of.user),
        device: told(By::Device, of.device),
        connector: told(By::Connector, of.connector),
        command: told(By::Command, of.command),
        devices,
        requests: counts.requests,
        errors: counts.errors,
        received: counts.received,
        sent: counts.sent,
        items: counts.items,
        total_ms: counts.total_us / 1000,
        longest_ms: counts.longest_us / 1000,
        half_within_ms: counts.within_ms(0.5),
        most_within_ms: counts.within_ms(0.95),
    }
}
