//! What administrators and delegates get done by the interface, and what becomes of it.

use crate::console::{Caller, Kind, Office, PASSWORD, PIXEL, REALM};
use crate::site::{PATIENCE, curl};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::wait_until;
use serde_json::{Value, json};
use std::time::Duration;

const OLD: Kind<'_> = ("Android", "Nokia 3310", "Android 4");

/// Ann's phone, who is Dora's, and Bob's, who is not.
async fn two_phones(office: &Office) -> Result<()> {
    for (user, id) in [("ann", "INSIDE"), ("bob", "OUTSIDE")] {
        office.mailbox(user, b"Subject: hello\r\n\r\nHello\r\n").await?;
        office.phone(user, id, PIXEL)?.folder_sync().await?;
    }
    Ok(())
}

/// How a device stands: whether it is let in, and its wipe.
fn standing(office: &Office, user: &str, device: &str) -> Result<(String, String)> {
    let all = office.root()?.get(&format!("/api/devices/{user}@{REALM}"))?;
    let all = all.as_array().context("no list")?;
    let one = all.iter().find(|one| one["device"] == device).context("no such device")?;
    let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
    Ok((word("admission"), word("wipe")))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_devices_a_delegate_changes_those_within_their_bounds() -> Result<()> {
    let office = Office::start()?;
    two_phones(&office).await?;
    let dora = office.session("dora")?.with_password();
    let devices = json!([format!("bob@{REALM}/OUTSIDE"), format!("ann@{REALM}/INSIDE")]);
    let blocked = dora.post("/api/bulk/devices", &json!({"act": "block", "devices": devices}))?;
    let wiped = dora.post("/api/bulk/wipe-account", &json!({ "devices": devices }))?;
    for done in [&blocked, &wiped] {
        let [outside, inside] = [&done["results"][0], &done["results"][1]];
        ensure!(outside["done"] == false && inside["done"] == true, "{done}");
        ensure!(outside["said"].as_str().is_some_and(|said| said.contains("may not")), "{done}");
    }
    let is = |admission: &str, wipe: &str| (admission.to_owned(), wipe.to_owned());
    ensure!(standing(&office, "ann", "INSIDE")? == is("blocked", "requested (account)"));
    ensure!(standing(&office, "bob", "OUTSIDE")? == is("quarantined", "none"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_has_the_orders_to_wipe_of_their_own_and_no_others() -> Result<()> {
    // Every order waits for a second person.
    let optional = "[console]\nsecond_factor = \"optional\"\n";
    let office = Office::start_with(optional, "wipes_per_hour = 0\n")?;
    two_phones(&office).await?;
    let [ada, dora] = ["ada", "dora"].map(|name| office.session(name));
    let (ada, dora) = (ada?.with_password(), dora?.with_password());
    let order =
        |user: &str, device: &str| format!("/api/devices/{user}@{REALM}/{device}/wipe-account");
    dora.post(&order("ann", "INSIDE"), &json!({}))?;
    ada.post(&order("bob", "OUTSIDE"), &json!({}))?;
    let numbers = |orders: &Value| -> Vec<u64> {
        let orders = orders.as_array().into_iter().flatten();
        orders.filter_map(|order| order["number"].as_u64()).collect()
    };
    ensure!(numbers(&dora.get("/api/wipes")?) == [1], "hers");
    ensure!(numbers(&ada.get("/api/wipes")?) == [2, 1], "all");
    let page = dora.ask("GET", "/wipes", "")?;
    ensure!(page.status == 200 && page.body.contains("INSIDE"), "{}", page.body);
    ensure!(!page.body.contains("OUTSIDE") && !page.body.contains("bob@"), "{}", page.body);
    let overview = dora.ask("GET", "/", "")?.body;
    ensure!(overview.contains("One wipe waits for a second administrator"), "{overview}");
    let overview = ada.ask("GET", "/", "")?.body;
    ensure!(overview.contains("2 wipes wait for a second administrator"), "{overview}");

    let receipt = dora.get("/api/wipes/1/receipt")?;
    ensure!(receipt["receipt"]["device"] == "INSIDE", "{receipt}");
    // What is outside is refused as what is not there.
    for number in [2, 3] {
        for (method, act) in [("GET", "receipt"), ("POST", "confirm"), ("POST", "cancel")] {
            let refused = dora.ask(method, &format!("/api/wipes/{number}/{act}"), "")?;
            ensure!(refused.status == 403, "{number} {act}: {} {}", refused.status, refused.body);
        }
    }
    // A second person confirms: not whoever ordered it, and also a delegate whose device it is.
    let alone = dora.ask("POST", "/api/wipes/1/confirm", "")?;
    ensure!(alone.status == 409 && alone.body.contains("another administrator"), "{}", alone.body);
    let cancelled = dora.post("/api/wipes/1/cancel", &json!({}))?;
    ensure!(cancelled["state"] == "cancelled", "{cancelled}");
    ada.post(&order("ann", "INSIDE"), &json!({}))?;
    let confirmed = dora.post("/api/wipes/3/confirm", &json!({}))?;
    ensure!(confirmed["state"] == "ordered", "{confirmed}");
    ensure!(confirmed["confirmed_by"] == format!("dora@{REALM}"), "{confirmed}");
    ensure!(standing(&office, "ann", "INSIDE")?.1 == "requested (account)");

    // What happened to a device is told to whoever has it.
    let device = format!("/devices/ann@{REALM}/INSIDE");
    let kind = "device_quarantined";
    wait_until("it is written down", PATIENCE, || {
        Ok(dora.get(&format!("/api{device}/events"))?.to_string().contains(kind))
    })?;
    let page = dora.ask("GET", &device, "")?.body;
    ensure!(page.contains(kind) && !page.contains("href=\"/log?user"), "{page}");
    let events = dora.get(&format!("/api{device}/events?limit=50"))?;
    let events = events["events"].as_array().context("no events")?;
    ensure!(events.iter().any(|event| event["kind"] == kind), "{events:?}");
    ensure!(events.iter().all(|event| event["device"] == "INSIDE"), "{events:?}");
    let refused = dora.ask("GET", &format!("/api/devices/bob@{REALM}/OUTSIDE/events"), "")?;
    ensure!(refused.status == 403, "{}", refused.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_ordered_once_and_takes_nothing_from_the_administrators_limit() -> Result<()>
{
    let optional = "[console]\nsecond_factor = \"optional\"\n";
    let office = Office::start_with(optional, "wipes_per_hour = 2\n")?;
    two_phones(&office).await?;
    for _ in 0..10 {
        let lost = office.ask_as("ann", "POST", "/api/my/devices/INSIDE/lost", "{}")?;
        let said: Value = serde_json::from_str(&lost.1)?;
        ensure!(lost.0 == 200 && said["erasure"] == "next_contact", "{lost:?}");
        ensure!(said["warning"].is_null() && said["device"]["admission"] == "blocked", "{said}");
    }
    let root = office.root()?;
    let orders = root.get("/api/wipes")?;
    ensure!(orders.as_array().map(Vec::len) == Some(1), "ordered once: {orders}");
    ensure!(orders[0]["by"] == format!("ann@{REALM}"), "{orders}");
    let wiped = root.post(&format!("/api/devices/bob@{REALM}/OUTSIDE/wipe"), &json!({}))?;
    ensure!(wiped["warning"].is_null(), "an administrator's waits for nobody: {wiped}");
    // Her phone hears of it, and what users are told are words for users.
    let mut phone = office.phone("ann", "INSIDE", PIXEL)?;
    let heard = phone.folder_sync().await;
    ensure!(matches!(heard, Err(dme_phone::Error::Wiped(_))), "{heard:?}");
    let mut old = office.phone("ann", "OLD", OLD)?;
    old.client.account.version = dme_eas::ProtocolVersion::V14_1;
    old.folder_sync().await?;
    let lost = office.ask_as("ann", "POST", "/api/my/devices/OLD/lost", "{}")?;
    let said: Value = serde_json::from_str(&lost.1)?;
    ensure!(said["erasure"] == "not", "{said}");
    let words = said["warning"].as_str().context("no words")?;
    ensure!(words.contains("protocol is too old") && !words.contains("dme "), "{words}");
    // On her page in her language, once.
    let jar = office.path("jar");
    let browser = ["-b", jar.to_str().context("a path")?, "-H", "Accept-Language: de"];
    let look = |more: &[&str], path: &str| -> Result<String> {
        let (_, page) = curl(&office.path(""), &[&browser, more].concat(), &office.own_url(path))?;
        Ok(String::from_utf8(page)?)
    };
    let form = format!("login=ann%40{REALM}&password={PASSWORD}");
    look(&["-c", browser[1], "--data", &form], "/my/sign-in")?;
    let page = look(&[], "/my")?;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).context("no csrf")?;
    let form = format!("csrf={}", csrf.split('"').next().unwrap_or_default());
    let page = look(&["-L", "--data", &form], "/my/do/devices/OLD/lost")?;
    ensure!(page.contains("Sein Protokoll ist zu alt"), "{page}");
    ensure!(!look(&[], "/my")?.contains("Sein Protokoll ist zu alt"), "it is told again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_takes_two_people_and_a_token_is_no_second_one() -> Result<()> {
    // Every order waits for a second person.
    let optional = "[console]\nsecond_factor = \"optional\"\n";
    let office = Office::start_with(optional, "wipes_per_hour = 0\n")?;
    two_phones(&office).await?;
    let [ada, alan] = ["ada", "alan"].map(|name| office.session(name));
    let (ada, alan, root) = (ada?.with_password(), alan?.with_password(), office.root()?);
    let token = |maker: &Caller<'_>, name: &str| -> Result<Caller<'_>> {
        let new = json!({"name": name, "duties": ["operate"], "valid_days": 1});
        let made = maker.post("/api/api-tokens", &new)?;
        Ok(office.bearer(made["token"].as_str().context("no token")?))
    };
    let (hers, nobodys) = (token(&ada, "ada-ci")?, token(&root, "ci")?);
    let order = |by: &Caller<'_>| -> Result<u64> {
        by.post(&format!("/api/devices/ann@{REALM}/INSIDE/wipe-account"), &json!({}))?;
        root.get("/api/wipes")?[0]["number"].as_u64().context("no order")
    };
    let confirm =
        |by: &Caller<'_>, number| by.ask("POST", &format!("/api/wipes/{number}/confirm"), "");
    let call_off = |number| root.post(&format!("/api/wipes/{number}/cancel"), &json!({}));

    // By her session, and by her token: it is she.
    for (by, others) in [(&ada, [&ada, &hers]), (&hers, [&ada, &hers])] {
        let number = order(by)?;
        for other in others {
            let refused = confirm(other, number)?;
            ensure!(refused.status == 409, "{} {}", refused.status, refused.body);
            ensure!(refused.body.contains(&format!("ada@{REALM} ordered")), "{}", refused.body);
        }
        let refused = confirm(&nobodys, number)?;
        ensure!(refused.status == 409 && refused.body.contains("nobody can tell"));
        call_off(number)?;
    }
    // At the server everybody is one and the same, and may be whoever has a token.
    let config = ["--config", "server.toml"];
    for by in [&root, &nobodys, &hers] {
        let number = order(by)?;
        let refused =
            office.dme(&[&["wipe", "confirm", &number.to_string()], &config[..]].concat());
        ensure!(refused.is_err(), "confirmed at the command line");
        let refused = confirm(&nobodys, number)?;
        ensure!(refused.status == 409, "{}", refused.body);
        call_off(number)?;
    }
    // Another person is another, and the receipt says whose the token was.
    let number = order(&hers)?;
    confirm(&alan, number)?;
    let receipt = root.get(&format!("/api/wipes/{number}/receipt"))?;
    let receipt = &receipt["receipt"];
    ensure!(receipt["ordered_by"] == format!("token ada-ci of ada@{REALM}"), "{receipt}");
    ensure!(receipt["confirmed_by"] == format!("alan@{REALM}"), "{receipt}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_and_where_a_connector_links_take_a_password_shown_just_now() -> Result<()> {
    let office = Office::start()?;
    let form = format!("login=ada%40{REALM}&password={PASSWORD}&back=%2F");
    let cookie = office.form("/sign-in", "", &form)?.cookie("__Host-dme-console");
    let cookie = cookie.context("no session")?;
    let ada = office.with_cookie(&cookie)?;
    office.later(Duration::from_secs(6 * 60))?;
    // Each may have phones erase themselves, or has a connector believe another server.
    for (method, path) in [
        ("POST", "/api/policy"),
        ("POST", "/api/policy/setting"),
        ("POST", "/api/policy/groups"),
        ("POST", "/api/policy/groups/raise"),
        ("POST", "/api/policy/groups/remove"),
        ("POST", "/api/devices/ann@example.org/INSIDE/policy"),
        ("POST", "/api/devices/ann@example.org/INSIDE/policy/setting"),
        ("POST", "/api/connectors/paris/move"),
        ("POST", "/api/connectors/paris/configuration"),
        ("DELETE", "/api/connectors/paris/configuration"),
    ] {
        let refused = ada.ask(method, path, "{}")?;
        ensure!(refused.status == 403 && refused.body.contains("just now"), "{method} {path}");
    }
    // The page on which a change is tried asks for it.
    let tried = "/policies/try?setting=MaxDevicePasswordFailedAttempts&value=4&revision=0";
    let page = office.ask("GET", tried, &[("Cookie", &cookie)], "")?.body;
    ensure!(page.contains("confirm_password"), "{page}");
    let change = format!(
        "csrf={}&setting=MaxDevicePasswordFailedAttempts&value=4&revision=0&push=true",
        ada.csrf()
    );
    let revision =
        || -> Result<Option<u64>> { Ok(office.root()?.get("/api/policy")?["revision"].as_u64()) };
    office.form("/do/policy/setting", &cookie, &change)?;
    ensure!(revision()? == Some(0), "it was changed without a password");
    let with = format!("{change}&confirm_password={PASSWORD}");
    office.form("/do/policy/setting", &cookie, &with)?;
    ensure!(revision()? == Some(1), "it was not changed");
    Ok(())
}

/// What a look at a book gives under this name, and its revision.
fn book(office: &Office, path: &str) -> Result<(Value, u64)> {
    let book = office.root()?.get(path)?;
    let revision = book["revision"].as_u64().context("no revision")?;
    Ok((book, revision))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_devices_are_made_raised_and_removed_one_at_a_time() -> Result<()> {
    let office = Office::start()?;
    two_phones(&office).await?;
    let ada = office.session("ada")?;
    let mut revision = 0;
    for (name, user) in [("weak", "*"), ("strong", "ann*")] {
        let new = json!({"name": name, "user": user, "revision": revision});
        let made = ada.post("/api/policy/groups", &new)?;
        revision = made["revision"].as_u64().context("no revision")?;
    }
    for (group, length) in [("weak", "7"), ("strong", "9")] {
        let edit = json!({"group": group, "setting": "MinDevicePasswordLength", "value": length,
            "revision": revision});
        let set = ada.post("/api/policy/setting", &edit)?;
        revision = set["revision"].as_u64().context("no revision")?;
    }
    let order = || -> Result<Vec<String>> {
        let (levels, _) = book(&office, "/api/policy")?;
        Ok(names(&levels["levels"]["groups"]).into_iter().map(str::to_owned).collect())
    };
    let length = |user: &str, device: &str| -> Result<Value> {
        let path = format!("/api/devices/{user}@{REALM}/{device}/policy");
        Ok(ada.get(&path)?["effective"]["settings"]["MinDevicePasswordLength"]["value"].clone())
    };
    ensure!(order()? == ["strong", "weak"], "the last that is made is the strongest");
    ensure!(length("ann", "INSIDE")? == 9 && length("bob", "OUTSIDE")? == 7);
    let (_, revision) = book(&office, "/api/policy")?;
    ada.post("/api/policy/groups/raise", &json!({"name": "weak", "revision": revision}))?;
    ensure!(order()? == ["weak", "strong"] && length("ann", "INSIDE")? == 7, "raised");
    let stale = json!({"name": "weak", "revision": revision}).to_string();
    ensure!(ada.ask("POST", "/api/policy/groups/raise", &stale)?.status == 409, "another's change");
    // Its members change, and its name: where it stands and what it says stay.
    let (_, revision) = book(&office, "/api/policy")?;
    let edit = json!({"name": "bobs", "user": "bob*", "instead_of": "weak", "revision": revision});
    ada.post("/api/policy/groups", &edit)?;
    ensure!(order()? == ["bobs", "strong"], "{:?}", order()?);
    ensure!(length("bob", "OUTSIDE")? == 7 && length("ann", "INSIDE")? == 9, "others are in it");
    let (_, revision) = book(&office, "/api/policy")?;
    let gone = json!({"name": "x", "user": "*", "instead_of": "weak", "revision": revision});
    ensure!(ada.ask("POST", "/api/policy/groups", &gone.to_string())?.status == 404);
    ada.post("/api/policy/groups/remove", &json!({"name": "bobs", "revision": revision}))?;
    ensure!(order()? == ["strong"] && length("ann", "INSIDE")? == 9, "removed");
    ensure!(length("bob", "OUTSIDE")? != 7, "with what it said");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_admission_and_behaviour_are_made_and_removed_one_at_a_time() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", b"Subject: hello\r\n\r\nHello\r\n").await?;
    let ada = office.session("ada")?;
    let (_, revision) = book(&office, "/api/admission")?;
    let new = json!({"name": "old ones", "agent": "Nokia*", "then": "block", "reason": "too old",
        "revision": revision});
    let made = ada.post("/api/admission/rules", &new)?;
    let new = json!({"name": "pixels", "agent": "Pixel*", "then": "allow",
        "revision": made["revision"]});
    ada.post("/api/admission/rules", &new)?;
    let (admission, revision) = book(&office, "/api/admission")?;
    ensure!(names(&admission["rules"]["rules"]) == ["pixels", "old ones"], "{admission}");
    // They decide of the next phone that comes.
    let mut admitted = Vec::new();
    for (id, kind) in [("FIRST", PIXEL), ("SECOND", OLD)] {
        office.phone("ann", id, kind)?.folder_sync().await.ok();
        admitted.push(standing(&office, "ann", id)?.0);
    }
    ensure!(admitted == ["allowed", "blocked"], "{admitted:?}");
    ada.post("/api/admission/rules/remove", &json!({"name": "pixels", "revision": revision}))?;
    let (admission, revision) = book(&office, "/api/admission")?;
    ensure!(names(&admission["rules"]["rules"]) == ["old ones"], "{admission}");
    office.phone("ann", "THIRD", PIXEL)?.folder_sync().await.ok();
    ensure!(standing(&office, "ann", "THIRD")?.0 == "quarantined", "as without the rule");
    let gone = json!({"name": "pixels", "revision": revision}).to_string();
    ensure!(ada.ask("POST", "/api/admission/rules/remove", &gone)?.status == 404);

    let (_, mut revision) = book(&office, "/api/behaviour")?;
    for (name, then) in [("noisy", "slow"), ("broken", "tell")] {
        let new = json!({"name": name, "counts": "requests", "threshold": 500,
            "within_minutes": 10, "then": then, "slow_minutes": 5, "revision": revision});
        let made = ada.post("/api/behaviour/rules", &new)?;
        revision = made["revision"].as_u64().context("no revision")?;
    }
    let (behaviour, _) = book(&office, "/api/behaviour")?;
    let rules = &behaviour["rules"]["rules"];
    ensure!(names(rules) == ["noisy", "broken"], "{behaviour}");
    ensure!(rules[0]["threshold"] == 500 && rules[0]["counts"] == "requests", "{behaviour}");
    // One is changed where it stands, and the other counts before it.
    let edit = json!({"name": "loud", "counts": "errors", "threshold": 50, "within_minutes": 5,
        "then": "block", "instead_of": "noisy", "revision": revision});
    let changed = ada.post("/api/behaviour/rules", &edit)?;
    let raise = json!({"name": "broken", "revision": changed["revision"]});
    let raised = ada.post("/api/behaviour/rules/raise", &raise)?;
    let (behaviour, _) = book(&office, "/api/behaviour")?;
    let rules = &behaviour["rules"]["rules"];
    ensure!(names(rules) == ["broken", "loud"], "{behaviour}");
    ensure!(rules[1]["counts"] == "errors" && rules[1]["within"] == "5m", "{behaviour}");
    let told = ada.get("/api/audit?act=behaviour.rules.raise")?;
    ensure!(told[0]["changes"].to_string().contains("place 1"), "{told}");
    let edit = ada.ask("GET", "/behaviour?edit=loud", "")?.body;
    ensure!(edit.contains("name=\"instead_of\" value=\"loud\""), "{edit}");
    let remove = json!({"name": "loud", "revision": raised["revision"]});
    ada.post("/api/behaviour/rules/remove", &remove)?;
    let (behaviour, _) = book(&office, "/api/behaviour")?;
    ensure!(names(&behaviour["rules"]["rules"]) == ["broken"], "{behaviour}");
    let acts = ada.get("/api/audit?act=behaviour.rules")?;
    ensure!(acts.as_array().map(Vec::len) == Some(3), "{acts}");
    Ok(())
}
