//! Policies in a real browser, from a group that is made to the phone that does what it says; and
//! rules of admission, tried before they are applied.

use crate::console::{MAIL, MOTO, Office, PIXEL, REALM, shortest};
use anyhow::{Result, ensure};
use dme_phone::{Error, Phone};
use dme_testkit::chromium::Chromium;
use serde_json::json;

const LENGTH: &str = "MinDevicePasswordLength";
/// What the configuration says of it.
const CONFIGURED: Option<u8> = Some(6);

/// Opens what a page keeps folded.
fn unfold(browser: &Chromium) -> Result<()> {
    browser
        .run("document.querySelectorAll('details').forEach((it) => { it.open = true; })", &[])?;
    Ok(())
}

/// The form by which something is said of a setting.
fn form(setting: &str) -> String {
    format!("form.search:has(input[name=setting][value={setting}])")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_changed_for_a_group_and_a_device_and_the_phone_follows() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    let mut phone = office.phone("ann", "PIXEL9", PIXEL)?;
    phone.folder_sync().await?;
    office.phone("ann", "MOTO", MOTO)?.folder_sync().await?;
    office.root()?.allow("ann", "PIXEL9")?;
    ensure!(shortest(&mut phone).await? == CONFIGURED);
    let browser = Chromium::start()?;
    office.sign_in(&browser, "ada")?;

    // A group is made, and it is seen before who is in it.
    browser.go(&office.url("/policies"))?;
    browser.click("main > details > summary")?;
    browser.write("form.fields input[name=name]", "new phones")?;
    browser.write("form.fields input[name=os]", "Android 16*")?;
    browser.click("form.fields button")?;
    browser.wait_for("h1", "new phones")?;
    let members = browser.text("section[aria-labelledby=members]")?;
    ensure!(members.contains("One device is in it"), "{members}");
    ensure!(members.contains(&format!("ann@{REALM} PIXEL9")), "{members}");
    browser.click("form[action=\"/do/policy/groups\"] button")?;
    browser.wait_for(".notice", "Done")?;

    // It says something, and it is seen before whom that affects.
    browser.click("ol.levels a[href=\"/policies?group=new+phones\"]")?;
    browser.wait_for("ol.levels a[aria-current]", "new phones")?;
    unfold(&browser)?;
    browser.write(&format!("{} input[name=value]", form(LENGTH)), "8")?;
    browser.click(&format!("{} button", form(LENGTH)))?;
    browser.wait_for("h1", &format!("{LENGTH}: 8"))?;
    let changed = browser.text("section[aria-labelledby=changed]")?;
    ensure!(changed.contains("Changes for one device"), "{changed}");
    ensure!(changed.contains(&format!("PIXEL9: {LENGTH}: 6 → 8")), "{changed}");
    ensure!(shortest(&mut phone).await? == CONFIGURED, "it was looked at only");
    browser.click("form[action=\"/do/policy/setting\"] button")?;
    browser.wait_for(".notice", "Done")?;
    ensure!(shortest(&mut phone).await? == Some(8), "the phone has it");

    the_device_says_otherwise(&office, &browser, &mut phone).await?;

    // A level of which phones are told nothing says so.
    let enforce = |word: &str| {
        let root = office.root()?;
        let revision = &root.get("/api/policy")?["revision"];
        let edit = json!({
            "group": "new phones", "setting": "Enforcement", "value": word, "revision": revision,
        });
        root.post("/api/policy/setting", &edit)
    };
    let group = office.url("/policies?group=new+phones");
    browser.go(&group)?;
    ensure!(!browser.has(".notice.ask")?, "it is the configuration's: required");
    enforce("off")?;
    browser.go(&group)?;
    browser.wait_for(".notice.ask", "told none of this")?;
    browser.go(&office.url("/policies"))?;
    ensure!(!browser.has(".notice.ask")?, "everybody else is");
    enforce("required")?;

    // Other members are given to it with all that it says, and it is seen before who they are.
    let edit = "form.fields:has(input[name=instead_of])";
    let members = |os: &str| -> Result<String> {
        browser.go(&group)?;
        unfold(&browser)?;
        browser.write(&format!("{edit} input[name=os]"), os)?;
        browser.click(&format!("{edit} button"))?;
        browser.wait_for("h1", "Change the group: new phones")?;
        let changed = browser.text("section[aria-labelledby=changed]")?;
        browser.click("form[action=\"/do/policy/groups\"] button")?;
        browser.wait_for(".notice", "Done")?;
        Ok(changed)
    };
    let changed = members("Android 15*")?;
    ensure!(changed.contains(&format!("PIXEL9: {LENGTH}: 8 → 6")), "{changed}");
    ensure!(shortest(&mut phone).await? == CONFIGURED, "it is not in it any more");
    let changed = members("Android 16*")?;
    ensure!(changed.contains(&format!("PIXEL9: {LENGTH}: 6 → 8")), "{changed}");
    ensure!(shortest(&mut phone).await? == Some(8), "what the group says stayed");

    // Without the group the phone is free again, which is seen before, too.
    browser.go(&office.url("/policies"))?;
    browser.click("form:has(input[value=remove]) button")?;
    let changed = browser.text("section[aria-labelledby=changed]")?;
    ensure!(changed.contains(&format!("PIXEL9: {LENGTH}: 8 → 6")), "{changed}");
    browser.click("form[action=\"/do/policy/groups/remove\"] button")?;
    browser.wait_for(".notice", "Done")?;
    ensure!(shortest(&mut phone).await? == CONFIGURED);
    Ok(())
}

