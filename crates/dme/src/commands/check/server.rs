//! The server's own: certificate, names, ports.

use super::report::Report;
use crate::commands::when;
use dme_link::CredentialsNeeded;
use dme_model::Realm;
use dme_server::config::{DeviceCertificates, DevicePasswords, ServerConfig};
use dme_server::host::Host;
use dme_server::tls::About;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Certificates that end sooner are warned of: their renewal is late.
const SOON: Duration = Duration::from_secs(21 * 86_400);
const STEP: &str = "certificate";

/// Tries what the server needs of this machine.
pub fn check(report: &mut Report, server: &ServerConfig) {
    // A host that is none was reported with the configuration.
    if let Ok(host) = Host::parse(&server.phones.host) {
        certificate(report, server, &host.name);
        resolve(report, "phones.host", &host.or_port(443));
    }
    port(report, "phones.listen", server.phones.listen);
    port(report, "admin.listen", server.admin.listen);
    if let Some(listen) = server.links.listen {
        port(report, "links.listen", listen);
        for host in server.links.address.0.iter().filter_map(|text| Host::parse(text).ok()) {
            resolve(report, "links.address", &host.or_port(listen.port()));
        }
    }
}

/// Whether phones that are let in without their user's own password get any mail by the connector in
/// this process, whose mail system needs this.
pub fn credentials(report: &mut Report, server: &ServerConfig, needs: Option<CredentialsNeeded>) {
    for realm in &server.realms {
        let (passwords, certificates) = (realm.device_passwords, realm.device_certificates);
        let only_certificates = certificates == DeviceCertificates::Required;
        if certificates.suffice() {
            opened_by(report, &realm.name, "device_certificates", only_certificates, needs);
        }
        if passwords != DevicePasswords::Off && !only_certificates {
            opened_by(report, &realm.name, "device_passwords", passwords.are_required(), needs);
        }
    }
}

/// The same of the phones that one setting of a realm lets in, which are perhaps all of them.
fn opened_by(
    report: &mut Report,
    realm: &Realm,
    setting: &str,
    is_required: bool,
    needs: Option<CredentialsNeeded>,
) {
    let lets_in = format!("{realm}: {setting} lets phones in without their users' own password");
    match needs {
        Some(CredentialsNeeded::None) => {
            report.good(
                "credentials",
                format_args!("{lets_in}, and the mail system opens without it"),
            );
        }
        Some(CredentialsNeeded::Password | CredentialsNeeded::Bearer) => {
            let words = format!(
                "{lets_in}, and the mail system here opens a mailbox only with it: none can be made; \
                 log in there as a master or proxy user (auth.master), or set {setting} = \"off\""
            );
            match is_required {
                true => report.bad("credentials", words),
                false => report.warn("credentials", words),
            }
        }
        None => report.unknown(
            "credentials",
            format_args!(
                "{lets_in}: connectors must log in to their mail systems as a master or proxy user \
                 (auth.master); /my says of each user whether theirs does"
            ),
        ),
    }
}

/// Whether the database can be used.
pub async fn database(report: &mut Report, server: &ServerConfig) {
    match server.database().try_out().await {
        Ok(place) => report.good("database", place),
        Err(error) => report.bad("database", error),
    }
}

/// Whether the OpenID providers answer.
pub async fn providers(report: &mut Report, server: &ServerConfig) {
    for (setting, found) in dme_server::providers::try_out(server).await {
        match found {
            Ok(place) => report.good(&setting, format_args!("people sign in at {place}")),
            Err(error) => report.bad(&setting, error),
        }
    }
}

