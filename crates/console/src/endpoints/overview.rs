//! Whether all is well, and what wants somebody.

use crate::endpoint::{Endpoint, get};
use crate::language::Language;
use crate::pages::path;
use crate::principal::{Allowed, Duty, Principal, Reach};
use crate::{Console, Refusal, api};
use dme_server::disk::Room;
use std::collections::BTreeSet;

/// Certificates that end within so many seconds are worth a word.
const ENDING: i64 = 7 * 86_400;
/// A budget of which so many hundredths are used is near its end.
pub(crate) const NEAR: u64 = 80;
/// Events that are worth a word: their kind, for how many seconds, where one looks. Certificates
/// are looked at four times a day.
const TOLD: [(&str, i64, &str); 2] = [
    ("certificate_ends", 7 * 3_600, "/log?kind=certificate_ends"),
    ("audit_contradicted", 7 * 86_400, "/audit?verify=1"),
];
/// So many events of one kind are counted.
const COUNTED: u32 = 1_000;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/overview", "Whether all is well, and what wants somebody")
            .reach(Reach::Filtered)
            .by(|console, call| async move {
                let connectors = console.list_connectors(&call.principal, call.language).await?;
                console.overview(&call.principal, &connectors, call.language).await
            }),
    ]
}

/// All that wants somebody, as it is found.
struct Wants {
    language: Language,
    found: Vec<api::Want>,
}

impl Wants {
    fn add(&mut self, grave: bool, what: &str, page: &str, text: String) {
        let (what, page) = (what.to_owned(), page.to_owned());
        self.found.push(api::Want { what, grave, page, text });
    }

    /// The same, where there are any, in a text with their number in it.
    fn count(&mut self, grave: bool, (what, text): (&str, &str), page: &str, count: u64) {
        if count > 0 {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            self.add(grave, what, page, self.language.count(text, count));
        }
    }
}

impl Console {
    /// Whether all is well, of what the principal sees, who sees these connectors.
    pub(crate) async fn overview(
        &self,
        principal: &Principal,
        connectors: &[api::Connector],
        language: Language,
    ) -> Result<api::Overview, Refusal> {
        let figures = self.device_figures(principal).await?;
        let mut wants = Wants { language, found: Vec::new() };
        let waiting = ("devices_wait", "devices-wait");
        wants.count(false, waiting, "/devices?admission=quarantined", figures.tally.quarantined);
        let misbehaving = ("devices_misbehave", "devices-misbehave");
        wants.count(true, misbehaving, "/devices?held=1", figures.misbehave);
        wants.count(false, ("wipes_wait", "wipes-wait"), "/devices?wipe=requested", figures.wiping);
        let second = self.wipes_waiting(principal).await?;
        wants.count(true, ("wipes_need_confirmation", "wipes-second"), "/wipes", second);
        for one in connectors {
            self.of_connector(one, &mut wants);
        }
        let unserved = self.unserved(principal).await?;
        let page = if principal.may(Duty::Audit) == Allowed::Everywhere {
            "/log?kind=mail_unserved"
        } else {
            "/users"
        };
        wants.count(true, ("mail_unserved", "mail-unserved"), page, unserved);
        if principal.sees_all() {
            if connectors.iter().all(|one| one.link.is_none()) {
                let text = language.text("no-connector", &[]);
                wants.add(true, "no_connector", "/connectors", text);
            }
            self.of_all(&mut wants).await?;
        }
        if principal.may(Duty::Audit) != Allowed::No {
            self.of_events(&mut wants).await?;
        }
        let (disk, certificate_ends) = match principal.sees_all() {
            true => (self.disk(&mut wants), self.certificate.as_ref().and_then(|one| one.ends())),
            false => (None, None),
        };
        let running = connectors.iter().filter(|one| one.standing == "running").count();
        Ok(api::Overview {
            wants: wants.found,
            devices: figures.tally.all(),
            allowed: figures.tally.allowed,
            users: figures.users,
            connectors: connectors.len() as u64,
            running: running as u64,
            disk,
            certificate_ends,
        })
    }

