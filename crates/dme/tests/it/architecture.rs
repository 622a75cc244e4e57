//! Which crate may depend on which, as `ARCHITECTURE.md` draws it. Arrows point down only.

#![expect(clippy::unwrap_used, reason = "what cargo tells has this shape, or the test fails")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Each of our crates and those of ours it may use, tests aside.
const MAY_USE: [(&str, &[&str]); 29] = [
    ("model", &[]),
    ("wbxml", &[]),
    ("zone", &["model"]),
    ("recurrence", &["model"]),
    ("eas", &["model", "wbxml", "zone", "recurrence"]),
    ("mime", &["model"]),
    ("pim", &["model", "mime", "zone", "recurrence"]),
    ("mailbox", &["model"]),
    ("sync", &["model", "mailbox"]),
    ("routing", &["model"]),
    ("audit", &["model"]),
    ("policy", &["model"]),
    ("directory", &["model"]),
    ("files", &["model", "mailbox", "mime", "pim"]),
    ("dial", &["model", "mailbox"]),
    ("openid", &["model", "dial"]),
    ("dav", &["model", "mailbox", "pim", "dial"]),
    ("imap", &["model", "mailbox", "mime", "pim", "dial"]),
    ("sieve", &["model", "mailbox", "mime", "dial"]),
    ("link", &["model", "mailbox", "directory", "zone", "audit"]),
    ("store", &["model", "sync", "mailbox", "link", "audit"]),
    (
        "server",
        &[
            "model",
            "wbxml",
            "zone",
            "eas",
            "mime",
            "mailbox",
            "sync",
            "routing",
            "policy",
            "directory",
            "audit",
            "openid",
            "link",
            "store",
        ],
    ),
    ("edge", &["model", "sync", "routing", "directory", "link", "store", "server"]),
    (
        "console",
        &[
            "model",
            "eas",
            "mailbox",
            "sync",
            "directory",
            "policy",
            "audit",
            "openid",
            "link",
            "store",
            "server",
        ],
    ),
    ("phone", &["model", "wbxml", "zone", "eas"]),
    (
        "connector",
        &["model", "zone", "mailbox", "dial", "directory", "link", "files", "imap", "sieve", "dav"],
    ),
    ("testkit", &[]),
    (
        "bench",
        &["model", "eas", "mime", "pim", "mailbox", "link", "phone", "store", "sync", "testkit"],
    ),
    (
        "dme",
        &[
            "model",
            "eas",
            "mime",
            "pim",
            "mailbox",
            "directory",
            "policy",
            "audit",
            "link",
            "files",
            "imap",
            "sieve",
            "dav",
            "server",
            "edge",
            "console",
            "connector",
            "phone",
        ],
    ),
];

/// Crates without I/O: nothing they use reaches the runtime or the network.
const PURE: [&str; 10] =
    ["model", "wbxml", "zone", "recurrence", "eas", "mime", "pim", "routing", "policy", "audit"];

/// A foreign crate and the only ones of ours that may use it directly.
const ONLY: [(&str, &[&str]); 10] = [
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("deadpool-postgres", &["store"]),
    ("ldap3", &["directory"]),
    ("domain", &["dial"]),
    ("mail-parser", &["mime"]),
    ("calcard", &["mime"]),
    ("inotify", &["files"]),
    ("clap", &["dme"]),
    ("quick-xml", &["eas", "dav"]),
];

/// The workspace and all it uses on this platform; the crates of others are not downloaded, so
/// that the test needs no network.
fn metadata() -> Value {
    let version = cargo(&["version", "--verbose"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline"];
    let metadata = cargo(&[&arguments[..], &["--filter-platform", host]].concat());
    serde_json::from_str(&metadata).unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What each of our crates depends on, tests aside.
fn dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let ours = metadata["packages"].as_array().unwrap().iter().filter(|p| p["source"].is_null());
    ours.map(|package| {
        let uses = package["dependencies"].as_array().unwrap().iter();
        let uses = uses
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        (package["name"].as_str().unwrap().to_owned(), uses.collect())
    })
    .collect()
}

fn package(short: &str) -> String {
    if short == "dme" { short.to_owned() } else { format!("dme-{short}") }
}

#[test]
fn arrows_between_our_crates_point_down() {
    let all = dependencies(&metadata());
    let known: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| package(name)).collect();
    assert_eq!(all.keys().cloned().collect::<BTreeSet<_>>(), known, "each crate has its place");
    let page = include_str!("../../../../ARCHITECTURE.md");
    for (name, _) in MAY_USE {
        let row = |path: &str| page.contains(&format!("\n| `{path}{name}` |"));
        assert!(row("") || row("backends/"), "ARCHITECTURE.md does not say what {name} is for");
    }
    for (name, may) in MAY_USE {
        let may: BTreeSet<String> = may.iter().map(|name| package(name)).collect();
        let uses = all[&package(name)].iter().filter(|uses| known.contains(*uses));
        for uses in uses {
            assert!(may.contains(uses), "{name} must not use {uses}");
        }
    }
}

#[test]
fn the_pure_crates_reach_no_runtime() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap()))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .map(|node| {
            let normal = node["deps"].as_array().unwrap().iter().filter(|dependency| {
                let kinds = dependency["dep_kinds"].as_array().unwrap();
                kinds.iter().any(|kind| kind["kind"].is_null())
            });
            let ids = normal.map(|dependency| dependency["pkg"].as_str().unwrap()).collect();
            (node["id"].as_str().unwrap(), ids)
        })
        .collect();
    for pure in PURE {
        let (start, _) = names.iter().find(|(_, name)| **name == package(pure)).unwrap();
        let (mut seen, mut queue) = (BTreeSet::new(), vec![*start]);
        while let Some(id) = queue.pop() {
            if seen.insert(id) {
                queue.extend(&edges[id]);
            }
        }
        for id in seen {
            assert!(
                !matches!(names[id], "tokio" | "hyper" | "rustls" | "mio"),
                "{pure} reaches {}",
                names[id]
            );
        }
    }
}

#[test]
fn a_foreign_protocols_library_is_used_in_one_place() {
    let all = dependencies(&metadata());
    for (library, only) in ONLY {
        let only: BTreeSet<String> = only.iter().map(|name| package(name)).collect();
        for (name, uses) in &all {
            assert!(!uses.contains(library) || only.contains(name), "{name} uses {library}");
        }
    }
}

#[test]
fn every_rule_that_is_named_is_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut named = BTreeSet::new();
    for folder in ["crates", "docs"] {
        rules_in(&root.join(folder), &mut named);
    }
    assert!(named.len() > 20, "only {named:?} are found");
    let page = include_str!("../../../../ARCHITECTURE.md");
    let told = |rule: &String| page.contains(&format!("\n- **{rule}** "));
    let untold: Vec<_> = named.iter().filter(|rule| !told(rule)).collect();
    assert!(untold.is_empty(), "ARCHITECTURE.md does not tell {untold:?}");
}

/// The rules that sources and pages below a folder name: "rule S3", "rules R2, R3 and R5".
fn rules_in(folder: &Path, named: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rules_in(&path, named);
        }
        if !path.extension().is_some_and(|kind| kind == "rs" || kind == "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut after_rule = false;
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let is_rule =
                matches!(word.as_bytes(), [b'A' | b'L' | b'O' | b'R' | b'S', b'0'..=b'9']);
            if after_rule && is_rule {
                named.insert(word.to_owned());
            }
            after_rule = matches!(word, "rule" | "rules" | "Rule" | "Rules")
                || after_rule && (is_rule || matches!(word, "and" | "to"));
        }
    }
}