fn certificate(report: &mut Report, server: &ServerConfig, host: &str) {
    if server.phones.plain_http {
        report.unknown(STEP, "the proxy that ends TLS has it: try it with `dme probe`");
        return;
    }
    let Some(certificate) = &server.phones.certificate else {
        report.warn(STEP, "none is set: a self-made one, which phones must be told to trust");
        return;
    };
    let key = server.phones.key.as_ref().unwrap_or(certificate);
    let about = match About::read(certificate, key, host) {
        Ok(about) => about,
        Err(error) => return report.bad(STEP, error),
    };
    life(report, &about, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    match about.is_for_host {
        true => report.good(STEP, format_args!("it is for {host}")),
        false => report.bad(
            STEP,
            format_args!("it is not for {host}, which is phones.host; get one with that name"),
        ),
    }
    if !about.in_order {
        report.bad(
            STEP,
            "the certificates in the file do not sign each other; put the phones' first, then each \
             with the one that signed it after it",
        );
    }
    chain(report, &about, host);
}

/// Whether it holds now, and for long enough.
fn life(report: &mut Report, about: &About, now: Duration) {
    let seconds = |moment: i64| Duration::from_secs(u64::try_from(moment).unwrap_or(0));
    let ends = when(about.ends);
    if seconds(about.ends) < now {
        report.bad(STEP, format_args!("it ended at {ends}; renew it"));
    } else if seconds(about.begins) > now {
        let begins = when(about.begins);
        report.bad(STEP, format_args!("it holds from {begins} only; is the clock right?"));
    } else if seconds(about.ends) < now + SOON {
        report.warn(STEP, format_args!("the key fits, but it ends at {ends} already; renew it"));
    } else {
        report.good(STEP, format_args!("the key fits, and it holds until {ends}"));
    }
}

/// Whether the chain ends at an authority that is known here, as phones know it.
fn chain(report: &mut Report, about: &About, host: &str) {
    let (Some((leaf, others)), Ok(name)) = (about.chain.split_first(), ServerName::try_from(host))
    else {
        return;
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let Ok(verifier) = verifier else {
        report.unknown(STEP, "this machine knows no authorities: whether phones do cannot be told");
        return;
    };
    match verifier.verify_server_cert(leaf, others, &name, &[], UnixTime::now()) {
        Ok(_) => report.good(STEP, "an authority known to this machine signed it"),
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            let (length, issuer) = (about.length, &about.issuer);
            report.warn(
                STEP,
                format_args!(
                    "no authority known to this machine signed it ({length} in the file, the last \
                     by {issuer}): add what is missing between, or have the phones trust {issuer}"
                ),
            );
        }
        // Its end and its names were looked at before.
        Err(_) => {}
    }
}

/// Whether a host has addresses.
pub fn resolve(report: &mut Report, setting: &str, host: &Host) {
    let port = host.port.unwrap_or(443);
    match (host.name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>) {
        Ok(found) if !found.is_empty() => {
            let found: Vec<String> = found.iter().map(|one| one.ip().to_string()).collect();
            report.good(setting, format_args!("{} is {}", host.name, found.join(", ")));
        }
        Ok(_) => report.bad(setting, format_args!("{} has no address; add it to DNS", host.name)),
        Err(error) => {
            report.bad(setting, format_args!("{} has no address: {error}", host.name));
        }
    }
}

fn port(report: &mut Report, setting: &str, address: SocketAddr) {
    match std::net::TcpListener::bind(address) {
        Ok(_) => report.good(setting, format_args!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => report.warn(
            setting,
            format_args!(
                "{address} is in use: by this server, if it runs; else by another program"
            ),
        ),
        Err(error) => {
            report.bad(setting, format_args!("{address} cannot be listened on: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_that_lets_phones_in_is_named_with_how_many_it_concerns() {
        use dme_link::CheckVerdict::{Bad, Warning};
        let (certificates, passwords) = ("device_certificates", "device_passwords");
        for (of_certificates, of_passwords, said) in [
            ("off", "off", vec![]),
            ("with_password", "off", vec![]),
            ("with_password", "allowed", vec![(Warning, passwords)]),
            ("off", "required", vec![(Bad, passwords)]),
            ("allowed", "off", vec![(Warning, certificates)]),
            ("allowed", "required", vec![(Warning, certificates), (Bad, passwords)]),
            // A password lets no phone in.
            ("required", "allowed", vec![(Bad, certificates)]),
        ] {
            let config = format!(
                "directory = 'server'\nphones.host = 'mail.example.org'\n[[realms]]\n\
                 name = 'example.org'\naccess.users = 'everyone'\n\
                 device_certificates = '{of_certificates}'\ndevice_passwords = '{of_passwords}'"
            );
            let mut report = Report::silent();
            let config = toml::from_str(&config).unwrap();
            credentials(&mut report, &config, Some(CredentialsNeeded::Password));
            let kept = report.kept();
            assert_eq!(kept.len(), said.len(), "{kept:?}");
            for (check, (verdict, setting)) in kept.iter().zip(said) {
                assert_eq!(check.verdict, verdict, "{check:?}");
                assert!(check.said.contains(&format!("{setting} lets phones in")), "{check:?}");
                assert!(check.said.ends_with(&format!("set {setting} = \"off\"")), "{check:?}");
            }
        }
    }

    #[test]
    fn a_certificate_beyond_its_time_is_a_failure() {
        let about = About {
            begins: 1_000,
            ends: 10_000_000,
            is_for_host: true,
            issuer: String::new(),
            length: 1,
            in_order: true,
            chain: Vec::new(),
        };
        for (now, failures) in [(0, 1), (2_000, 0), (9_000_000, 0), (10_000_001, 1)] {
            let mut report = Report::default();
            life(&mut report, &about, Duration::from_secs(now));
            assert_eq!(report.failures, failures, "at {now}");
        }
    }
}