    /// The room where the server keeps its directory; none where that cannot be asked.
    fn disk(&self, wants: &mut Wants) -> Option<api::Disk> {
        let room = Room::on(&self.directory).ok()?;
        if room.is_little() {
            let text = wants.language.of("disk-little", &self.directory.display().to_string());
            wants.add(true, "disk_little", "/#limits", text);
        }
        Some(api::Disk { free: room.free, total: room.total })
    }

    /// How many of those whom the principal sees could be served by nobody lately.
    async fn unserved(&self, principal: &Principal) -> Result<u64, Refusal> {
        let users = self.front.connectors.all_unserved((self.front.clock)());
        let seen = self.seen(principal, users.iter().cloned()).await?;
        Ok(users.iter().filter(|user| seen.has(user)).count() as u64)
    }

    /// What is wanted of a connector.
    fn of_connector(&self, one: &api::Connector, wants: &mut Wants) {
        let (now, language) = ((self.front.clock)().as_seconds(), wants.language);
        let page = path(&["connectors", &one.name]);
        match one.standing.as_str() {
            "locked" => {
                let text = language.of("connector-locked", &one.name);
                wants.add(false, "connector_locked", &page, text);
            }
            standing @ ("unreachable" | "exhausted") => {
                let said = language.word("standing", standing);
                let what = format!("connector_{standing}");
                wants.add(true, &what, &page, format!("{}: {said} {}", one.name, one.reason));
            }
            _ => {}
        }
        if let Some(wrong) = &one.wrong_scope {
            wants.add(true, "wrong_scope", &page, format!("{}: {wrong}", one.name));
        }
        for backend in &one.backends {
            let Some(error) = &backend.failing_by else { continue };
            let function = language.word("function", &backend.function);
            let name = format!("{}: {} ({function})", one.name, backend.backend);
            let text = format!("{} ({error})", language.of("backend-fails", &name));
            wants.add(true, "backend_failing", &format!("{page}#systems"), text);
        }
        let Some(link) = &one.link else { return };
        if link.certificate_ends.is_some_and(|ends| ends < now + ENDING) {
            let text = language.of("certificate-ends", &one.name);
            wants.add(true, "certificate_ends", &page, text);
        }
        let near =
            |used: api::Used| used.bytes.saturating_mul(100) >= used.budget.saturating_mul(NEAR);
        if link.used.is_some_and(near) {
            wants.add(false, "budget_near", &page, language.of("budget-near", &one.name));
        }
    }

    /// What is wanted by those who see everything.
    async fn of_all(&self, wants: &mut Wants) -> Result<(), Refusal> {
        let language = wants.language;
        for realm in self.list_realms(language) {
            if let Some(trouble) = &realm.trouble {
                let text = format!("{}: {trouble}", realm.realm);
                wants.add(true, "directory_trouble", "/directory", text);
            }
        }
        let waiting = self.list_outbox().await?.len() as u64;
        wants.count(false, ("messages_wait", "messages-wait"), "/outbox", waiting);
        if self.behaviour().rules.rules.is_empty() {
            let text = language.text("no-behaviour-rules", &[]);
            wants.add(false, "no_behaviour_rules", "/behaviour", text);
        }
        for webhook in self.list_webhooks().await?.iter().filter(|webhook| webhook.disabled) {
            let text = language.of("webhook-given-up", &webhook.name);
            wants.add(true, "webhook_given_up", "/webhooks", text);
        }
        Ok(())
    }

    /// What happened lately that somebody should look at.
    async fn of_events(&self, wants: &mut Wants) -> Result<(), Refusal> {
        let now = (self.front.clock)().as_seconds();
        let query = |kind: &str, seconds: i64| api::EventQuery {
            kind: Some(kind.to_owned()),
            from: Some(now - seconds),
            limit: Some(COUNTED),
            ..api::EventQuery::default()
        };
        let failed = self.events(query("sync_failed", 3_600)).await?.events.len() as u64;
        wants.count(true, ("syncs_failed", "syncs-failed"), "/log?kind=sync_failed", failed);
        for (kind, seconds, page) in TOLD {
            let events = self.events(query(kind, seconds)).await?.events;
            let words: BTreeSet<String> = events.into_iter().map(|event| event.message).collect();
            words.into_iter().for_each(|words| wants.add(true, kind, page, words));
        }
        Ok(())
    }
}
