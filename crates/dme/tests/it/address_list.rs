//! A CardDAV address book as the address list, as a phone finds it.

use crate::protocol::Speaker;
use crate::protocol_text::{all, text};
use crate::site::{EVES_PHOTO, Site, Wishes, dovecot, postfix};
use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_testkit::certificate::Certificate;
use dme_testkit::radicale::Radicale;

#[tokio::test(flavor = "multi_thread")]
async fn phones_find_whoever_has_a_card_in_the_address_book() -> Result<()> {
    let radicale = Radicale::start(&[("company", "a-password")])?;
    let book = radicale.collection("company", "people");
    std::fs::create_dir_all(&book)?;
    std::fs::write(book.join(".Radicale.props"), r#"{"tag": "VADDRESSBOOK"}"#)?;
    let certificate = Certificate::for_loopback()?.base64();
    let photo = STANDARD.encode(EVES_PHOTO);
    let card = format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:partner\r\nFN:Zoe Partner\r\nN:Partner;Zoe;;;\r\n\
         EMAIL:zoe@partner.example\r\nTITLE:Consultant\r\nPHOTO;ENCODING=b:{photo}\r\n\
         KEY;ENCODING=b;TYPE=X509:{certificate}\r\nEND:VCARD\r\n"
    );
    std::fs::write(book.join("partner.vcf"), card)?;
    let connector = format!(
        "[address_list]\nurl = \"{}company/people/\"\nuser = \"company\"\n\
         password = \"a-password\"\n",
        radicale.url()
    );
    let dovecot = dovecot()?;
    let postfix = postfix(&dovecot)?;
    let site = Site::on(dovecot, postfix, &connector, &Wishes::default())?;
    let mut phone = Speaker::new(&site, "ann", ProtocolVersion::V16_1, "finder")?;
    phone.folders().await?;

    let search = "<Search:Search><Store><Name>GAL</Name><Query>partner</Query>\
                  <Options><Picture/></Options></Store></Search:Search>";
    let answer = phone.ask(Command::Search, search).await?;
    let shown = "Response/Store/Result/Properties";
    for (element, expected) in [
        ("DisplayName", "Zoe Partner"),
        ("EmailAddress", "zoe@partner.example"),
        ("Title", "Consultant"),
        ("Picture/Data", &photo),
    ] {
        let found = text(&answer, &format!("{shown}/{element}"));
        ensure!(found == Some(expected), "{element}: {}", answer.with_contents());
    }

    let find = "<Find:Find><SearchId>11111111-2222-3333-4444-555555555555</SearchId><ExecuteSearch>\
                <GalSearchCriterion><Query>zoe</Query></GalSearchCriterion></ExecuteSearch></Find:Find>";
    let answer = phone.ask(Command::Find, find).await?;
    let name = text(&answer, "Response/Result/Properties/DisplayName");
    ensure!(name == Some("Zoe Partner"), "{}", answer.with_contents());

    let resolve = "<ResolveRecipients:ResolveRecipients><To>zoe@partner.example</To><Options>\
                   <CertificateRetrieval>2</CertificateRetrieval></Options>\
                   </ResolveRecipients:ResolveRecipients>";
    let answer = phone.ask(Command::ResolveRecipients, resolve).await?;
    let certificates = all(&answer, "Response/Recipient/Certificates/Certificate");
    ensure!(certificates.len() == 1, "{}", answer.with_contents());

    // Eve is in the directory of logins only.
    let eve = search.replace("partner", "eve");
    let answer = phone.ask(Command::Search, &eve).await?;
    ensure!(all(&answer, shown).is_empty(), "{}", answer.with_contents());
    let said = site.run(&["check", "connector", "--config", "connector.toml"])?;
    ensure!(said.contains("address list: 1 people with a mail address on 1 cards"), "{said}");
    Ok(())
}
