//! The command line: samples, checks, errors that say how to mend.

#![expect(clippy::unwrap_used, reason = "a program that does not start fails the test")]

use crate::site::{REALM, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::free_port;
use dme_testkit::slapd::SERVICE_PASSWORD;
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

#[test]
fn values_that_make_no_sense_are_refused_at_start_and_by_check() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("server.toml");
    let (ok, sample) = dme(&["sample", "server"]);
    ensure!(ok, "{sample}");
    let text = sample
        .replace("#window = 512", "window = 0")
        .replace("#failed_attempts = 10", "failed_attempts = 99")
        .replace("host = \"mail.example.org\"", "host = \"https://mail.example.org\"");
    std::fs::write(&path, text)?;
    let path = path.to_str().unwrap_or_default();
    for arguments in
        [["server", "--config", path].as_slice(), &["check", "server", "--config", path]]
    {
        let (ok, said) = dme(arguments);
        ensure!(!ok, "{said}");
        for problem in [
            "limits.window is 0: 1 to 512 are allowed",
            "policy.failed_attempts is 99: 4 to 16 are allowed, or \"never\"",
            "phones.host is \"https://mail.example.org\": a host is wanted, not a URL",
        ] {
            ensure!(said.contains(problem), "{arguments:?}: {problem}: {said}");
        }
    }
    Ok(())
}

/// Tables of a sample of which a configuration has one or the other.
const ALTERNATIVES: [(&str, &[&str]); 3] = [
    ("server", &[]),
    ("connector", &["mail.files", "people.file"]),
    ("connector", &["mail.imap", "people.ldap"]),
];

/// A sample with every key switched on, in its tables: the first is what stands before all tables,
/// the others begin with their `[name]`. Tables in `without`, and those below them, are left out,
/// and texts that would be read from a file are given as they are.
fn whole_sample(role: &str, without: &[&str]) -> Result<Vec<String>> {
    let (ok, sample) = dme(&["sample", role]);
    ensure!(ok, "{sample}");
    let mut tables = vec![String::new()];
    for line in sample.lines() {
        let line = match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') && !key.is_empty() => key,
            _ => line,
        };
        let line = match line.split_once(" = { file = ") {
            Some((key, _)) if !line.starts_with('#') => format!("{key} = \"from a file\""),
            _ => line.to_owned(),
        };
        if line.starts_with('[') {
            tables.push(String::new());
        }
        let table = tables.last_mut().context("there is one")?;
        table.push_str(&line);
        table.push('\n');
    }
    tables.retain(|table| {
        let name = table_name(table);
        let below = |out: &str| name == out || name.starts_with(&format!("{out}."));
        !without.iter().any(|out| below(out))
    });
    Ok(tables)
}

fn table_name(table: &str) -> &str {
    let first = table.lines().next().filter(|line| line.starts_with('[')).unwrap_or_default();
    first.trim_matches(['[', ']'])
}

fn check_offline(role: &str, text: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sample.toml");
    std::fs::write(&path, text)?;
    Ok(dme(&["check", role, "--config", path.to_str().unwrap_or_default(), "--offline"]).1)
}

/// Every key of a sample, commented out or not, is one that is understood: with all of them
/// switched on, the configuration is still read.
#[test]
fn the_samples_name_real_keys() -> Result<()> {
    for (role, without) in ALTERNATIVES {
        let said = check_offline(role, &whole_sample(role, without)?.concat())?;
        ensure!(said.contains("configuration: read"), "{role} without {without:?}: {said}");
    }
    Ok(())
}

/// Every key that is understood is in the sample: in each table an unknown key is refused, and the
/// refusal tells the known ones.
#[test]
fn the_samples_name_every_key() -> Result<()> {
    for (role, without) in ALTERNATIVES {
        let tables = whole_sample(role, without)?;
        for (place, table) in tables.iter().enumerate() {
            let name = table_name(table);
            // The connector's sample names the keys of what is embedded.
            if name.starts_with("embedded") {
                continue;
            }
            let mut wrong = tables.clone();
            wrong[place] = match table.split_once('\n') {
                Some((head, rest)) if place > 0 => format!("{head}\nno_such_key = 1\n{rest}"),
                _ => format!("no_such_key = 1\n{table}"),
            };
            let said = check_offline(role, &wrong.concat())?;
            let known = said.split_once("`no_such_key`, expected").map(|(_, known)| known);
            let known = known.with_context(|| format!("{role}, [{name}]: {said}"))?;
            let known = known.lines().next().unwrap_or_default();
            for key in known.split('`').skip(1).step_by(2) {
                let full = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
                let assigned = table.lines().any(|line| line.starts_with(&format!("{key} = ")));
                let a_table = tables
                    .iter()
                    .map(|table| table_name(table))
                    .any(|table| table == full || table.starts_with(&format!("{full}.")));
                ensure!(assigned || a_table, "{role}: the sample lacks {full}");
            }
        }
    }
    Ok(())
}

