//! The OpenAPI document against the running server, by a tester that makes up requests from it:
//! `schemathesis` from PyPI.

use crate::console::Office;
use crate::protocol_pyactivesync::{python_with, well};
use anyhow::{Context, Result};
use std::process::Command;

/// The tester, at the release it was tried with.
const PACKAGE: &str = "schemathesis==4.32.5";
/// What must not be: answers that the document does not have, failures of ours, doors left open.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,ignored_auth";
/// A connector may be away, and says so; that is no failure of ours.
const CONFIGURATION: &str = "[checks.not_a_server_error]\n\
    expected-statuses = [\"2xx\", \"3xx\", \"4xx\", 501, 502, 503]\n";

#[tokio::test(flavor = "multi_thread")]
async fn no_made_up_request_gets_an_answer_that_the_document_does_not_have() -> Result<()> {
    let python = python_with("schemathesis", &[PACKAGE])?;
    let office = Office::start()?;
    std::fs::write(office.path("schemathesis.toml"), CONFIGURATION)?;
    let token = std::fs::read_to_string(office.path("server/admin.token"))?;
    let tester = python.parent().context("no folder")?.join("schemathesis");
    let mut command = Command::new(tester);
    command.args(["--config-file", "schemathesis.toml", "run", &office.url("/api/openapi.json")]);
    command.args(["--header", &format!("Authorization: Bearer {}", token.trim())]);
    command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", "10", "--seed", "1", "--generation-deterministic"]);
    command.args(["--no-shrink", "--continue-on-failure"]);
    command.args(["--warnings", "off", "--no-color", "--workers", "2"]);
    let output = command.current_dir(office.path("")).output()?;
    well("schemathesis", &output)
}
