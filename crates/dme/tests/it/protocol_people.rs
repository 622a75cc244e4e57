//! People of the directory: a part of `protocol.rs` for each version.

use crate::protocol::{Findings, Speaker};
use crate::protocol_text::{all, has, text};
use crate::site::EVES_PHOTO;
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_wbxml::Element;

const FOUND: &str = "Response/Store";
const PROPERTIES: &str = "Response/Store/Result/Properties";

/// MS-ASCMD 2.2.1.16 (the store GAL), 2.2.1.2, 2.2.1.15.
pub async fn people(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    matching(phone, f).await?;
    ranges(phone, f).await?;
    pictures(phone, f).await?;
    resolving(phone, f).await?;
    certificates(phone, f).await
}

fn gal(text: &str, options: &str) -> String {
    format!(
        "<Search:Search><Store><Name>GAL</Name><Query>{text}</Query><Options>{options}</Options></Store></Search:Search>"
    )
}

/// The names of those found, in their order.
fn names(answer: &Element) -> Vec<&str> {
    let found = all(answer, &format!("{PROPERTIES}/DisplayName"));
    found.into_iter().filter_map(Element::as_text).collect()
}

async fn matching(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let three = &["ann Example", "bob Example", "eve Example"][..];
    for (query, expected) in [
        ("exam", three),
        ("xamp", three),
        ("exa bo", &["bob Example"]),
        ("+1 (555) 77", &["eve Example"]),
        ("eve@example.org", &["eve Example"]),
        ("atlas", &["Room Atlas"]),
        ("all peo", &["All people"]),
        ("*", &[]),
        (")(uid=*", &[]),
    ] {
        let answer = phone.ask(Command::Search, &gal(query, "")).await?;
        f.that(
            &format!("{query} finds those whom it fits, the best first"),
            names(&answer) == expected,
            &answer.with_contents(),
        );
    }
    let answer = phone.ask(Command::Search, &gal("eve", "")).await?;
    for (element, expected) in [
        ("DisplayName", "eve Example"),
        ("Phone", "+1 555 77"),
        ("Office", "Room 7"),
        ("Title", "Auditor"),
        ("Company", "Example Ltd"),
        ("Alias", "eve"),
        ("FirstName", "Eve"),
        ("LastName", "Example"),
        ("HomePhone", "+1 555 8"),
        ("MobilePhone", "+1 555 9"),
        ("EmailAddress", "eve@example.org"),
    ] {
        f.text("every element is told", &answer, &format!("{PROPERTIES}/{element}"), expected);
    }
    Ok(())
}

async fn ranges(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    for (range, told, expected) in [
        ("0-0", Some("0-0"), &["ann Example"][..]),
        ("1-1", Some("1-1"), &["bob Example"]),
        ("1-99", Some("1-2"), &["bob Example", "eve Example"]),
        ("3-9", None, &[]),
    ] {
        let range_ = format!("<Range>{range}</Range>");
        let answer = phone.ask(Command::Search, &gal("exam", &range_)).await?;
        f.text("a page is found", &answer, &format!("{FOUND}/Status"), "1");
        f.text("the number of all is told", &answer, &format!("{FOUND}/Total"), "3");
        f.that(
            &format!("the range {range} has its people"),
            names(&answer) == expected && text(&answer, &format!("{FOUND}/Range")) == told,
            &answer.with_contents(),
        );
    }
    let beyond = gal("exam", "<Range>500-509</Range>");
    let answer = phone.ask(Command::Search, &beyond).await?;
    f.text("a range ends somewhere", &answer, &format!("{FOUND}/Status"), "12");
    if phone.version() == ProtocolVersion::V16_1 {
        let find = |range: &str| {
            format!(
                "<Find:Find><SearchId>11111111-2222-3333-4444-555555555555</SearchId><ExecuteSearch><GalSearchCriterion><Query>exam</Query><Options><Range>{range}</Range><Picture><MaxSize>1000</MaxSize></Picture></Options></GalSearchCriterion></ExecuteSearch></Find:Find>"
            )
        };
        let answer = phone.ask(Command::Find, &find("0-0")).await?;
        f.text("Find finds people", &answer, "Response/Status", "1");
        f.text("in the directory", &answer, "Response/Store", "GAL");
        f.text("tells their number", &answer, "Response/Total", "3");
        let who = "Response/Result/Properties";
        f.text("and who they are", &answer, &format!("{who}/DisplayName"), "ann Example");
        f.text("Ann has no picture", &answer, &format!("{who}/Picture/Status"), "173");
        let answer = phone.ask(Command::Find, &find("2-2")).await?;
        f.text("the next page", &answer, &format!("{who}/DisplayName"), "eve Example");
        f.text("with a picture", &answer, &format!("{who}/Picture/Status"), "1");
    }
    Ok(())
}