/// `dme check` and `dme probe` pass on a good site and say what is wrong with a bad one.
#[test]
fn checks_and_probes_say_what_is_wrong_and_how_to_mend_it() -> Result<()> {
    let mistyped = "[connectors.brnach]\ntier = \"failover\"\n";
    let site = Site::start(&Wishes { server: mistyped.into() })?;
    let said = site.logs()?;
    ensure!(said.contains("[connectors.brnach], but no connector of this name"), "{said}");
    let good = std::fs::read_to_string(site.path("connector.toml"))?;
    let file = |name: &str, content: &str| -> Result<String> {
        std::fs::write(site.path(name), content)?;
        Ok(site.path(name).display().to_string())
    };
    let right = file("right.password", USERS[0].1)?;
    let wrong = file("wrong.password", "never-Anns-password")?;
    let user = format!("ann@{REALM}");
    let check = |config: &str, password: &str| {
        dme(&[
            "check",
            "connector",
            "--config",
            config,
            "--user",
            &user,
            "--password-file",
            password,
        ])
    };

    let (ok, said) = check(&site.path("connector.toml").display().to_string(), &right);
    ensure!(ok && !said.contains('✗'), "{said}");
    ensure!(said.contains("IMAP") && said.contains("SMTP"), "{said}");
    ensure!(said.contains("the password is accepted"), "{said}");

    ensure!(said.contains("✓ server: 127.0.0.1:"), "the way to the server is tried: {said}");

    let elsewhere = format!("servers = [\"127.0.0.1:{}\"]\n{good}", free_port()?);
    let (ok, said) = check(&file("elsewhere.toml", &elsewhere)?, &right);
    ensure!(!ok && said.contains("✗ server") && said.contains("refused"), "{said}");
    let stranger = format!("servers = [\"127.0.0.1:{}\"]\n{good}", site.slapd.ldaps_port);
    let (ok, said) = check(&file("stranger.toml", &stranger)?, &right);
    ensure!(!ok && said.contains("✗ server"), "not the server it enrolled with: {said}");

    let (ok, said) = check(&site.path("connector.toml").display().to_string(), &wrong);
    ensure!(!ok && said.contains("✗ IMAP") && said.contains("password"), "{said}");
    ensure!(said.contains("✗ person: the directory refuses the password"), "{said}");

    let path = file("bind.toml", &good.replace(SERVICE_PASSWORD, "not the reader's"))?;
    let (ok, said) = check(&path, &right);
    ensure!(!ok && said.contains("✗ people") && said.contains("bind_password"), "{said}");

    let dovecots = format!("{:?}", site.path("dovecot.pem"));
    let slapds = format!("{:?}", site.slapd.ca_file());
    let path = file("people.toml", &good.replace(&slapds, &dovecots))?;
    let (ok, said) = check(&path, &right);
    ensure!(!ok && said.contains("✗ people") && said.contains("ca_file"), "{said}");

    let path = file("mail.toml", &good.replace(&dovecots, &slapds))?;
    let (ok, said) = check(&path, &right);
    ensure!(!ok && said.contains("✗ IMAP") && said.contains("ca_file"), "{said}");

    let server = site.path("server.toml").display().to_string();
    let (ok, said) = dme(&["check", "server", "--config", &server]);
    ensure!(ok && said.contains("is in use: by this server, if it runs"), "{said}");
    let mut text = std::fs::read_to_string(&server)?;
    for port in [site.phones_port, site.admin_port] {
        text = text.replace(&format!(":{port}\""), &format!(":{}\"", free_port()?));
    }
    let links = text.split("[links]\nlisten = \"").nth(1).and_then(|rest| rest.split('"').next());
    let links = links.context("links.listen")?.to_owned();
    let path = file("idle.toml", &text.replace(&links, &format!("127.0.0.1:{}", free_port()?)))?;
    let (ok, said) = dme(&["check", "server", "--config", &path]);
    ensure!(ok && !said.contains('✗'), "{said}");

    let files = |certificate: &str, key: &str| {
        let at = |name: &str| site.dovecot.dir().join(name).display().to_string();
        format!("[phones]\ncertificate = {:?}\nkey = {:?}\n", at(certificate), at(key))
    };
    let idle = std::fs::read_to_string(&path)?;
    let own = idle.replace("[phones]\n", &files("cert.pem", "key.pem"));
    let (ok, said) = dme(&["check", "server", "--config", &file("own.toml", &own)?]);
    ensure!(ok && said.contains("✓ certificate: it is for localhost"), "{said}");
    ensure!(said.contains("! certificate: no authority known"), "{said}");
    let other = own.replace("host = \"localhost", "host = \"127.0.0.3");
    let (ok, said) = dme(&["check", "server", "--config", &file("other.toml", &other)?]);
    ensure!(!ok && said.contains("✗ certificate: it is not for 127.0.0.3"), "{said}");
    let keyless = idle.replace("[phones]\n", &files("cert.pem", "cert.pem"));
    let (ok, said) = dme(&["check", "server", "--config", &file("keyless.toml", &keyless)?]);
    ensure!(!ok && said.contains("✗ certificate"), "{said}");

    let address = format!("https://localhost:{}/Microsoft-Server-ActiveSync", site.phones_port);
    let authority = site.path("server/authority/authority.pem").display().to_string();
    let probe = |password: &str, more: &[&str]| {
        let fixed = ["probe", &user, "--server", &address, "--password-file", password];
        dme(&[&fixed[..], &["--hold", "1s"], more].concat())
    };
    // More than one answer holds: the Ping is tried when the rest is there too.
    let mail: &[u8] = b"Subject: one of many\r\n\r\nHello\r\n";
    site.dovecot.deliver_all(&user, std::iter::repeat_n(mail, 120))?;
    let (ok, said) = probe(&right, &["--ca", &authority, "--json"]);
    ensure!(ok, "{said}");
    ensure!(said.contains("more wait") && said.contains("held for 1000 ms"), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said)?;
    ensure!(report["steps"].as_array().is_some_and(|steps| steps.len() >= 5), "{said}");

    let (ok, said) = probe(&wrong, &["--ca", &authority]);
    ensure!(!ok && said.contains("401") && said.contains("password"), "{said}");
    let (ok, said) = probe(&right, &[]);
    ensure!(!ok && said.contains("certificate"), "{said}");
    Ok(())
}

