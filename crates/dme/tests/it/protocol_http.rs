//! What goes round the commands: HTTP, the query, the login (MS-ASHTTP), and Autodiscover.

use crate::protocol::{Findings, Speaker, folder_sync};
use crate::protocol_text::request;
use crate::site::{REALM, Site, USERS};
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::{Body, QueryForm};
use std::time::Duration;

/// MS-ASHTTP.
pub async fn http(site: &Site, f: &mut Findings) -> Result<()> {
    f.section = "MS-ASHTTP".into();
    let mut client = site.phone("ann")?.client;
    let path = client.account.address.path.clone();
    let reply = client.send("OPTIONS", &path, None, Bytes::new()).await?;
    f.status("OPTIONS is answered", &reply, 200);
    for (header, expected) in [
        ("ms-asprotocolversions", "12.1,14.0,14.1,16.0,16.1"),
        ("allow", "OPTIONS,POST"),
        ("public", "OPTIONS,POST"),
        ("cache-control", "private"),
        ("content-length", "0"),
    ] {
        let value = reply.header(header).unwrap_or("nothing");
        f.that(&format!("OPTIONS says {header}: {expected}"), value == expected, &value);
    }
    f.that("OPTIONS names the release", reply.header("ms-server-activesync").is_some(), &"none");
    let commands = reply.header("ms-asprotocolcommands").unwrap_or_default().to_owned();
    for command in Command::ALL {
        let named = commands.split(',').any(|name| name == command.name());
        f.that(&format!("OPTIONS names {}", command.name()), named, &commands);
    }
    let who = "User=ann&DeviceId=http1&DeviceType=Test";
    for (query, expected, sentence) in [
        (format!("DeviceId=a&{who}"), 400, "a query without Cmd is refused"),
        (format!("Cmd=Nonsense&{who}"), 501, "an unknown command is not implemented"),
        ("Cmd=Sync&User=ann&DeviceType=Test".into(), 400, "a query without DeviceId is refused"),
        ("Cmd=Sync&User=ann&DeviceId=a".into(), 400, "a query without DeviceType is refused"),
        ("Cmd=Sync&User=ann&DeviceId=a%2Fb&DeviceType=T".into(), 400, "so is an odd DeviceId"),
        (STANDARD.encode([161, 0, 9]), 400, "so is base64 that breaks off"),
        (
            STANDARD.encode([191, 0, 9, 4, 1, 65, 0, 1, 84]),
            400,
            "and one of a version there is not",
        ),
        (STANDARD.encode([120, 0, 9, 4, 1, 65, 0, 1, 84]), 505, "12.0 is not spoken"),
        (String::new(), 400, "and no query at all"),
    ] {
        let target = format!("{path}?{query}");
        let reply = client.send("POST", &target, None, Bytes::new()).await?;
        f.status(sentence, &reply, expected);
    }
    let reply = client.send("GET", &path, None, Bytes::new()).await?;
    f.status("GET is no method of the protocol", &reply, 405);
    let allow = reply.header("allow").unwrap_or("nothing").to_owned();
    f.that("and is told what is", allow == "OPTIONS,POST", &allow);
    let mut wrong = site.phone_as(&format!("ann@{REALM}"), "wrong-password")?.client;
    let reply =
        wrong.command(Command::Ping, Parameters::default(), Body::Empty, Duration::ZERO).await?;
    f.status("a wrong password is unauthorised", &reply, 401);
    let challenge = reply.header("www-authenticate").unwrap_or_default().to_owned();
    f.that("with a Basic challenge", challenge.starts_with("Basic"), &challenge);
    let eve = USERS[2];
    let mut eve = site.phone_as(&format!("{}@{REALM}", eve.0), eve.1)?.client;
    let reply = eve.send("OPTIONS", &path, None, Bytes::new()).await?;
    f.status("one who may not is forbidden", &reply, 403);

    let mut packed = Speaker::new(site, "ann", ProtocolVersion::V14_1, "packed")?;
    packed.client.account.query = QueryForm::Base64;
    let answer = packed.ask(Command::FolderSync, &folder_sync("0")).await?;
    f.text("a base64 query is understood", &answer, "Status", "1");
    let wbxml = Body::Element(request(&folder_sync("0"), b"")?);
    let reply = packed.raw(Command::FolderSync, wbxml).await?;
    for (header, expected) in [
        ("x-ms-rp", "12.1,14.0,14.1,16.0,16.1"),
        ("ms-asprotocolversions", "12.1,14.0,14.1,16.0,16.1"),
        ("ms-asprotocolcommands", &commands),
        ("ms-server-activesync", "16.1"),
        ("cache-control", "private"),
    ] {
        let value = reply.header(header).unwrap_or("nothing");
        f.that(&format!("a phone that begins is told {header}"), value == expected, &value);
    }
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    f.that("WBXML has its media type", kind == "application/vnd.ms-sync.wbxml", &kind);
    let garbage = Body::Raw {
        content_type: "application/vnd.ms-sync.wbxml",
        bytes: vec![3, 1, 0x6a, 0, 0x55].into(),
    };
    for (version, status) in [(ProtocolVersion::V14_1, 200), (ProtocolVersion::V12_1, 400)] {
        packed.client.account.version = version;
        let reply = packed.raw(Command::FolderSync, garbage.clone()).await?;
        f.status("what is not WBXML is a bad request to 12.1", &reply, status);
        if let Some(answer) = reply.element(Command::FolderSync)? {
            f.text("and has a status from 14.0 on", &answer, "Status", "102");
        }
    }
    let long = "0123456789012345678901234567890123";
    let mut odd = Speaker::new(site, "ann", ProtocolVersion::V14_0, long)?;
    let answer = odd.ask(Command::FolderSync, &folder_sync("0")).await?;
    f.text("a DeviceId of more than 32 characters is invalid", &answer, "Status", "108");
    odd.client.account.device = "odd".into();
    odd.client.account.device_type = long.into();
    let answer = odd.ask(Command::FolderSync, &folder_sync("0")).await?;
    f.text("and a DeviceType", &answer, "Status", "109");
    for login in ["ann", "EXAMPLE\\ann"] {
        let mut phone = site.phone_as(login, USERS[0].1)?;
        phone.client.account.device = "logins".into();
        let known = phone.client.options().await.is_ok();
        f.that(&format!("the login {login:?} is understood"), known, &"it is not");
    }
    Ok(())
}