/// MS-ASCMD 2.2.3.135, 2.2.3.104, 2.2.3.105.
async fn pictures(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let picture = |limits: &str| gal("eve", &format!("<Picture>{limits}</Picture>"));
    let status = format!("{PROPERTIES}/Picture/Status");
    if phone.version() < ProtocolVersion::V14_1 {
        let answer = phone.ask(Command::Search, &picture("")).await?;
        f.that(
            "pictures are 14.1's",
            names(&answer) == ["eve Example"] && !has(&answer, &status),
            &answer.with_contents(),
        );
        return Ok(());
    }
    for (limits, expected) in [
        ("", "1"),
        ("<MaxSize>30</MaxSize><MaxPictures>1</MaxPictures>", "1"),
        ("<MaxSize>29</MaxSize>", "174"),
        ("<MaxPictures>0</MaxPictures>", "175"),
    ] {
        let answer = phone.ask(Command::Search, &picture(limits)).await?;
        f.text(&format!("a picture within {limits:?}"), &answer, &status, expected);
        let data = text(&answer, &format!("{PROPERTIES}/Picture/Data"));
        let photo = STANDARD.encode(EVES_PHOTO);
        let holds = data == (expected == "1").then_some(photo.as_str());
        f.that("is given with status 1 alone", holds, &answer.with_contents());
    }
    let answer = phone.ask(Command::Search, &gal("bob", "<Picture/>")).await?;
    f.text("somebody without a picture", &answer, &status, "173");
    let answer = phone.ask(Command::Search, &gal("eve", "")).await?;
    f.that("no picture comes unasked", !has(&answer, &status), &answer.with_contents());
    Ok(())
}

fn resolve(to: &[&str], options: &str) -> String {
    let to: String = to.iter().map(|to| format!("<To>{to}</To>")).collect();
    format!(
        "<ResolveRecipients:ResolveRecipients>{to}<Options>{options}</Options></ResolveRecipients:ResolveRecipients>"
    )
}

