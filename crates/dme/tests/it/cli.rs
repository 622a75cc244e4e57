//! The command line: samples, checks, errors that say how to mend.

use anyhow::{Result, ensure};
use std::process::Command;

fn dme(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dme")).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn an_unknown_key_is_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("server.toml");
    let (ok, sample) = dme(&["sample", "server"]);
    ensure!(ok, "{sample}");
    std::fs::write(&path, sample.replace("[devices]", "[devices]\nunkown = \"allow\""))?;
    let (ok, said) = dme(&["server", "--config", path.to_str().unwrap_or_default()]);
    ensure!(!ok && said.contains("unkown") && said.contains("server.toml"), "{said}");
    Ok(())
}

#[test]
fn a_missing_configuration_is_named() {
    let (ok, said) = dme(&["server", "--config", "/nowhere/server.toml"]);
    assert!(!ok && said.contains("/nowhere/server.toml"), "{said}");
}

/// Every key of a sample, commented out or not, is one that is understood: with all of them
/// switched on, the configuration is still read.
#[test]
fn the_samples_name_real_keys() -> Result<()> {
    for role in ["server", "connector"] {
        let (ok, sample) = dme(&["sample", role]);
        ensure!(ok, "{sample}");
        let all: String = sample
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => rest,
                _ => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("all.toml");
        std::fs::write(&path, &all)?;
        let path = path.to_str().unwrap_or_default();
        let (_, said) = dme(&["check", role, "--config", path, "--offline"]);
        ensure!(said.contains("configuration: read"), "{role}: {said}");
    }
    Ok(())
}
