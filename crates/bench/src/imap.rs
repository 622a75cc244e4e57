//! As much of an IMAP client as the bench needs to look at the mail system itself.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A session on loopback, logged in.
pub struct Imap {
    reader: BufReader<TcpStream>,
}

impl Imap {
    /// Logs in.
    ///
    /// # Errors
    /// When the server does not let it.
    pub fn log_in(port: u16, user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut imap = Self { reader: BufReader::new(stream) };
        imap.line()?;
        imap.command(&format!("LOGIN {user} {password}"))?;
        Ok(imap)
    }

    /// Carries a command out and returns the untagged lines.
    ///
    /// # Errors
    /// When it is refused.
    pub fn command(&mut self, command: &str) -> Result<Vec<String>> {
        let line = format!("a {command}\r\n");
        self.reader.get_mut().write_all(line.as_bytes())?;
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix("a ") {
                Some(end) if end.starts_with("OK") => return Ok(lines),
                Some(end) => bail!("IMAP {command}: {end}"),
                None => lines.push(line),
            }
        }
    }

    /// The next line, whenever it comes.
    ///
    /// # Errors
    /// When none comes within 30 s.
    pub fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).context("no line from IMAP")?;
        anyhow::ensure!(!line.is_empty(), "IMAP: the server hung up");
        Ok(line.trim_end().to_owned())
    }

    /// How many messages of the selected folder are marked as read.
    ///
    /// # Errors
    /// When the server does not say.
    pub fn count_seen(&mut self) -> Result<usize> {
        let lines = self.command("UID SEARCH SEEN")?;
        let found = lines.iter().find_map(|line| line.strip_prefix("* SEARCH"));
        Ok(found.context("no answer to SEARCH")?.split_whitespace().count())
    }
}
