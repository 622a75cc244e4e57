//! Users in a real browser: from the sign-in at `/my` to the phone that feels it.

use crate::console_journeys::subjects;
use crate::my::{ANN, PASSWORD, World, is_refused, sign_in};
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use dme_phone::Error;
use dme_testkit::chromium::Chromium;
use dme_testkit::ports::wait_until;

/// A browser in which Ann is signed in.
fn signed_in(world: &World) -> Result<Chromium> {
    let browser = Chromium::start()?;
    browser.trust_all()?;
    browser.go(&world.page("/my"))?;
    browser.write("#login", ANN)?;
    browser.write("#password", "wrong")?;
    browser.click("main button")?;
    browser.wait_for(".notice.bad", "wrong")?;
    sign_in(&browser, ANN, PASSWORD)?;
    Ok(browser)
}

/// The button that has an endpoint do something.
fn button(act: &str) -> String {
    format!("form[action=\"/my/do/{act}\"] button")
}

/// A link to add a device with, as the page shows it.
fn invite(world: &World, browser: &Chromium, name: &str) -> Result<String> {
    browser.go(&world.page("/my"))?;
    browser.write("#name", name)?;
    browser.click(&button("invitations"))?;
    browser.wait_for("h1", "Add a device")?;
    ensure!(browser.has(".qr-code svg path")?, "a code to scan");
    browser.text("main code")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_adds_a_phone_names_it_and_shuts_it_out_when_it_is_lost() -> Result<()> {
    let world = World::start("device_passwords = \"allowed\"", "[my]\nterms_before_mail = true\n")?;
    world.publish_terms("Lock your phone.")?;
    let browser = signed_in(&world)?;
    ensure!(browser.text("main")?.contains("No phone or tablet has used"), "nothing yet");

    // By a link, on a phone where nobody is signed in, typed in with a password made for it.
    let link = invite(&world, &browser, "the new one")?;
    browser.forget_cookies()?;
    browser.go(&link)?;
    let typed = browser.text("dl")?;
    ensure!(typed.contains(&format!("localhost:{}", world.phones)), "the server: {typed}");
    ensure!(typed.contains(ANN), "the user name: {typed}");
    browser.click("form[action$=\"/typed\"] button")?;
    browser.wait_for(".notice", "shown this once")?;
    let password = browser.run(
        "return [...document.querySelectorAll('dl code')].map(code => code.innerText)[2]",
        &[],
    )?;
    let password = password.as_str().context("no password")?.to_owned();
    let mut phone = world.phone("PIXEL9", &password)?;
    ensure!(subjects(&mut phone).await? == ["Your device is waiting to be approved"]);

    // Used up, also for whoever finds it later; in words that say what to do.
    browser.go(&link)?;
    browser.wait_for("main", "make another")?;

    // It waits for the terms, and not for an administrator.
    drop(browser);
    let browser = signed_in(&world)?;
    ensure!(browser.text("pre")? == "Lock your phone.");
    browser.click("form[action^=\"/my/do/terms/\"] button")?;
    browser.wait_for(".notice", "Done")?;
    ensure!(subjects(&mut phone).await?.is_empty(), "its own mail, of which there is none");

    // With a name of one's own.
    browser.go(&world.page("/my"))?;
    browser.click("details summary")?;
    browser.write("details input[name=label]", "Pixel of the garden")?;
    browser.click(&button("devices/PIXEL9/label"))?;
    browser.wait_for("details summary", "Pixel of the garden")?;
    ensure!(browser.text("table")?.contains("PIXEL9"), "whose password it is");

    // Another by a profile, which is there once.
    let link = invite(&world, &browser, "iPad")?;
    browser.download_to(world.folder.path())?;
    browser.go(&link)?;
    browser.click("form[action$=\"/profile\"] button")?;
    let profile = world.folder.path().join("mail.mobileconfig");
    wait_until("the profile is loaded", PATIENCE, || Ok(profile.exists()))?;
    let profile = String::from_utf8_lossy(&std::fs::read(profile)?).into_owned();
    ensure!(profile.contains("com.apple.eas.account"), "a profile of an account");
    browser.go(&link)?;
    browser.wait_for("main", "make another")?;

    // Its password taken back, a phone is a stranger.
    let other = world.own("/api/my/passwords", None)?;
    ensure!(other[1]["label"] == "iPad" && other[1]["device"].is_null(), "{other}");
    browser.go(&world.page("/my"))?;
    browser.write("#passwords ~ form input[name=label]", "typed by hand")?;
    browser.click(&button("passwords"))?;
    browser.wait_for("h1", "A password for a device")?;
    let password = browser.run("return document.querySelectorAll('dl code')[1].innerText", &[])?;
    let password = password.as_str().context("no password")?.to_owned();
    world.phone("TABLET", &password)?.folder_sync().await?;
    browser.go(&world.page("/my"))?;
    browser.click(&button("passwords/3/revoke"))?;
    browser.wait_for(".notice", "Done")?;
    ensure!(is_refused(world.phone("TABLET", &password)?).await, "its password is taken back");

    // Lost: shut out and erased at once.
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)", &[])?;
    browser.click(&button("devices/PIXEL9/lost"))?;
    browser.wait_for(".notice", "Done")?;
    let wiped = phone.folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    browser.go(&world.page("/my"))?;
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)", &[])?;
    let shown = browser.text("#devices ~ details:has(form[action*=PIXEL9])")?;
    ensure!(shown.contains("Blocked") && shown.contains("erased"), "{shown}");

    // In another language, too, with all that is said.
    browser.click("button[value=de]")?;
    browser.wait_for("h1", "Meine Geräte")?;
    Ok(())
}
