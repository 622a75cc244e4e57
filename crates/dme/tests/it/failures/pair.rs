//! An organisation with two connectors before one mail system: `branch`, where everybody is at
//! home, and `spare`.

use super::row::Row;
use crate::site::{PATIENCE, Site, Wishes, dovecot, hold_no_secret, postfix, start};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::wait_until;
use dme_testkit::process::Process;
use std::time::{Duration, Instant};

/// A dead line is noticed within two seconds; the defaults are ten times that.
const KEEPALIVE: &str = "[link]\nkeepalive = \"1s\"\nkeepalive_timeout = \"1s\"\n";

pub struct Pair {
    pub site: Site,
    pub spare: Process,
}

impl Pair {
    /// With Ann and Bob at home at `branch`.
    pub async fn start(wishes: &Wishes) -> Result<Self> {
        Self::linked_so(wishes, KEEPALIVE).await
    }

    /// The same with these settings of both links.
    pub async fn linked_so(wishes: &Wishes, link: &str) -> Result<Self> {
        let dovecot = dovecot()?;
        let postfix = postfix(&dovecot)?;
        let mut site = Site::on(dovecot, postfix, link, wishes)?;
        for user in ["ann", "bob"] {
            site.phone(user)?.folder_sync().await?;
        }
        let text = std::fs::read_to_string(site.path("connector.toml"))?;
        let body = text.split_once('\n').and_then(|(_, rest)| rest.split_once("[log]"));
        let (body, _) = body.context("a connector's configuration ends with its log")?;
        let spare = site.add_connector("spare", &format!("{body}{link}"))?;
        site.reconfigure(|text| {
            let realm = "name = \"example.org\"\n";
            text.replace(realm, &format!("{realm}connector = [\"branch\", \"spare\"]\n"))
        })?;
        let pair = Self { site, spare };
        for name in ["branch", "spare"] {
            pair.wait_linked(name)?;
        }
        pair.site.wait_ready()?;
        pair.wait_serving("ann", "branch")?;
        Ok(pair)
    }

    /// What the server says of a user's mail.
    pub fn route(&self, user: &str) -> Result<serde_json::Value> {
        let said = self.site.dme(&["route", "explain", user, "mail", "--json"])?;
        let mut routes: Vec<serde_json::Value> = serde_json::from_str(&said)?;
        routes.pop().context("no route")
    }

    pub fn wait_serving(&self, user: &str, connector: &str) -> Result<()> {
        // A connector that is back gets its users within a minute.
        wait_until(&format!("{connector} serves {user}"), PATIENCE * 3, || {
            std::thread::sleep(Duration::from_millis(50));
            Ok(self.route(user)?["serving"] == connector)
        })
        .with_context(|| format!("{:#}", self.route(user).unwrap_or_default()))
    }

    pub fn wait_linked(&self, connector: &str) -> Result<()> {
        wait_until(&format!("{connector} is linked"), PATIENCE, || self.is_linked(connector))
            .with_context(|| self.site.logs().unwrap_or_default())
    }

    pub fn wait_lost(&self, connector: &str) -> Result<()> {
        self.wait_lost_within(connector, PATIENCE)
    }

    pub fn wait_lost_within(&self, connector: &str, limit: Duration) -> Result<()> {
        wait_until(&format!("{connector} is lost"), limit, || Ok(!self.is_linked(connector)?))
    }

    /// Waits until another connector serves a user: as long after the failure as the row says.
    pub fn wait_taken_over(
        &self,
        user: &str,
        connector: &str,
        row: &Row,
        failed: Instant,
    ) -> Result<()> {
        self.wait_serving(user, connector)?;
        let (took, limit) = (failed.elapsed(), row.within.limit());
        ensure!(took <= limit, "{connector} took over after {took:?}, and the row says {limit:?}");
        Ok(())
    }

    /// Waits until a connector has nothing to do any more.
    pub fn wait_idle(&self, connector: &str) -> Result<()> {
        wait_until(&format!("{connector} is idle"), PATIENCE, || {
            let link = self.link(connector)?;
            Ok(["outstanding", "queued", "watches"].iter().all(|work| link[work] == 0))
        })
    }

    fn is_linked(&self, connector: &str) -> Result<bool> {
        Ok(!self.link(connector)?.is_null())
    }

    /// A connector's link, as `dme connector list` has it.
    fn link(&self, connector: &str) -> Result<serde_json::Value> {
        let said = self.site.dme(&["connector", "list", "--json"])?;
        let all: Vec<serde_json::Value> = serde_json::from_str(&said)?;
        let mut links = all.iter().filter(|one| one["name"] == connector).map(|one| &one["link"]);
        Ok(links.rfind(|link| !link.is_null()).cloned().unwrap_or_default())
    }

    /// Starts `spare` again by another command, such as one with another clock.
    pub fn start_spare(&mut self, before: &[&str]) -> Result<()> {
        self.spare = self.run(before, &["connector", "run", "--config", "spare.toml"], "spare")?;
        Ok(())
    }

    /// A process of ours that a command starts.
    pub fn run(&self, before: &[&str], arguments: &[&str], log: &str) -> Result<Process> {
        start(before, &self.site.path(""), arguments, log)
    }

    pub fn spares_log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.site.path("spare.log"))?)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = self.spares_log().expect("spare has a log");
            hold_no_secret(&log, &[]).expect("the logs hold no secret");
        }
    }
}
