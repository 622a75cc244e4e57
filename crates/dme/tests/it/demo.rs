//! The demo, as somebody runs it who wants to see a real phone.

use crate::site::PATIENCE;
use anyhow::{Result, ensure};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process};
use std::process::Command;

#[test]
fn the_demo_shows_all_of_it_also_where_phones_come_by_an_address_of_another_machine() -> Result<()>
{
    let folder = Folder::new("demo")?;
    let output = folder.path().join("output");
    let listen = format!("127.0.0.1:{}", free_port()?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_dme"));
    // An address for documentation (RFC 5737): a router's, behind which this machine is.
    command.args(["demo", "--host", "192.0.2.10", "--listen", &listen, "--messages", "20"]);
    command.current_dir(folder.path());
    let _demo = Process::start("dme demo", &mut command, &output)?;
    let said = || std::fs::read_to_string(&output);
    wait_until("the demo has shown all", PATIENCE, || Ok(said()?.contains("Ctrl-C ends it")))?;
    let said = said()?;
    ensure!(said.contains("✓ All of it was right") && !said.contains('✗'), "{said}");
    for step in ["mail", "calendar", "contacts", "tasks", "notes", "invited", "accepted"] {
        ensure!(said.contains(&format!("\n✓ {step} ")), "{step}: {said}");
    }
    ensure!(said.contains(&format!("server    192.0.2.10:{}", &listen[10..])), "{said}");
    Ok(())
}
