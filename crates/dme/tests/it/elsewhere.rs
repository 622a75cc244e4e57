//! Several addresses of one server, and connectors that are sent from one to another.

use crate::journey::ready;
use crate::site::{PATIENCE, Site, Wishes, dovecot, postfix};
use anyhow::{Context, Result, ensure};
use dme_link::Token;
use dme_phone::Phone;
use dme_testkit::hanging::Hanging;
use dme_testkit::ports::wait_until;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A phone that syncs all the time.
struct Syncing {
    ends: Arc<AtomicBool>,
    rounds: Arc<AtomicU32>,
    task: JoinHandle<Result<Phone>>,
}

impl Syncing {
    fn begin(mut phone: Phone, folder: &str) -> Self {
        let (ends, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (folder, ended, counted) = (folder.to_owned(), ends.clone(), rounds.clone());
        let task = tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                phone.sync(&folder).await?;
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(phone)
        });
        Self { ends, rounds, task }
    }

    fn rounds(&self) -> u32 {
        self.rounds.load(Ordering::Relaxed)
    }

    async fn end(self) -> Result<Phone> {
        self.ends.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// The address of the link port, as the server's configuration has it.
fn own_address(site: &Site) -> Result<String> {
    let text = std::fs::read_to_string(site.path("server.toml"))?;
    let links = text.split("[links]").nth(1).context("no table of links")?;
    let address = links.split("address = \"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(address.context("no address")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_sent_to_another_address_and_knows_all_that_the_server_names() -> Result<()>
{
    let dovecot = dovecot()?;
    let postfix = postfix(&dovecot)?;
    let mut site = Site::on(dovecot, postfix, "[link]\ndial = \"3s\"\n", &Wishes::default())?;
    let mut ann = site.phone("ann")?;
    let inbox = ready(&mut ann).await?;
    let own = own_address(&site)?;
    let port = own.rsplit(':').next().context("no port")?.parse()?;
    let way = Hanging::to(port)?;
    let other = format!("127.0.0.1:{}", way.port);
    let log = || std::fs::read_to_string(site.path("connector.log"));
    let linked_at = |address: &str| -> Result<usize> {
        let log = log()?;
        let lines = log.lines().filter(|line| line.contains("linked") && line.contains(address));
        Ok(lines.count())
    };

    // First to an address where nobody answers, though it can be dialled.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let dead = silent.local_addr()?.to_string();
    let (links, ann) = (linked_at(&own)?, Syncing::begin(ann, &inbox));
    site.dme(&["connector", "move", "branch", "--to", &dead])?;
    let before = ann.rounds();
    wait_until("it is back where it was", PATIENCE, || Ok(linked_at(&own)? > links))
        .with_context(|| log().unwrap_or_default())?;
    let served = ann.rounds() - before;
    ensure!(served >= 10, "{served} requests were answered meanwhile");

    let said = site.dme(&["connector", "move", "branch", "--to", &other])?;
    ensure!(said.contains(&format!("branch was told to go to {other}")), "{said}");
    wait_until("it is linked there", PATIENCE, || Ok(linked_at(&other)? > 0))
        .with_context(|| log().unwrap_or_default())?;
    let mut ann = ann.end().await?;
    ann.sync(&inbox).await?;
    ensure!(ann.events.told_to_wait == 0, "and nobody noticed");

    let wrong = site.dme(&["connector", "move", "branch", "--to", "elsewhere"]).unwrap_err();
    ensure!(format!("{wrong:#}").contains("the port is missing"), "{wrong:#}");
    let wrong = site.dme(&["connector", "move", "nobody", "--to", &other]).unwrap_err();
    ensure!(format!("{wrong:#}").contains("nobody"), "{wrong:#}");

    // What the configuration names is in new tokens, and told to whoever links.
    let both = format!("address = [\"{other}\", \"{own}\"]");
    site.reconfigure(|text| text.replace(&format!("address = \"{own}\""), &both))?;
    site.wait_ready()?;
    let token: Token = site.dme(&["connector", "token", "new"])?.trim().parse()?;
    ensure!(token.servers == [other.clone(), own.clone()], "{:?}", token.servers);
    let known = || std::fs::read_to_string(site.path("connector/connector.json"));
    wait_until("it knows both, in this order", PATIENCE, || {
        let known: serde_json::Value = serde_json::from_str(&known()?)?;
        Ok(known["servers"] == serde_json::json!([other, own]))
    })
    .with_context(|| known().unwrap_or_default())
}
