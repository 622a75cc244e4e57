//! Sessions of the console: what keeps one from ending and what does not, what is told in one once, who
//! sees and ends those of others.

use crate::console::{Answer, Office, PASSWORD, PIXEL, REALM};
use crate::site::curl;
use anyhow::{Context, Result, ensure};
use dme_testkit::chromium::Chromium;
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "__Host-dme-console";
/// What our script says where nobody asks but the page.
const BY_ITSELF: (&str, &str) = ("x-by-itself", "1");

/// A browser's cookie in which somebody of this name is signed in.
fn signed_in(office: &Office, name: &str) -> Result<String> {
    let form = format!("login={name}%40{REALM}&password={PASSWORD}&back=%2F");
    office.form("/sign-in", "", &form)?.cookie(SESSION).context("no session")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_left_open_does_not_keep_its_session() -> Result<()> {
    let office = Office::start()?;
    let root = office.root()?;
    office.mailbox("ann", b"Subject: hello\r\n\r\nHello\r\n").await?;
    office.phone("ann", "PIXEL9", PIXEL)?.folder_sync().await?;
    let browser = Chromium::start()?;
    office.sign_in(&browser, "ada")?;
    browser.go(&office.url(&format!("/devices/ann@{REALM}/PIXEL9")))?;
    browser.wait_for("dl .state", "Quarantined")?;
    // Nobody is there for twenty minutes, in which the page follows what happens.
    office.later(Duration::from_secs(20 * 60))?;
    root.allow("ann", "PIXEL9")?;
    browser.wait_for("dl .state", "Allowed")?;
    let sessions = root.get(&format!("/api/users/ada@{REALM}/sessions"))?;
    let moment = |name: &str| sessions[0][name].as_i64().context("no moment");
    ensure!(moment("seen")? - moment("began")? < 5 * 60, "nobody asked: {sessions}");
    // After half an hour the session is over: what happens then is not shown any more, nor is what
    // was there.
    office.later(Duration::from_secs(31 * 60))?;
    root.post(&format!("/api/devices/ann@{REALM}/PIXEL9/block"), &json!({}))?;
    browser.wait_for("h1", "DME")?;
    ensure!(browser.has("#password")?, "it asks who is there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_once_is_told_on_the_page_that_the_form_led_to() -> Result<()> {
    let office = Office::start()?;
    let cookie = signed_in(&office, "ada")?;
    let look = |path: &str, more: &[(&str, &str)]| {
        let headers = [&[("Cookie", cookie.as_str())][..], more].concat();
        office.ask("GET", path, &headers, "")
    };
    let ada = office.with_cookie(&cookie)?;
    let make = |name: &str| -> Result<String> {
        let form = format!(
            "csrf={}&back=%2Ftokens%3Fx%3D1&name={name}&duties=see&valid_days=1",
            ada.csrf()
        );
        let sent = office.form("/do/api-tokens", &cookie, &form)?;
        ensure!(sent.status == 303, "{} {}", sent.status, sent.body);
        Ok(sent.header("location").context("it leads nowhere")?.to_owned())
    };
    let (first, second) = (make("one")?, make("two")?);
    ensure!(first.starts_with("/tokens?x=1&told=") && first != second, "{first} {second}");
    // Another window, the same page in another window, and a page that asks by itself.
    let looks: [(&str, &[(&str, &str)]); 5] = [
        ("/devices", &[]),
        ("/tokens?x=1", &[]),
        ("/tokens?x=1&told=made-up", &[]),
        (&first, &[BY_ITSELF]),
        ("/", &[BY_ITSELF]),
    ];
    for (path, more) in looks {
        let page = look(path, more)?;
        ensure!(page.status == 200, "{path}: {}", page.status);
        ensure!(!more.is_empty() || !page.body.contains("Copy this now"), "{path} tells it");
    }
    let told = |page: &Answer| -> Result<String> {
        let said = page.body.split("it is not shown again: ").nth(1).context("nothing is told")?;
        Ok(said.split('<').next().unwrap_or_default().to_owned())
    };
    for path in [second, first] {
        let page = look(&path, &[])?;
        office.bearer(&told(&page)?).get("/api/devices")?;
        let fields = page.body.split("name=\"back\" value=\"").skip(1);
        let backs: Vec<&str> = fields.filter_map(|rest| rest.split('"').next()).collect();
        ensure!(!backs.is_empty() && backs.iter().all(|back| !back.contains("told")), "{backs:?}");
        ensure!(told(&look(&path, &[])?).is_err(), "it is told twice");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_read_whole_when_somebody_wants_it_and_not_by_a_page_that_is_open()
-> Result<()> {
    let office = Office::start()?;
    let cookie = signed_in(&office, "carl")?;
    let look = |more: &[(&str, &str)]| {
        let headers = [&[("Cookie", cookie.as_str())][..], more].concat();
        office.ask("GET", "/audit?verify=now", &headers, "")
    };
    ensure!(look(&[])?.body.contains("The record is sound"));
    let fresh = look(&[BY_ITSELF])?;
    ensure!(fresh.status == 200 && fresh.body.contains("data-live"), "{}", fresh.body);
    ensure!(!fresh.body.contains("The record is sound"), "it was verified");
    // What was found stays on the page that is open, with what is new beside it.
    let browser = Chromium::start()?;
    office.sign_in(&browser, "carl")?;
    browser.go(&office.url("/audit?verify=now"))?;
    browser.wait_for(".notice", "The record is sound")?;
    office.root()?.post("/api/flush", &json!({}))?;
    browser.wait_for("[data-live]", "flush")?;
    browser.wait_for(".notice", "The record is sound")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_used_by_its_button_and_not_by_looking_at_it() -> Result<()> {
    let office = Office::start()?;
    let link = office.root()?.post("/api/console/link", &json!({}))?;
    let path = link["path"].as_str().context("no link")?;
    for _ in 0..2 {
        let page = office.ask("GET", path, &[], "")?;
        ensure!(page.status == 200 && page.cookie(SESSION).is_none(), "looking begins nothing");
        ensure!(page.body.contains("action=\"/sign-in/link\""), "{}", page.body);
    }
    let (_, once) = path.split_once("once=").context("no secret")?;
    let form = format!("once={once}");
    let used = office.form("/sign-in/link", "", &form)?;
    let cookie = used.cookie(SESSION).context("no session")?;
    ensure!(used.status == 303 && office.with_cookie(&cookie)?.get("/api/devices").is_ok());
    let again = office.form("/sign-in/link", "", &form)?;
    ensure!(again.status == 403 && again.cookie(SESSION).is_none(), "twice");
    ensure!(office.ask("GET", path, &[], "")?.status == 403, "and that is said before the button");
    // There is no password to ask for again: what takes one takes another link.
    office.later(Duration::from_secs(6 * 60))?;
    let page = office.with_cookie(&cookie)?.ask("GET", "/connectors", "")?.body;
    ensure!(page.contains("run “dme console” again"), "{page}");
    ensure!(!page.contains("confirm_password"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_where_a_user_is_signed_in_and_ends_one_or_all() -> Result<()> {
    let office = Office::start()?;
    let ada = office.session("ada")?;
    let (one, other) = (signed_in(&office, "dora")?, signed_in(&office, "dora")?);
    let lives = |cookie: &str| -> Result<bool> {
        let answer = office.ask("GET", "/api/account", &[("Cookie", cookie)], "")?;
        Ok(answer.status == 200)
    };
    let path = format!("/api/users/dora@{REALM}/sessions");
    let all = ada.get(&path)?;
    ensure!(all.as_array().map(Vec::len) == Some(2), "{all}");
    for session in all.as_array().into_iter().flatten() {
        ensure!(session["of"] == "console" && session["client"] == "127.0.0.1", "{session}");
        ensure!(session["by"] == "password" && session["second_factor"] == false, "{session}");
        ensure!(session["began"].as_i64().is_some_and(|at| at > 0), "{session}");
    }
    let page = ada.ask("GET", &format!("/users/dora@{REALM}"), "")?.body;
    let (first, second) = (&all[0]["session"], &all[1]["session"]);
    for id in [first, second] {
        let id = id.as_str().context("no id")?;
        ensure!(page.contains(&format!("/do/users/dora@{REALM}/sessions/{id}/end")), "{page}");
    }
    // One of another's is not ended by it, nor one of hers by a name that is another's.
    let id = first.as_str().unwrap_or_default();
    let wrong = ada.ask("POST", &format!("/api/users/carl@{REALM}/sessions/{id}/end"), "")?;
    ensure!(wrong.status == 404 && lives(&one)? && lives(&other)?, "{}", wrong.body);
    let ended = ada.post(&format!("{path}/{id}/end"), &json!({}))?;
    ensure!(ended["ended"] == 1, "{ended}");
    ensure!(lives(&one)? != lives(&other)?, "one of them, and one alone");

    // Also those of the users' own page.
    let jar = office.path("jar");
    let jar = jar.to_str().context("a path")?;
    let form = format!("login=ann%40{REALM}&password={PASSWORD}");
    let sign_in = ["-c", jar, "--data", &form];
    let folder = office.path("");
    ensure!(curl(&folder, &sign_in, &office.own_url("/my/sign-in"))?.0 == 303);
    ensure!(curl(&folder, &["-b", jar], &office.own_url("/my"))?.0 == 200);
    let path = format!("/api/users/ann@{REALM}/sessions");
    let all = ada.get(&path)?;
    ensure!(all[0]["of"] == "my" && all[0]["by"] == "password", "{all}");
    let ended = ada.post(&format!("{path}/end"), &json!({}))?;
    ensure!(ended["ended"] == 1, "{ended}");
    ensure!(curl(&folder, &["-b", jar], &office.own_url("/my"))?.0 == 303, "she signs in again");
    let acts = ada.get("/api/audit?act=users.sessions.end")?;
    ensure!(acts.as_array().map(Vec::len) == Some(3), "{acts}");
    Ok(())
}
