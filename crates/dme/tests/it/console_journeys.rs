//! Administrators in a real browser: what each of them wants to get done, from the sign-in to the
//! phone that feels it.

use crate::console::{Kind, MAIL, Office, PASSWORD, PIXEL, REALM};
use anyhow::{Context, Result, ensure};
use dme_phone::{Error, Phone};
use dme_testkit::chromium::Chromium;
use serde_json::json;
use std::time::Duration;

/// A phone may call itself anything.
const TRICK: Kind<'_> = ("Android", "<script>document.title = 'x'</script>", "<b>1</b>");

/// The subjects in a phone's inbox, which it syncs for that.
pub async fn subjects(phone: &mut Phone) -> Result<Vec<String>> {
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    Ok(phone.items(&inbox)?.values().map(|mail| mail.subject.clone()).collect())
}

/// The button that has an endpoint do something.
fn button(act: &str) -> String {
    format!("form[action$=\"{act}\"] button")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_administrator_approves_a_connector_and_a_phone_and_wipes_it() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    let (_connector, fingerprint) = office.connector("paris")?;
    let mut phone = office.phone("ann", "PIXEL9", PIXEL)?;
    ensure!(subjects(&mut phone).await? == ["Your device is waiting to be approved"]);

    // For the first time, by a link made at the server. It opens the console once.
    let browser = Chromium::start()?;
    let said = office.dme(&["console", "--config", "server.toml"])?;
    let link = said.split_whitespace().find(|word| word.starts_with("http://"));
    let link = link.context("no link")?;
    browser.go(link)?;
    browser.click("form[action=\"/sign-in/link\"] button")?;
    browser.wait_for("h1", "Overview")?;
    let cookies = browser.cookies()?;
    let session = cookies.iter().find(|one| one["name"] == "__Host-dme-console");
    let session = session.context("the browser keeps the session's cookie")?;
    ensure!(session["httpOnly"] == true && session["secure"] == true, "{session}");
    ensure!(session["sameSite"] == "Lax", "{session}");
    let wants = browser.text(".wants")?;
    ensure!(wants.contains("One device waits"), "{wants}");
    ensure!(wants.contains("Connector paris waits to be approved"), "{wants}");

    // The connector, by its fingerprint.
    browser.click(".wants a[href=\"/connectors/paris\"]")?;
    ensure!(browser.text("dl")?.contains(&fingerprint), "{fingerprint}");
    browser.click(&button("/connectors/paris/unlock"))?;
    browser.wait_for(".notice", "Done")?;
    // It links, and the page says so by itself.
    browser.wait_for("dl .state", "running")?;

    // The phone, which has its mail then.
    browser.go(&office.url("/"))?;
    browser.click(".wants a[href*=\"admission=quarantined\"]")?;
    browser.click("tbody th a")?;
    browser.wait_for("h1", "Pixel 9")?;
    browser.click(&button("/PIXEL9/allow"))?;
    browser.wait_for("dl .state", "Allowed")?;
    ensure!(subjects(&mut phone).await? == ["real mail"], "the phone has its mail");

    many_at_once(&office, &browser).await?;
    a_connector_is_set(&office, &browser)?;
    // What became of it is on record: each by itself, and a policy setting by setting.
    let root = office.root()?;
    let acts = root.get("/api/audit?act=devices.allow")?;
    ensure!(acts.as_array().map(Vec::len) == Some(3), "{acts}");
    let edit = json!({"setting": "MinDevicePasswordLength", "value": "8", "revision": 0});
    root.post("/api/policy/setting", &edit)?;
    let acts = root.get("/api/audit?act=policy.setting")?;
    let change = &acts[0]["changes"][0];
    ensure!(change["what"] == "default: MinDevicePasswordLength", "{acts}");
    ensure!(change["before"].is_null() && change["after"] == "8", "{acts}");
    let waits = root.get("/api/log?kind=device_quarantined&device=PIXEL9")?;
    ensure!(waits["events"].as_array().map(Vec::len) == Some(1), "told of once: {waits}");

    // It is lost. The link is used up and too old for this: the password is asked for, which a
    // link has none of.
    office.later(Duration::from_secs(6 * 60))?;
    browser.go(link)?;
    browser.wait_for(".notice.bad", "used already")?;
    office.sign_in(&browser, "ada")?;
    office.later(Duration::from_secs(12 * 60))?;
    browser.go(&office.url(&format!("/devices/ann@{REALM}/PIXEL9")))?;
    browser.click("a[href$=\"/wipe?of=account\"]")?;
    let wipe = "form[action$=\"/wipe-account\"]";
    browser.write(&format!("{wipe} input[type=password]"), "wrong")?;
    browser.click(&format!("{wipe} button"))?;
    browser.wait_for(".notice", "wrong")?;
    // It is asked for again where it was wrong.
    browser.write(&format!("{wipe} input[type=password]"), PASSWORD)?;
    browser.click(&format!("{wipe} button"))?;
    browser.wait_for(".notice", "Done")?;
    browser.wait_for("dl", "requested (account)")?;
    let wiped = phone.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    browser.go(&browser.url()?)?;
    browser.wait_for("dl", "acknowledged (account)")?;
    Ok(())
}

