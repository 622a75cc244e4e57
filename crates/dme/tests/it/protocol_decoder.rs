//! What the server says, read by an independent decoder: `wbxml2xml` of libwbxml, which knows the
//! code pages up to 14.1.

use crate::protocol_text::names;
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_wbxml::Element;
use std::process::Command;
use tempfile::TempDir;

/// The decoder, and a place for its files.
pub struct Decoder(TempDir);

impl Decoder {
    pub fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    /// Checks that the decoder finds the same elements in the same order.
    pub fn check(&self, body: &[u8], element: &Element, version: ProtocolVersion) -> Result<()> {
        // It does not know the page of Find, which older versions are refused on.
        if version > ProtocolVersion::V14_1 || element.tag.page_name() == Some("Find") {
            return Ok(());
        }
        let [input, output] = ["in.wbxml", "out.xml"].map(|name| self.0.path().join(name));
        std::fs::write(&input, body)?;
        let said = Command::new("wbxml2xml")
            .args(["-m", "0", "-l", "ACTIVESYNC", "-o"])
            .args([&output, &input])
            .output()
            .context("wbxml2xml of the package libwbxml2-utils is not there")?;
        let complaint = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "wbxml2xml: {complaint}{}", element.with_contents());
        let xml = std::fs::read(&output)?;
        let theirs = tags(&String::from_utf8_lossy(&xml));
        let ours = names(element);
        let same = theirs.iter().map(|name| plain(name)).eq(ours.iter().map(|name| plain(name)));
        ensure!(same, "wbxml2xml reads {theirs:?}, we wrote {ours:?}");
        Ok(())
    }
}

/// A name as both write it: libwbxml has some of older documents, and some in other case.
fn plain(name: &str) -> String {
    match name {
        "FlagStatus" => "status".into(),
        "DeviceEncryptionEnabled" => "requirestoragecardencryption".into(),
        name => name.to_lowercase(),
    }
}

/// The names of the elements that begin, in order. Contents stand in CDATA or escaped.
fn tags(xml: &str) -> Vec<String> {
    let mut rest = xml;
    let mut names = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(data) = after.strip_prefix("![CDATA[") {
            rest = data.split_once("]]>").map_or("", |(_, rest)| rest);
            continue;
        }
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        rest = after;
        if !tag.starts_with(['?', '!', '/']) {
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            names.push(name.rsplit(':').next().unwrap_or_default().to_owned());
        }
    }
    names
}
