//! A client that others wrote, against the whole: `pyactivesync` from PyPI, which speaks 16.1.

use crate::site::{REALM, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// The client, at the release it was tried with.
const PACKAGE: &str = "pyactivesync==0.17.0";

/// What is done with it; prints `done` when all of it was right.
const SCRIPT: &str = r#"
import sys, time
from email.message import EmailMessage
from pyactivesync import Client, EmailChange, FolderType, BodyType

server, user, password = sys.argv[1:4]
with Client(server, user, password, device_id="PYACTIVESYNC1") as client:
    client.provision()
    folders = client.list_folders()
    inbox = next(f for f in folders if f.type == FolderType.INBOX)
    drafts = next(f for f in folders if f.type == FolderType.DRAFTS)
    first = client.sync_folder(inbox.id)
    assert client.get_item_estimate(inbox.id, first.sync_key) == 1
    synced = client.sync_folder(inbox.id, sync_key=first.sync_key)
    item, = synced.added
    assert item.fields["Email.Subject"] == "for python", item.fields
    fetched = client.fetch_item(inbox.id, item.server_id, body_type=BodyType.PLAIN_TEXT)
    assert "See the file" in fetched.body.data, fetched
    assert client.fetch_attachment(fetched.attachments[0].file_reference) == b"0123456789"
    changed = client.apply_email_changes(
        inbox.id, synced.sync_key, [EmailChange(item.server_id, read=True, flagged=True)])
    assert changed.statuses == {item.server_id: "1"}, changed
    message = EmailMessage()
    message["To"] = user
    message["Subject"] = "written in python"
    message.set_content("a plain text")
    client.send_mail(message)
    assert client.ping([inbox.id], heartbeat=60).changed_folder_ids == [inbox.id]
    arrived = client.sync_folder(inbox.id, sync_key=changed.sync_key)
    assert [a.fields["Email.Subject"] for a in arrived.added] == ["written in python"], arrived
    at = client.sync_folder(drafts.id).sync_key
    draft = client.create_email_draft(drafts.id, at, message)
    assert draft.status == "1" and draft.server_id, draft
    people = client.search_gal("bob")
    assert [p.email_address for p in people] == ["bob@example.org"], people
    assert client.resolve_recipients(user)[0].email_address == user
    assert client.find_mailbox("python", folder_id=inbox.id).total == 2
    made = client.create_folder("From Python")
    moved = client.move_item(item.server_id, inbox.id, made.id)
    assert moved.startswith(made.id + ":"), moved
    client.update_folder(made.id, "Renamed")
    client.delete_folder(made.id)
print("done")
"#;

const MAIL: &str = "From: Bob Example <bob@example.org>\r\nTo: ann@example.org\r\nSubject: for python\r\n\
    Message-ID: <python@example.org>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
    See the file.\r\n--x\r\nContent-Type: application/octet-stream; name=\"ten\"\r\n\
    Content-Disposition: attachment; filename=\"ten\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--x--\r\n";

/// A Python that has these packages of PyPI, in an environment of this name; among them may be
/// options of `pip install`.
pub fn python_with(name: &str, packages: &[&str]) -> Result<PathBuf> {
    // Two tests may want the same one, which is half there while it is made.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = environment.join("bin/python");
    if !python.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).output();
        well("python3 -m venv", &made.context("the package python3-venv is not there")?)?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    well("pip", &Command::new(&python).args(pip).args(packages).output()?)?;
    Ok(python)
}

/// That a program ended well; otherwise what it said.
pub fn well(what: &str, output: &Output) -> Result<()> {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    ensure!(output.status.success(), "{what}: {}{}", said[0], said[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_others_wrote_does_all_it_can() -> Result<()> {
    let python = python_with("pyactivesync", &[PACKAGE])?;
    // The client takes "there is no policy" for a failure.
    let wishes = Wishes { server: "[policy]\nmode = \"optional\"\n".into() };
    let site = Site::start(&wishes)?;
    let (user, password) = USERS[1];
    site.dovecot.deliver(&format!("{user}@{REALM}"), MAIL.as_bytes())?;
    let authority = site.path("server/authority/authority.pem");
    let output = Command::new(&python)
        .args(["-c", SCRIPT, &format!("localhost:{}", site.phones_port)])
        .args([&format!("{user}@{REALM}"), password])
        .env("REQUESTS_CA_BUNDLE", authority)
        .output()?;
    well("the client", &output)
}
