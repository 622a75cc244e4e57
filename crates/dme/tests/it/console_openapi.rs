//! The OpenAPI document against the running server, by a tester that makes up requests from it:
//! `schemathesis` from PyPI.

use crate::console::{Office, PASSWORD, REALM};
use crate::protocol_pyactivesync::{python_with, well};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;

/// The tester, at the release it was tried with.
const PACKAGE: &str = "schemathesis==4.32.5";
/// What must not be: answers that the document does not have, failures of ours, doors left open.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,ignored_auth";
/// A connector may be away, and says so; that is no failure of ours.
const CONFIGURATION: &str = "[checks.not_a_server_error]\n\
    expected-statuses = [\"2xx\", \"3xx\", \"4xx\", 501, 502, 503]\n";

/// Has the tester ask for everything in a document as whoever these arguments show.
fn ask_for_all(office: &Office, document: &str, shown: &[&str]) -> Result<()> {
    let python = python_with("schemathesis", &[PACKAGE])?;
    std::fs::write(office.path("schemathesis.toml"), CONFIGURATION)?;
    let tester = python.parent().context("no folder")?.join("schemathesis");
    let mut command = Command::new(tester);
    command.args(["--config-file", "schemathesis.toml", "run", document]).args(shown);
    command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", "10", "--seed", "1", "--generation-deterministic"]);
    command.args(["--no-shrink", "--continue-on-failure"]);
    command.args(["--warnings", "off", "--no-color", "--workers", "2"]);
    let output = command.current_dir(office.path("")).output()?;
    well("schemathesis", &output)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_made_up_request_gets_an_answer_that_the_document_does_not_have() -> Result<()> {
    let office = Office::start()?;
    let token = std::fs::read_to_string(office.path("server/admin.token"))?;
    let header = format!("Authorization: Bearer {}", token.trim());
    ask_for_all(&office, &office.url("/api/openapi.json"), &["--header", &header])
}

/// What is one's own no administrator gets: it is asked for by a user, where users ask for it.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_of_a_user_for_their_own() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", b"To: ann@example.org\r\nSubject: mail\r\n\r\nHello\r\n").await?;
    let phone = ("Android", "Pixel 9", "Android 16");
    office.phone("ann", "PIXEL9", phone)?.folder_sync().await?;
    let login = format!("ann@{REALM}:{PASSWORD}");
    let authority = office.path("server/authority/authority.pem").display().to_string();
    let shown = ["--auth", &login, "--tls-verify", &authority];
    ask_for_all(&office, &office.own_url("/api/my/openapi.json"), &shown)?;
    // Some of what was made up was done: it was not refused before it was read.
    let after: Value = serde_json::from_str(&office.ask_as("ann", "GET", "/api/my", "")?.1)?;
    ensure!(after["passwords"].as_array().is_some_and(|all| !all.is_empty()), "{after}");
    ensure!(after["devices"][0]["device"] == "PIXEL9", "{after}");
    Ok(())
}
