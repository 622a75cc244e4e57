//! Whether the gate's settings make sense.

use super::problems::{DAY, HOUR, Problems};
use dme_directory::GateConfig;
use dme_model::{Span, within};

pub(super) fn check(logins: &GateConfig, found: &mut Problems) {
    let none = Span::seconds(0);
    let month = Span::seconds(30 * 86_400);
    found.span("logins.password_life", logins.password_life, none, month);
    found.span("logins.wrong_password_life", logins.wrong_password_life, none, month);
    found.span("logins.grace", logins.grace, none, month);
    found.span("logins.refresh", logins.refresh, Span::millis(100), DAY);
    found.span("logins.check_timeout", logins.check_timeout, Span::millis(100), HOUR);
    found.see(within("logins.attempts", logins.attempts, 1..=1_000_000));
    found.span("logins.attempt_every", logins.attempt_every, Span::millis(100), DAY);
    found.see(within("logins.parallel_checks", logins.parallel_checks, 1..=100_000));
    found.see(within("logins.remembered_users", logins.remembered_users, 1..=100_000_000));
}