/// Two more phones are let in by one act, and one is told what became of each.
async fn many_at_once(office: &Office, browser: &Chromium) -> Result<()> {
    for id in ["TABLET", "SECOND"] {
        office.phone("ann", id, PIXEL)?.folder_sync().await?;
    }
    browser.go(&office.url("/devices?admission=quarantined"))?;
    browser.click("input[value$=\"/TABLET\"]")?;
    browser.click("input[value$=\"/SECOND\"]")?;
    browser.click("#bulk button")?;
    browser.wait_for("h1", "Many devices")?;
    browser.click("form[action=\"/do/bulk/devices\"] button")?;
    for id in ["TABLET", "SECOND"] {
        browser.wait_for(".told", &format!("ann@{REALM}/{id}: Done"))?;
    }
    browser.go(&office.url("/devices"))?;
    browser.click("a[href*=\"kind=Android\"]")?;
    browser.wait_for("caption", "3 devices")?;
    browser.click("a[href*=\"admission=blocked\"]")?;
    browser.wait_for("caption", "0 devices")?;

    // Who forgets one is back at the others, and not at a page of what is gone.
    browser.go(&office.url(&format!("/devices/ann@{REALM}/TABLET")))?;
    browser.click(&button("/TABLET/remove"))?;
    browser.wait_for(".notice", "Done")?;
    browser.wait_for("caption", "2 devices")?;
    Ok(())
}