#[test]
fn a_token_that_was_lost_is_seen_and_taken_back() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    for (name, why) in [("branch", "already"), ("Bad\u{1b}name", "letters, digits")] {
        let refused = site.dme(&["connector", "token", name]);
        let said = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(said.contains(why), "{name:?}: {said}");
    }
    let token = site.dme(&["connector", "token", "spare", "--valid", "2h"])?;
    let listed = site.dme(&["connector", "tokens"])?;
    ensure!(listed.contains("spare: unused") && listed.contains("branch: used"), "{listed}");
    ensure!(!listed.contains(token.trim()), "what it says is not kept");
    let revoked = site.dme(&["connector", "token", "--revoke", "spare"])?;
    ensure!(revoked.contains("1 of spare revoked"), "{revoked}");
    let config = std::fs::read_to_string(site.path("connector.toml"))?;
    let elsewhere = config.replace("/connector\"", "/elsewhere\"");
    std::fs::write(site.path("elsewhere.toml"), elsewhere)?;
    let path = site.path("elsewhere.toml").display().to_string();
    let (ok, said) = dme(&["connector", "enroll", token.trim(), "--config", &path]);
    ensure!(!ok && said.contains("token"), "{said}");
    let again = site.dme(&["connector", "token", "--revoke", "spare"]);
    ensure!(again.is_err_and(|error| error.to_string().contains("spare")), "there is none left");
    Ok(())
}

#[test]
fn what_the_server_keeps_is_for_nobody_else_to_read() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::start(&Wishes::default())?;
    let mode = |name: &str| -> Result<u32> {
        Ok(std::fs::metadata(site.path(name))?.permissions().mode() & 0o777)
    };
    ensure!(mode("server")? == 0o700, "the directory: {:o}", mode("server")?);
    for file in ["dme.db", "dme.db-wal", "admin.token", "phones.key"] {
        let mode = mode(&format!("server/{file}"))?;
        ensure!(mode == 0o600, "{file}: {mode:o}");
    }
    Ok(())
}