/// MS-ASCMD 2.2.3.177.12, 2.2.3.100, 2.2.3.146.
async fn resolving(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let of = |answer: &Element| all(answer, "Response/Recipient").len();
    for (to, most, status, count, given) in [
        ("exam", "", "2", "3", 3),
        ("exam", "<MaxAmbiguousRecipients>3</MaxAmbiguousRecipients>", "2", "3", 3),
        ("exam", "<MaxAmbiguousRecipients>1</MaxAmbiguousRecipients>", "3", "3", 1),
        ("exam", "<MaxAmbiguousRecipients>0</MaxAmbiguousRecipients>", "3", "3", 0),
        ("bob", "<MaxAmbiguousRecipients>0</MaxAmbiguousRecipients>", "1", "1", 1),
        ("Eve EXAMPLE", "", "1", "1", 1),
        ("all@example.org", "", "1", "1", 1),
        ("nobody-at-all", "", "4", "0", 0),
    ] {
        let options = format!("<CertificateRetrieval>2</CertificateRetrieval>{most}");
        let answer = phone.ask(Command::ResolveRecipients, &resolve(&[to], &options)).await?;
        f.text("names are resolved", &answer, "Status", "1");
        f.text(&format!("{to} {most}"), &answer, "Response/Status", status);
        f.text("with their number", &answer, "Response/RecipientCount", count);
        f.that(
            "as many recipients as are wanted, with certificates where one is meant",
            of(&answer) == given
                && has(&answer, "Response/Recipient/Certificates") == (status == "1"),
            &answer.with_contents(),
        );
        if given > 0 {
            f.text("they are the directory's", &answer, "Response/Recipient/Type", "1");
        }
    }
    let beyond = "<MaxAmbiguousRecipients>10000</MaxAmbiguousRecipients>";
    let answer = phone.ask(Command::ResolveRecipients, &resolve(&["bob"], beyond)).await?;
    f.text("limits are up to 9999", &answer, "Status", "5");
    let answer = phone.ask(Command::ResolveRecipients, &resolve(&["eve", "bob"], "")).await?;
    let to: Vec<_> = all(&answer, "Response/To").into_iter().filter_map(Element::as_text).collect();
    f.that(
        "the answers are in the order of the names",
        to == ["eve", "bob"],
        &answer.with_contents(),
    );
    if phone.version() >= ProtocolVersion::V14_1 {
        let options = "<Picture><MaxSize>30</MaxSize></Picture>";
        let asked = resolve(&["eve", "bob"], options);
        let answer = phone.ask(Command::ResolveRecipients, &asked).await?;
        let statuses = all(&answer, "Response/Recipient/Picture/Status");
        let statuses: Vec<_> = statuses.into_iter().filter_map(Element::as_text).collect();
        f.that("pictures are there too", statuses == ["1", "173"], &answer.with_contents());
        f.text(
            "as they are",
            &answer,
            "Response/Recipient/Picture/Data",
            &STANDARD.encode(EVES_PHOTO),
        );
    }
    Ok(())
}

/// MS-ASCMD 2.2.3.21 to 2.2.3.23.1, 2.2.3.101.
async fn certificates(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let of = "Response/Recipient/Certificates";
    for (retrieval, limit, status, count, given) in [
        ("2", "", "1", "1", 1),
        ("3", "", "1", "1", 1),
        ("2", "<MaxCertificates>1</MaxCertificates>", "1", "1", 1),
        ("2", "<MaxCertificates>0</MaxCertificates>", "8", "1", 0),
    ] {
        let options = format!("<CertificateRetrieval>{retrieval}</CertificateRetrieval>{limit}");
        let answer = phone.ask(Command::ResolveRecipients, &resolve(&["eve"], &options)).await?;
        f.text(&format!("a certificate, {limit}"), &answer, &format!("{of}/Status"), status);
        f.text("is counted", &answer, &format!("{of}/CertificateCount"), count);
        f.that(
            "and given within the limit",
            all(&answer, &format!("{of}/Certificate")).len() == given,
            &answer.with_contents(),
        );
    }
    let options =
        "<CertificateRetrieval>2</CertificateRetrieval><MaxCertificates>1</MaxCertificates>";
    let asked = resolve(&["eve", "eve@example.org", "bob"], options);
    let answer = phone.ask(Command::ResolveRecipients, &asked).await?;
    let statuses = all(&answer, &format!("{of}/Status"));
    let statuses: Vec<_> = statuses.into_iter().filter_map(Element::as_text).collect();
    f.that("the limit is for all together", statuses == ["1", "8", "7"], &answer.with_contents());
    for retrieval in ["", "<CertificateRetrieval>1</CertificateRetrieval>"] {
        let answer = phone.ask(Command::ResolveRecipients, &resolve(&["eve"], retrieval)).await?;
        f.that("no certificate comes unasked", !has(&answer, of), &answer.with_contents());
    }
    Ok(())
}
