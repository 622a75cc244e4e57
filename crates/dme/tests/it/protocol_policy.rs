//! Provision and what a server says that wants it (MS-ASPROV 3.1.5.1, 3.1.5.2).

use crate::protocol::{Findings, Speaker, folder_sync};
use crate::protocol_text::{has, request, text};
use crate::site::{Site, Wishes};
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_phone::Body;

fn provision(policy: &str) -> String {
    format!(
        "<Provision:Provision><Policies><Policy>{policy}</Policy></Policies></Provision:Provision>"
    )
}

/// What a phone says of itself.
const DEVICE: &str =
    "<Settings:DeviceInformation><Set><Model>Test</Model></Set></Settings:DeviceInformation>";

/// The first request for a policy: from 14.1 on the phone says with it what it is.
fn first(version: ProtocolVersion) -> String {
    let device = if version >= ProtocolVersion::V14_1 { DEVICE } else { "" };
    provision(WBXML).replacen("<Policies>", &format!("{device}<Policies>"), 1)
}

const WBXML: &str = "<PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>";

fn acknowledge(key: &str, status: u8) -> String {
    provision(&format!("{WBXML}<PolicyKey>{key}</PolicyKey><Status>{status}</Status>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_required_opens_only_to_its_acknowledged_key() -> Result<()> {
    let wishes = Wishes { server: "[policy]\nmode = \"required\"\n".into() };
    let site = Site::start(&wishes)?;
    let mut findings = Findings::default();
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let mut phone = Speaker::new(&site, "ann", version, &format!("policy{number}"))?;
        findings.section = format!("{version}");
        one_version(&mut phone, &mut findings).await.with_context(|| format!("{version}"))?;
    }
    wipe(&site, &mut findings).await?;
    findings.finish()
}

/// What a request without the right key is told: HTTP 449 in 12.1, a status from 14.0 on.
async fn refused(phone: &mut Speaker, f: &mut Findings, status: &str, why: &str) -> Result<()> {
    let body = Body::Element(request(&folder_sync("0"), b"")?);
    let reply = phone.raw(Command::FolderSync, body).await?;
    if phone.version() == ProtocolVersion::V12_1 {
        f.status(why, &reply, 449);
    } else {
        let answer = reply.element(Command::FolderSync)?.context("an empty answer")?;
        f.text(why, &answer, "Status", status);
    }
    Ok(())
}

async fn one_version(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    refused(phone, f, "142", "a phone without a policy must take it").await?;
    let other = provision("<PolicyType>MS-Other</PolicyType>");
    let answer = phone.ask(Command::Provision, &other).await?;
    f.text("an unknown type of policy is told as such", &answer, "Policies/Policy/Status", "3");
    let information =
        "<Settings:DeviceInformation><Set><Model>Test</Model></Set></Settings:DeviceInformation>";
    let download = if phone.version() >= ProtocolVersion::V14_1 {
        let answer = phone.ask(Command::Provision, &provision(WBXML)).await?;
        f.text("from 14.1 on a phone must say what it is", &answer, "Status", "165");
        let alone = format!("<Provision:Provision>{information}</Provision:Provision>");
        let answer = phone.ask(Command::Provision, &alone).await?;
        f.text("but not that alone", &answer, "Status", "2");
        provision(WBXML).replace("<Policies>", &format!("{information}<Policies>"))
    } else {
        provision(WBXML)
    };
    let answer = phone.ask(Command::Provision, &download).await?;
    f.text("the first phase goes well", &answer, "Status", "1");
    let document = "Policies/Policy/Data/EASProvisionDoc";
    f.that("it brings the policy", has(&answer, document), &answer.with_contents());
    f.text("which wants a code", &answer, &format!("{document}/DevicePasswordEnabled"), "1");
    let key = text(&answer, "Policies/Policy/PolicyKey").context("no key")?.to_owned();
    phone.client.policy_key = Some(key.parse()?);
    refused(phone, f, "142", "the first key opens nothing").await?;
    let answer = phone.ask(Command::Provision, &acknowledge("1", 1)).await?;
    f.text("a wrong key cannot be acknowledged", &answer, "Policies/Policy/Status", "5");
    for (applied, status, sentence) in [
        (4, "145", "a phone that another management rules"),
        (3, "139", "and one that is not ruled"),
    ] {
        let request = request(&acknowledge(&key, applied), b"")?;
        let reply = phone.raw(Command::Provision, Body::Element(request)).await?;
        if phone.version() == ProtocolVersion::V12_1 {
            f.status(&format!("{sentence} stays out"), &reply, 403);
        } else {
            let answer = reply.element(Command::Provision)?.context("an empty answer")?;
            f.text(&format!("{sentence} stays out"), &answer, "Status", status);
        }
    }
    let answer = phone.ask(Command::Provision, &acknowledge(&key, 1)).await?;
    f.text("the second phase goes well", &answer, "Policies/Policy/Status", "1");
    f.that("without the policy", !has(&answer, document), &answer.with_contents());
    let last = text(&answer, "Policies/Policy/PolicyKey").context("no key")?.to_owned();
    f.that("with another key", last != key, &last);
    phone.client.policy_key = Some(last.parse()?);
    let answer = phone.ask(Command::FolderSync, &folder_sync("0")).await?;
    f.text("that opens", &answer, "Status", "1");
    phone.client.policy_key = Some(1);
    refused(phone, f, "144", "any other does not").await?;
    phone.client.policy_key = None;
    refused(phone, f, "142", "nor none").await
}

/// The order to wipe is carried out once, and only its acknowledgement ends it.
async fn wipe(site: &Site, f: &mut Findings) -> Result<()> {
    f.section = "wipe".into();
    let mut phone = Speaker::new(site, "ann", ProtocolVersion::V16_1, "policy4")?;
    site.dme(&["device", "wipe", "ann@example.org", "policy4"])?;
    refused(&mut phone, f, "140", "a phone to be wiped is sent to Provision").await?;
    let answer = phone.ask(Command::Provision, "<Provision:Provision/>").await?;
    f.that("there it is told to wipe", has(&answer, "RemoteWipe"), &answer.with_contents());
    let done =
        "<Provision:Provision><RemoteWipe><Status>1</Status></RemoteWipe></Provision:Provision>";
    let answer = phone.ask(Command::Provision, done).await?;
    f.text("and says that it did", &answer, "Status", "1");
    refused(&mut phone, f, "129", "a wiped phone stays out").await
}

/// Goes through both phases; answers the length of code that the policy wants.
async fn provisioned(phone: &mut Speaker) -> Result<String> {
    let ask =
        if phone.client.policy_key.is_none() { first(phone.version()) } else { provision(WBXML) };
    let answer = phone.ask(Command::Provision, &ask).await?;
    let document = "Policies/Policy/Data/EASProvisionDoc";
    let wanted = text(&answer, &format!("{document}/MinDevicePasswordLength"));
    let wanted = wanted.with_context(|| answer.with_contents().to_string())?.to_owned();
    let key = text(&answer, "Policies/Policy/PolicyKey").context("no key")?;
    phone.client.policy_key = Some(key.parse()?);
    let answer = phone.ask(Command::Provision, &acknowledge(key, 1)).await?;
    let key = text(&answer, "Policies/Policy/PolicyKey").context("no key")?;
    phone.client.policy_key = Some(key.parse()?);
    Ok(wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_changes_is_taken_again_and_the_phone_goes_on() -> Result<()> {
    let policy = |length| format!("[policy]\nmode = \"required\"\npassword_length = {length}\n");
    let mut site = Site::start(&Wishes { server: policy(4) })?;
    let mut f = Findings::default();
    let mut phones = Vec::new();
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let mut phone = Speaker::new(&site, "ann", version, &format!("refresh{number}"))?;
        let wanted = provisioned(&mut phone).await?;
        f.that("the first policy is the first", wanted == "4", &wanted);
        let inbox = phone.folder("2").await?;
        let (_, at) = phone.everything(&inbox, "").await?;
        phones.push((phone, inbox, at));
    }
    let path = site.path("server.toml");
    let changed = std::fs::read_to_string(&path)?.replace(&policy(4), &policy(8));
    std::fs::write(&path, changed)?;
    site.crash_server()?;
    site.wait_ready()?;
    let mail = b"From: bob@example.org\r\nTo: ann@example.org\r\nSubject: meanwhile\r\n\r\nx\r\n";
    site.dovecot.deliver("ann@example.org", mail)?;
    for (mut phone, inbox, at) in phones {
        f.section = phone.version().to_string();
        let old = phone.client.policy_key;
        refused(&mut phone, &mut f, "143", "the old policy's key opens no more").await?;
        let wanted = provisioned(&mut phone).await?;
        f.that("the phone is given the new policy", wanted == "8", &wanted);
        f.that("and another key", phone.client.policy_key != old, &format!("{old:?}"));
        let answer = phone.sync(&at, &inbox, "<GetChanges>1</GetChanges>").await?;
        let subject = "Collections/Collection/Commands/Add/ApplicationData/Subject";
        f.text("it goes on where it was", &answer, subject, "meanwhile");
        let new = std::mem::replace(&mut phone.client.policy_key, old);
        refused(&mut phone, &mut f, "144", "the old key opens nothing for ever").await?;
        phone.client.policy_key = new;
        let answer = phone.ask(Command::FolderSync, &folder_sync("0")).await?;
        f.text("and the new one stays", &answer, "Status", "1");
    }
    f.finish()
}
