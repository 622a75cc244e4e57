//! A wipe in a real browser: what it would erase, the receipt, and a second administrator.

use crate::console::{Kind, MAIL, Office, PASSWORD, PIXEL, REALM};
use anyhow::{Context, Result, ensure};
use dme_phone::Error;
use dme_testkit::chromium::Chromium;
use serde_json::{Value, json};

const IPHONE: Kind<'_> = ("iPhone", "iPhone 17 Pro", "iOS 26.1");
const OUTLOOK: Kind<'_> = ("Outlook", "Outlook for iOS", "iOS 18.7");
/// One wipe an hour needs nobody else.
const LIMIT: &str = "wipes_per_hour = 1\n";

/// On the page before a wipe: shows the password, and has it done. Gives what the page says.
fn show_password(browser: &Chromium) -> Result<String> {
    browser.wait_for("h1", "Wipe the")?;
    let said = browser.text("main")?;
    browser.write("main input[type=password]", PASSWORD)?;
    browser.click("main button.grave")?;
    Ok(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_is_foretold_limited_confirmed_by_another_and_signed_for() -> Result<()> {
    let office = Office::start_with("[console]\nsecond_factor = \"optional\"\n", LIMIT)?;
    office.mailbox("ann", MAIL).await?;
    let mut phones = Vec::new();
    for (id, kind) in [("LOST", IPHONE), ("STOLEN", OUTLOOK)] {
        let mut phone = office.phone("ann", id, kind)?;
        phone.folder_sync().await?;
        phones.push(phone);
    }
    let browser = Chromium::start()?;
    office.sign_in(&browser, "ada")?;
    let page = |id: &str| office.url(&format!("/devices/ann@{REALM}/{id}"));
    let wiping = "section[aria-labelledby=wiping]";

    // What this app on this system will erase, and how many may be ordered.
    browser.go(&page("STOLEN"))?;
    let foretold = browser.text(wiping)?;
    ensure!(foretold.contains("Outlook removes its own data"), "{foretold}");
    browser.go(&page("LOST"))?;
    let foretold = browser.text(wiping)?;
    for part in [
        "The account is removed with its mail, calendars, contacts, reminders and notes",
        "Everything on the device is erased, private photos and files too",
        "1/1",
    ] {
        ensure!(foretold.contains(part), "{part}: {foretold}");
    }
    // A page of its own says it again and takes the password, though it was shown a moment ago.
    browser.click(&format!("{wiping} a[href$=\"/wipe?of=account\"]"))?;
    let said = show_password(&browser)?;
    ensure!(said.contains("The account is removed with its mail"), "{said}");
    ensure!(!said.contains("Everything on the device"), "{said}");
    browser.wait_for(".notice", "Done")?;
    ensure!(browser.text(wiping)?.contains("0/1"), "the limit is used up");
    let wiped = phones[0].folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");

    // Beyond the limit it waits, and whoever ordered it is not the second.
    browser.go(&page("STOLEN"))?;
    browser.click(&format!("{wiping} a[href$=\"/wipe?of=device\"]"))?;
    show_password(&browser)?;
    browser.wait_for(".notice", "waits until another administrator confirms it")?;
    phones[1].folder_sync().await?;
    browser.go(&office.url("/wipes"))?;
    let row = |id: &str| format!("tbody tr:has(a[href$=\"/{id}\"])");
    let confirm = format!("{} a[href*=\"/wipe?order=\"]", row("STOLEN"));
    browser.click(&confirm)?;
    show_password(&browser)?;
    browser.wait_for(".notice.bad", "another administrator must confirm it")?;
    browser.go(&office.url("/wipes"))?;
    ensure!(browser.text(&row("STOLEN"))?.contains("waits"), "confirmed by its own maker");

    office.sign_in(&browser, "alan")?;
    browser.go(&office.url("/"))?;
    browser.click(".wants a[href=\"/wipes\"]")?;
    browser.click(&confirm)?;
    let said = show_password(&browser)?;
    ensure!(said.contains(&format!("ada@{REALM}")), "who ordered it: {said}");
    ensure!(said.contains("Outlook removes its own data"), "{said}");
    browser.wait_for(".notice", "Done")?;
    ensure!(browser.text(&row("STOLEN"))?.contains("alan"), "it is not said who confirmed it");
    let wiped = phones[1].folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");

    // The receipt that the page links to says all of it, and is as the server signed it.
    browser.go(&office.url("/wipes"))?;
    browser.wait_for(&row("STOLEN"), "acknowledged")?;
    let fetched = "const link = document.querySelector(arguments[0]); \
        return await (await fetch(link.href)).text();";
    let link = format!("{} a[download]", row("STOLEN"));
    let receipt = browser.run(fetched, &[json!(link)])?;
    let receipt = receipt.as_str().context("no receipt")?;
    ensure!(serde_json::from_str::<Value>(receipt).is_ok(), "{receipt}");
    for part in ["STOLEN", &format!("ada@{REALM}"), &format!("alan@{REALM}")] {
        ensure!(receipt.contains(part), "{part}: {receipt}");
    }
    std::fs::write(office.path("receipt.json"), receipt)?;
    let verify = ["wipe", "verify", "receipt.json", "--config", "server.toml"];
    let verified = office.dme(&verify)?;
    ensure!(verified.contains("the signature fits"), "{verified}");
    ensure!(verified.contains(&format!("confirmed by alan@{REALM}")), "{verified}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_takes_the_password_each_time_and_a_link_is_good_for_one() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    for id in ["ONE", "TWO"] {
        office.phone("ann", id, PIXEL)?.folder_sync().await?;
    }
    let root = office.root()?;
    let wipe = |id: &str| format!("devices/ann@{REALM}/{id}/wipe-account");
    let orders =
        || -> Result<usize> { root.get("/api/wipes")?.as_array().map(Vec::len).context("no list") };
    let sign_in = |path: &str, form: &str| -> Result<String> {
        office.form(path, "", form)?.cookie("__Host-dme-console").context("no session")
    };
    // She signed in a moment ago, and shows her password for a token.
    let form = format!("login=ada%40{REALM}&password={PASSWORD}&back=%2F");
    let cookie = sign_in("/sign-in", &form)?;
    let ada = office.with_cookie(&cookie)?;
    let csrf = format!("csrf={}", ada.csrf());
    let shown = format!("{csrf}&name=x&duties=see&valid_days=1&confirm_password={PASSWORD}");
    let renewed = office.form("/do/api-tokens", &cookie, &shown)?;
    let cookie = renewed.cookie("__Host-dme-console").context("no session")?;
    // None of that counts for a wipe, by form, in bulk or by REST.
    let of_many = format!("{csrf}&devices=ann@{REALM}/ONE");
    for (path, form) in [(wipe("ONE").as_str(), &csrf), ("bulk/wipe-account", &of_many)] {
        let told = office.form(&format!("/do/{path}"), &cookie, form)?;
        let page = told.header("location").context("no page")?;
        let page = office.ask("GET", page, &[("Cookie", &cookie)], "")?.body;
        ensure!(page.contains("Show your password again"), "{path}: {page}");
    }
    let ada = office.with_cookie(&cookie)?;
    let refused = ada.ask("POST", &format!("/api/{}", wipe("ONE")), "")?;
    ensure!(refused.status == 403 && refused.body.contains("x-password"), "{}", refused.body);
    ensure!(orders()? == 0, "something was ordered");
    // The pages before it ask for it.
    for page in [
        format!("/devices/ann@{REALM}/ONE/wipe?of=device"),
        format!("/devices/bulk?act=wipe-account&devices=ann@{REALM}/ONE"),
    ] {
        let page = office.ask("GET", &page, &[("Cookie", &cookie)], "")?.body;
        ensure!(page.contains("confirm_password"), "{page}");
    }
    let device =
        office.ask("GET", &format!("/devices/ann@{REALM}/ONE"), &[("Cookie", &cookie)], "")?;
    ensure!(!device.body.contains("/wipe-account\""), "it is one click away");
    // With it a wipe is ordered, and one by one.
    let with = format!("{csrf}&confirm_password={PASSWORD}");
    let cookie = office.form(&format!("/do/{}", wipe("ONE")), &cookie, &with)?;
    let cookie = cookie.cookie("__Host-dme-console").context("no session")?;
    ensure!(orders()? == 1, "it was not ordered");
    office.form(&format!("/do/{}", wipe("TWO")), &cookie, &csrf)?;
    ensure!(orders()? == 1, "the password counted twice");

    // Who came by a link has none: it stands for one, once.
    let link = root.post("/api/console/link", &json!({}))?;
    let once = link["path"].as_str().and_then(|path| path.split_once("once=")).context("a link")?;
    let cookie = sign_in("/sign-in/link", &format!("once={}", once.1))?;
    let csrf = format!("csrf={}", office.with_cookie(&cookie)?.csrf());
    office.form(&format!("/do/{}", wipe("TWO")), &cookie, &csrf)?;
    ensure!(orders()? == 2, "a link is good for a wipe");
    office.form(&format!("/do/devices/ann@{REALM}/TWO/wipe"), &cookie, &csrf)?;
    ensure!(orders()? == 2, "a link is good for two wipes");
    Ok(())
}
