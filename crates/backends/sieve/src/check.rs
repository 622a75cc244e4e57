//! Trying a configuration out, step by step, in words for an administrator.

use crate::script::note::Note;
use crate::script::rule::Answering;
use crate::script::{NAME, whole};
use crate::vacations::SieveVacations;
use dme_dial::{Finding, advised};
use dme_mailbox::{Account, CallContext};
use dme_model::{Timestamp, Vacation, VacationAudience, VacationState, VacationText};

/// A script of an ordinary size, in bytes.
const ORDINARY: usize = 32 << 10;

impl SieveVacations {
    /// Connects to the server as far as that goes without a user: name, address, TCP and TLS.
    pub async fn reach(&self) -> Finding {
        Finding { step: "ManageSieve connection and TLS", outcome: self.way.reach().await }
    }

    /// Connects, logs in as this user, and has the server look through a script such as would be
    /// written. Changes nothing.
    pub async fn check(&self, account: &Account, context: &CallContext) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut found = |step, outcome| findings.push(Finding { step, outcome });
        let connecting = "ManageSieve connection, TLS and login";
        let connected = async {
            let mut session = self.session(account, context).await?;
            let capabilities = session.capabilities().await;
            Ok((session, capabilities.map_err(|error| error.told("ask what the server can"))?))
        };
        let (mut session, capabilities) = match connected.await {
            Ok(connected) => connected,
            Err(error) => {
                found(connecting, Err(advised(&error)));
                return findings;
            }
        };
        found(connecting, Ok(format!("Sieve can {}", capabilities.extensions())));
        let can = capabilities.abilities();
        found(
            "out-of-office rule",
            match (can.vacation, can.date, can.include) {
                (false, ..) => {
                    Err("the server's Sieve has no vacation: switch it on there".to_owned())
                }
                (_, false, _) => {
                    Err("the server's Sieve lacks date or relational: an absence cannot \
                begin and end by itself; switch them on there"
                        .to_owned())
                }
                (.., true) => {
                    Ok("stands before the user's own script, which it includes".to_owned())
                }
                (.., false) => {
                    Ok("stands in the user's own script: the server's Sieve has no include"
                        .to_owned())
                }
            },
        );
        let space = session.have_space(NAME, ORDINARY).await;
        let space = space.map(|()| format!("{ORDINARY} bytes more are taken"));
        found("room for a script", space.map_err(|error| error.told("HAVESPACE").to_string()));
        if can.vacation && can.date && capabilities.checks_scripts() {
            let text = || Some(VacationText::Html("<p>away</p>".to_owned()));
            let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(1));
            let vacation = Vacation {
                state: VacationState::Within { from, to },
                answers_colleagues: true,
                colleagues: text(),
                audience: VacationAudience::All,
                others: text(),
            };
            let domains = self.domains(account);
            let addresses = [account.address.clone()];
            let interval = self.config.interval.0;
            let answering = Answering { domains: &domains, addresses: &addresses, interval };
            let script = whole(&Note { vacation, own: None }, &answering, can);
            let checked = session.check_script(script.as_bytes()).await;
            let checked = checked.map(|()| "such a script is taken".to_owned());
            found("a sample script", checked.map_err(|e| e.told("CHECKSCRIPT").to_string()));
        }
        session.log_out().await;
        findings
    }
}