/// On the device's page its own level is set, locked and taken back.
async fn the_device_says_otherwise(
    office: &Office,
    browser: &Chromium,
    phone: &mut Phone,
) -> Result<()> {
    let page = office.url(&format!("/devices/ann@{REALM}/PIXEL9"));
    browser.go(&page)?;
    let policy = "section[aria-labelledby=policy]";
    let holds = browser.text(policy)?;
    ensure!(holds.contains(LENGTH) && holds.contains("the group new phones"), "{holds}");
    browser.click(&format!("{policy} a.button"))?;
    browser.wait_for("h1", "own policy")?;
    unfold(browser)?;
    let own = form(LENGTH);
    browser.write(&format!("{own} input[name=value]"), "17")?;
    browser.click(&format!("{own} button"))?;
    browser.wait_for(".notice.bad", "1 – 16")?;
    unfold(browser)?;
    browser.write(&format!("{own} input[name=value]"), "10")?;
    browser.click(&format!("{own} input[name=locked]"))?;
    browser.click(&format!("{own} button"))?;
    browser.wait_for(".notice", "Done")?;
    ensure!(shortest(phone).await? == Some(10), "the device's own level prevails");
    browser.go(&page)?;
    let row = format!("{policy} tr:has(a[href$=\"#{LENGTH}\"])");
    let holds = browser.text(&row)?;
    for part in ["10", "Locked", "the device's own level"] {
        ensure!(holds.to_lowercase().contains(&part.to_lowercase()), "{part}: {holds}");
    }
    browser.click(&format!("{row} button"))?;
    browser.wait_for(".notice", "Done")?;
    ensure!(browser.text(&row)?.contains("the group new phones"));
    ensure!(shortest(phone).await? == Some(8));

    // What is locked above cannot be said here.
    let lock = json!({"setting": "AllowCamera", "value": "false", "locked": true, "revision": 2});
    office.root()?.post("/api/policy/setting", &lock)?;
    browser.go(&format!("{page}/policy"))?;
    unfold(browser)?;
    ensure!(!browser.has(&form("AllowCamera"))?, "there is a form for what is locked");
    ensure!(browser.text("main")?.contains("Locked by: Default"), "it is not said who locks it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_admission_are_tried_ordered_edited_and_applied() -> Result<()> {
    let office = Office::start()?;
    let [mut new, mut old] = office.phones_of_ann().await?;
    let browser = Chromium::start()?;
    office.sign_in(&browser, "ada")?;
    let rule = "section[aria-labelledby=new] form";
    let make = |name: &str, field: &str, pattern: &str, then: &str| -> Result<()> {
        browser.go(&office.url("/admission"))?;
        browser.write(&format!("{rule} input[name=name]"), name)?;
        browser.write(&format!("{rule} input[name={field}]"), pattern)?;
        browser.click(&format!("{rule} option[value={then}]"))?;
        browser.click(&format!("{rule} button"))?;
        browser.wait_for("h1", name)?;
        let judged = browser.text("section[aria-labelledby=changed]")?;
        ensure!(judged.contains("2 devices"), "{name}: {judged}");
        browser.click("form[action=\"/do/admission/rules\"] button")?;
        browser.wait_for(".notice", "Done")
    };
    make("our own", "device_type", "Android", "allow")?;
    // One before it is sterner; by the protocol it is for both.
    make("too old", "protocol", "16.*", "block")?;
    let rules = office.root()?.get("/api/admission")?;
    ensure!(rules["rules"]["rules"][0]["devices"] == json!({"protocol": ["16.*"]}), "{rules}");

    // It is meant for old systems only: edited, and asked later.
    browser.click("tbody th a[href*=\"too+old\"]")?;
    browser.write(&format!("{rule} input[name=protocol]"), "16.*")?;
    browser.write(&format!("{rule} input[name=os]"), "Android 14*")?;
    browser.write(&format!("{rule} input[name=reason]"), "ask for another phone")?;
    browser.click(&format!("{rule} button"))?;
    let judged = browser.text("section[aria-labelledby=changed]")?;
    ensure!(judged.contains("PIXEL9: Quarantined → Allowed (by the rule our own)"), "{judged}");
    ensure!(judged.contains("MOTO: Quarantined → Blocked (by the rule too old)"), "{judged}");
    browser.click("form[action=\"/do/admission/rules\"] button")?;
    browser.wait_for(".notice", "Done")?;
    browser.click("form:has(input[value=raise]):has(input[value=\"our own\"]) button")?;
    let judged = browser.text("section[aria-labelledby=changed]")?;
    ensure!(
        judged.contains("MOTO: Quarantined → Allowed"),
        "asked first it lets both in: {judged}"
    );
    browser.click("a[href=\"/admission\"]:not(nav a)")?;

    // Beside the rules.
    let beside = "section[aria-labelledby=beside] form";
    browser.click(&format!("{beside} option[value=block]"))?;
    browser.write(&format!("{beside} input[name=per_user]"), "2")?;
    browser.click(&format!("{beside} button"))?;
    browser.click("form[action=\"/do/admission/otherwise\"] button")?;
    browser.wait_for(".notice", "Done")?;
    let rules = office.root()?.get("/api/admission")?;
    ensure!(rules["rules"]["per_user"] == 2, "{rules}");
    ensure!(rules["rules"]["otherwise"]["outcome"] == "block", "{rules}");

    // Nothing changes for those who are there until it is seen for whom.
    new.folder_sync().await?;
    browser.click("main > form button")?;
    let judged = browser.text("section[aria-labelledby=changed]")?;
    ensure!(judged.contains("something else of 2 devices"), "{judged}");
    browser.click("form[action=\"/do/admission/apply\"] button")?;
    browser.wait_for(".notice", "Done")?;
    new.folder_sync().await?;
    let refused = old.folder_sync().await;
    ensure!(matches!(refused, Err(Error::Refused { status: 129, .. })), "{refused:?}");
    Ok(())
}
