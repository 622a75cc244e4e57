//! The probe: acts as a phone against any ActiveSync address and says how far it gets, how long
//! each step takes, what is wrong and how to mend it.

mod network;
mod report;
mod session;

pub use report::{Outcome, Report, Step, StepName};

use crate::address::Address;
use crate::client::Account;
use crate::discover::{self, Asker};
use crate::error::Error;
use crate::phone::Phone;
use crate::trust::{Tls, Trust};
use dme_eas::ProtocolVersion;
use dme_model::{DeviceId, Secret};
use report::Finding;
use std::time::{Duration, Instant};

/// What to probe, and as whom.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The mail address.
    pub email: String,
    /// The login, where it is another than the mail address.
    pub user: Option<String>,
    /// Its password.
    pub password: Secret,
    /// The ActiveSync address; none to find it by Autodiscover.
    pub address: Option<Address>,
    /// Where Autodiscover asks; none for the well-known places of the mail address's domain.
    pub places: Option<Vec<Address>>,
    /// Whom to trust.
    pub trust: Trust,
    /// The newest protocol version to speak.
    pub version: ProtocolVersion,
    /// The device id to use. Administrators see it in their list of devices.
    pub device: DeviceId,
    /// How long to watch a Ping before it counts as held.
    pub hold: Duration,
}

impl ProbeOptions {
    /// A probe from the mail address alone.
    pub fn new(email: impl Into<String>, password: Secret) -> Self {
        Self {
            email: email.into(),
            user: None,
            password,
            address: None,
            places: None,
            trust: Trust::System,
            version: ProtocolVersion::V16_1,
            device: DeviceId::new("DMEPROBE"),
            hold: Duration::from_secs(3),
        }
    }
}

/// Runs the probe. It never fails: what goes wrong is in the report. Nothing is changed on the
/// server but that it gets to know the probe's device.
pub async fn probe(options: &ProbeOptions) -> Report {
    let mut probe = Probe { options, report: Report::default() };
    probe.run().await;
    probe.report
}

struct Probe<'a> {
    options: &'a ProbeOptions,
    report: Report,
}

impl Probe<'_> {
    async fn run(&mut self) {
        let options = self.options;
        let tls = match Tls::new(&options.trust) {
            Ok(tls) => tls,
            Err(error) => {
                let finding = Finding::failed(error.to_string(), "give a PEM file of authorities");
                self.report.add(StepName::Tls, Instant::now(), finding);
                return;
            }
        };
        if options.trust == Trust::Anyone {
            let warning =
                "certificates are not checked: whoever sits on the line reads the password";
            let finding = Finding::warned(warning, "use it on networks you trust only");
            self.report.add(StepName::Trust, Instant::now(), finding);
        }
        let address = match &options.address {
            Some(address) => address.clone(),
            None => match self.discover(&tls).await {
                Some(address) => address,
                None => return,
            },
        };
        if !self.network(&address, &tls).await {
            return;
        }
        let user = options.user.clone().unwrap_or_else(|| options.email.clone());
        let account = Account {
            device: options.device.clone(),
            device_type: "DmeProbe".to_owned(),
            version: options.version,
            ..Account::new(address, user, options.password.clone())
        };
        let mut phone = Phone::new(account, tls);
        phone.longest_pause = Duration::from_secs(2);
        self.session(&mut phone).await;
    }

    /// Autodiscover at every place, in both dialects; a place that knows nothing is no failure as
    /// long as another does.
    async fn discover(&mut self, tls: &Tls) -> Option<Address> {
        let options = self.options;
        let places = options.places.clone().unwrap_or_else(|| discover::places(&options.email));
        let asker = Asker {
            email: options.email.clone(),
            user: options.user.clone().unwrap_or_else(|| options.email.clone()),
            password: options.password.clone(),
        };
        let mut found: Option<Address> = None;
        for place in &places {
            let begun = Instant::now();
            let json = discover::ask_json(place, &options.email, tls).await;
            self.report.add(StepName::AutodiscoverJson, begun, told(place, &json));
            let begun = Instant::now();
            let xml = discover::ask_xml(place, &asker, tls).await;
            self.report.add(StepName::AutodiscoverXml, begun, told(place, &xml));
            for answer in [xml, json].into_iter().flatten() {
                found.get_or_insert(answer.address);
            }
            if found.is_some() {
                break;
            }
        }
        if found.is_none() {
            let finding = Finding::failed(
                format!("no place knows the ActiveSync address of {}", options.email),
                "publish autodiscover.<domain> over https, or give the server's address by hand",
            );
            self.report.add(StepName::Autodiscover, Instant::now(), finding);
        }
        found
    }
}

fn told(place: &Address, answer: &Result<discover::Discovered, Error>) -> Finding {
    match answer {
        Ok(found) => Finding::passed(format!("{} says {}", place.host, found.address)),
        Err(error @ Error::Unauthorized) => Finding::warned(
            format!("{}: {error}", place.host),
            "check user name and password; some servers want the login instead of the address",
        ),
        Err(error) => Finding::warned(
            format!("{}: {error}", place.host),
            "phones try the next place; publish the address there to save them the time",
        ),
    }
}
