//! Every page as it is seen: in both themes, wide and on a phone, by the eye (`console_pictures`), by
//! axe, and by the keyboard.

use crate::console::{Kind, Office, PASSWORD, REALM};
use crate::console_pictures::{ON_PHONES, THEMES, are_shown, picture, pictures};
use crate::console_signing_in::code;
use crate::my::sign_in;
use crate::protocol_pyactivesync::python_with;
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use dme_testkit::chromium::Chromium;
use dme_testkit::ports::wait_until;
use dme_testkit::process::Process;
use serde_json::{Value, json};
use std::time::Duration;

/// Where axe-core comes from: the package has nothing else that is used.
const AXE: &str = "axe-playwright-python==0.1.8";
/// The rules of WCAG 2.2 AA, as axe-core calls them.
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
const WIDE: (u32, u32) = (1280, 800);
const NARROW: (u32, u32) = (390, 844);
const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';

/// Whose devices there are: user, device id, what it is.
const DEVICES: [(&str, &str, Kind<'_>); 8] = [
    ("ann", "F2LX81QHN70M", ("iPhone", "iPhone 17 Pro", "iOS 26.1")),
    ("ann", "DMPQ20XGTY4K", ("iPad", "iPad Air", "iPadOS 26.1")),
    ("bob", "ANDROIDC7410983", ("Android", "Pixel 9", "Android 16")),
    ("chen", "SEC1D52A9F03B6", ("SamsungDevice", "Galaxy S25", "Android 15")),
    ("emma", "OUTLOOK5C81E7A2", ("Outlook", "Outlook for iOS", "iOS 18.7")),
    ("farid", "NINE7B03D9E614", ("Android", "Fairphone 6", "Android 15")),
    ("grace", "F17ZK4RDPLJM", ("iPhone", "iPhone SE", "iOS 17.7")),
    ("grace", "MOTO88A1C0D2E5", ("Android", "Moto G84", "Android 14")),
];

/// An office with something to look at.
pub async fn busy() -> Result<(Office, Vec<Process>)> {
    let office = Office::start()?;
    let root = office.root()?;
    for (user, id, kind) in DEVICES {
        let mail = format!("To: {user}@{REALM}\r\nSubject: Welcome\r\n\r\nHello\r\n");
        office.mailbox(user, mail.as_bytes()).await?;
        let mut phone = office.phone(user, id, kind)?;
        phone.folder_sync().await?;
        if !["NINE7B03D9E614", "MOTO88A1C0D2E5"].contains(&id) {
            root.allow(user, id)?;
            phone.folder_sync().await?;
            phone.sync(&phone.inbox()?).await?;
        }
    }
    office.ask_as("ann", "POST", "/api/my/certificates", "{\"label\": \"the iPad\"}")?;
    office.ask_as("ann", "POST", "/api/my/passwords", "{\"label\": \"Thunderbird\"}")?;
    root.post(&format!("/api/devices/bob@{REALM}/ANDROIDC7410983/block"), &json!({}))?;
    root.post(&format!("/api/devices/grace@{REALM}/F17ZK4RDPLJM/wipe-account"), &json!({}))?;
    for (name, duties) in [("monitoring", json!(["see"])), ("helpdesk", json!(["see", "operate"]))]
    {
        let token = json!({"name": name, "duties": duties, "valid_days": 90});
        root.post("/api/api-tokens", &token)?;
    }
    root.post("/api/behaviour/suggested", &json!({"revision": 0}))?;
    let terms = "Your phone may be wiped when it is lost.\nReport a lost phone at once.";
    root.post("/api/terms", &json!({ "text": terms }))?;
    let again = format!("/api/devices/ann@{REALM}/F2LX81QHN70M/send-again");
    root.post(&again, &json!({"folder": 5}))?;
    let lyon = office.lyon(&root)?;
    root.post("/api/connectors/lyon/diagnose", &json!({}))?;
    let (paris, _) = office.connector("paris")?;
    Ok((office, vec![lyon, paris]))
}

/// Every page there is, each with an example of what it is of.
pub fn pages() -> Result<Vec<(String, String)>> {
    let mut pages = vec![
        ("refused".to_owned(), "/nowhere".to_owned()),
        ("connector-waiting".to_owned(), "/connectors/paris".to_owned()),
        ("user-sessions".to_owned(), format!("/users/ada@{REALM}")),
    ];
    let examples = [
        ("{user}", format!("ann@{REALM}")),
        ("{device}", DEVICES[0].1.to_owned()),
        ("{connector}", "lyon".to_owned()),
    ];
    let table = dme_console::pages::table();
    for page in table.iter().filter(|page| page.kind.starts_with("text/html")) {
        let mut path = page.path.to_owned();
        for (name, example) in &examples {
            path = path.replace(name, example);
        }
        ensure!(!path.contains('{'), "what is an example of {}?", page.path);
        path.push_str(match page.path {
            "/devices/bulk" => {
                "?act=wipe-account&devices=ann@example.org/F2LX81QHN70M\
                 &devices=emma@example.org/OUTLOOK5C81E7A2"
            }
            "/devices/{user}/{device}/wipe" => "?of=device",
            "/routes" => "?down=embedded",
            "/policies/try" => "?setting=MinDevicePasswordLength&value=8",
            "/policies/try-group" => "?act=put&name=iPhones&device_type=iPhone",
            "/admission/try-rules" => "?act=put&name=old&os=Android%2014*&then=block",
            _ => "",
        });
        let words: Vec<&str> = page.path.split('/').filter(|word| !word.is_empty()).collect();
        let name = match words.last() {
            None => "overview".to_owned(),
            Some(&"policy") => "device-policy".to_owned(),
            Some(last) => last.trim_matches(['{', '}']).to_owned(),
        };
        pages.push((name, path));
    }
    // Last, when there is something to draw.
    pages.sort_by_key(|(name, _)| ["overview", "statistics"].contains(&name.as_str()));
    Ok(pages)
}

fn axe() -> Result<String> {
    let python = python_with("axe", &["--no-deps", AXE])?;
    let environment = python.ancestors().nth(2).context("the environment")?;
    let version = std::fs::read_dir(environment.join("lib"))?.next().context("no python")??;
    let script = version.path().join("site-packages/axe_playwright_python/axe.min.js");
    Ok(std::fs::read_to_string(script)?)
}

/// What a page has against WCAG 2.2 AA: rule, what is wrong, where.
fn violations(browser: &Chromium, axe: &str) -> Result<Vec<String>> {
    let script = format!(
        "{axe}; const found = await axe.run(document, {{runOnly: arguments[0], \
         resultTypes: ['violations']}}); return found.violations;"
    );
    let found = browser.run(&script, &[json!(TAGS)])?;
    let told = |one: &Value| {
        let nodes = one["nodes"].as_array().into_iter().flatten();
        let nodes: Vec<String> =
            nodes.map(|node| format!("{} {}", node["html"], node["failureSummary"])).collect();
        format!("{}: {}\n    {}", one["id"], one["help"], nodes.join("\n    "))
    };
    Ok(found.as_array().into_iter().flatten().map(told).collect())
}

/// That nothing of the page is beyond its right edge, nor hidden until one scrolls sideways, but for
/// what is as it was written.
fn is_within(browser: &Chromium) -> Result<bool> {
    let script = "const main = document.querySelector('main');
        return document.documentElement.scrollWidth <= innerWidth
            && main.scrollWidth <= main.clientWidth";
    Ok(browser.run(script, &[])? == true)
}

/// Cells that say a number or a moment, and on a phone not of what: there the head of a table is not
/// seen. What a row begins with is what it is about.
fn unlabelled(browser: &Chromium) -> Result<Vec<String>> {
    let script = "return Array.from(document.querySelectorAll('tbody td:not([data-label])'))
        .filter((cell) => cell.cellIndex > 0 && !cell.querySelector('a, button, input, .state'))
        .map((cell) => cell.innerText.trim())
        .filter((text) => text && !/\\p{L}{2}/u.test(text))";
    let found = browser.run(script, &[])?;
    let texts = found.as_array().into_iter().flatten();
    Ok(texts.filter_map(|text| text.as_str().map(str::to_owned)).collect())
}

/// The users' own pages, each as one comes to it.
fn own_pages(
    office: &Office,
    browser: &Chromium,
    examine: &mut impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    office
        .root()?
        .post("/api/terms", &json!({"text": "Lock your phone. Tell us when it is lost."}))?;
    browser.trust_all()?;
    browser.go(&office.own_url("/my"))?;
    examine("my-sign-in")?;
    sign_in(browser, &format!("ann@{REALM}"), PASSWORD)?;
    browser.write("#passwords ~ form input[name=label]", "typewriter")?;
    browser.click("form[action=\"/my/do/passwords\"] button")?;
    browser.wait_for("h1", "A password")?;
    examine("my-password")?;
    browser.go(&office.own_url("/my"))?;
    browser.write("#certificates ~ form input[name=label]", "iPhone 17 Pro")?;
    browser.click("form[action=\"/my/do/certificates\"] button")?;
    browser.wait_for("h1", "A certificate")?;
    examine("my-certificate")?;
    browser.go(&office.own_url("/my"))?;
    browser.run("document.querySelector('details').open = true", &[])?;
    examine("my")?;
    browser.go(&office.own_url("/my/away"))?;
    examine("my-away")?;
    browser.go(&office.own_url("/my"))?;
    browser.write("#name", "Pixel 9")?;
    browser.click("input[name=with_certificate]")?;
    browser.click("form[action=\"/my/do/invitations\"] button")?;
    browser.wait_for("h1", "Add a device")?;
    let link = browser.text("main code")?;
    examine("my-code")?;
    browser.go(&link)?;
    examine("my-add")?;
    browser.click("form[action$=\"/typed\"] button")?;
    browser.wait_for(".notice", "shown this once")?;
    examine("my-typed")?;
    browser.go(&link)?;
    examine("my-refused")
}

/// An authenticator is set up before one is let in, and the codes for its loss are shown.
fn where_a_second_factor_is_required(
    browser: &Chromium,
    examine: &mut impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    let strict = Office::start_with("", "")?;
    browser.forget_cookies()?;
    browser.go(&strict.url("/sign-in"))?;
    browser.write("#login", &format!("ada@{REALM}"))?;
    browser.write("#password", PASSWORD)?;
    browser.click("main button")?;
    browser.wait_for("main", "authenticator")?;
    browser.go(&strict.url("/sign-in/code"))?;
    examine("sign-in-enrol")?;
    let secret = browser.text("main code")?;
    browser.write("#code", &code(&secret, 0)?)?;
    browser.click("main button")?;
    browser.wait_for("main li", "")?;
    examine("sign-in-recovery")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_both_themes_wide_and_narrow() -> Result<()> {
    let axe = axe()?;
    let (office, _connectors) = busy().await?;
    let browser = Chromium::start()?;
    let (mut wrong, mut shown) = (Vec::new(), Vec::new());
    // The page where the browser is.
    let mut examine = |name: &str| -> Result<()> {
        let title = browser.run("return document.title", &[])?;
        let title = title.as_str().unwrap_or_default().replace(" – DME", "");
        shown.push((name.to_owned(), title));
        for (width, height) in [WIDE, NARROW] {
            browser.resize(width, height)?;
            if !is_within(&browser)? {
                wrong.push(format!("{name} is wider than {width}"));
            }
            if (width, height) == NARROW {
                let texts = unlabelled(&browser)?;
                wrong.extend(texts.iter().map(|text| format!("{name}: of what is {text:?}?")));
            }
            for theme in THEMES {
                browser.prefer(theme)?;
                let found = violations(&browser, &axe)?;
                wrong.extend(found.iter().map(|one| format!("{name} {theme} {width}: {one}")));
                let Some((folder, all)) = pictures() else { continue };
                if width == WIDE.0 {
                    picture(&browser, &folder, &format!("{name}-{theme}"))?;
                } else if all || ON_PHONES.contains(&name) {
                    picture(&browser, &folder, &format!("{name}-phone-{theme}"))?;
                }
            }
        }
        browser.resize(WIDE.0, WIDE.1)?;
        browser.prefer("light")
    };
    browser.go(&office.url("/sign-in"))?;
    examine("sign-in")?;
    let link = office.root()?.post("/api/console/link", &json!({}))?;
    browser.go(&office.url(link["path"].as_str().context("no link")?))?;
    examine("sign-in-link")?;
    office.sign_in(&browser, "ada")?;
    // Fields for the password are there, too.
    office.later(Duration::from_secs(6 * 60))?;
    for (name, path) in pages()? {
        if name == "overview" && pictures().is_some() {
            // What was counted is written down once a minute.
            wait_until("something was counted", PATIENCE, || {
                let counted = office.root()?.get("/api/statistics?by=hour")?;
                Ok(counted.as_array().is_some_and(|hours| !hours.is_empty()))
            })?;
        }
        browser.go(&office.url(&path))?;
        examine(&name)?;
    }
    // An authenticator that is set up, and the code that is asked for from then on.
    let carl = office.session("carl")?;
    let offered = carl.post("/api/account/second-factor", &json!({}))?;
    let secret = offered["secret"].as_str().context("no secret")?;
    office.sign_in(&browser, "carl")?;
    browser.go(&office.url("/account"))?;
    examine("second-factor")?;
    let code = json!({"code": code(secret, 6 * 60)?});
    carl.post("/api/account/second-factor/confirm", &code)?;
    browser.forget_cookies()?;
    browser.go(&office.url("/sign-in"))?;
    browser.write("#login", &format!("carl@{REALM}"))?;
    browser.write("#password", PASSWORD)?;
    browser.click("main button")?;
    browser.wait_for("main", "authenticator")?;
    browser.go(&office.url("/sign-in/code"))?;
    examine("sign-in-code")?;
    where_a_second_factor_is_required(&browser, &mut examine)?;
    own_pages(&office, &browser, &mut examine)?;
    ensure!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
    are_shown(&shown)
}

/// What has the focus, and whether that is seen.
fn focus(browser: &Chromium) -> Result<(String, bool)> {
    let script = "const at = document.activeElement, style = getComputedStyle(at); \
        const text = at.innerText || at.getAttribute('aria-label') || at.name || at.tagName; \
        return [text.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]";
    let found = browser.run(script, &[])?;
    Ok((found[0].as_str().unwrap_or_default().to_owned(), found[1] == true))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_goes_everywhere_in_the_order_of_the_page() -> Result<()> {
    let (office, _connectors) = busy().await?;
    let browser = Chromium::start()?;
    browser.go(&office.url("/devices"))?;
    // The first field has the focus already; everything is done by keys.
    browser.run("document.querySelector('#login').value = arguments[0]", &[json!("ada")])?;
    browser.press(TAB)?;
    ensure!(focus(&browser)?.0 == "password", "{:?}", focus(&browser)?);
    browser.write("#password", crate::console::PASSWORD)?;
    browser.press(ENTER)?;
    browser.wait_for("h1", "Devices")?;

    let mut order = Vec::new();
    for _ in 0..32 {
        browser.press(TAB)?;
        let (text, is_seen) = focus(&browser)?;
        ensure!(is_seen, "the focus on {text:?} is not seen");
        order.push(text);
    }
    let expected = ["Skip to the content", "DME", "Overview", "Devices", "Users", "Wipes"];
    ensure!(order.starts_with(&expected.map(str::to_owned)), "{order:?}");
    for wanted in ["Deutsch", "Sign out", "q", "Find"] {
        ensure!(order.iter().any(|text| text == wanted), "{wanted}: {order:?}");
    }

    // The first stop leads past the places.
    browser.go(&office.url("/devices"))?;
    browser.press(TAB)?;
    browser.press(ENTER)?;
    browser.press(TAB)?;
    ensure!(focus(&browser)?.0 == "q", "past the places: {:?}", focus(&browser)?);
    // Keys of the page's own.
    browser.go(&office.url("/devices"))?;
    for key in ['j', 'j', 'k'] {
        browser.press(key)?;
    }
    let first = browser.text("tbody th a")?;
    ensure!(focus(&browser)? == (first, true), "{:?}", focus(&browser)?);
    browser.press('/')?;
    ensure!(focus(&browser)?.0 == "q");
    browser.press('j')?;
    ensure!(browser.run("return document.activeElement.value", &[])? == "j", "a letter is one");

    // Another language and another theme, for the pages to come.
    browser.click("button[value=de]")?;
    browser.wait_for("h1", "Geräte")?;
    browser.click("button[value=dark]")?;
    browser.wait_for("h1", "Geräte")?;
    ensure!(browser.run("return document.documentElement.dataset.theme", &[])? == "dark");
    ensure!(browser.run("return document.documentElement.lang", &[])? == "de");
    Ok(())
}