/// A connector is set, drained and asked how it is; and what would be were another one down.
fn a_connector_is_set(office: &Office, browser: &Chromium) -> Result<()> {
    let root = office.root()?;
    browser.go(&office.url("/connectors/paris"))?;
    browser.click("#tier option[value=failover]")?;
    browser.write("#parallel", "7")?;
    browser.click("input[name=off][value=notes]")?;
    browser.click(&button("/paris/set"))?;
    browser.wait_for(".notice", "Done")?;
    let settings = root.get("/api/connectors/paris/settings")?;
    let (holds, set) = (&settings["effective"], &settings["set"]);
    ensure!(holds["tier"] == "failover" && holds["parallel_calls"] == 7, "{settings}");
    ensure!(holds["off"] == json!(["notes"]), "{settings}");
    ensure!(set["scope"].is_null() && set["queued_calls"].is_null(), "the rest stays: {settings}");
    browser.click(&button("/paris/drain"))?;
    browser.wait_for("dl .state", "draining")?;
    browser.click(&button("/paris/resume"))?;
    browser.wait_for("dl .state", "running")?;
    browser.click(&button("/paris/diagnose"))?;
    browser.wait_for("section[aria-labelledby=diagnosis] table", "good")?;

    browser.go(&office.url("/routes"))?;
    browser.click("input[value=embedded]")?;
    browser.click("form[action=\"/routes\"] button")?;
    browser.wait_for(".notice.bad", "served by nobody")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_does_not_meet_others_and_an_auditor_changes_nothing() -> Result<()> {
    let office = Office::start()?;
    for (user, id, kind) in [("ann", "INSIDE", PIXEL), ("bob", "OUTSIDE", TRICK)] {
        office.mailbox(user, MAIL).await?;
        office.phone(user, id, kind)?.folder_sync().await?;
    }
    let inside = office.url(&format!("/devices/ann@{REALM}/INSIDE"));
    let outside = office.url(&format!("/devices/bob@{REALM}/OUTSIDE"));
    let browser = Chromium::start()?;

    office.sign_in(&browser, "dora")?;
    browser.go(&office.url("/devices"))?;
    let listed = browser.text("main")?;
    ensure!(listed.contains("ann@") && !listed.contains("bob@"), "a delegate's list: {listed}");
    ensure!(listed.contains("One device") && listed.contains("All 1"), "counts tell too: {listed}");
    browser.go(&outside)?;
    let refused = browser.text("main")?;
    ensure!(refused.contains("may not") && !refused.contains("script"), "{refused}");
    browser.go(&inside)?;
    browser.click(&button("/INSIDE/block"))?;
    browser.wait_for("dl .state", "Blocked")?;
    ensure!(!browser.has("a[href=\"/connectors/branch\"]")?);

    office.sign_in(&browser, "carl")?;
    for (page, (_, model, _)) in [(&inside, PIXEL), (&outside, TRICK)] {
        browser.go(page)?;
        ensure!(browser.text("h1")? == model, "an auditor sees everybody's, as they are");
        ensure!(!browser.has("main form button")?, "and is offered nothing to do");
    }
    // Nor is a form taken that he makes himself.
    let script = "const mark = document.querySelector('[name=csrf]').value; \
        const answer = await fetch(arguments[0], {method: 'POST', headers: {'x-csrf': mark}}); \
        return answer.status;";
    let path = format!("/api/devices/ann@{REALM}/INSIDE/allow");
    ensure!(browser.run(script, &[path.into()])? == 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_sign_out_and_by_itself() -> Result<()> {
    let office = Office::start()?;
    let browser = Chromium::start()?;
    // Where one wanted to go is where one comes to.
    browser.go(&office.url("/devices?q=ann"))?;
    browser.write("#login", "ada")?;
    browser.write("#password", "wrong")?;
    browser.click("main button")?;
    browser.wait_for(".notice.bad", "wrong")?;
    browser.write("#password", PASSWORD)?;
    browser.click("main button")?;
    browser.wait_for("h1", "Devices")?;
    ensure!(browser.url()?.ends_with("/devices?q=ann"), "{}", browser.url()?);

    browser.click("form[action=\"/sign-out\"] button")?;
    browser.wait_for("h1", "DME")?;
    // Not by going back either.
    browser.go(&office.url("/devices"))?;
    ensure!(browser.has("#password")?, "signed out");

    office.sign_in(&browser, "ada")?;
    browser.wait_for("h1", "Overview")?;
    office.later(Duration::from_secs(29 * 60))?;
    browser.go(&office.url("/users"))?;
    browser.wait_for("h1", "Users")?;
    office.later(Duration::from_secs(61 * 60))?;
    browser.go(&office.url("/users"))?;
    ensure!(browser.has("#password")?, "idle for more than half an hour");

    // Who has no role here does not get in.
    browser.write("#login", "bob")?;
    browser.write("#password", PASSWORD)?;
    browser.click("main button")?;
    browser.wait_for(".notice.bad", "no administrator's role")?;
    Ok(())
}
