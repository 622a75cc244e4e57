//! From the mail address to the ActiveSync address, as phones look for it (MS-OXDSCLI 3.1.5).

use crate::address::Address;
use crate::client::{Account, Client, Reply};
use crate::error::{Error, Result};
use crate::trust::Tls;
use bytes::Bytes;
use dme_eas::autodiscover::{JsonRequest, JsonResponse, Request, Response};
use dme_model::Secret;

/// The path of the XML dialect.
const XML_PATH: &str = "/autodiscover/autodiscover.xml";
/// How many HTTP redirects are followed for one question.
const MAX_REDIRECTS: usize = 5;
/// How many other mail addresses are followed.
const MAX_RENAMES: usize = 3;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The mail address.
    pub email: String,
    /// The login, often the mail address.
    pub user: String,
    /// Its password; sent over TLS to the places asked, and only to https ones redirected to.
    pub password: Secret,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovered {
    /// The ActiveSync address.
    pub address: Address,
    /// Which place knew it.
    pub place: Address,
}

/// The well-known places for a mail address: its domain, and `autodiscover.` before it. Empty where
/// the address has no domain.
pub fn places(email: &str) -> Vec<Address> {
    let Some((_, domain)) = email.rsplit_once('@').filter(|(_, domain)| !domain.is_empty()) else {
        return Vec::new();
    };
    [format!("autodiscover.{domain}"), domain.to_owned()]
        .into_iter()
        .map(|host| Address { tls: true, host, port: 443, path: "/".to_owned() })
        .collect()
}

/// Asks one place by JSON, without a password.
///
/// # Errors
/// Where there is no answer, or it has no address.
pub async fn ask_json(place: &Address, email: &str, tls: &Tls) -> Result<Discovered> {
    let request = JsonRequest { email: email.to_owned(), protocol: "ActiveSync".to_owned() };
    let nobody = Account::new(place.clone(), "", Secret::new(""));
    let mut question = Question { account: nobody, tls, method: "GET", body: Bytes::new() };
    let reply = question.ask(request.to_target()).await?;
    match JsonResponse::from_json(&reply.body)? {
        JsonResponse::Found { url, .. } => {
            Ok(Discovered { address: url.parse()?, place: place.clone() })
        }
        JsonResponse::Failed { code, message } => {
            Err(Error::NotDiscovered(format!("{code}: {message}")))
        }
    }
}

/// Asks one place by XML, with the password.
///
/// # Errors
/// Where there is no answer, or it has no address.
pub async fn ask_xml(place: &Address, asker: &Asker, tls: &Tls) -> Result<Discovered> {
    let mut email = asker.email.clone();
    for _ in 0..MAX_RENAMES {
        let account = Account::new(place.clone(), asker.user.clone(), asker.password.clone());
        let body = Bytes::from(Request::new(email.as_str()).to_xml());
        let mut question = Question { account, tls, method: "POST", body };
        let reply = question.ask(XML_PATH.to_owned()).await?;
        let answer = Response::from_xml(&reply.body)?;
        match &answer {
            Response::Settings { .. } => {
                let url = answer.mobile_sync_url();
                let missing = || Error::NotDiscovered("the answer has no MobileSync".to_owned());
                let address = url.ok_or_else(missing)?.parse()?;
                return Ok(Discovered { address, place: place.clone() });
            }
            Response::Redirect { email: other, .. } => email.clone_from(other),
            Response::Failure { status, message, .. } => {
                let status = status.number();
                return Err(Error::NotDiscovered(format!("status {status}: {message}")));
            }
            Response::Rejected { code, .. } => {
                return Err(Error::NotDiscovered(format!("error {}", code.number())));
            }
        }
    }
    Err(Error::GoesRound("autodiscover", 3))
}

/// Asks all places in turn, each by JSON and then by XML, and returns the first address.
///
/// # Errors
/// The last place's error.
pub async fn discover(places: &[Address], asker: &Asker, tls: &Tls) -> Result<Discovered> {
    let mut last = Error::NotDiscovered(format!("{} has no domain", asker.email));
    for place in places {
        match ask_json(place, &asker.email, tls).await {
            Ok(found) => return Ok(found),
            Err(error) => tracing::debug!(%place, %error, "no JSON autodiscover"),
        }
        match ask_xml(place, asker, tls).await {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// One question, followed through redirects.
struct Question<'a> {
    account: Account,
    tls: &'a Tls,
    method: &'static str,
    body: Bytes,
}

impl Question<'_> {
    async fn ask(&mut self, target: String) -> Result<Reply> {
        let mut target = target;
        let was_tls = self.account.address.tls;
        for _ in 0..=MAX_REDIRECTS {
            let mut client = Client::new(self.account.clone(), self.tls.clone());
            let content_type = (!self.body.is_empty()).then_some("text/xml; charset=utf-8");
            let reply = client.send(self.method, &target, content_type, self.body.clone()).await?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return reply.success("autodiscover");
            }
            let location = reply.header("location").unwrap_or_default();
            let next = if location.starts_with('/') {
                self.account.address.with_path(location)
            } else {
                location.parse::<Address>()?
            };
            // A password given to a place with TLS must not go on without.
            if was_tls && !next.tls {
                return Err(Error::NotDiscovered(format!("redirected to {next}, without TLS")));
            }
            target.clone_from(&next.path);
            self.account.address = next;
        }
        Err(Error::GoesRound("autodiscover redirect", 5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_places_follow_from_the_domain() {
        let hosts = |email| places(email).into_iter().map(|p| p.host).collect::<Vec<_>>();
        assert_eq!(hosts("ann@corp.example"), ["autodiscover.corp.example", "corp.example"]);
        assert!(hosts("ann").is_empty() && hosts("ann@").is_empty());
    }
}