/// MS-ASCMD 2.2.1.1, MS-OXDSCLI.
pub async fn autodiscover(site: &Site, f: &mut Findings) -> Result<()> {
    f.section = "Autodiscover".into();
    let mut client = site.phone("ann")?.client;
    let base = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync";
    let wanted = |schema: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{base}/requestschema/2006\">\
             <Request><EMailAddress>ann@example.org</EMailAddress>\
             <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    };
    for (body, holds, sentence) in [
        (
            wanted(&format!("{base}/responseschema/2006")),
            "<Type>MobileSync</Type>",
            "it names the server",
        ),
        (
            wanted(&format!("{base}/responseschema/2006")),
            "/Microsoft-Server-ActiveSync</Url>",
            "by its URL",
        ),
        (
            wanted(&format!("{base}/responseschema/2006")),
            "<EMailAddress>ann@example.org</EMailAddress>",
            "for the address",
        ),
        (wanted("urn:other"), "<ErrorCode>601</ErrorCode>", "another schema has no provider"),
        ("<nonsense".into(), "<ErrorCode>600</ErrorCode>", "nonsense is an invalid request"),
    ] {
        let path = "/Autodiscover/Autodiscover.xml";
        let reply = client.send("POST", path, Some("text/xml"), body.into()).await?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        f.that(sentence, reply.status == 200 && text.contains(holds), &text);
    }
    let reply = client.send("GET", "/autodiscover/autodiscover.xml", None, Bytes::new()).await?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let invalid = reply.status == 200 && text.contains("<ErrorCode>600</ErrorCode>");
    f.that("a GET with the password is an invalid request, not a wrong password", invalid, &text);
    let mut wrong = site.phone_as(&format!("ann@{REALM}"), "wrong-password")?.client;
    let reply = wrong.send("GET", "/autodiscover/autodiscover.xml", None, Bytes::new()).await?;
    f.status("one without is asked for it", &reply, 401);
    client.account.user = String::new();
    for (target, status, holds) in [
        (
            "/autodiscover/autodiscover.json?Email=ann%40example.org&Protocol=ActiveSync",
            200,
            "\"Url\"",
        ),
        (
            "/autodiscover/autodiscover.json/v1.0/ann%40example.org?Protocol=ActiveSync",
            200,
            "\"Protocol\":\"ActiveSync\"",
        ),
        (
            "/autodiscover/autodiscover.json?Email=ann%40example.org&Protocol=EWS",
            400,
            "ProtocolNotSupported",
        ),
        ("/autodiscover/autodiscover.json?Protocol=ActiveSync", 400, "MandatoryParameterMissing"),
    ] {
        let reply = client.send("GET", target, None, Bytes::new()).await?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        f.that(target, reply.status == status && text.contains(holds), &text);
    }
    Ok(())
}
