//! The way from a connector to its server.

use super::clock;
use super::report::Report;
use super::server::resolve;
use dme_connector::config::ConnectorConfig;
use dme_server::host::Host;

/// Dials each of the server's addresses with the connector's certificate.
pub async fn check(report: &mut Report, connector: &ConnectorConfig) {
    let reached = match dme_connector::reach(connector).await {
        Ok(reached) => reached,
        // The usual order: check, then enrol.
        Err(dme_link::Error::NotEnrolled(_)) => {
            let mut hosts = Vec::new();
            for server in &connector.servers {
                match Host::parse(server) {
                    Ok(host) => {
                        resolve(report, "servers", &host);
                        hosts.push(host.name);
                    }
                    Err(what) => report.bad("servers", format_args!("one {what}")),
                }
            }
            report.unknown(
                "server",
                "not tried: this connector is not enrolled yet, which `dme connector enroll` does",
            );
            return clock::compare(report, hosts.into_iter()).await;
        }
        Err(error) => {
            report.bad("identity", error);
            return clock::unknown(report);
        }
    };
    if reached.is_empty() {
        report.bad("server", "neither `servers` nor the token names an address");
    }
    for one in &reached {
        match &one.outcome {
            Ok(()) => report.good(
                "server",
                format_args!(
                    "{}: reached; it is the one this connector enrolled with. Whether it lets the \
                     connector serve is told there, by `dme connector list`",
                    one.address
                ),
            ),
            Err(error) => report.bad("server", error),
        }
    }
    let hosts = reached.iter().filter_map(|one| Host::parse(&one.address).ok());
    clock::compare(report, hosts.map(|host| host.name)).await;
}
