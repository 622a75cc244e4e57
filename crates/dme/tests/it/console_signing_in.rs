//! How administrators sign in to the console, beside the password alone.

use crate::console::{Office, PASSWORD, REALM};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::wait_until;
use dme_testkit::process::run;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SESSION: &str = "__Host-dme-console";
const SIGN_IN: &str = "__Host-dme-sign-in";

/// What oathtool, another implementation of RFC 6238, shows so many seconds from now.
pub fn code(secret: &str, later: u64) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + later;
    let mut oathtool = Command::new("oathtool");
    let shown = run(oathtool.args(["--totp", "-b", secret, "-N", &format!("@{now}")]))?;
    Ok(shown.trim().to_owned())
}

/// A browser that has typed the right name and password, and is asked for more.
fn half(office: &Office, name: &str) -> Result<String> {
    let form = format!("login={name}%40{REALM}&password={PASSWORD}&back=%2Fdevices");
    let answer = office.form("/sign-in", "", &form)?;
    ensure!(answer.status == 303 && answer.header("location") == Some("/sign-in/code"));
    ensure!(answer.cookie(SESSION).is_none(), "a password alone is no session");
    answer.cookie(SIGN_IN).context("no cookie")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_alone_lets_nobody_in_where_a_second_factor_is_required() -> Result<()> {
    let office = Office::start_with("", "")?;
    // Who has none sets one up before anything else.
    let mark = half(&office, "ada")?;
    for cookie in [mark.clone(), mark.replace(SIGN_IN, SESSION)] {
        let shown = [("Cookie", cookie.as_str())];
        ensure!(office.ask("GET", "/api/devices", &shown, "")?.status == 401);
        ensure!(office.ask("GET", "/devices", &shown, "")?.status == 303);
    }
    let page = office.ask("GET", "/sign-in/code", &[("Cookie", &mark)], "")?;
    let secret = page.body.rsplit("<code>").next().and_then(|rest| rest.split('<').next());
    let secret = secret.context("no secret")?.to_owned();
    ensure!(page.body.contains("<svg") && secret.len() == 32, "{}", page.body);
    ensure!(office.form("/sign-in/code", &mark, "code=000000")?.status == 403, "a made-up code");
    let first = code(&secret, 0)?;
    let set_up = office.form("/sign-in/code", &mark, &format!("code={first}"))?;
    let recovery: Vec<&str> =
        set_up.body.split("<li><code>").skip(1).filter_map(|one| one.split('<').next()).collect();
    ensure!(set_up.status == 200 && recovery.len() == 10, "{}", set_up.body);
    let session = set_up.cookie(SESSION).context("no session")?;
    let ada = office.with_cookie(&session)?;
    let account = ada.get("/api/account")?;
    ensure!(account["second_factor"]["recovery_codes"] == 10, "{account}");
    ensure!(account["sessions"][0]["by"] == "password and code", "{account}");
    ensure!(account["sessions"][0]["current"] == true, "{account}");
    ensure!(ada.ask("POST", "/api/account/second-factor", "")?.status == 409, "there is one");

    // Each code is good once, also the one it was set up with.
    let mark = half(&office, "ada")?;
    let again = office.form("/sign-in/code", &mark, &format!("code={first}"))?;
    ensure!(again.status == 403 && again.cookie(SESSION).is_none());
    office.later(Duration::from_secs(60))?;
    let next = format!("code={}", code(&secret, 60)?);
    let entered = office.form("/sign-in/code", &mark, &next)?;
    ensure!(entered.status == 303 && entered.header("location") == Some("/devices"));
    let other = office.with_cookie(&entered.cookie(SESSION).context("no session")?)?;
    let used = office.form("/sign-in/code", &mark, &next)?;
    ensure!(used.cookie(SESSION).is_none(), "a sign-in that is finished is over");
    let mark = half(&office, "ada")?;
    ensure!(office.form("/sign-in/code", &mark, &next)?.status == 403);
    let lost = format!("code={}", recovery[3].to_uppercase());
    ensure!(office.form("/sign-in/code", &mark, &lost)?.status == 303, "a recovery code");
    let mark = half(&office, "ada")?;
    ensure!(office.form("/sign-in/code", &mark, &lost)?.status == 403, "it was used");

    // One's own sessions, seen and ended.
    let account = other.get("/api/account")?;
    ensure!(account["sessions"].as_array().is_some_and(|all| all.len() == 3), "{account}");
    ensure!(account["second_factor"]["recovery_codes"] == 9, "{account}");
    let ended = other.post("/api/account/sessions/end-others", &json!({}))?;
    ensure!(ended["ended"] == 2, "{ended}");
    ensure!(ada.ask("GET", "/api/account", "")?.status == 401, "it was ended");

    // A dangerous act takes the password and a code, once five minutes are over.
    office.later(Duration::from_secs(7 * 60))?;
    let new = json!({"name": "x", "duties": ["see"], "valid_days": 1}).to_string();
    ensure!(other.ask("POST", "/api/api-tokens", &new)?.status == 403, "not shown just now");
    let cookie = entered.cookie(SESSION).context("no session")?;
    let page = office.ask("GET", "/tokens", &[("Cookie", &cookie)], "")?;
    ensure!(page.body.contains("confirm_password") && page.body.contains("confirm_code"));
    let form = |code: &str| {
        let (csrf, back) = (other.csrf(), "%2Ftokens");
        format!(
            "csrf={csrf}&back={back}&name=x&duties=see&valid_days=1\
             &confirm_password={PASSWORD}&confirm_code={code}"
        )
    };
    let without = office.form("/do/api-tokens", &cookie, &form(""))?;
    ensure!(without.cookie(SESSION).is_none(), "a password alone does not renew it");
    let with = office.form("/do/api-tokens", &cookie, &form(&code(&secret, 7 * 60)?))?;
    let renewed = office.with_cookie(&with.cookie(SESSION).context("it is not renewed")?)?;
    let made = renewed.get("/api/api-tokens")?;
    ensure!(made[0]["name"] == "x" && made.as_array().is_some_and(|all| all.len() == 1), "{made}");

    // Guesses end soon, for the right code too.
    let mark = half(&office, "ada")?;
    let mut last = String::new();
    for guess in 0..7 {
        let answer = office.form("/sign-in/code", &mark, &format!("code={guess:06}"))?;
        ensure!(answer.status == 403);
        last = answer.body;
    }
    ensure!(last.contains("Too many"), "{last}");

    // Whoever lost it is helped at the server; the sessions end.
    let path = format!("/api/users/ada@{REALM}/second-factor/reset");
    ensure!(renewed.ask("POST", &path, "")?.status == 409, "not by oneself");
    let reset = ["user", "reset-second-factor", &format!("ada@{REALM}"), "--config", "server.toml"];
    office.dme(&reset)?;
    ensure!(renewed.ask("GET", "/api/account", "")?.status == 401, "it was ended");
    let mark = half(&office, "ada")?;
    let page = office.ask("GET", "/sign-in/code", &[("Cookie", &mark)], "")?;
    ensure!(page.body.contains("<svg") && !page.body.contains(&secret), "another is set up");

    // Whoever is shut out meanwhile does not get in by the step that is left.
    let another = page.body.rsplit("<code>").next().and_then(|rest| rest.split('<').next());
    let another = code(another.context("no secret")?, 8 * 60)?;
    office.dme(&["user", "disable", &format!("ada@{REALM}"), "--config", "server.toml"])?;
    let late = office.form("/sign-in/code", &mark, &format!("code={another}"))?;
    ensure!(late.status == 303 && late.header("location") == Some("/sign-in"), "{}", late.status);
    ensure!(late.cookie(SESSION).is_none(), "no session");

    // All of it is written down, and no secret with it.
    let log = office.root()?;
    wait_until("what happened is written", Duration::from_secs(10), || {
        let events = log.get("/api/log?limit=200")?.to_string();
        Ok(events.contains("console_entered") && events.contains("wrong-code"))
    })?;
    let acts = log.get("/api/audit?limit=50")?.to_string();
    for act in ["account.second-factor.confirm", "users.second-factor.reset"] {
        ensure!(acts.contains(act), "{acts}");
    }
    let database =
        String::from_utf8_lossy(&std::fs::read(office.path("server/dme.db"))?).into_owned();
    let written =
        format!("{database}{}{acts}", std::fs::read_to_string(office.path("server.log"))?);
    for kept in [secret.as_str(), first.as_str(), recovery[0]] {
        ensure!(!written.contains(kept), "a secret is kept: {kept}");
    }
    Ok(())
}

/// The secret that a page offers to an authenticator.
fn offered(office: &Office, mark: &str) -> Result<String> {
    let page = office.ask("GET", "/sign-in/code", &[("Cookie", mark)], "")?;
    let secret = page.body.rsplit("<code>").next().and_then(|rest| rest.split('<').next());
    Ok(secret.filter(|secret| secret.len() == 32).context("no secret")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_a_password_is_not_shown_what_its_owner_sets_up() -> Result<()> {
    let office = Office::start_with("", "")?;
    let (thief, owner) = (half(&office, "ada")?, half(&office, "ada")?);
    let (stolen, secret) = (offered(&office, &thief)?, offered(&office, &owner)?);
    ensure!(stolen != secret, "both are shown the same secret");
    ensure!(offered(&office, &owner)? == secret, "it is another when the page is loaded again");
    let taken = office.form("/sign-in/code", &owner, &format!("code={}", code(&stolen, 0)?))?;
    ensure!(taken.status == 403, "a code of the other's secret counts");
    let taken = office.form("/sign-in/code", &owner, &format!("code={}", code(&secret, 0)?))?;
    ensure!(taken.status == 200 && taken.cookie(SESSION).is_some(), "{}", taken.body);
    // The other sign-in is over, and begins anew with the owner's code to be shown.
    let late = office.form("/sign-in/code", &thief, &format!("code={}", code(&stolen, 0)?))?;
    ensure!(late.status == 303 && late.header("location") == Some("/sign-in"), "{}", late.status);
    let page = office.ask("GET", "/sign-in/code", &[("Cookie", &half(&office, "ada")?)], "")?;
    ensure!(!page.body.contains("<svg"), "another secret is offered");
    Ok(())
}

/// Whether some file below a folder holds this text.
fn holds(folder: &Path, text: &str) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = match path.is_dir() {
            true => holds(&path, text)?,
            false => String::from_utf8_lossy(&std::fs::read(&path)?).contains(text),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_for_emergencies_opens_the_console_without_the_directory_and_is_heard_of()
-> Result<()> {
    let administrators = format!("administrators = [\"ada@{REALM}\"]\n");
    let office = Office::start_with("[console]\nsecond_factor = \"optional\"\n", &administrators)?;
    office.mailbox("ada", b"Subject: hello\r\n\r\nHello\r\n").await?;
    let ada = office.session("ada")?;
    let sign_in = |password: &str| {
        let form = format!("login=emergency&password={password}&back=%2Faudit");
        office.form("/sign-in", "", &form)
    };
    ensure!(sign_in(PASSWORD)?.status == 403, "there is none before it is made");
    ensure!(ada.ask("POST", "/api/console/emergency", "{}")?.status == 403, "not by the console");
    let emergency =
        |command: &str| office.dme(&["console", "emergency", command, "--config", "server.toml"]);
    ensure!(emergency("show")?.contains("there is no account"));
    let made = emergency("make")?;
    let password = made.lines().find_map(|line| line.strip_prefix("password "));
    let password = password.context("no password")?.to_owned();
    ensure!(emergency("show")?.contains("never used"));

    // The directory is gone.
    std::fs::write(office.path("people.toml"), "[")?;
    ensure!(sign_in("a-wrong-password")?.status == 403);
    let entered = sign_in(&password)?;
    ensure!(entered.status == 303 && entered.header("location") == Some("/audit"));
    let cookie = entered.cookie(SESSION).context("no session")?;
    let glass = office.with_cookie(&cookie)?;
    glass.get("/api/devices")?;
    office.later(Duration::from_secs(120))?;
    glass.get("/api/devices")?;
    // What it could make would outlast the emergency.
    let token = json!({"name": "x", "duties": ["see"], "valid_days": 1}).to_string();
    let refused = glass.ask("POST", "/api/api-tokens", &token)?;
    ensure!(refused.status == 403 && refused.body.contains("no tokens"), "{}", refused.body);

    // All administrators hear of it: on every page, in the log, by mail.
    let page = ada.ask("GET", "/devices", "")?;
    ensure!(page.body.contains("account for emergencies was used"), "{}", page.body);
    ensure!(emergency("show")?.contains("used 20"), "it was used");
    let root = office.root()?;
    wait_until("it is written down", Duration::from_secs(10), || {
        Ok(root.get("/api/log?limit=50")?.to_string().contains("emergency_used"))
    })?;
    wait_until("the mail is there", Duration::from_secs(10), || {
        holds(&office.path("mail"), "Subject: The account for emergencies was used")
    })?;
    let log = std::fs::read_to_string(office.path("server.log"))?;
    ensure!(log.contains("somebody signed in with the account for emergencies"));
    ensure!(!log.contains(&password), "the log holds a secret");

    // Guesses lock it; another password begins anew and ends what the old one opened.
    for _ in 0..5 {
        ensure!(sign_in("a-wrong-password")?.status == 403);
    }
    let locked = sign_in(&password)?;
    ensure!(locked.status == 403 && locked.body.contains("Too many"), "{}", locked.body);
    emergency("make")?;
    ensure!(glass.ask("GET", "/api/devices", "")?.status == 401, "it was ended");
    let page = ada.ask("GET", "/devices", "")?;
    ensure!(!page.body.contains("account for emergencies was used"), "that one was never used");
    emergency("remove")?;
    ensure!(emergency("show")?.contains("there is no account"));
    let acts = root.get("/api/audit?limit=50")?.to_string();
    ensure!(acts.contains("console.emergency"), "{acts}");
    Ok(())
}
