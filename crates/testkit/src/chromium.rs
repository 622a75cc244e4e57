//! Chromium without a window (Debian's `chromium` and `chromium-driver`), driven by WebDriver
//! (W3C WebDriver, with Chromium's own `goog/cdp/execute`). Each has a profile of its own.

use crate::ports::{free_port, wait_until};
use crate::process::{Folder, Process};
use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);
/// How WebDriver calls an element in JSON (W3C WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// What keeps a browser to what it is asked to do.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--lang=en",
];

/// A browser with one window.
#[derive(Debug)]
pub struct Chromium {
    port: u16,
    session: String,
    browser: Option<u64>,
    /// Ended before its folder goes.
    _driver: Process,
    _folder: Folder,
}

impl Chromium {
    /// Starts a browser.
    ///
    /// # Errors
    /// When it cannot be started, most often because its packages are not installed.
    pub fn start() -> anyhow::Result<Self> {
        let folder = Folder::new("chromium")?;
        let port = free_port()?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", folder.path());
        let mut driver =
            Process::start("chromedriver", &mut command, &folder.path().join("driver.log"))?;
        driver.wait_ready(&[port])?;
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let flags: Vec<String> = FLAGS.map(str::to_owned).into_iter().chain([profile]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
        }}});
        let began = call(port, "POST", "/session", &wanted)?;
        let session = began["sessionId"].as_str().context("no session")?.to_owned();
        let browser = began["capabilities"]["goog:processID"].as_u64();
        Ok(Self { port, session, browser, _driver: driver, _folder: folder })
    }

    /// Goes to an address and waits until it is there.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn go(&self, url: &str) -> anyhow::Result<()> {
        self.ask("POST", "/url", &json!({ "url": url })).map(drop)
    }

    /// Where it is.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn url(&self) -> anyhow::Result<String> {
        let url = self.ask("GET", "/url", &Value::Null)?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks on the first element of this CSS selector, as soon as it is there.
    ///
    /// # Errors
    /// When it does not come, or is covered.
    pub fn click(&self, css: &str) -> anyhow::Result<()> {
        self.with(css, |id| self.ask("POST", &format!("/element/{id}/click"), &json!({})).map(drop))
    }

    /// Empties a field and writes into it.
    ///
    /// # Errors
    /// When it does not come.
    pub fn write(&self, css: &str, text: &str) -> anyhow::Result<()> {
        self.with(css, |id| {
            self.ask("POST", &format!("/element/{id}/clear"), &json!({}))?;
            self.ask("POST", &format!("/element/{id}/value"), &json!({ "text": text })).map(drop)
        })
    }

    /// The text of the first element of this selector as it is seen, as soon as it is there.
    ///
    /// # Errors
    /// When it does not come.
    pub fn text(&self, css: &str) -> anyhow::Result<String> {
        self.with(css, |id| {
            let text = self.ask("GET", &format!("/element/{id}/text"), &Value::Null)?;
            Ok(text.as_str().unwrap_or_default().to_owned())
        })
    }

    /// Whether there is such an element now.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn has(&self, css: &str) -> anyhow::Result<bool> {
        Ok(!self.find(css)?.is_empty())
    }

    /// Waits until the element's text has this in it.
    ///
    /// # Errors
    /// When it does not: with what it says instead.
    pub fn wait_for(&self, css: &str, part: &str) -> anyhow::Result<()> {
        let mut last = String::new();
        wait_until(&format!("{css} says {part:?}"), PATIENCE, || {
            if let Ok(text) = self.text(css) {
                last = text;
            }
            Ok(last.contains(part))
        })
        .with_context(|| format!("it says {last:?}"))
    }

    /// Presses a key where the focus is: a character, or one of WebDriver's private-use code points
    /// (W3C WebDriver §17.4.2).
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn press(&self, key: char) -> anyhow::Result<()> {
        let key = key.to_string();
        let actions = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.ask("POST", "/actions", &json!({ "actions": [keyboard] })).map(drop)
    }

    /// What a function's body returns in the page; a promise is waited for.
    ///
    /// # Errors
    /// What it throws.
    pub fn run(&self, script: &str, arguments: &[Value]) -> anyhow::Result<Value> {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// A command of the Chrome DevTools Protocol.
    ///
    /// # Errors
    /// Whatever the browser says against it.
    pub fn devtools(&self, command: &str, parameters: &Value) -> anyhow::Result<Value> {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Gives the page this size in CSS pixels, whatever the window's.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// Has pages believe that the system is `dark` or `light`, and that nothing is to move.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn prefer(&self, theme: &str) -> anyhow::Result<()> {
        let features = json!([
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features })).map(drop)
    }

    /// Believes whatever certificate a server shows: for pages of a server whose authority this
    /// machine does not know.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn trust_all(&self) -> anyhow::Result<()> {
        self.devtools("Security.setIgnoreCertificateErrors", &json!({ "ignore": true })).map(drop)
    }

    /// Puts what is downloaded into a folder, without asking.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn download_to(&self, folder: &Path) -> anyhow::Result<()> {
        let how = json!({"behavior": "allow", "downloadPath": folder});
        self.devtools("Browser.setDownloadBehavior", &how).map(drop)
    }

    /// The page from its beginning as PNG, so many points wide and high.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn picture(&self, width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let how = json!({"format": "png", "clip": clip, "optimizeForSpeed": false});
        let picture = self.devtools("Page.captureScreenshot", &how)?;
        let data = picture["data"].as_str().context("no picture")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(data)?)
    }

    /// Forgets all cookies.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn forget_cookies(&self) -> anyhow::Result<()> {
        self.ask("DELETE", "/cookie", &Value::Null).map(drop)
    }

    /// The cookies of the page, as WebDriver has them.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn cookies(&self) -> anyhow::Result<Vec<Value>> {
        let cookies = self.ask("GET", "/cookie", &Value::Null)?;
        Ok(cookies.as_array().cloned().unwrap_or_default())
    }

    fn find(&self, css: &str) -> anyhow::Result<Vec<String>> {
        let by = json!({"using": "css selector", "value": css});
        let found = self.ask("POST", "/elements", &by)?;
        let ids = found.as_array().into_iter().flatten();
        Ok(ids.filter_map(|one| one[ELEMENT].as_str().map(str::to_owned)).collect())
    }

    /// Does something with an element as soon as it is there; again, where a page that freshens
    /// itself put another in its place meanwhile.
    fn with<T>(
        &self,
        css: &str,
        mut act: impl FnMut(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut done = None;
        let come = wait_until(&format!("there is {css}"), PATIENCE, || {
            let Some(id) = self.find(css)?.into_iter().next() else { return Ok(false) };
            match act(&id) {
                Err(error) if error.to_string().starts_with("stale element") => return Ok(false),
                other => done = Some(other),
            }
            Ok(true)
        });
        come.with_context(|| {
            let text = self.run("return location.href + '\\n' + document.body.innerText", &[]);
            format!("the page is {}", text.unwrap_or_default().as_str().unwrap_or_default())
        })?;
        done.context("nothing was done")?.with_context(|| css.to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        call(self.port, method, &format!("/session/{}{path}", self.session), body)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends its browser; where it cannot any more, nothing is to be left either.
        let ended = self.ask("DELETE", "", &Value::Null).is_ok();
        if let Some(browser) = self.browser.filter(|_| !ended) {
            let _ = Command::new("kill").args(["-s", "KILL", &browser.to_string()]).status();
        }
    }
}

/// One command to a driver: its `value`, or what it says against it.
fn call(port: u16, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        tcp,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    // It keeps connections open, whatever it is asked for.
    let mut answer = BufReader::new(tcp);
    let mut length = 0;
    loop {
        let mut line = String::new();
        ensure!(answer.read_line(&mut line)? > 0, "a driver hung up");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    let mut answer: Value = serde_json::from_slice(&body)?;
    let value = answer["value"].take();
    if let Some(error) = value["error"].as_str() {
        bail!("{error}: {}", value["message"].as_str().unwrap_or_default());
    }
    Ok(value)
}
