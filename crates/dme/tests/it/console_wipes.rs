//! A wipe in a real browser: what it would erase, the receipt, and a second administrator.

use crate::console::{Kind, MAIL, Office, REALM};
use anyhow::{Context, Result, ensure};
use dme_phone::Error;
use dme_testkit::chromium::Chromium;
use serde_json::{Value, json};

const IPHONE: Kind<'_> = ("iPhone", "iPhone 17 Pro", "iOS 26.1");
const OUTLOOK: Kind<'_> = ("Outlook", "Outlook for iOS", "iOS 18.7");
/// One wipe an hour needs nobody else.
const LIMIT: &str = "wipes_per_hour = 1\n";

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
    browser.click(&format!("{wiping} form[action$=\"/wipe-account\"] button"))?;
    browser.wait_for(".notice", "Done")?;
    ensure!(browser.text(wiping)?.contains("0/1"), "the limit is used up");
    let wiped = phones[0].folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");

    // Beyond the limit it waits, and whoever ordered it is not the second.
    browser.go(&page("STOLEN"))?;
    browser.click(&format!("{wiping} form[action$=\"/wipe\"] button"))?;
    browser.wait_for(".notice", "waits until another administrator confirms it")?;
    phones[1].folder_sync().await?;
    browser.go(&office.url("/wipes"))?;
    let row = |id: &str| format!("tbody tr:has(a[href$=\"/{id}\"])");
    let confirm = format!("{} form[action$=\"/confirm\"] button", row("STOLEN"));
    browser.click(&confirm)?;
    browser.wait_for(".notice.bad", "")?;
    ensure!(browser.text(&row("STOLEN"))?.contains("waits"), "confirmed by its own maker");

    office.sign_in(&browser, "alan")?;
    browser.go(&office.url("/"))?;
    browser.click(".wants a[href=\"/wipes\"]")?;
    browser.click(&confirm)?;
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
