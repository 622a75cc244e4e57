//! The second language: on a German page no word of ours is English.

use crate::console::{PASSWORD, REALM};
use crate::console_pages::{busy, pages};
use crate::my::sign_in;
use anyhow::{Context, Result, ensure};
use dme_testkit::chromium::Chromium;
use std::collections::BTreeMap;
use std::path::Path;

/// English words that are no German ones.
const WORDS: [&str; 22] = [
    "the",
    "and",
    "is",
    "are",
    "of",
    "with",
    "not",
    "by",
    "for",
    "that",
    "this",
    "from",
    "has",
    "it",
    "its",
    "no",
    "yes",
    "waits",
    "may",
    "does",
    "running",
    "mail system",
];
/// What is as others named it: devices, a folder, a rule, a connector's check, a setting's value.
const GIVEN: [&str; 6] = ["Outlook for iOS", "the iPad", "Sent", "password", "mail", "none"];
/// From so many letters on a text is sought within others, too.
const LONG: usize = 15;

/// What a reader sees of a page and hears of it, but for what is quoted: names and values of
/// others, records, what systems behind the server say.
const READ: &str = "
    const quoted = 'code, pre, time, script, style, textarea, .free, .written, .quoted, [lang]:not(html), \
        section[aria-labelledby=events]';
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), texts = [];
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement.closest(quoted)) texts.push(walker.currentNode.data);
    }
    for (const at of document.querySelectorAll('[title], [aria-label]')) {
      if (!at.closest(quoted)) texts.push(at.getAttribute('title') || '', at.getAttribute('aria-label') || '');
    }
    return texts.map((text) => text.trim()).filter((text) => text);";

/// The texts of a language by their names: those that are one line.
fn texts(language: &str) -> Result<BTreeMap<String, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console/locales");
    let text = std::fs::read_to_string(folder.join(format!("{language}.ftl")))?;
    let lines = text.lines().filter(|line| !line.starts_with(' '));
    let pairs = lines.filter_map(|line| line.split_once(" = "));
    Ok(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
}

/// The English texts that are others in German, and no German text at all.
fn english() -> Result<Vec<String>> {
    let (english, german) = (texts("en")?, texts("de")?);
    let mut all: Vec<String> = english.into_values().collect();
    for setting in dme_policy::Setting::ALL {
        let about = setting.about();
        all.extend([about.meaning.to_owned(), about.note.to_owned()]);
    }
    all.retain(|text| {
        text.len() > 2 && !text.contains('{') && german.values().all(|one| one != text)
    });
    ensure!(all.len() > 400, "only {} texts", all.len());
    Ok(all)
}

/// What is English in what is read of a page.
fn found(read: &[String], english: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for text in read {
        // Lists and labels have names in them.
        let text = &GIVEN.iter().take(2).fold(text.clone(), |text, name| text.replace(name, "…"));
        if GIVEN.contains(&text.as_str()) {
            continue;
        }
        let whole =
            |one: &&String| *one == text || (one.len() >= LONG && text.contains(one.as_str()));
        let spaced = format!(
            " {} ",
            text.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != '_', " ")
        );
        let word = WORDS.iter().find(|word| spaced.contains(&format!(" {word} ")));
        if english.iter().any(|one| whole(&one)) || word.is_some() {
            found.push(format!("{text:?} {word:?}"));
        }
    }
    found.dedup();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_in_german_has_a_word_of_ours_in_english() -> Result<()> {
    let english = english()?;
    let (office, _connectors) = busy().await?;
    let root = office.root()?;
    let shown =
        serde_json::json!({"revision": 0, "setting": "MinDevicePasswordLength", "value": "6"});
    root.post("/api/policy/setting", &shown)?;
    let browser = Chromium::start()?;
    browser.trust_all()?;
    let mut wrong = Vec::new();
    let mut examine = |name: &str| -> Result<()> {
        let read = browser.run(READ, &[])?;
        let read = read.as_array().context("no texts")?.iter();
        let read: Vec<String> = read.filter_map(|text| text.as_str().map(str::to_owned)).collect();
        ensure!(read.len() > 1, "{name} is empty: {read:?}");
        wrong.extend(found(&read, &english).into_iter().map(|one| format!("{name}: {one}")));
        Ok(())
    };
    office.sign_in(&browser, "ada")?;
    browser.click("button[value=de]")?;
    browser.wait_for("h1", "Übersicht")?;
    for (name, path) in pages()? {
        browser.go(&office.url(&path))?;
        examine(&name)?;
    }
    // Why something was not done.
    browser.go(&office.url("/policies/try?setting=AllowCamera&value=perhaps"))?;
    examine("no-value")?;
    // All that is wrong with rules is ours, and named in German.
    browser.go(&office.url("/policies/try-group?act=put&name=all&os="))?;
    examine("everyone-in-a-group")?;
    let nameless = "/admission/try-rules?act=put&name=%20&device_type=iPhone&then=allow";
    browser.go(&office.url(nameless))?;
    examine("rule-without-a-name")?;
    browser.wait_for(".notice.bad", "kann nicht der Name einer Regel sein")?;
    browser.go(&office.url(&format!("/devices/ann@{REALM}/NONE")))?;
    examine("no-device")?;
    browser.go(&office.url("/connectors/nowhere"))?;
    examine("no-connector")?;

    browser.go(&office.own_url("/my"))?;
    sign_in(&browser, &format!("ann@{REALM}"), PASSWORD)?;
    browser.click("button[value=de]")?;
    for path in ["/my", "/my/away", "/my/nowhere", "/my/add/nothing"] {
        browser.go(&office.own_url(path))?;
        examine(path)?;
    }
    // A form of another session.
    browser.go(&office.own_url("/my"))?;
    browser.run(
        "document.querySelectorAll('[name=csrf]').forEach((it) => { it.value = 'x'; })",
        &[],
    )?;
    browser.click("button[value=light]")?;
    examine("my-form-old")?;
    ensure!(wrong.is_empty(), "{} texts are English:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

#[test]
fn a_text_that_was_left_in_english_is_found() -> Result<()> {
    let english = english()?;
    let is_found = |text: &str| !found(&[text.to_owned()], &english).is_empty();
    for text in [
        "Devices",
        "Needs a decision",
        "in the server's process",
        "Sehen Sie: A code is needed to unlock the device.",
        "waits to be unlocked",
    ] {
        ensure!(is_found(text), "{text}");
    }
    for text in ["Geräte", "Modell: iPhone 17 Pro", "S/MIME", "läuft"] {
        ensure!(!is_found(text), "{text}");
    }
    Ok(())
}
