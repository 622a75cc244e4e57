//! Another mail client: a little IMAP (RFC 3501), independent of the backend under test.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A client, logged in.
pub struct Client {
    reader: BufReader<TcpStream>,
    tag: u32,
}

/// A mail as the mail system holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub uid: u32,
    pub subject: String,
    pub flags: BTreeSet<String>,
}

impl Client {
    pub fn login(port: u16, user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let mut client = Self { reader: BufReader::new(stream), tag: 0 };
        client.line()?;
        let login = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        client.run(&format!("AUTHENTICATE PLAIN {login}"))?;
        Ok(client)
    }

    /// Puts a message into a folder; the date as RFC 3501's `date-time`, now where there is none.
    pub fn append(
        &mut self,
        folder: &str,
        flags: &str,
        date: Option<&str>,
        message: &[u8],
    ) -> Result<()> {
        let date = date.map(|date| format!("\"{date}\" ")).unwrap_or_default();
        let length = message.len();
        self.say(&format!("APPEND \"{folder}\" ({flags}) {date}{{{length}}}"))?;
        let answer = self.line()?;
        ensure!(answer.starts_with('+'), "append: {answer}");
        self.reader.get_mut().write_all(message)?;
        self.reader.get_mut().write_all(b"\r\n")?;
        self.finish().map(drop)
    }

    /// All mails of a folder, which is selected from now on.
    pub fn mails(&mut self, folder: &str) -> Result<Vec<Mail>> {
        self.run(&format!("SELECT \"{folder}\""))?;
        let fetch = "UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])";
        let answers = self.run(fetch)?;
        let fetched = answers.iter().filter(|line| line.contains("BODY[HEADER"));
        fetched.map(|line| mail(line).with_context(|| line.clone())).collect()
    }

    /// Moves a mail of the selected folder, or all (`1:*`).
    pub fn relocate(&mut self, uids: &str, to: &str) -> Result<()> {
        self.run(&format!("UID MOVE {uids} \"{to}\"")).map(drop)
    }

    /// Runs a command; answers the untagged answers, literals included.
    pub fn run(&mut self, command: &str) -> Result<Vec<String>> {
        self.say(command)?;
        self.finish().with_context(|| format!("imap: {}", command.get(..12).unwrap_or(command)))
    }

    fn say(&mut self, command: &str) -> Result<()> {
        self.tag += 1;
        let line = format!("a{} {command}\r\n", self.tag);
        Ok(self.reader.get_mut().write_all(line.as_bytes())?)
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        let tag = format!("a{} ", self.tag);
        let mut answers = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix(&tag) {
                Some(status) if status.starts_with("OK") => return Ok(answers),
                Some(status) => bail!("{}", status.trim_end()),
                None => answers.push(line),
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        loop {
            if self.reader.read_until(b'\n', &mut bytes)? == 0 {
                bail!("imap: the server hung up");
            }
            match literal(&bytes) {
                None => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Some(length) => {
                    let mut literal = vec![0; length];
                    self.reader.read_exact(&mut literal)?;
                    bytes.extend_from_slice(&literal);
                }
            }
        }
    }
}

/// The length of the literal that begins after this line.
fn literal(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?.trim_end().strip_suffix('}')?;
    line.rsplit_once('{')?.1.parse().ok()
}

fn mail(line: &str) -> Option<Mail> {
    let uid = line.split_once("UID ")?.1.split([' ', ')']).next()?.parse().ok()?;
    let flags = line.split_once("FLAGS (")?.1.split_once(')')?.0;
    let flags = flags.split_whitespace().filter(|flag| *flag != "\\Recent");
    let subject = line.split_once("Subject: ").map_or("", |(_, rest)| rest);
    let subject = subject.lines().next().unwrap_or_default();
    Some(Mail { uid, flags: flags.map(str::to_owned).collect(), subject: subject.to_owned() })
}
